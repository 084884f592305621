//! Parallel execution is sequential execution: generated blocks, named hard cases, readers that break.
#![allow(clippy::unwrap_used, reason = "tests: a panic is a failed assertion")]

mod access_lists;
mod cases;
mod coverage;

mod delegations;
mod destructions;
mod exhausted;
mod faults;
mod generated;
mod guards;
mod kinds;
mod money;
mod overtaken;
mod scans;
mod serial;
mod twins;

use parapet_equivalence::crews;
