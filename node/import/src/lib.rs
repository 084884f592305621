//! Blocks that were built elsewhere: checked against the rules of their fork, executed, and held against what their
//! headers announce.
//!
//! Path of a block: [`IncomingBlock::decode`] reads it and recovers its senders; [`import_block`] checks its header
//! ([`check_header`], [`check_succession`]) and its body ([`check_body`]), has it executed through
//! [`parapet_executor::execute_block`], and compares what came of it ([`check_outcome`], and the state root). Nothing is
//! written: the caller commits what it is given.
//!
//! Assumptions: the parent was imported before, hence is within every bound; proof of stake, so that the choice of the
//! chain and all that is the consensus client's is not looked at. Blocks from before the merge are executed for what they
//! did: their seals and difficulties are taken on trust, and so is that an ommer was one.

mod block;
mod body;
mod error;
mod header;
mod import;
mod outcome;

pub use block::{BLOCK_BYTES_MAX, IncomingBlock};
pub use body::{OSAKA_BLOCK_BYTES_MAX, check_body};
pub use error::{Consequence, Field, ImportError};
pub use header::{EXTRA_DATA_BYTES_MAX, GAS_LIMIT_MAX, GAS_LIMIT_MIN, check_header, check_succession};
pub use import::{Imported, Parent, import_block};
pub use outcome::check_outcome;
