//! What the benchmark found, as it is written down. Times are in milliseconds, and of the warm runs where not said
//! otherwise; a ratio is sequential time by parallel time, so more is better.

use std::{fs, path::Path, time::Duration};

use serde::Serialize;

use crate::{
    BenchError,
    targets::{REAL_BLOCK_RATIO_MIN, SERIAL_CPU_MAX, TARGET_THREADS, Target, target},
    timing::{Sample, Summary},
};

/// The whole report.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// One row per workload.
    pub workloads: Vec<Row>,
}

impl Report {
    /// Writes it down as JSON, its folder made where there is none.
    ///
    /// # Errors
    /// [`BenchError::File`].
    pub fn write(&self, path: &Path) -> Result<(), BenchError> {
        let failed = |source| BenchError::File { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut json = serde_json::to_string_pretty(self)?;
        json.push('\n');
        fs::write(path, json).map_err(failed)
    }
}

/// What was measured of one side. For real blocks: sums over the blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// The first run.
    pub cold: Sample,
    /// The warm runs.
    pub warm: Summary,
}

impl std::iter::Sum for Side {
    fn sum<I: Iterator<Item = Self>>(sides: I) -> Self {
        let add = |one: Sample, other: Sample| Sample { wall: one.wall + other.wall, cpu: one.cpu + other.cpu };
        sides.fold(Self::default(), |sum, side| Self {
            cold: add(sum.cold, side.cold),
            warm: Summary { min: add(sum.warm.min, side.warm.min), median: add(sum.warm.median, side.warm.median) },
        })
    }
}

/// How fast a workload could be, and would be in the simulator, on so many threads.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scaling {
    /// Threads.
    pub threads: usize,
    /// The list-schedule bound.
    pub bound: f64,
    /// The simulated ratio.
    pub simulated: f64,
    /// The simulated CPU time as a multiple of the sequential run's.
    pub simulated_cpu: f64,
}

/// One real block.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BlockRow {
    /// Its number.
    pub block: String,
    /// Transactions.
    pub transactions: usize,
    /// Gas used, in millions.
    pub mgas: f64,
    /// Least time of the lean loop.
    pub sequential_ms: f64,
    /// Least time of the parallel executor.
    pub parallel_ms: f64,
    /// Of these two.
    pub ratio: f64,
    /// The list-schedule bound.
    pub bound: f64,
    /// What the executor's versioned memory took of the system for this block: tables of keys, cells, versions.
    pub memory_bytes: usize,
}

/// The shape of a workload: what does not depend on a run's time.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    /// Its name.
    pub workload: String,
    /// Transactions.
    pub transactions: usize,
    /// Gas used.
    pub gas: u64,
    /// Threads of the parallel side.
    pub threads: usize,
    /// Runs of each side.
    pub iterations: usize,
    /// What the executor's versioned memory took of the system, at most for one block.
    pub memory_bytes: usize,
}

/// The bounds of a workload.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    /// On the threads of the run, credits and debits commuting, nonces predicted.
    pub commutative: f64,
    /// On the threads of the run, accounts lumped.
    pub lumped: f64,
    /// On endless threads, commutative.
    pub endless: f64,
    /// On endless threads, lumped.
    pub endless_lumped: f64,
    /// What the machine leaves of the threads of the run.
    pub machine: f64,
}

/// One workload.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub workload: String,
    /// Transactions.
    pub transactions: usize,
    /// Gas used, in millions.
    pub mgas: f64,
    /// Threads of the parallel side.
    pub threads: usize,
    /// Runs of each side.
    pub iterations: usize,
    /// Least time of the lean loop.
    pub sequential_ms: f64,
    /// Middle time of the lean loop.
    pub sequential_median_ms: f64,
    /// Time of the lean loop's first run.
    pub sequential_cold_ms: f64,
    /// Least time of the parallel executor.
    pub parallel_ms: f64,
    /// Middle time of the parallel executor.
    pub parallel_median_ms: f64,
    /// Time of the parallel executor's first run.
    pub parallel_cold_ms: f64,
    /// Of the least times.
    pub ratio: f64,
    /// Of the middle times.
    pub ratio_median: f64,
    /// Of the first runs.
    pub ratio_cold: f64,
    /// The list-schedule bound for these threads.
    pub bound: f64,
    /// As many lean loops at once as there are threads, each with the whole block: the threads' number by what each of
    /// them then takes longer. What the machine leaves of its threads.
    pub machine: f64,
    /// The list-schedule bound with each account as one value.
    pub bound_lumped: f64,
    /// Work by longest chain: the bound on endless threads.
    pub bound_endless: f64,
    /// The same with each account as one value.
    pub bound_endless_lumped: f64,
    /// The parallel executor's CPU time as a multiple of the lean loop's, least times.
    pub cpu_ratio: f64,
    /// The same of the middle times.
    pub cpu_ratio_median: f64,
    /// What the executor's versioned memory took of the system, at most for one block: tables of keys, cells, versions.
    pub memory_bytes: usize,
    /// What is to be reached; none where nothing is, or the run had other than two threads.
    pub target: Option<Target>,
    /// Whether it was.
    pub reached: Option<bool>,
    /// Bounds and simulated ratios for more threads.
    pub scaling: Vec<Scaling>,
    /// Each real block.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<BlockRow>,
}

