//! Measures the block executor: against the leanest sequential loop, against the bound that a block's own dependencies
//! set, and in a simulator on more cores than there are.
//!
//! Path of a figure: a [`case`] is executed by the [`lean`] loop and by both modes of the executor, and nothing is
//! timed unless they [`agree`]. Then [`timing`] runs the lean loop and the parallel executor in turns; [`footprint`]
//! draws what each transaction reads and writes, [`conflicts`] makes dependencies of it, [`mod@bound`] schedules the
//! transactions' measured durations on them, and [`mod@simulate`] replays them under the scheduler's own decisions. [`measure`]
//! puts it together, [`table`] prints it.

pub mod agree;
pub mod bound;
pub mod case;
pub mod conflicts;
mod cores;
pub mod costs;
mod error;
pub mod footprint;
pub mod lean;
pub mod machine;
pub mod measure;
mod parallel;
mod recording;
pub mod recovery;
pub mod report;
pub mod simulate;
pub mod soak;
pub mod suite;
mod sync;
pub mod table;
pub mod targets;
pub mod timing;

pub use case::Case;
pub use error::BenchError;
