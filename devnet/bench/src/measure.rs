//! From a case to a row of the report: agreement first, then times, then bounds.

use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use parapet_executor::{Mode, RunReport, Workers, run_block};
use parapet_monitor::NoMonitor;

use crate::{
    BenchError, Case, agree,
    bound::{self, Dependencies},
    conflicts::{self, Accounts, SlotSource},
    costs::Costs,
    footprint,
    lean::{self, CodeCache},
    machine::Machine,
    recovery,
    report::{BlockRow, Bounds, Row, Scaling, Shape, Side, mgas, ratio},
    simulate::{Replayed, Simulator},
    timing::{self, Sample, Series},
};

/// Runs of the lean loop from which each transaction's least duration is taken.
const DURATION_ROUNDS: usize = 3;

/// How to measure.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Threads of the parallel side, the calling one included.
    pub threads: NonZeroUsize,
    /// Runs of each side, the cold one included.
    pub iterations: NonZeroUsize,
    /// Numbers of threads for the bounds and the simulator.
    pub scaling: Vec<NonZeroUsize>,
}

/// Times that a block is simulated: as in the warm runs, what was learned from it helps with it.
const SIMULATED_RUNS: usize = 2;

/// Measured durations, and what depends on what.
#[derive(Clone, Debug)]
struct Work {
    /// Nanoseconds per recovered sender; none where senders are known. No recovery waits for another.
    recoveries: Vec<u64>,
    /// Nanoseconds per transaction.
    durations: Vec<u64>,
    gas_used: Vec<u64>,
    commutative: Dependencies,
    slots: Vec<Vec<SlotSource>>,
    lumped: Dependencies,
}

/// What a row says of bounds, in times, so that the blocks of a row can be added up.
#[derive(Clone, Debug, Default)]
struct Limits {
    work: u64,
    commutative: u64,
    lumped: u64,
    endless: u64,
    endless_lumped: u64,
    /// For each number of threads: the bound's time, the simulated time, the simulated CPU time.
    scaling: Vec<[u64; 3]>,
    machine: Machine,
}

/// Measures one block: warm runs of the same block on the same workers, the first one cold.
///
/// # Errors
/// [`BenchError`] where the executor does not agree with the lean loop, or either fails.
pub fn block(case: &Case, settings: &Settings) -> Result<Row, BenchError> {
    let workers = Workers::new(settings.threads);
    let gas = agree::check(case, &Workers::new(settings.threads))?.gas_used();
    let mut code = CodeCache::default();
    let (sequential, parallel) = timing::in_turns(
        settings.iterations.get(),
        || timing::measure(|| lean::run(case, &mut code)),
        || in_parallel(case, &workers),
    )?;
    let (sequential, parallel) = (side(&sequential), side(&parallel));
    let Bookkeeping { costs, memory_bytes } = bookkeeping(case, &workers, sequential, parallel)?;
    let mut limits = Limits::of_warm(case, &Work::of(case)?, settings, costs);
    limits.machine = Machine::measure(settings, |code| lean::run(case, code))?;
    Ok(limits.row(shape(case, gas, memory_bytes, settings), sequential, parallel, settings))
}

/// As [`block`], both sides starting from signatures: senders are recovered inside the timing.
///
/// # Errors
/// As [`block`].
pub fn block_with_recovery(case: &Case, settings: &Settings) -> Result<Row, BenchError> {
    let workers = &Workers::new(settings.threads);
    let gas = agree::check(case, &Workers::new(settings.threads))?.gas_used();
    let mut code = CodeCache::default();
    let (sequential, parallel) = timing::in_turns(
        settings.iterations.get(),
        || {
            let signed = case.signed.clone();
            timing::measure(|| {
                let transactions = recovery::one_by_one(signed)?;
                Ok::<_, BenchError>((lean::run_observed(case, &transactions, &mut code, || ())?, transactions))
            })
        },
        || {
            let (signed, mut recovered) = (case.signed.clone(), Vec::new());
            let kept = &mut recovered;
            timing::measure(move || {
                *kept = recovery::by_workers(signed, workers)?;
                Ok::<_, BenchError>(run_block(&case.input_with(kept), &NoMonitor, Mode::Parallel(workers))?)
            })
        },
    )?;
    let (sequential, parallel) = (side(&sequential), side(&parallel));
    let Bookkeeping { costs, memory_bytes } = bookkeeping(case, workers, sequential, parallel)?;
    let mut limits = Limits::of_warm(case, &Work::of(case)?.with_recoveries(case)?, settings, costs);
    limits.machine = Machine::measure(settings, |code| {
        let transactions = recovery::one_by_one(case.signed.clone())?;
        lean::run_observed(case, &transactions, code, || ()).map(|run| (run, transactions))
    })?;
    Ok(limits.row(shape(case, gas, memory_bytes, settings), sequential, parallel, settings))
}

