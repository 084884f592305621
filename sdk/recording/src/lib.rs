//! The file of a recorded transaction: what a node writes for a test of a guard to read.
//!
//! ```text
//! node: state → Observer → execution → Prestate, Trace → Recording → JSON
//! test: JSON → Recording → trace (records for a native guard)
//!                        → prestate, block, transaction (to execute it again)
//! ```
//!
//! A recording holds the transaction as it runs while nobody objects: guards of the chain neither act in it nor are
//! they part of it, and guard state begins empty. So a guard under test sees a whole attack, whoever stopped it then.
//!
//! Invariants:
//! - What was not recorded is never invented: [`Prestate`] refuses it by an error that says what to do. The one exception
//!   is the registry's storage, which is empty beyond what was recorded, because no attachment of the chain is there.
//! - A file is from outside: its size, the number of everything in it, and every index that one record has of another are
//!   checked when it is read, so whoever has a [`Recording`] can index without looking.
//! - Records are in the layout of `parapet-abi` (version 1) and so can be read for ever; the JSON around them has a version
//!   of its own.

mod environment;
mod error;
mod observer;
mod prestate;
mod recording;
mod subject;
mod traced;

pub use environment::Environment;
pub use error::{NotRecorded, RecordingError};
pub use observer::Observer;
pub use prestate::{Prestate, RecordedAccount};
pub use recording::Recording;
pub use subject::Subject;
pub use traced::Traced;

/// Version of the JSON that this crate writes, and the only one it reads.
pub const RECORDING_VERSION: u32 = 1;
/// Most bytes of a file.
pub const RECORDING_BYTES_MAX: usize = 96 * 1024 * 1024;
/// Most accounts of a recorded state.
pub const PRESTATE_ACCOUNTS_MAX: usize = 20_000;
/// Most storage words of a recorded state, all accounts together.
pub const PRESTATE_SLOTS_MAX: usize = 100_000;
/// Most bytes of code of a recorded state, all accounts together.
pub const PRESTATE_CODE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most hashes of ancestors: as many as BLOCKHASH tells.
pub const ANCESTORS_MAX: usize = 256;
