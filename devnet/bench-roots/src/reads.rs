//! What is gained when the slots that a block is likely to read are read ahead of it, by several threads at once.

use std::{fs::File, io::Write, path::Path};

use alloy_primitives::{Address, U256};
use parapet_state::{ChainStore, StoreSettings, WorldState};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use rustix::fs::{Advice, fadvise};
use serde::Serialize;

use crate::{
    error::BenchError,
    roots::{self, Shape, median, pool, timed},
};

/// Threads that read: one, as many as small machines have cores, and many more, which wait for the disk.
const THREADS: [usize; 3] = [1, 2, 16];

/// Where files were when they were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Files {
    /// In the system's memory.
    Memory,
    /// On the disk, as far as the system lets go of them.
    Disk,
}

/// What reading a block's slots out of a store took of which nothing was in this process' memory.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct ReadCost {
    /// Accounts of the state.
    pub(crate) accounts: usize,
    /// Slots read.
    pub(crate) slots: usize,
    /// Where the files were.
    pub(crate) files: Files,
    /// By so many threads.
    pub(crate) threads: usize,
    /// In milliseconds.
    pub(crate) ms: f64,
}

/// Reads what a block changes, each time with nothing in memory.
pub(crate) fn run(dir: &Path, shape: &Shape, progress: &mut impl Write) -> Result<Vec<ReadCost>, BenchError> {
    writeln!(progress, "reading ahead …")?;
    let mut costs = Vec::new();
    for files in [Files::Memory, Files::Disk] {
        for threads in THREADS {
            let readers = pool(threads)?;
            let mut times = Vec::new();
            for round in 0..shape.rounds.get() {
                if files == Files::Disk {
                    evict(&dir.join("chain"))?;
                }
                let store = ChainStore::open_existing(dir, StoreSettings::default())?;
                let world = store.head_world();
                let slots = slots(shape, round);
                let (took, read) = readers.install(|| timed(|| read(&world, &slots)));
                read?;
                times.push(took);
            }
            let (accounts, slots) = (shape.accounts, shape.changes);
            costs.push(ReadCost { accounts, slots, files, threads, ms: median(times.into_iter()) });
        }
    }
    Ok(costs)
}

fn read(world: &WorldState, slots: &[(Address, U256)]) -> Result<(), BenchError> {
    slots.par_iter().try_for_each(|(address, slot)| world.storage(address, *slot).map(drop))?;
    Ok(())
}

/// As many slots as a block changes, spread over all contracts; other ones in each round.
fn slots(shape: &Shape, round: usize) -> Vec<(Address, U256)> {
    let slot = |index: usize| {
        let slot = (index / shape.contracts * 7_919 + round * 13) % shape.slots;
        (roots::address(index % shape.contracts), U256::from(slot))
    };
    (0..shape.changes).map(slot).collect()
}

/// Asks the system to forget what it has of a folder's files.
fn evict(folder: &Path) -> Result<(), BenchError> {
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
