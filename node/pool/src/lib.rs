//! Orders admitted transactions. One nonce lane per sender.
//!
//! A transaction comes with its sender recovered. [`Candidate::check`] holds it against the next block's rules and its sender's
//! account, and works out what it names and proves; [`Pool::admit`] holds it against the account as it is by then and what waits,
//! then puts it into the sender's lane: it is *pending* when all nonces from the account's
//! on are there up to its own, and *queued* while one is missing; who is pending and does not pay what the next block asks for
//! waits with those behind it until it does. [`Pool::best`] gives the others in the order in which a block wants them;
//! [`Pool::follow`] follows the chain. [`Journal`] keeps what waits across restarts.
//!
//! Assumptions: signatures were checked before; balances are compared one transaction at a time, so a sender may have
//! more pending than it can pay for, and the executor leaves the rest out. Everything is bounded by [`Limits`].

mod admission;
mod best;
mod candidate;
mod conflicts;
mod error;
mod intrinsic;
mod journal;
mod lane;
mod limits;
mod pool;
mod rules;
mod tails;

pub use best::{Best, Order};
pub use candidate::{Candidate, Sidecar};
pub use error::PoolError;
pub use intrinsic::{IntrinsicGas, intrinsic_gas};
pub use journal::{JOURNAL_BYTES_MAX, Journal, JournalError, Rejoining};
pub use limits::{
    BLOB_PRICE_BUMP_PERCENT, BLOB_TRANSACTIONS_MAX, FAULTS_MAX, Limits, PRICE_BUMP_PERCENT, TRANSACTION_BYTES_MAX,
};
pub use pool::{Added, Content, Place, Pool};
pub use rules::{Account, Balances, BlobRules, Code, LowFees, Prices, Rules};
