//! What the machine leaves of its threads: as many lean loops as there are threads, all at once, each with the whole block.
//! They share nothing that is written to, so what they lose against one alone is due to caches, memory, and cores that are
//! slower together. No executor is expected to pass what is left.

use std::{
    hint::black_box,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use crate::{BenchError, lean::CodeCache, measure::Settings};

/// The least time that it takes until the last of the loops is through; of warm rounds only.
///
/// # Errors
/// Whatever a loop reports.
pub fn at_once<R>(
    settings: &Settings,
    lean: impl Fn(&mut CodeCache) -> Result<R, BenchError> + Sync,
) -> Result<Duration, BenchError> {
    let (threads, rounds) = (settings.threads.get(), settings.iterations.get());
    let (lean, start) = (&lean, &Barrier::new(threads));
    let loops = || {
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
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(loops)).collect();
        running.into_iter().flat_map(|running| running.join().expect("a lean loop does not panic")).collect()
    });
    let mut slowest = vec![Duration::ZERO; rounds + 1];
    for (round, time) in times {
        slowest[round] = slowest[round].max(time?);
    }
    Ok(slowest[1..].iter().copied().min().unwrap_or_default())
}