impl Row {
    /// A row from what was measured.
    #[must_use]
    pub fn new(shape: Shape, sequential: Side, parallel: Side, bounds: Bounds, scaling: Vec<Scaling>) -> Self {
        let (one, other) = (sequential.warm, parallel.warm);
        let target = target(&shape.workload).filter(|_| shape.threads == TARGET_THREADS);
        let mut row = Self {
            workload: shape.workload,
            transactions: shape.transactions,
            mgas: mgas(shape.gas),
            threads: shape.threads,
            iterations: shape.iterations,
            sequential_ms: ms(one.min.wall),
            sequential_median_ms: ms(one.median.wall),
            sequential_cold_ms: ms(sequential.cold.wall),
            parallel_ms: ms(other.min.wall),
            parallel_median_ms: ms(other.median.wall),
            parallel_cold_ms: ms(parallel.cold.wall),
            ratio: ratio(one.min.wall, other.min.wall),
            ratio_median: ratio(one.median.wall, other.median.wall),
            ratio_cold: ratio(sequential.cold.wall, parallel.cold.wall),
            bound: bounds.commutative,
            machine: bounds.machine,
            bound_lumped: bounds.lumped,
            bound_endless: bounds.endless,
            bound_endless_lumped: bounds.endless_lumped,
            cpu_ratio: ratio(other.min.cpu, one.min.cpu),
            cpu_ratio_median: ratio(other.median.cpu, one.median.cpu),
            memory_bytes: shape.memory_bytes,
            target,
            reached: None,
            scaling,
            blocks: Vec::new(),
        };
        row.judge();
        row
    }

    /// The same with its real blocks.
    #[must_use]
    pub fn with_blocks(mut self, blocks: Vec<BlockRow>) -> Self {
        self.blocks = blocks;
        self.judge();
        self
    }

    /// Real blocks that are slower in parallel than they may be.
    #[must_use]
    pub fn slow_blocks(&self) -> usize {
        self.blocks.iter().filter(|block| block.ratio < REAL_BLOCK_RATIO_MIN).count()
    }

    /// How much of the target's ratio is missing; zero where none is.
    #[must_use]
    pub fn short_by(&self) -> f64 {
        self.target.map_or(0.0, |target| (target.ratio_min - self.ratio).max(0.0))
    }

    /// Whether the CPU time is more than a serial block may cost.
    #[must_use]
    pub fn is_over_cpu(&self) -> bool {
        self.target.is_some_and(|target| target.serial && self.cpu_ratio > SERIAL_CPU_MAX)
    }

    fn judge(&mut self) {
        let reached = self.short_by() <= 0.0 && !self.is_over_cpu() && self.slow_blocks() == 0;
        self.reached = self.target.map(|_| reached);
    }
}

/// A time in milliseconds.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a run's time in nanoseconds stays far below 2^52")]
pub fn ms(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1_000_000.0
}

/// Gas in millions.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a block's gas stays far below 2^52")]
pub fn mgas(gas: u64) -> f64 {
    gas as f64 / 1_000_000.0
}

/// Bytes in MiB.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "memory stays far below 2^52 bytes")]
pub fn mib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A quotient of two times; zero where the divisor is nothing.
#[must_use]
pub fn ratio(time: Duration, by: Duration) -> f64 {
    if by.is_zero() { 0.0 } else { time.as_secs_f64() / by.as_secs_f64() }
}
