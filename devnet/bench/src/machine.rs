//! What the machine leaves of its threads: as many lean loops as there are threads, all at once, each with the whole block.
//! They share nothing that is written to, so what they lose against one alone is due to caches, memory, and cores that are
//! slower together.

use std::{
    hint::black_box,
    ops::AddAssign,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use crate::{BenchError, lean::CodeCache, measure::Settings, report::ratio};

/// Least times of lean loops, each with the whole block.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine {
    /// One loop.
    alone: Duration,
    /// As many as there are threads, until the last is through.
    together: Duration,
}

impl Machine {
    /// Measures it with a lean loop over a block.
    ///
    /// # Errors
    /// Whatever a loop reports.
    pub fn measure<R>(
        settings: &Settings,
        lean: impl Fn(&mut CodeCache) -> Result<R, BenchError> + Sync,
    ) -> Result<Self, BenchError> {
        let rounds = settings.iterations.get();
        Ok(Self { alone: least(1, rounds, &lean)?, together: least(settings.threads.get(), rounds, &lean)? })
    }

    /// What so many loops get done beside one another in the time of one.
    #[must_use]
    pub fn of_threads(self, threads: usize) -> f64 {
        ratio(self.alone * u32::try_from(threads).unwrap_or(u32::MAX), self.together)
    }
}

impl AddAssign for Machine {
    /// One block after the other.
    fn add_assign(&mut self, other: Self) {
        self.alone += other.alone;
        self.together += other.together;
    }
}

/// The least time of a round, in which so many loops go through the block; the first round, and cold, is not counted.
fn least<R>(
    loops: usize,
    rounds: usize,
    lean: &(impl Fn(&mut CodeCache) -> Result<R, BenchError> + Sync),
) -> Result<Duration, BenchError> {
    let start = &Barrier::new(loops);
    let go = || {
        let mut code = CodeCache::default();
        let round = |round| {
            start.wait();
            let clock = Instant::now();
            let left = black_box(lean(&mut code));
            let elapsed = clock.elapsed();
            // Who fails goes on, or the others would wait for it.
            (round, left.map(|_| elapsed))
        };
        (0..=rounds).map(round).collect::<Vec<_>>()
    };
    let times: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..loops).map(|_| scope.spawn(go)).collect();
        running.into_iter().flat_map(|running| running.join().expect("a lean loop does not panic")).collect()
    });
    let mut slowest = vec![Duration::ZERO; rounds + 1];
    for (round, time) in times {
        slowest[round] = slowest[round].max(time?);
    }
    Ok(slowest[1..].iter().copied().min().unwrap_or_default())
}
