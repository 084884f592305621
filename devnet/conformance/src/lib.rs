//! Ethereum's public test suites, and blocks of real chains, through the node's own execution (I6).
//!
//! Path of a test: [`run`] finds the files of a folder, tells their format by their fields, reads each within bounds and
//! hands it to its runner. Blockchain tests and real blocks go through [`parapet_import`], hence through
//! [`parapet_executor::execute_block`], sequentially or on several threads; state tests, which have no block, go through
//! [`parapet_executor::execute_transactions`]. What cannot be run is counted with its reason; nothing is skipped in silence.
//!
//! Assumption: no attachment. What is compared is Ethereum's own.

mod blockchain;
mod error;
mod expect;
mod fields;
mod keep;
mod network;
mod real;
mod report;
mod run;
mod state_test;

pub use error::{ConformanceError, Skip};
pub use keep::Keep;
pub use report::{Failure, Options, Progress, Report};
pub use run::run;