/// Measures real blocks one after the other, as a node sees them: in each pass the workers (and the lean loop's code)
/// are new, and see every block once, so that nothing learned from a block helps with that block.
///
/// # Errors
/// As [`block`].
pub fn real_blocks(workload: &str, cases: &[Case], settings: &Settings) -> Result<Row, BenchError> {
    let mut gas = Vec::with_capacity(cases.len());
    for case in cases {
        gas.push(agree::check(case, &Workers::new(settings.threads))?.gas_used());
    }
    let mut samples: Vec<(Vec<Sample>, Vec<Sample>)> = vec![Default::default(); cases.len()];
    for pass in 0..settings.iterations.get() {
        let (workers, mut code) = (Workers::new(settings.threads), CodeCache::default());
        for (case, (sequential, parallel)) in cases.iter().zip(&mut samples) {
            // Whoever runs second finds the block's state in the processor's caches: they take it in turns.
            if pass % 2 == 1 {
                parallel.push(in_parallel(case, &workers)?);
            }
            sequential.push(timing::measure(|| lean::run(case, &mut code))?);
            if pass % 2 == 0 {
                parallel.push(in_parallel(case, &workers)?);
            }
        }
    }
    let (mut blocks, mut sides, mut sum) = (Vec::new(), Vec::new(), Limits::default());
    let mut simulators = simulators(settings);
    for ((case, gas), (sequential, parallel)) in cases.iter().zip(&gas).zip(&samples) {
        let one_and_other = (side(&Series::new(sequential)), side(&Series::new(parallel)));
        let workers = Workers::new(settings.threads);
        let Bookkeeping { costs, memory_bytes } = bookkeeping(case, &workers, one_and_other.0, one_and_other.1)?;
        let mut limits = Limits::of(case, &Work::of(case)?, settings.threads, &mut simulators, costs);
        limits.machine = Machine::measure(settings, |code| lean::run(case, code))?;
        blocks.push(block_row(&shape(case, *gas, memory_bytes, settings), &one_and_other, &limits));
        sides.push(one_and_other);
        sum.add(&limits);
    }
    let shape = Shape {
        workload: workload.to_owned(),
        transactions: cases.iter().map(|case| case.transactions.len()).sum(),
        gas: gas.iter().sum(),
        threads: settings.threads.get(),
        iterations: settings.iterations.get(),
        memory_bytes: blocks.iter().map(|block| block.memory_bytes).max().unwrap_or_default(),
    };
    let sequential = sides.iter().map(|(one, _)| *one).sum();
    let parallel = sides.iter().map(|(_, other)| *other).sum();
    Ok(sum.row(shape, sequential, parallel, settings).with_blocks(blocks))
}

fn in_parallel(case: &Case, workers: &Workers) -> Result<Sample, BenchError> {
    timing::measure(|| Ok(run_block(&case.input(), &NoMonitor, Mode::Parallel(workers))?))
}

/// What the executor's bookkeeping came to.
struct Bookkeeping {
    costs: Costs,
    /// What its versioned memory took.
    memory_bytes: usize,
}

