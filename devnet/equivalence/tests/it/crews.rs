//! Threads by number, and the question whether they all make the same of a block.

use std::{num::NonZeroUsize, panic::AssertUnwindSafe};

use alloy_consensus::Transaction as _;
use alloy_primitives::Address;
use parapet_equivalence::{
    Hesitant, Hesitation, Observed, Overtaken, Realised, Rng, Scenario, Watcher, first_difference, observe,
};
use parapet_executor::{BlockError, Mode, Workers};
use parapet_monitor::{Monitor, NoMonitor};
use parapet_types::StateReader;

/// How many threads.
const THREADS: [usize; 4] = [1, 2, 4, 8];

/// Turns given to others, at most, by a reader that wants to be overtaken.
const TURNS_MAX: u32 = 300;

/// What disturbs an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disturbance {
    /// Nothing.
    None,
    /// Readers and monitors hesitate.
    Hesitant(u64),
    /// A reader waits with one account until another has been asked for.
    Overtaken(u64),
}

/// What an execution gives.
pub(crate) type Seen = Result<Observed, BlockError>;

/// Workers that live through many blocks, as in a node.
pub(crate) struct Crews(Vec<Workers>);

impl Crews {
    pub(crate) fn new() -> Self {
        Self(THREADS.into_iter().map(|threads| Workers::new(NonZeroUsize::new(threads).unwrap())).collect())
    }

    pub(crate) fn each(&self) -> impl Iterator<Item = &Workers> {
        self.0.iter()
    }

    /// Where an execution parts from the sequential one, if one does.
    pub(crate) fn difference(&self, scenario: &Scenario, disturbance: Disturbance) -> Option<String> {
        let block = scenario.realise();
        let expected = sequentially(&block, &block.state, scenario);
        self.part(&block, scenario, &expected, disturbance).or_else(|| {
            // What has been built must be what is imported.
            let built = expected.ok()?;
            let imported = block.imported(&built.candidates());
            let expected = Ok(built.of_included_alone());
            let again = sequentially(&imported, &imported.state, scenario);
            let sequential = first_difference(&expected, &again).map(|part| format!("imported sequentially: {part}"));
            sequential.or_else(|| {
                let part = self.part(&imported, scenario, &expected, disturbance);
                part.map(|part| format!("imported: {part}"))
            })
        })
    }

    fn part(&self, block: &Realised, scenario: &Scenario, expected: &Seen, disturbance: Disturbance) -> Option<String> {
        self.each().find_map(|workers| {
            let threads = workers.threads().get();
            let found = std::panic::catch_unwind(AssertUnwindSafe(|| {
                run(block, scenario, disturbance, Mode::Parallel(workers))
            }));
            let part = match found {
                Ok(found) => first_difference(expected, &found),
                Err(_) => Some("a panic left the executor".to_owned()),
            };
            part.map(|part| format!("{threads} threads: {part}"))
        })
    }
}

fn run(block: &Realised, scenario: &Scenario, disturbance: Disturbance, mode: Mode<'_>) -> Seen {
    let below = block.state.clone();
    let (reader, hesitation): (Box<dyn StateReader>, _) = match disturbance {
        Disturbance::None => (Box::new(below), None),
        Disturbance::Hesitant(seed) => {
            let hesitation = Hesitation::new(seed);
            (Box::new(Hesitant { below, hesitation: hesitation.clone() }), Some(hesitation))
        }
        Disturbance::Overtaken(seed) => {
            let [late, early] = far_apart(block, seed);
            (Box::new(Overtaken { below, late, early, asked: Default::default(), turns_max: TURNS_MAX }), None)
        }
    };
    let watcher = scenario.watch.as_ref().map(|watch| Watcher::new(watch, block, hesitation));
    let monitor: &dyn Monitor = match &watcher {
        Some(watcher) => watcher,
        None => &NoMonitor,
    };
    observe(&block.input(&*reader), monitor, mode)
}

/// Whom one transaction goes to, or comes from, and the sender of a later one.
fn far_apart(block: &Realised, seed: u64) -> [Address; 2] {
    let mut rng = Rng::new(seed);
    let transactions = &block.transactions;
    let Some(last) = transactions.len().checked_sub(1) else { return [Address::ZERO; 2] };
    let first = rng.index(last);
    let second = first + 1 + rng.index(last - first);
    let first = &transactions[first];
    let late = first.to().filter(|_| rng.percent(70)).unwrap_or(first.signer());
    [late, transactions[second.min(last)].signer()]
}

/// What the oracle makes of it.
pub(crate) fn sequentially(block: &Realised, reader: &dyn StateReader, scenario: &Scenario) -> Seen {
    let watcher = scenario.watch.as_ref().map(|watch| Watcher::new(watch, block, None));
    let monitor: &dyn Monitor = match &watcher {
        Some(watcher) => watcher,
        None => &NoMonitor,
    };
    observe(&block.input(reader), monitor, Mode::Sequential)
}
