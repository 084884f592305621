//! Orders admitted transactions. One nonce lane per sender.
//!
//! A transaction comes with its sender recovered. [`Pool::add`] holds it against the chain's rules and its sender's
//! account, then puts it into the sender's lane: it is *pending* when all nonces from the account's on are there up to
//! its own, and *queued* while one is missing. [`Pool::best`] gives the pending ones in the order in which a block
//! wants them; [`Pool::remove_mined`] follows the chain.
//!
//! Assumptions: signatures were checked before; balances are compared one transaction at a time, so a sender may have
//! more pending than it can pay for, and the executor leaves the rest out. Everything is bounded by [`Limits`].

mod admission;
mod error;
mod intrinsic;
mod lane;
mod limits;
mod pool;

pub use admission::Rules;
pub use error::PoolError;
pub use intrinsic::{IntrinsicGas, intrinsic_gas};
pub use limits::{FAULTS_MAX, INITCODE_BYTES_MAX, Limits, PRICE_BUMP_PERCENT, TRANSACTION_BYTES_MAX};
pub use pool::{Added, Content, Place, Pool};