/// What the executor's bookkeeping cost in the runs that were timed: the CPU time that it spent beyond the lean loop's,
/// less what it executed again, by incarnation. And the memory that it took, which nobody counts while time is taken.
fn bookkeeping(case: &Case, workers: &Workers, sequential: Side, parallel: Side) -> Result<Bookkeeping, BenchError> {
    let run = run_block(&case.input(), &NoMonitor, Mode::Parallel(workers))?;
    let memory_bytes = run.memory_bytes().unwrap_or_default();
    let costs = run.report().map_or(Costs::NONE, |report| costs(case, report, sequential, parallel));
    Ok(Bookkeeping { costs, memory_bytes })
}

fn costs(case: &Case, report: &RunReport, sequential: Side, parallel: Side) -> Costs {
    let incarnations = report.speculated + report.settled;
    let transactions = case.transactions.len() as u64;
    let lean = nanoseconds(sequential.warm.min.cpu);
    let again = (incarnations + report.as_one).saturating_sub(transactions) * (lean / transactions.max(1));
    let beyond = nanoseconds(parallel.warm.min.cpu).saturating_sub(lean).saturating_sub(again);
    let wake_ns = nanoseconds(timing::wake_latency());
    Costs::of_incarnation(beyond.checked_div(incarnations).unwrap_or_default(), wake_ns)
}

fn side(series: &Series) -> Side {
    Side { cold: series.cold, warm: series.summary() }
}

fn shape(case: &Case, gas: u64, memory_bytes: usize, settings: &Settings) -> Shape {
    Shape {
        workload: case.name.clone(),
        transactions: case.transactions.len(),
        gas,
        threads: settings.threads.get(),
        iterations: settings.iterations.get(),
        memory_bytes,
    }
}

fn block_row(shape: &Shape, (sequential, parallel): &(Side, Side), limits: &Limits) -> BlockRow {
    let (one, other) = (sequential.warm.min.wall, parallel.warm.min.wall);
    BlockRow {
        block: shape.workload.clone(),
        transactions: shape.transactions,
        mgas: mgas(shape.gas),
        sequential_ms: crate::report::ms(one),
        parallel_ms: crate::report::ms(other),
        ratio: ratio(one, other),
        bound: bound::quotient(limits.work, limits.commutative),
        memory_bytes: shape.memory_bytes,
    }
}

impl Work {
    fn of(case: &Case) -> Result<Self, BenchError> {
        let footprint = footprint::record(case)?;
        Ok(Self {
            recoveries: Vec::new(),
            durations: durations(case)?,
            gas_used: footprint.transactions.iter().map(|transaction| transaction.gas_used).collect(),
            commutative: conflicts::dependencies(&footprint, Accounts::Commutative),
            slots: conflicts::slot_sources(&footprint),
            lumped: conflicts::dependencies(&footprint, Accounts::Lumped),
        })
    }

    /// The same with the recovery of each sender, the least time that it took.
    fn with_recoveries(mut self, case: &Case) -> Result<Self, BenchError> {
        self.recoveries = vec![u64::MAX; case.signed.len()];
        for _ in 0..DURATION_ROUNDS {
            for (least, envelope) in self.recoveries.iter_mut().zip(case.signed.clone()) {
                let start = Instant::now();
                recovery::one_by_one(vec![envelope])?;
                *least = (*least).min(nanoseconds(start.elapsed()));
            }
        }
        Ok(self)
    }

    /// Everything as one piece of work: each transaction behind its own recovery.
    fn joined(&self, dependencies: &Dependencies) -> (Vec<u64>, Dependencies) {
        let durations = self.recoveries.iter().chain(&self.durations).copied().collect();
        let dependencies = if self.recoveries.is_empty() {
            dependencies.clone()
        } else {
            dependencies.behind_own(self.recoveries.len())
        };
        (durations, dependencies)
    }

