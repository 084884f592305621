//! The executor's scheduler and versioned memory under a model checker for interleavings.
//!
//! The files of `node/executor/src/parallel` that threads meet in are compiled here a second time (`parallel`), on
//! primitives whose every use is a decision of shuttle's scheduler ([`sync`]). The executor itself never sees shuttle.
//! What is checked is the code itself: the loop of a thread, the schedule, the table of keys and the arena of cells, the
//! cells, the validation of reads. What is modelled is the rest: what a transaction does ([`bank`]), and how far the frontier's owner plans ahead (`window`).
//!
//! Shuttle alone runs atomics as if every ordering were `SeqCst`. The primitives here add the memory model: in half of
//! the executions a load may give an older value wherever the orderings allow it ([`machine`]), so a missing `Acquire`,
//! `Release` or `SeqCst` is found on any machine, not on a weakly ordered one by luck.
//!
//! What is not checked: load buffering and out-of-thin-air values (nothing is read before it was written), code created
//! in the block (a `DashMap`), the EVM.
//!
//! Environment of the tests:
//! - `INTERLEAVINGS_SECONDS=600` explores each test for that long, under a seed of its own, in place of a fixed number of
//!   schedules under a fixed seed;
//! - `INTERLEAVINGS_REPLAY=<schedule>` runs one test once under the schedule that its failure printed.

pub mod bank;
pub mod block;
pub mod cells;
pub mod explore;
pub mod interning;
pub mod litmus;
pub mod machine;
mod member;
mod parallel;
pub mod sync;
mod window;
