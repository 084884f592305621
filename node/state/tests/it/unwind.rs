//! A process that is killed while it drops blocks or forgets states leaves a chain that was, or that was on its way.
//!
//! It tells what it is about to do, so another chain, in memory, does the same; what the folder then holds must be that one as it
//! was before the last thing, or after, or, where blocks were dropped, anything between.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    num::NonZeroU64,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use parapet_state::{ChainStore, Scope, StoreSettings};

use crate::{
    chain::{extend, genesis},
    model::Random,
    restart::assert_same,
};

/// Names the folder to the process that is going to end, and what it draws from.
const FOLDER_VARIABLE: &str = "PARAPET_STATE_TEST_FOLDER";
const SEED_VARIABLE: &str = "PARAPET_STATE_TEST_SEED";
/// Sets how often the process is killed. Thousands of kills are a matter of patience.
const KILLS_VARIABLE: &str = "PARAPET_STATE_TEST_KILLS";
/// Kills where nobody says how many.
const KILLS: u64 = 6;
/// Kills that one folder lives through.
const KILLS_PER_FOLDER: u64 = 30;
/// A process is killed within so many microseconds of telling what it is about to do.
const KILL_DELAY_US: u64 = 4_000;
/// How often it has told so before, at most.
const TELLS_MAX: u64 = 4;
/// Most blocks that are dropped at once.
const DEPTH_MAX: u64 = 30;
const CHILD_ARGUMENTS: [&str; 4] =
    ["unwind::grows_drops_and_forgets_while_it_can", "--exact", "--ignored", "--nocapture"];

/// Dropping takes several writes, and little stays in memory.
fn settings() -> StoreSettings {
    StoreSettings {
        write_buffer_bytes: 64 * 1_024,
        trie_bytes: 20_000,
        recent_bytes: 40_000,
        ..StoreSettings::default()
    }
}

fn open(dir: &Path) -> ChainStore {
    ChainStore::open(dir, genesis(1), settings()).unwrap()
}

/// What a chain does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    /// Another block, drawn from a seed.
    Grow { seed: u64 },
    /// All blocks after a number are dropped.
    Drop { to: u64 },
    /// The states of so many blocks are kept.
    Forget { keep: NonZeroU64 },
}

impl Deed {
    fn drawn(random: &mut Random, store: &ChainStore) -> Self {
        let (head, oldest) = (store.head().number(), store.oldest_state());
        match random.below(6) {
            0 => Self::Drop { to: head - random.below((head - oldest).min(DEPTH_MAX) + 1) },
            1 => Self::Forget { keep: NonZeroU64::MIN.saturating_add(random.below(20)) },
            _ => Self::Grow { seed: random.next() },
        }
    }

    fn done(self, store: &mut ChainStore) {
        match self {
            Self::Grow { seed } => extend(store, &mut Random(seed), 1),
            Self::Drop { to } => store.rewind(to).unwrap(),
            Self::Forget { keep } => store.prune(keep, &mut |_| ()).unwrap(),
        }
    }

    fn told(self) -> String {
        match self {
            Self::Grow { seed } => format!("grow {seed}"),
            Self::Drop { to } => format!("drop {to}"),
            Self::Forget { keep } => format!("forget {keep}"),
        }
    }

    fn heard(line: &str) -> Option<Self> {
        let (what, number) = line.split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        match what {
            "grow" => Some(Self::Grow { seed: number }),
            "drop" => Some(Self::Drop { to: number }),
            "forget" => Some(Self::Forget { keep: NonZeroU64::new(number)? }),
            _ => None,
        }
    }
}

/// Not a test by itself: runs in a process that is killed, and tells of each deed before it does it.
#[test]
#[ignore = "started by another test, in a process of its own"]
fn grows_drops_and_forgets_while_it_can() {
    let dir = PathBuf::from(std::env::var_os(FOLDER_VARIABLE).unwrap());
    let mut random = Random(std::env::var(SEED_VARIABLE).unwrap().parse().unwrap());
    let mut store = open(&dir);
    loop {
        let deed = Deed::drawn(&mut random, &store);
        let mut out = std::io::stdout().lock();
        writeln!(out, "\n{}", deed.told()).unwrap();
        out.flush().unwrap();
        drop(out);
        deed.done(&mut store);
    }
}

/// Lets a process work on a folder and kills it in the midst of a kind of deed; gives all that it told.
fn killed(dir: &Path, seed: u64, kind: &str) -> Vec<Deed> {
    let mut random = Random(seed);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(CHILD_ARGUMENTS).env(FOLDER_VARIABLE, dir).env(SEED_VARIABLE, seed.to_string());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut deeds = lines.filter_map(|line| Deed::heard(&line));
    let (mut told, mut left) = (Vec::new(), random.below(TELLS_MAX));
    for deed in deeds.by_ref() {
        told.push(deed);
        if deed.told().starts_with(kind) {
            if left == 0 {
                break;
            }
            left -= 1;
        }
    }
    std::thread::sleep(Duration::from_micros(random.below(KILL_DELAY_US)));
    child.kill().unwrap();
    child.wait().unwrap();
    // What it told while it was being killed.
    told.extend(deeds);
    told
}

/// Does in memory what was told, the last of it as far as the folder has it.
fn followed(memory: &mut ChainStore, told: &[Deed], head: u64) {
    let Some((last, before)) = told.split_last() else { return };
    for deed in before.iter().filter(|deed| !matches!(deed, Deed::Forget { .. })) {
        deed.done(memory);
    }
    let was = memory.head().number();
    match *last {
        Deed::Grow { .. } if head == was => {}
        Deed::Grow { .. } => last.done(memory),
        Deed::Drop { to } => {
            assert!((to..=was).contains(&head), "block {head} is the head, and {to} to {was} were to be dropped");
            memory.rewind(head).unwrap();
        }
        Deed::Forget { .. } => assert_eq!(head, was, "no block goes with its state"),
    }
}

#[test]
fn what_was_dropped_or_forgotten_halfway_survives_a_kill_as_a_chain_that_was() {
    let kills = std::env::var(KILLS_VARIABLE).map_or(KILLS, |kills| kills.parse().unwrap());
    let (mut dir, mut memory) = (tempfile::tempdir().unwrap(), ChainStore::in_memory(genesis(1)));
    for kill in 0..kills {
        if kill % KILLS_PER_FOLDER == KILLS_PER_FOLDER - 1 {
            (dir, memory) = (tempfile::tempdir().unwrap(), ChainStore::in_memory(genesis(1)));
        }
        let oldest = open(dir.path()).oldest_state();
        let told = killed(dir.path(), kill, ["drop", "forget", "grow"][kill as usize % 3]);
        let store = open(dir.path());
        followed(&mut memory, &told, store.head().number());
        assert!(store.oldest_state() >= oldest, "kill {kill}: a state that was forgotten is there again");
        assert_same(&memory, &store);
        let checked = store.verify(Scope::Every, &mut |_| ()).unwrap();
        assert_eq!(checked.states, store.head().number() - store.oldest_state() + 1, "kill {kill}");
    }
}
