//! The state of another chain, read from a node of it and checked: what a forked chain begins with.
//!
//! Path of a read: a [`Fork`] is a [`StateReader`](parapet_types::StateReader) of one block that never changes. What was read
//! before is in its cache (`cache`), and over runs in a file (`file`); what was not is asked for (`fork`) in as few requests as
//! possible, by one thread for all that want it, and checked (`proof`) against the block's state root wherever the endpoint
//! has proofs. The client (`client`) bounds everything that depends on the endpoint: time, bytes, requests at once, attempts.
//!
//! Assumptions: the endpoint may lie, stall, disappear or answer without end. Then a read fails, soon and in words that name
//! the endpoint; it never gives a wrong answer that could have been known to be one, and never waits without end. Nothing is
//! mended by guessing. Whoever reads may be any thread, of any pool: nothing here waits for a runtime.

mod answer;
mod begin;
mod cache;
mod client;
mod endpoint;
mod error;
mod fetch;
mod file;
mod flights;
mod fork;
mod history;
mod pace;
mod proof;
mod repeat;
mod reply;
mod schedule;
mod settings;

pub use endpoint::public_name;
pub use error::ForkError;
pub use fork::{Checks, Fork, Want};
pub use repeat::Repeat;
pub use schedule::hardfork_of;
pub use settings::{ForkBlock, ForkSettings, Verify, default_cache_folder};
