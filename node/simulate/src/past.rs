//! The past: a block's transactions, run again on the state before the block, up to the one that is asked about.

use parapet_executor::{
    BlockError, ChainRules, Identity, Outcome, Overlay, Point, Session, TxError, begin_block, block_env, tx_env,
};
use parapet_monitor::Monitor;
use parapet_types::{Executed, REGISTRY, StateChanges, Transaction};
use revm::inspector::NoOpInspector;

use crate::{Late, SimulateError, call::overlay, check_time, late::timed};

/// Who is executed, as the block had it.
pub(crate) fn identify(point: &Point<'_>, transaction: &Transaction) -> Identity {
    Identity::of(transaction, point.block.parent_hash)
}

/// Lays what an execution did over a state.
pub(crate) fn lay(state: &mut Overlay<'_>, outcome: &Outcome) -> Result<(), SimulateError> {
    state.commit(&outcome.state).map_err(BlockError::from)?;
    for update in &outcome.guard_updates {
        state.update_storage(REGISTRY, update).map_err(BlockError::from)?;
    }
    Ok(())
}

/// A block that is executed once more, transaction by transaction, each judged by the chain's guards as it was.
pub(crate) struct Again<'a> {
    session: Session<'a, Overlay<'a>>,
}

impl<'a> Again<'a> {
    /// What the chain does before a block's first transaction is done.
    pub(crate) fn begin(point: &Point<'a>, monitor: &'a dyn Monitor) -> Result<Self, SimulateError> {
        let (rules, env) = (ChainRules::of(point.params), block_env(point.params, point.block));
        let mut session = timed(Session::new(overlay(point), rules, env, monitor, NoOpInspector {}));
        begin_block(&mut session, point.params.hardfork, point.block)?;
        Ok(Self { session })
    }

    /// The state after the transactions so far.
    pub(crate) fn now(&mut self) -> &Overlay<'a> {
        self.session.evm_mut().db_mut()
    }

    /// Executes the next transaction. Nothing of it is kept yet.
    pub(crate) fn execute(
        &mut self,
        point: &Point<'_>,
        index: usize,
        transaction: &Transaction,
    ) -> Result<Outcome, SimulateError> {
        check_time()?;
        let ran = self.session.execute(tx_env(transaction), identify(point, transaction));
        ran.map_err(|error| match error {
            TxError::Interrupted => SimulateError::Late(Late),
            source => SimulateError::Preceding { index, source },
        })
    }

    /// Executes the next transaction, and keeps what it does.
    pub(crate) fn step(
        &mut self,
        point: &Point<'_>,
        index: usize,
        transaction: &Transaction,
    ) -> Result<Executed, SimulateError> {
        let outcome = self.execute(point, index, transaction)?;
        self.keep(&outcome)?;
        Ok(outcome.executed)
    }

    /// Keeps what it did.
    pub(crate) fn keep(&mut self, outcome: &Outcome) -> Result<(), SimulateError> {
        lay(self.session.evm_mut().db_mut(), outcome)
    }

    /// A copy of the state after the transactions so far, on which the next one can be watched.
    pub(crate) fn state(&mut self) -> Overlay<'a> {
        self.session.evm_mut().db_mut().clone()
    }

    /// The state after the transactions so far.
    pub(crate) fn into_state(self) -> Overlay<'a> {
        self.session.into_db()
    }
}

/// The state before a transaction of a block, given the state before the block and the transactions before it.
pub(crate) fn before<'a>(
    point: &Point<'a>,
    preceding: &[Transaction],
    monitor: &'a dyn Monitor,
) -> Result<Overlay<'a>, SimulateError> {
    let mut again = Again::begin(point, monitor)?;
    for (index, transaction) in preceding.iter().enumerate() {
        again.step(point, index, transaction)?;
    }
    Ok(again.into_state())
}

/// What a block has changed before one of its transactions, given the state before the block and the transactions before it.
///
/// # Errors
/// [`SimulateError`].
pub fn changes_before(
    point: &Point<'_>,
    preceding: &[Transaction],
    monitor: &dyn Monitor,
) -> Result<StateChanges, SimulateError> {
    Ok(before(point, preceding, monitor)?.changes().map_err(BlockError::from)?)
}
