//! Generated blocks. `PARAPET_EQUIVALENCE_SEEDS` says how many, `PARAPET_EQUIVALENCE_SEED` asks for one of them over and
//! over, `PARAPET_EQUIVALENCE_BLOCK` for the block in a file of JSON, as a failure prints it.

use std::{fmt::Write as _, sync::mpsc, time::Duration};

use parapet_equivalence::{Random, Scenario, generate, shrink};
use parapet_types::Hardfork;

use crate::crews::{Crews, Disturbance};

/// Seeds of each test, unless the environment says otherwise.
const SEEDS: u64 = 400;
/// How often a single block is run.
const REPEATS: u64 = 200;
/// How often a smaller block is run before it is said not to fail.
const SHRINKING_REPEATS: u64 = 12;
/// Blocks tried while shrinking.
const SHRINKING_MAX: usize = 1_500;
/// A block takes milliseconds; one that takes this long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is asked of a scenario.
#[derive(Clone, Copy)]
struct Question {
    /// Seeds are taken from here on.
    first_seed: u64,
    /// Kept of what a seed gives.
    shape: fn(Scenario) -> Scenario,
    /// What disturbs each execution, by a seed of its own.
    disturbance: fn(u64) -> Disturbance,
    /// What must be the same.
    difference: fn(&Crews, &Scenario, Disturbance) -> Option<String>,
}

#[derive(Clone)]
enum Source {
    Seeds(u64),
    Seed(u64),
    Block(Box<Scenario>),
}

impl Source {
    fn from_environment() -> Self {
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("a number of 64 bits"));
        if let Ok(path) = std::env::var("PARAPET_EQUIVALENCE_BLOCK") {
            return Self::Block(Box::new(Scenario::from_json(&std::fs::read_to_string(path).unwrap()).unwrap()));
        }
        match number("PARAPET_EQUIVALENCE_SEED") {
            Some(seed) => Self::Seed(seed),
            None => Self::Seeds(number("PARAPET_EQUIVALENCE_SEEDS").unwrap_or(SEEDS)),
        }
    }
}

impl Question {
    /// Asks it of every seed, in a thread that is given up when it hangs.
    fn ask(self) {
        let (tell, progress) = mpsc::channel();
        let asking = std::thread::spawn(move || self.ask_all(&tell));
        let mut last = None;
        loop {
            match progress.recv_timeout(PATIENCE) {
                Ok(seed) => last = Some(seed),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("hangs at seed {last:?}"),
            }
        }
        if let Err(panic) = asking.join() {
            std::panic::resume_unwind(panic);
        }
    }

    fn ask_all(self, progress: &mpsc::Sender<u64>) {
        let crews = Crews::new();
        match Source::from_environment() {
            Source::Seeds(count) => {
                for seed in self.first_seed..self.first_seed + count {
                    self.ask_of((self.shape)(generate(seed)), seed, 1, &crews, progress);
                }
            }
            Source::Seed(seed) => self.ask_of((self.shape)(generate(seed)), seed, REPEATS, &crews, progress),
            Source::Block(block) => self.ask_of(*block, 0, REPEATS, &crews, progress),
        }
    }

    fn ask_of(self, scenario: Scenario, seed: u64, repeats: u64, crews: &Crews, progress: &mpsc::Sender<u64>) {
        let mut disturbances = Random(seed);
        let mut difference = |scenario: &Scenario, repeats: u64| {
            (0..repeats).find_map(|_| {
                // Nobody listens once the test has been given up.
                let _ = progress.send(seed);
                (self.difference)(crews, scenario, (self.disturbance)(disturbances.next()))
            })
        };
        let Some(found) = difference(&scenario, repeats) else { return };
        let least = shrink(scenario, SHRINKING_MAX, |smaller| difference(smaller, SHRINKING_REPEATS).is_some());
        let again = difference(&least, REPEATS).unwrap_or_else(|| "it does not come back at once".to_owned());
        let mut report = format!("seed {seed}: {found}\n\nThe least block that fails:\n{least}{again}\n\n");
        writeln!(report, "PARAPET_EQUIVALENCE_BLOCK, as a file: {}", least.to_json().unwrap()).unwrap();
        panic!("{report}");
    }
}

fn as_it_is(scenario: Scenario) -> Scenario {
    scenario
}

fn unwatched(scenario: Scenario) -> Scenario {
    Scenario { watch: None, ..scenario }
}

#[test]
fn unwatched_blocks_are_the_same() {
    Question { first_seed: 0, shape: unwatched, disturbance: |_| Disturbance::None, difference: Crews::difference }
        .ask();
}

#[test]
fn watched_blocks_are_the_same() {
    Question {
        first_seed: 1_000_000,
        shape: as_it_is,
        disturbance: |_| Disturbance::None,
        difference: Crews::difference,
    }
    .ask();
}

#[test]
fn blocks_are_the_same_on_any_schedule() {
    Question {
        first_seed: 2_000_000,
        shape: as_it_is,
        disturbance: Disturbance::Hesitant,
        difference: Crews::difference,
    }
    .ask();
}

#[test]
fn blocks_are_the_same_whoever_overtakes_whom() {
    Question {
        first_seed: 5_000_000,
        shape: as_it_is,
        disturbance: Disturbance::Overtaken,
        difference: Crews::difference,
    }
    .ask();
}

#[test]
fn blocks_before_cancun_are_the_same() {
    // There SELFDESTRUCT destroys accounts with storage.
    let shape = |scenario| Scenario { hardfork: Hardfork::Shanghai, ..scenario };
    Question { first_seed: 3_000_000, shape, disturbance: Disturbance::Hesitant, difference: Crews::difference }.ask();
}

#[test]
fn access_lists_are_the_same() {
    let difference = Crews::listed_difference;
    Question { first_seed: 6_000_000, shape: as_it_is, disturbance: Disturbance::Hesitant, difference }.ask();
}

#[test]
fn access_lists_before_cancun_are_the_same() {
    let shape = |scenario| Scenario { hardfork: Hardfork::Shanghai, ..scenario };
    let difference = Crews::listed_difference;
    Question { first_seed: 7_000_000, shape, disturbance: Disturbance::Overtaken, difference }.ask();
}

#[test]
fn blocks_that_run_at_once_on_the_same_workers_are_the_same() {
    let Source::Seeds(count) = Source::from_environment() else { return };
    let crews = Crews::new();
    let (tell, progress) = mpsc::channel();
    let asking = Question {
        first_seed: 4_000_000,
        shape: as_it_is,
        disturbance: Disturbance::Hesitant,
        difference: Crews::difference,
    };
    std::thread::scope(|scope| {
        for half in 0..2 {
            let (crews, tell) = (&crews, tell.clone());
            scope.spawn(move || {
                for seed in (half..count).step_by(2) {
                    let seed = asking.first_seed + seed;
                    asking.ask_of((asking.shape)(generate(seed)), seed, 1, crews, &tell);
                }
            });
        }
    });
    drop(progress);
}
