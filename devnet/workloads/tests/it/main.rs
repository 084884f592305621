//! Every kind generates a block that executes as its name says.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests: what fails here has failed")]

mod execution;
mod shape;
mod swaps;

use parapet_executor::{Mode, TxError, execute_block};
use parapet_monitor::NoMonitor;
use parapet_types::ExecutedBlock;
use parapet_workloads::{Kind, Workload, generate};

/// Small enough for a build that is not optimised.
const GAS: u64 = 3_000_000;

fn small(kind: Kind) -> Workload {
    generate(kind, GAS)
}

fn execute(workload: &Workload) -> ExecutedBlock<TxError> {
    execute_block(&workload.input(), &NoMonitor, Mode::Sequential).unwrap()
}
