//! Times of ways to do something, run in turns so that whatever disturbs the machine disturbs all of them.

use std::time::Duration;

/// Rounds of each measurement.
pub const ROUNDS: usize = 31;

/// Runs the ways in turns, so many rounds after one that warms up, and gives the median of each.
///
/// # Errors
/// Whatever one of the ways reports.
pub fn medians<const WAYS: usize, E>(
    rounds: usize,
    ways: [&mut dyn FnMut() -> Result<Duration, E>; WAYS],
) -> Result<[Duration; WAYS], E> {
    Ok(in_turns(rounds, ways)?.map(median))
}

/// As [`medians`], and gives the least of each: what is left when nothing disturbs.
///
/// # Errors
/// Whatever one of the ways reports.
pub fn least<const WAYS: usize, E>(
    rounds: usize,
    ways: [&mut dyn FnMut() -> Result<Duration, E>; WAYS],
) -> Result<[Duration; WAYS], E> {
    Ok(in_turns(rounds, ways)?.map(|times| times.into_iter().min().unwrap_or_default()))
}

fn in_turns<const WAYS: usize, E>(
    rounds: usize,
    mut ways: [&mut dyn FnMut() -> Result<Duration, E>; WAYS],
) -> Result<[Vec<Duration>; WAYS], E> {
    let mut times = [const { Vec::new() }; WAYS];
    for round in 0..=rounds {
        for (way, times) in ways.iter_mut().zip(&mut times) {
            let time = way()?;
            if round > 0 {
                times.push(time);
            }
        }
    }
    Ok(times)
}

/// Nanoseconds of each of `count` operations that took `all` together.
#[must_use]
pub fn each_ns(all: Duration, count: usize) -> f64 {
    all.as_nanos() as f64 / count as f64
}

/// Middle; of an even number, the lower of the two in the middle.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}
