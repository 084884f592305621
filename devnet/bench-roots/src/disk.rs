//! What a block costs on disk: reading what it touches into memory, its root, its synced write, and the bytes of it.

use std::{io::Write, time::Duration};

use alloy_consensus::Header;
use parapet_state::{ChainStore, GenesisBlock, MemoryUse, StoreSettings, StoredBlock, WorldState};
use parapet_types::{ChainParams, GuardParams, Hardfork, StateChanges};
use serde::Serialize;

use crate::{
    error::BenchError,
    roots::{self, Shape, timed},
};

/// What a block over a state on disk came to.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct DiskCost {
    /// Accounts of the state.
    pub(crate) accounts: usize,
    /// Slots that the block changed.
    pub(crate) changes: usize,
    /// Applying the change set to a state of which nothing is in memory, in milliseconds.
    pub(crate) cold_applied_ms: f64,
    /// The root after it, in milliseconds.
    pub(crate) root_ms: f64,
    /// Writing it, synced, in milliseconds.
    pub(crate) commit_ms: f64,
    /// Bytes that went to the write-ahead log.
    pub(crate) log_bytes: u64,
}

impl DiskCost {
    /// Bytes that were written for each slot that changed, with all that follows from it.
    pub(crate) fn bytes_per_slot(&self) -> f64 {
        self.log_bytes as f64 / self.changes as f64
    }
}

/// A chain in a folder that begins with a state.
pub(crate) fn chain(folder: &std::path::Path, world: WorldState) -> Result<ChainStore, BenchError> {
    let header = Header { state_root: world.root(), ..Header::default() };
    let params = ChainParams {
        chain_id: 1,
        hardfork: Hardfork::Osaka,
        block_gas_limit: 30_000_000,
        guards: GuardParams::default(),
        deposit_contract: ChainParams::MAINNET_DEPOSITS,
    };
    Ok(ChainStore::open(folder, GenesisBlock { spec: params.into(), header, world }, StoreSettings::default())?)
}

/// A block after the head that leads to a state.
pub(crate) fn next_block(store: &ChainStore, world: &WorldState) -> StoredBlock {
    let head = store.head();
    StoredBlock::genesis(Header {
        parent_hash: head.hash(),
        number: head.number() + 1,
        state_root: world.root(),
        ..Header::default()
    })
}

/// Puts the state on disk and changes it block by block, each time with nothing in memory.
pub(crate) fn run(shape: &Shape, progress: &mut impl Write) -> Result<DiskCost, BenchError> {
    writeln!(progress, "a state of {} accounts on disk …", shape.accounts)?;
    let dir = tempfile::tempdir()?;
    drop(chain(dir.path(), WorldState::of(&roots::state(shape)))?);
    let mut runs = Vec::new();
    for round in 0..shape.rounds.get() {
        let mut store = ChainStore::open_existing(dir.path(), StoreSettings::default())?;
        let before = written(&store)?;
        let changes: StateChanges = roots::block(shape, &store.head_world(), round)?;
        let (cold, world) = timed(|| store.head_world().apply(&changes));
        let world = world?;
        let (root, _) = timed(|| world.root());
        let block = next_block(&store, &world);
        let (commit, committed) = timed(|| store.commit(block, world));
        committed?;
        let log_bytes = written(&store)?.log_bytes_written - before.log_bytes_written;
        writeln!(progress, "block {}: applied in {cold:?}, root in {root:?}, written in {commit:?}", round + 1)?;
        runs.push((cold, root, commit, log_bytes));
    }
    let median = |of: fn(&(Duration, Duration, Duration, u64)) -> Duration| {
        let mut all: Vec<_> = runs.iter().map(of).collect();
        all.sort_unstable();
        all[all.len() / 2].as_secs_f64() * 1_000.0
    };
    Ok(DiskCost {
        accounts: shape.accounts,
        changes: shape.changes,
        cold_applied_ms: median(|run| run.0),
        root_ms: median(|run| run.1),
        commit_ms: median(|run| run.2),
        log_bytes: runs.iter().map(|run| run.3).max().unwrap_or_default(),
    })
}

/// What was written so far.
pub(crate) fn written(store: &ChainStore) -> Result<MemoryUse, BenchError> {
    Ok(store.memory()?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;

    #[test]
    fn what_a_slot_costs_on_disk_follows_what_changed_and_not_the_state() {
        let number = |number| NonZeroUsize::new(number).expect("it is above zero");
        let cost = |accounts| {
            let shape = Shape { accounts, contracts: number(10), slots: number(100), changes: 200, rounds: number(1) };
            run(&shape, &mut std::io::sink()).expect("there is room for a small state")
        };
        let (small, large) = (cost(20), cost(2_000));
        assert!(large.log_bytes < 2 * small.log_bytes, "{small:?} {large:?}");
    }
}
