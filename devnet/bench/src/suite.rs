//! The workloads of the benchmark, in the order in which they are reported.

use std::{io::Write, path::PathBuf};

use parapet_fixtures::{MAINNET as MAINNET_ID, RealBlocks};
use parapet_workloads::{Kind, Workload, generate};

use crate::{
    BenchError, Case,
    measure::{self, Settings},
    report::{Report, Row},
};

/// Appended to the name of a workload that starts from signatures.
const WITH_RECOVERY: &str = "-with-recovery";
/// The workload of real blocks.
const MAINNET: &str = "mainnet";

/// What to run.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Only workloads whose name contains this.
    pub filter: Option<String>,
    /// Gas of a generated block, in millions.
    pub mgas: u64,
    /// The folders or files of real blocks; those that are not there are passed over.
    pub blocks: Vec<PathBuf>,
}

impl Selection {
    fn wants(&self, name: &str) -> bool {
        self.filter.as_deref().is_none_or(|filter| name.contains(filter))
    }
}

/// Runs what was selected. Progress is told line by line.
///
/// # Errors
/// [`BenchError`] where results differ, or anything fails.
pub fn run(selection: &Selection, settings: &Settings, progress: &mut dyn Write) -> Result<Report, BenchError> {
    let mut report = Report::default();
    for kind in Kind::ALL {
        let with_recovery = format!("{kind}{WITH_RECOVERY}");
        let recovers = kind == Kind::TransfersIndependent && selection.wants(&with_recovery);
        if !selection.wants(kind.name()) && !recovers {
            continue;
        }
        writeln!(progress, "{kind}: generating {} Mgas", selection.mgas)?;
        let mut case = case(generate(kind, selection.mgas.saturating_mul(1_000_000)));
        if selection.wants(kind.name()) {
            writeln!(progress, "{kind}: {} transactions", case.transactions.len())?;
            report.push(measure::block(&case, settings)?, progress)?;
        }
        if recovers && !case.signed.is_empty() {
            case.name = with_recovery;
            writeln!(progress, "{}: {} transactions", case.name, case.transactions.len())?;
            report.push(measure::block_with_recovery(&case, settings)?, progress)?;
        }
    }
    if selection.wants(MAINNET) {
        let blocks = real_blocks(&selection.blocks, progress)?;
        if !blocks.is_empty() {
            report.push(measure::real_blocks(MAINNET, &blocks, settings)?, progress)?;
        }
    }
    Ok(report)
}

/// Mainnet's blocks in the order of their numbers. Each was executed once: it has the gas, receipts and bloom that its
/// header announces.
fn real_blocks(folders: &[PathBuf], progress: &mut dyn Write) -> Result<Vec<Case>, BenchError> {
    let mut found = RealBlocks::default();
    for folder in folders {
        if folder.exists() {
            found.add(folder)?;
        } else {
            writeln!(progress, "{MAINNET}: there is no {}", folder.display())?;
        }
    }
    let (mut blocks, foreign): (Vec<_>, Vec<_>) =
        found.blocks.into_iter().partition(|block| block.params.chain_id == MAINNET_ID);
    blocks.sort_by_key(|block| block.header.number);
    writeln!(
        progress,
        "{MAINNET}: {} blocks, each with the receipts its header announces; left out: {} of other chains",
        blocks.len(),
        foreign.len(),
    )?;
    for (name, reason) in found.left_out {
        writeln!(progress, "{MAINNET}: {name} is left out: {reason}")?;
    }
    Ok(blocks.into_iter().map(Case::from).collect())
}

/// A generated block as a case.
#[must_use]
pub fn case(workload: Workload) -> Case {
    let Workload { name, params, state, ancestors, block, transactions, signed, .. } = workload;
    let signed =
        if signed { transactions.iter().map(|transaction| transaction.inner().clone()).collect() } else { Vec::new() };
    Case { name: name.to_owned(), params, state, ancestors, block, transactions, signed }
}

impl Report {
    fn push(&mut self, row: Row, progress: &mut dyn Write) -> Result<(), BenchError> {
        writeln!(
            progress,
            "{}: {:.3} ms to {:.3} ms, ratio {:.2}",
            row.workload, row.sequential_ms, row.parallel_ms, row.ratio
        )?;
        self.workloads.push(row);
        Ok(())
    }
}
