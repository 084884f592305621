//! Runs a scenario under many schedules, and says how to run a failing one again.

use std::{env, thread, time::Duration};

use shuttle::{
    Config, MaxSteps, Runner,
    rand::Rng as _,
    scheduler::{DfsScheduler, PctScheduler, RandomScheduler, ReplayScheduler, Scheduler},
};

use crate::machine::{self, Strength};

/// Explores for that many seconds in place of a fixed number of schedules.
pub const SECONDS: &str = "INTERLEAVINGS_SECONDS";
/// Runs once, under that schedule.
pub const REPLAY: &str = "INTERLEAVINGS_REPLAY";

/// More steps than any execution needs in which nobody spins.
const STEPS_MAX: usize = 20_000;
/// The models' frames are larger than shuttle expects.
const STACK_BYTES: usize = 1 << 18;
/// Seed of the schedules that are always explored.
const SEED: u64 = 0x7061_7261_7065_7400;
/// Of four executions, so many run under random priorities with few changes, the others under plain chance.
const BY_PRIORITY: usize = 1;
/// Changes of priority in one execution.
const CHANGES: usize = 4;

/// The memory models under which a scenario must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Interleavings only.
    Sequential,
    /// In one half of the executions, loads may give old values too.
    Both,
    /// In all executions, loads may give old values.
    Weak,
}

/// Runs `scenario` under that many schedules, or for as long as the environment says. A scenario fails by a panic, by a
/// deadlock, or by not coming to an end.
///
/// # Panics
/// If a schedule makes it fail; the schedule has been printed.
pub fn explore(schedules: usize, memory: Memory, scenario: impl Fn() + Clone + Send + Sync + 'static) {
    let _failing = Failing;
    let execution = move || {
        machine::reset(match memory {
            Memory::Sequential => Strength::Sequential,
            Memory::Weak => Strength::Weak,
            Memory::Both if shuttle::rand::thread_rng().r#gen() => Strength::Weak,
            Memory::Both => Strength::Sequential,
        });
        scenario();
    };
    if let Ok(schedule) = env::var(REPLAY) {
        run(ReplayScheduler::new_from_encoded(&schedule), None, execution);
        return;
    }
    match seconds() {
        Some(longest) => {
            let quarter = longest / 4;
            run(RandomScheduler::new(usize::MAX), Some(quarter * 3), execution.clone());
            run(PctScheduler::new(CHANGES, usize::MAX), Some(quarter), execution);
        }
        None => {
            let by_priority = schedules * BY_PRIORITY / 4;
            run(RandomScheduler::new_from_seed(SEED, schedules - by_priority), None, execution.clone());
            run(PctScheduler::new_from_seed(SEED, CHANGES, by_priority), None, execution);
        }
    }
}

/// Runs `scenario` under every schedule there is, or the first `schedules` of them, without old values.
///
/// # Panics
/// If a schedule makes it fail; the schedule has been printed.
pub fn exhaust(schedules: usize, scenario: impl Fn() + Send + Sync + 'static) {
    let _failing = Failing;
    let execution = move || {
        machine::reset(Strength::Sequential);
        scenario();
    };
    if let Ok(schedule) = env::var(REPLAY) {
        run(ReplayScheduler::new_from_encoded(&schedule), None, execution);
        return;
    }
    let longest = seconds();
    run(DfsScheduler::new(longest.is_none().then_some(schedules), false), longest, execution);
}

fn seconds() -> Option<Duration> {
    let seconds = env::var(SECONDS).ok()?;
    Some(Duration::from_secs(seconds.parse().expect("a number of seconds")))
}

fn run(scheduler: impl Scheduler + 'static, longest: Option<Duration>, execution: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.max_steps = MaxSteps::FailAfter(STEPS_MAX);
    config.max_time = longest;
    // The orderings that shuttle does not see are the machine's.
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(execution);
}

/// Says how to replay when its test fails.
struct Failing;

impl Drop for Failing {
    #[allow(clippy::print_stderr, reason = "for whoever reads why the test failed")]
    fn drop(&mut self) {
        if thread::panicking() {
            let test = thread::current().name().unwrap_or("the test's name").to_owned();
            eprintln!("to replay: {REPLAY}=<the schedule above> cargo test -p parapet-interleavings -- --exact {test}");
        }
    }
}
