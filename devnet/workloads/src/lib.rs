//! Blocks on which the parallel executor is measured, and the states they are executed on.
//!
//! [`generate`] is a pure function: the same [`Kind`] and the same amount of gas give the same accounts, contracts,
//! transactions and hashes on every machine. A [`Kind`] says how the transactions of its block depend on each other;
//! what else they have in common (the fee recipient, the code of a token) is the same everywhere.
//!
//! Path of a block: a kind's module (`transfers`, `tokens`, `swaps`, `mixed`) puts accounts and contracts on a
//! `ground::Ground` and orders transactions on it; the ground numbers and signs them, and fixes the block around them.
//! [`load`] gives transactions without a block, to be sent to a node.
//!
//! State is written directly, except that of a pool, which comes out of executing its past (`preparation`) and is then
//! copied (`market`).

mod accounts;
mod contracts;
mod ground;
mod kind;
mod load;
mod market;
mod mixed;
mod preparation;
mod swaps;
mod tokens;
mod transfers;

pub use contracts::{PlainToken, Pool, Router, Tally};
pub use ground::{BASE_FEE, BENEFICIARY, CHAIN_ID};
pub use kind::{Kind, UnknownKind};
pub use load::{Load, Traffic, load};

use parapet_executor::{Admission, BlockInput, Listing, Point};
use parapet_types::{Ancestors, BlockContext, ChainParams, FlatState, Transaction};

/// Gas of a block as they are usually measured.
pub const GAS_DEFAULT: u64 = 200_000_000;
/// Most gas that is generated: ten usual blocks in one.
pub const GAS_MAX: u64 = 10 * GAS_DEFAULT;

/// A block to be executed, with everything its execution depends on.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Name of its kind.
    pub name: &'static str,
    /// The chain's parameters; its gas limit is the block's.
    pub params: ChainParams,
    /// State after the parent.
    pub state: FlatState,
    /// The parent's hash.
    pub ancestors: Ancestors,
    /// What the header fixes. The gas limit is the sum of the transactions' gas limits, so that each fits in what the
    /// ones before it have left.
    pub block: BlockContext,
    /// In block order, their hashes already computed.
    pub transactions: Vec<Transaction>,
    /// Whether the signatures are the senders', so that recovering senders can be measured. Where they are not, each is
    /// a number of its own, and senders are known only from [`Workload::transactions`].
    pub signed: bool,
    /// Indices of the transactions that are meant to revert, in order; all others succeed.
    pub reverting: Vec<usize>,
}

impl Workload {
    /// The block as the executor takes it: built elsewhere, so that a transaction that cannot be included fails it.
    #[must_use]
    pub fn input(&self) -> BlockInput<'_> {
        let at = Point { params: &self.params, world: &self.state, ancestors: &self.ancestors, block: &self.block };
        BlockInput {
            at,
            transactions: &self.transactions,
            admission: Admission::Import,
            access_list: Listing::Ignore,
            deadline: None,
        }
    }
}

/// Generates a block whose transactions use about `gas` gas together: within a fifth of it, if it is worth ten
/// transactions or more. It has at least one transaction, and is never worth more than [`GAS_MAX`].
///
/// # Panics
/// When the committed contracts are not those this crate was written for.
#[must_use]
pub fn generate(kind: Kind, gas: u64) -> Workload {
    let gas = gas.min(GAS_MAX);
    match kind {
        Kind::TransfersIndependent | Kind::TransfersChain | Kind::TransfersOneSender | Kind::TransfersOneRecipient => {
            transfers::generate(kind, gas)
        }
        Kind::Erc20Independent | Kind::Erc20Chain | Kind::Erc20OneRecipient => tokens::generate(kind, gas),
        Kind::SwapsIndependent | Kind::Swaps16Pools | Kind::SwapsOnePool => swaps::generate(kind, gas),
        Kind::Mixed => mixed::generate(gas),
    }
}
