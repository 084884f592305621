//! Wall and CPU time of two ways to do the same, run in turns so that whatever disturbs the machine disturbs both.
//! What a run needs is made before, and what it leaves is dropped after the clocks were read.

use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use cpu_time::ProcessTime;

/// Round trips from which the time of a wake-up is taken.
const ROUND_TRIPS: usize = 51;

/// One run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Time that passed.
    pub wall: Duration,
    /// CPU time of all the process's threads.
    pub cpu: Duration,
}

/// The runs of one side.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The first run, with nothing warm.
    pub cold: Sample,
    /// All others, or the first where there is no other.
    pub warm: Vec<Sample>,
}

/// Least and middle of a series' wall and CPU times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Least.
    pub min: Sample,
    /// Middle; of an even number, the lower of the two in the middle.
    pub median: Sample,
}

impl Series {
    /// From all runs of one side, the cold one first.
    #[must_use]
    pub fn new(samples: &[Sample]) -> Self {
        let cold = samples.first().copied().unwrap_or_default();
        let warm = samples.get(1..).filter(|warm| !warm.is_empty()).unwrap_or(samples);
        Self { cold, warm: warm.to_vec() }
    }

    /// Least and middle of the warm runs.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let (mut wall, mut cpu): (Vec<_>, Vec<_>) = self.warm.iter().map(|sample| (sample.wall, sample.cpu)).unzip();
        wall.sort_unstable();
        cpu.sort_unstable();
        let at = |times: &[Duration], index: usize| times.get(index).copied().unwrap_or_default();
        let middle = wall.len().saturating_sub(1) / 2;
        Summary {
            min: Sample { wall: at(&wall, 0), cpu: at(&cpu, 0) },
            median: Sample { wall: at(&wall, middle), cpu: at(&cpu, middle) },
        }
    }
}

/// Times one run.
///
/// # Errors
/// Whatever the run reports.
pub fn measure<R, E>(run: impl FnOnce() -> Result<R, E>) -> Result<Sample, E> {
    let (wall, cpu) = (Instant::now(), ProcessTime::now());
    let left = black_box(run());
    let sample = Sample { wall: wall.elapsed(), cpu: cpu.elapsed() };
    left.map(|left| {
        drop(left);
        sample
    })
}

/// Runs both sides in turns, so many times each.
///
/// # Errors
/// Whatever one of the sides reports.
pub fn in_turns<E>(
    rounds: usize,
    mut one: impl FnMut() -> Result<Sample, E>,
    mut other: impl FnMut() -> Result<Sample, E>,
) -> Result<(Series, Series), E> {
    let (mut ones, mut others) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
    for _ in 0..rounds {
        ones.push(one()?);
        others.push(other()?);
    }
    Ok((Series::new(&ones), Series::new(&others)))
}

/// How long it takes from waking a thread that sleeps until it runs: half of a round trip between two, in the middle case.
#[must_use]
pub fn wake_latency() -> Duration {
    let (is_its_turn, this) = (AtomicBool::new(false), thread::current());
    let mut trips: Vec<Duration> = thread::scope(|scope| {
        let other = scope.spawn(|| {
            for _ in 0..ROUND_TRIPS {
                wait_for(&is_its_turn, true);
                is_its_turn.store(false, Ordering::Release);
                this.unpark();
            }
        });
        let trip = |_| {
            let start = Instant::now();
            is_its_turn.store(true, Ordering::Release);
            other.thread().unpark();
            wait_for(&is_its_turn, false);
            start.elapsed()
        };
        (0..ROUND_TRIPS).map(trip).collect()
    });
    trips.sort_unstable();
    trips.get(ROUND_TRIPS / 2).copied().unwrap_or_default() / 2
}

fn wait_for(flag: &AtomicBool, value: bool) {
    while flag.load(Ordering::Acquire) != value {
        thread::park();
    }
}