    /// All recoveries first, then the transactions under the scheduler's decisions: wall and CPU time.
    fn simulated(&self, case: &Case, simulator: &mut Simulator, costs: Costs) -> [u64; 2] {
        let replayed = Replayed {
            transactions: &case.transactions,
            durations_ns: &self.durations,
            gas_used: &self.gas_used,
            dependencies: &self.commutative,
            slots: &self.slots,
        };
        let simulated = simulator.run(replayed, costs);
        let recovered =
            bound::makespan(&self.recoveries, &Dependencies::none(self.recoveries.len()), simulator.threads());
        [recovered + simulated.makespan_ns, self.recoveries.iter().sum::<u64>() + simulated.busy_ns]
    }
}

/// Simulators of as many threads as are asked for, that know nothing.
fn simulators(settings: &Settings) -> Vec<Simulator> {
    settings.scaling.iter().copied().map(Simulator::new).collect()
}

/// The least time that each transaction took in the lean loop, in nanoseconds.
fn durations(case: &Case) -> Result<Vec<u64>, BenchError> {
    let mut code = CodeCache::default();
    let transactions = &case.transactions;
    let mut least = vec![u64::MAX; transactions.len()];
    for _ in 0..DURATION_ROUNDS {
        let mut marks = Vec::with_capacity(transactions.len() + 1);
        lean::run_observed(case, transactions, &mut code, || marks.push(Instant::now()))?;
        for (least, pair) in least.iter_mut().zip(marks.windows(2)) {
            *least = (*least).min(nanoseconds(pair[1] - pair[0]));
        }
    }
    Ok(least)
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Limits {
    /// Simulates a block that comes after those that the simulators have seen.
    fn of(case: &Case, work: &Work, threads: NonZeroUsize, simulators: &mut [Simulator], costs: Costs) -> Self {
        let (durations, commutative) = work.joined(&work.commutative);
        let (_, lumped) = work.joined(&work.lumped);
        let scaling = simulators.iter_mut().map(|simulator| {
            let [wall, cpu] = work.simulated(case, simulator, costs);
            [bound::makespan(&durations, &commutative, simulator.threads()), wall, cpu]
        });
        Self {
            work: durations.iter().sum(),
            commutative: bound::makespan(&durations, &commutative, threads),
            lumped: bound::makespan(&durations, &lumped, threads),
            endless: bound::span(&durations, &commutative),
            endless_lumped: bound::span(&durations, &lumped),
            scaling: scaling.collect(),
            machine: Machine::default(),
        }
    }

    /// Simulates a block that has been seen before.
    fn of_warm(case: &Case, work: &Work, settings: &Settings, costs: Costs) -> Self {
        let mut simulators = simulators(settings);
        for _ in 1..SIMULATED_RUNS {
            for simulator in &mut simulators {
                work.simulated(case, simulator, costs);
            }
        }
        Self::of(case, work, settings.threads, &mut simulators, costs)
    }

    /// One block after the other.
    fn add(&mut self, other: &Self) {
        self.work += other.work;
        self.commutative += other.commutative;
        self.lumped += other.lumped;
        self.endless += other.endless;
        self.endless_lumped += other.endless_lumped;
        self.machine += other.machine;
        self.scaling.resize(other.scaling.len(), [0; 3]);
        for (sum, times) in self.scaling.iter_mut().zip(&other.scaling) {
            for (sum, time) in sum.iter_mut().zip(times) {
                *sum += time;
            }
        }
    }

    fn row(&self, shape: Shape, sequential: Side, parallel: Side, settings: &Settings) -> Row {
        let by = |time| bound::quotient(self.work, time);
        let bounds = Bounds {
            commutative: by(self.commutative),
            lumped: by(self.lumped),
            endless: by(self.endless),
            endless_lumped: by(self.endless_lumped),
            machine: self.machine.of_threads(settings.threads.get()),
        };
        let scaling = settings.scaling.iter().zip(&self.scaling).map(|(threads, [bound, simulated, busy])| Scaling {
            threads: threads.get(),
            bound: by(*bound),
            simulated: by(*simulated),
            simulated_cpu: bound::quotient(*busy, self.work),
        });
        Row::new(shape, sequential, parallel, bounds, scaling.collect())
    }
}
