//! Threads by number, and the question whether they all make the same of a block.

use std::{num::NonZeroUsize, panic::AssertUnwindSafe};

use alloy_consensus::Transaction as _;
use alloy_primitives::Address;
use parapet_executor::{BlockError, BlockInput, Listing, Mode, Workers};
use parapet_monitor::{Monitor, NoMonitor};
use parapet_types::StateReader;

use crate::{
    Hesitant, Hesitation, Observed, Overtaken, Random, Realised, Scenario, Watcher, first_difference, observe,
    spoilings,
};

/// How many threads.
const THREADS: [usize; 4] = [1, 2, 4, 8];

/// Turns given to others, at most, by a reader that wants to be overtaken.
const TURNS_MAX: u32 = 300;

/// What disturbs an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// Nothing.
    None,
    /// Readers and monitors hesitate.
    Hesitant(u64),
    /// A reader waits with one account until another has been asked for.
    Overtaken(u64),
}

impl Disturbance {
    const fn seed(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Hesitant(seed) | Self::Overtaken(seed) => seed,
        }
    }
}

/// What an execution gives.
pub type Seen = Result<Observed, BlockError>;

/// Workers that live through many blocks, as in a node.
#[derive(Debug)]
pub struct Crews(Vec<Workers>);

impl Default for Crews {
    fn default() -> Self {
        Self::new()
    }
}

impl Crews {
    /// One of each number.
    #[must_use]
    pub fn new() -> Self {
        Self(THREADS.into_iter().filter_map(NonZeroUsize::new).map(Workers::new).collect())
    }

    /// One after the other, those of fewest threads first.
    pub fn each(&self) -> impl Iterator<Item = &Workers> {
        self.0.iter()
    }

    /// Where an execution parts from the sequential one, if one does.
    pub fn difference(&self, scenario: &Scenario, disturbance: Disturbance) -> Option<String> {
        let block = scenario.realise();
        let expected = sequentially(&block, &block.state, scenario);
        let unrecorded = run(&block, scenario, Disturbance::None, Mode::Sequential, Listing::Ignore);
        if let Some(part) = first_difference(&expected, &unrecorded) {
            return Some(format!("where not everything is recorded: {part}"));
        }
        self.part(&block, scenario, &expected, disturbance, Listing::Ignore).or_else(|| {
            // What has been built must be what is imported.
            let built = expected.ok()?;
            let imported = block.imported(&built.candidates());
            let expected = Ok(built.of_included_alone());
            let again = sequentially(&imported, &imported.state, scenario);
            let sequential = first_difference(&expected, &again).map(|part| format!("imported sequentially: {part}"));
            sequential.or_else(|| {
                let part = self.part(&imported, scenario, &expected, disturbance, Listing::Ignore);
                part.map(|part| format!("imported: {part}"))
            })
        })
    }

    /// Where an execution that records the block's access list, or follows it, parts from the sequential one; or takes a
    /// list that is not the block's.
    pub fn listed_difference(&self, scenario: &Scenario, disturbance: Disturbance) -> Option<String> {
        let block = scenario.realise();
        let sequential = |listing: Listing<'_>| run(&block, scenario, Disturbance::None, Mode::Sequential, listing);
        let expected = sequential(Listing::Record);
        let unlisted = |seen: &Observed| Observed { access_list: None, ..seen.clone() };
        if let (Ok(plain), Ok(listed)) = (&sequential(Listing::Ignore), &expected)
            && *plain != unlisted(listed)
        {
            return Some("a block that is recorded is another".to_owned());
        }
        if let Some(part) = self.part(&block, scenario, &expected, disturbance, Listing::Record) {
            return Some(format!("recording: {part}"));
        }
        let list = expected.as_ref().ok()?.access_list.clone()?;
        let following = sequential(Listing::Follow(&list));
        if matches!(following, Err(BlockError::AccessListSize(_))) {
            // A block with less gas than its own list would cost.
            return None;
        }
        let part = first_difference(&expected, &following).map(|part| format!("following sequentially: {part}"));
        part.or_else(|| {
            let part = self.part(&block, scenario, &expected, disturbance, Listing::Follow(&list));
            part.map(|part| format!("following: {part}"))
        })
        .or_else(|| {
            let spoilings = spoilings(&list);
            let spoiling = spoilings[Random(disturbance.seed()).index(spoilings.len())];
            let spoilt = spoiling.of(&list)?;
            let expected = sequential(Listing::Follow(&spoilt));
            if expected.is_ok() {
                return Some(format!("{spoiling:?} is not noticed"));
            }
            let part = self.part(&block, scenario, &expected, disturbance, Listing::Follow(&spoilt));
            part.map(|part| format!("{spoiling:?}: {part}"))
        })
    }

    fn part(
        &self,
        block: &Realised,
        scenario: &Scenario,
        expected: &Seen,
        disturbance: Disturbance,
        listing: Listing<'_>,
    ) -> Option<String> {
        self.each().find_map(|workers| {
            let threads = workers.threads().get();
            let found = std::panic::catch_unwind(AssertUnwindSafe(|| {
                run(block, scenario, disturbance, Mode::Parallel(workers), listing)
            }));
            let part = match found {
                Ok(found) => first_difference(expected, &found),
                Err(_) => Some("a panic left the executor".to_owned()),
            };
            part.map(|part| format!("{threads} threads: {part}"))
        })
    }
}

fn run(block: &Realised, scenario: &Scenario, disturbance: Disturbance, mode: Mode<'_>, listing: Listing<'_>) -> Seen {
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
    observe(&BlockInput { access_list: listing, ..block.input(&*reader) }, monitor, mode)
}

/// Executes a block with its access list, undisturbed.
pub fn listing(block: &Realised, monitor: &dyn Monitor, mode: Mode<'_>, listing: Listing<'_>) -> Seen {
    observe(&BlockInput { access_list: listing, ..block.input(&block.state) }, monitor, mode)
}

/// Whom one transaction goes to, or comes from, and the sender of a later one.
fn far_apart(block: &Realised, seed: u64) -> [Address; 2] {
    let mut random = Random(seed);
    let transactions = &block.transactions;
    let Some(last) = transactions.len().checked_sub(1) else { return [Address::ZERO; 2] };
    let first = random.index(last);
    let second = first + 1 + random.index(last - first);
    let first = &transactions[first];
    let late = first.to().filter(|_| random.percent(70)).unwrap_or(first.signer());
    [late, transactions[second.min(last)].signer()]
}

/// What the oracle makes of it: sequentially, everything recorded.
pub fn sequentially(block: &Realised, reader: &dyn StateReader, scenario: &Scenario) -> Seen {
    let watcher = scenario.watch.as_ref().map(|watch| Watcher::new(watch, block, None).silent());
    let monitor: &dyn Monitor = match &watcher {
        Some(watcher) => watcher,
        None => &NoMonitor,
    };
    observe(&block.input(reader), monitor, Mode::Sequential)
}
