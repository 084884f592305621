//! Executes a block twice, by all threads and one transaction after the other, and compares.

use alloy_consensus::Header;
use alloy_primitives::B256;
use parapet_builder::{Difference, first_difference};
use parapet_executor::{BlockError, BlockInput, Mode, RunReport, TxError, Workers, execute_block, run_block};
use parapet_import::{Field, ImportError, check_outcome};
use parapet_monitor::Monitor;
use parapet_types::{ExecutedBlock, StateChanges};

use super::waits::{self, Waits};

/// A block to be executed again.
pub(crate) struct Case<'a> {
    /// Its number, or the file it comes from.
    pub(crate) name: String,
    /// What executing it depends on.
    pub(crate) input: BlockInput<'a>,
    /// What it must come to.
    pub(crate) header: &'a Header,
    /// The root of the state after it; `None` where not all of the state is at hand.
    pub(crate) root: &'a dyn Fn(&StateChanges) -> Option<B256>,
    /// Whether development tools may have amended the state before it.
    pub(crate) may_be_amended: bool,
}

/// How blocks are executed again.
#[derive(Clone, Copy)]
pub(crate) struct Rerun<'a> {
    pub(crate) workers: &'a Workers,
    pub(crate) monitor: &'a dyn Monitor,
    pub(crate) explain: bool,
}

/// A block that was executed again.
pub(crate) struct Replayed {
    pub(crate) name: String,
    pub(crate) transactions: usize,
    /// As its header has it.
    pub(crate) gas: u64,
    pub(crate) threads: usize,
    /// How all threads together did it.
    pub(crate) report: RunReport,
    /// In what it is not what it was.
    pub(crate) mismatch: Option<Mismatch>,
    /// What its transactions waited for, where that was asked for and could be found.
    pub(crate) waits: Option<Waits>,
}

/// In what a block is not what it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Mismatch {
    /// The two executions differ.
    #[error("several threads and one come to different results: {0}; this is a fault of parapet, please report it")]
    Ways(#[from] Difference),
    /// Only one of the executions fails.
    #[error("only {failing} it fails: {error}; this is a fault of parapet, please report it")]
    OneFails {
        /// The execution that fails.
        failing: &'static str,
        /// Why.
        error: BlockError,
    },
    /// Both fail.
    #[error("it cannot be executed again: {error}{hint}")]
    Refused {
        /// Why.
        error: BlockError,
        /// What the cause may be.
        hint: Hint,
    },
    /// A field of the header differs.
    #[error("the header has {stored} as {field}, executing it again gives {computed}{hint}")]
    Header {
        /// Which.
        field: Field,
        /// As stored.
        stored: String,
        /// As executed.
        computed: String,
        /// What the cause may be.
        hint: Hint,
    },
    /// Something else in the header differs.
    #[error("{error}{hint}")]
    Other {
        /// What.
        error: ImportError,
        /// What the cause may be.
        hint: Hint,
    },
}

/// What may be the cause when both executions agree, and not with the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// State was set from outside.
    Amended,
    /// Nothing comes to mind.
    None,
}

impl std::fmt::Display for Hint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Amended => f.write_str(
                "; perhaps state was set by anvil_set… or hardhat_set… before this block, which the folder does not keep",
            ),
            Self::None => Ok(()),
        }
    }
}

/// Executes a block both ways.
pub(crate) fn rerun(case: &Case<'_>, how: Rerun<'_>) -> Replayed {
    let Rerun { workers, monitor, explain } = how;
    let mut report = RunReport::default();
    let parallel = run_block(&case.input, monitor, Mode::Parallel(workers)).and_then(|run| {
        report = run.report().cloned().unwrap_or_default();
        run.finish()
    });
    let sequential = execute_block(&case.input, monitor, Mode::Sequential);
    let waits = match &sequential {
        Ok(executed) if explain => waits::find(&case.input, monitor, executed),
        _ => None,
    };
    Replayed {
        name: case.name.clone(),
        transactions: case.input.transactions.len(),
        gas: case.header.gas_used,
        threads: workers.threads().get(),
        report,
        mismatch: compare(case, sequential, parallel).err(),
        waits,
    }
}

fn compare(
    case: &Case<'_>,
    sequential: Result<ExecutedBlock<TxError>, BlockError>,
    parallel: Result<ExecutedBlock<TxError>, BlockError>,
) -> Result<(), Mismatch> {
    let hint = if case.may_be_amended { Hint::Amended } else { Hint::None };
    let (sequential, parallel) = match (sequential, parallel) {
        (Ok(sequential), Ok(parallel)) => (sequential, parallel),
        (Err(error), Err(_)) => return Err(Mismatch::Refused { error, hint }),
        (Ok(_), Err(error)) => return Err(Mismatch::OneFails { failing: "on several threads", error }),
        (Err(error), Ok(_)) => return Err(Mismatch::OneFails { failing: "one transaction after the other", error }),
    };
    if let Some(difference) = first_difference(&sequential, &parallel) {
        return Err(difference.into());
    }
    check_outcome(case.header, &parallel).map_err(|error| header(error, hint))?;
    match (case.root)(&parallel.changes) {
        Some(root) if root != case.header.state_root => Err(Mismatch::Header {
            field: Field::StateRoot,
            stored: case.header.state_root.to_string(),
            computed: root.to_string(),
            hint,
        }),
        _ => Ok(()),
    }
}

/// Import expects of a block what execution gives; a replay asks the other way round.
fn header(error: ImportError, hint: Hint) -> Mismatch {
    match error {
        ImportError::Hash { field, expected, found } => {
            Mismatch::Header { field, stored: found.to_string(), computed: expected.to_string(), hint }
        }
        ImportError::Quantity { field, expected, found } => {
            Mismatch::Header { field, stored: found.to_string(), computed: expected.to_string(), hint }
        }
        error => Mismatch::Other { error, hint },
    }
}
