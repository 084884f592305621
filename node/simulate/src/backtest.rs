//! Guards that are tried out on transactions of the past, and on calls.
//!
//! Invariant: what the chain made of a transaction is the same whoever is tried out on it, and is given back, so that
//! whoever has the block can compare.

use parapet_executor::{ChainRules, Overlay, Point, tx_env};
use parapet_monitor::Monitor;
use parapet_types::{Executed, Transaction};

use crate::{
    CallRequest, SimulateError,
    beside::{OnceMore, Opinion, Past, Tried},
    call::{identity, lenient},
    past::{Again, before, identify},
    spy::Spy,
};

/// What the chain made of a transaction, and what each guard did that is tried out, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The chain.
    pub executed: Executed,
    /// The others.
    pub opinions: Vec<Opinion>,
}

/// Executes a block of the past on the state before it, as the chain did, and has guards judge each transaction that are
/// tried out. What they keep of it they have in the next block.
///
/// # Errors
/// [`SimulateError`]; the guards then stand in the middle of the block, and can be used no more.
pub fn backtest_block(
    point: &Point<'_>,
    transactions: &[Transaction],
    chain: &dyn Monitor,
    tried: &mut [Tried],
) -> Result<Vec<Judged>, SimulateError> {
    tried.iter_mut().for_each(Tried::next_block);
    let spy = Spy::new(chain);
    let mut again = Again::begin(point, &spy)?;
    let mut judged = Vec::with_capacity(transactions.len());
    for (index, transaction) in transactions.iter().enumerate() {
        let outcome = again.execute(point, index, transaction)?;
        let past = Past { executed: outcome.executed.clone(), veto: spy.take() };
        let opinions = of_transaction(point, again.now(), transaction, &past, tried)?;
        again.keep(&outcome)?;
        judged.push(Judged { executed: past.executed, opinions });
    }
    Ok(judged)
}

/// Executes one transaction of a block, given the state before the block and the transactions before it, and has guards
/// judge it that are tried out.
///
/// # Errors
/// [`SimulateError`].
pub fn transaction_beside(
    point: &Point<'_>,
    preceding: &[Transaction],
    target: &Transaction,
    chain: &dyn Monitor,
    tried: &mut [Tried],
) -> Result<Judged, SimulateError> {
    let state = before(point, preceding, chain)?;
    let point = Point { world: &state, ..*point };
    let past = once_more(&point, target).past(chain)?;
    let opinions = of_transaction(&point, &state, target, &past, tried)?;
    Ok(Judged { executed: past.executed, opinions })
}

/// Runs a call, and has guards judge it that are tried out.
///
/// # Errors
/// [`SimulateError`].
pub fn call_beside(
    point: &Point<'_>,
    request: &CallRequest,
    chain: &dyn Monitor,
    tried: &mut [Tried],
) -> Result<Judged, SimulateError> {
    let once_more = OnceMore {
        point: *point,
        rules: lenient(point, request),
        tx: request.tx_env(point, request.gas_limit(point.block))?,
        identity: identity(point.block),
    };
    let past = once_more.past(chain)?;
    let opinions = tried.iter_mut().map(|tried| tried.judge(&once_more, &past)).collect::<Result<_, _>>()?;
    Ok(Judged { executed: past.executed, opinions })
}

fn of_transaction(
    point: &Point<'_>,
    state: &Overlay<'_>,
    transaction: &Transaction,
    past: &Past,
    tried: &mut [Tried],
) -> Result<Vec<Opinion>, SimulateError> {
    let point = Point { world: state, ..*point };
    let once_more = once_more(&point, transaction);
    tried.iter_mut().map(|tried| tried.judge(&once_more, past)).collect()
}

fn once_more<'a>(point: &Point<'a>, transaction: &Transaction) -> OnceMore<'a> {
    OnceMore {
        point: *point,
        rules: ChainRules::of(point.params),
        tx: tx_env(transaction),
        identity: identify(point, transaction),
    }
}
