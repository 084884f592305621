//! What is gained when the slots that a block is likely to change, and the trie nodes on the way to them, are read ahead of it, by
//! several threads at once.

use std::{fs::File, io::Write, path::Path, time::Duration};

use alloy_primitives::{Address, U256};
use parapet_state::{ChainStore, StoreSettings, WorldState};
use parapet_types::StateChanges;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use rustix::fs::{Advice, fadvise};
use serde::Serialize;

use crate::{
    error::BenchError,
    roots::{self, Shape, median, pool, timed},
};

/// Threads that read: none, one, as many as small machines have cores, and many more, which wait for the disk.
const THREADS: [usize; 4] = [0, 1, 2, 16];
/// Slots that a thread reads at once, as many as a transaction may change.
const AT_ONCE: usize = 4;

/// Where files were when they were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Files {
    /// In the system's memory.
    Memory,
    /// On the disk, as far as the system lets go of them.
    Disk,
}

impl Files {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Disk => "on disk",
        }
    }
}

/// What a block took over a store of which nothing was in this process' memory.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct ReadCost {
    /// Accounts of the state.
    pub(crate) accounts: usize,
    /// Slots read, and then changed.
    pub(crate) slots: usize,
    /// Where the files were.
    pub(crate) files: Files,
    /// By so many threads; none: nothing was read ahead.
    pub(crate) threads: usize,
    /// Reading ahead, in milliseconds.
    pub(crate) ahead_ms: f64,
    /// Reading the slots then, one by one, as a block does that is executed by one thread.
    pub(crate) read_ms: f64,
    /// Applying the changes then, in milliseconds.
    pub(crate) applied_ms: f64,
}

/// Reads what a block changes, each time with nothing in memory.
pub(crate) fn run(dir: &Path, shape: &Shape, progress: &mut impl Write) -> Result<Vec<ReadCost>, BenchError> {
    writeln!(progress, "reading ahead …")?;
    let mut costs = Vec::new();
    for files in [Files::Memory, Files::Disk] {
        for threads in THREADS {
            let readers = pool(threads.max(1))?;
            let mut times = Vec::new();
            for round in 0..shape.rounds.get() {
                let store = ChainStore::open_existing(dir, StoreSettings::default())?;
                let changes = roots::block(shape, &store.head_world(), round)?;
                drop(store);
                if files == Files::Disk {
                    evict(&dir.join("chain"))?;
                }
                let store = ChainStore::open_existing(dir, StoreSettings::default())?;
                let world = store.head_world();
                let wanted = wanted(&changes);
                let (ahead, read) = match threads {
                    0 => (Duration::ZERO, Ok(())),
                    _ => readers.install(|| timed(|| read_ahead(&world, &wanted))),
                };
                read?;
                let (one_by_one, read) = timed(|| read_slots(&world, &wanted));
                read?;
                let (applied, after) = timed(|| world.apply(&changes));
                after?;
                times.push([ahead, one_by_one, applied]);
            }
            let (accounts, slots) = (shape.accounts, shape.changes);
            let [ahead_ms, read_ms, applied_ms] = [0, 1, 2].map(|of| median(times.iter().map(|times| times[of])));
            costs.push(ReadCost { accounts, slots, files, threads, ahead_ms, read_ms, applied_ms });
        }
    }
    Ok(costs)
}

/// A few slots of an account, as transactions need them.
type Wanted = (Address, Vec<U256>);

fn wanted(changes: &StateChanges) -> Vec<Wanted> {
    let few = |(address, slots): (&Address, Vec<U256>)| {
        let address = *address;
        slots.chunks(AT_ONCE).map(|few| (address, few.to_vec())).collect::<Vec<_>>()
    };
    let accounts = changes.accounts.iter();
    accounts.map(|(address, change)| (address, change.storage.keys().copied().collect())).flat_map(few).collect()
}

fn read_ahead(world: &WorldState, wanted: &[Wanted]) -> Result<(), BenchError> {
    wanted.par_iter().try_for_each(|(address, slots)| world.read_ahead(address, slots).map(drop))?;
    Ok(())
}

fn read_slots(world: &WorldState, wanted: &[Wanted]) -> Result<(), BenchError> {
    let mut slots = wanted.iter().flat_map(|(address, slots)| slots.iter().map(move |slot| (address, slot)));
    slots.try_for_each(|(address, slot)| world.storage(address, *slot).map(drop))?;
    Ok(())
}

/// Asks the system to forget what it has of a folder's files.
pub(crate) fn evict(folder: &Path) -> Result<(), BenchError> {
    for entry in std::fs::read_dir(folder)? {
        let file = File::open(entry?.path())?;
        file.sync_all()?;
        fadvise(&file, 0, None, Advice::DontNeed).map_err(std::io::Error::from)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    #[test]
    fn slots_are_read_by_any_number_of_threads() {
        let number = |number| NonZeroUsize::new(number).expect("it is above zero");
        let shape = Shape { accounts: 30, contracts: number(10), slots: number(50), changes: 200, rounds: number(1) };
        let dir = tempfile::tempdir().expect("there is room for a small state");
        crate::disk::put(dir.path(), &shape, &mut std::io::sink()).expect("there is room for a small state");
        let costs = run(dir.path(), &shape, &mut std::io::sink()).expect("the state is there");
        assert_eq!(costs.len(), 2 * THREADS.len());
        assert!(costs.iter().all(|cost| cost.slots == 200));
    }
}
