//! What a block costs on disk: reading what it touches into memory, its root, its synced write, and the bytes of it.

use std::{fs::File, io::Write, path::Path, time::Duration};

use alloy_consensus::{Header, constants::EMPTY_WITHDRAWALS};
use alloy_primitives::{B256, keccak256};
use parapet_state::{ChainStore, GenesisBlock, MemoryUse, StoreSettings, StoredBlock, WorldState};
use parapet_types::{ChainParams, ExecutionLimits, GuardParams, Hardfork, StateChanges};
use serde::Serialize;

use crate::{
    error::BenchError,
    roots::{self, Shape, median, timed},
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
    /// Writing as many bytes to a file of its own, synced, in milliseconds: what the disk alone takes.
    pub(crate) plain_ms: f64,
    /// Bytes that went to the write-ahead log.
    pub(crate) log_bytes: u64,
}

impl DiskCost {
    /// How many times longer the block's write takes than a plain one of as many bytes.
    pub(crate) fn times_plain(&self) -> f64 {
        self.commit_ms / self.plain_ms
    }

    /// Bytes that were written for each slot that changed, with all that follows from it.
    pub(crate) fn bytes_per_slot(&self) -> f64 {
        self.log_bytes as f64 / self.changes as f64
    }
}

/// What blocks over a state on disk write when they follow each other, synced, with all that the database makes of it.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct WriteCost {
    /// Accounts of the state.
    pub(crate) accounts: usize,
    /// Blocks.
    pub(crate) blocks: usize,
    /// Slots that each changed.
    pub(crate) changes: usize,
    /// Writing one, synced, in milliseconds.
    pub(crate) commit_ms: f64,
    /// Keys and values as the store gave them.
    pub(crate) user_bytes: u64,
    /// Written to the log.
    pub(crate) log_bytes: u64,
    /// Written to files, first and again.
    pub(crate) file_bytes: u64,
}

impl WriteCost {
    /// Bytes that the store gave for each slot that changed.
    pub(crate) fn bytes_per_slot(&self) -> f64 {
        self.user_bytes as f64 / (self.blocks * self.changes) as f64
    }

    /// How often a byte was written.
    pub(crate) fn amplification(&self) -> f64 {
        (self.log_bytes + self.file_bytes) as f64 / self.user_bytes as f64
    }
}

/// A chain in a folder that begins with a state, under the rules of the last fork that needs no contract in its genesis.
pub(crate) fn chain(folder: &Path, world: WorldState, settings: StoreSettings) -> Result<ChainStore, BenchError> {
    let header = Header {
        state_root: world.root(),
        gas_limit: 30_000_000,
        base_fee_per_gas: Some(7),
        withdrawals_root: Some(EMPTY_WITHDRAWALS),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        ..Header::default()
    };
    let params = ChainParams {
        chain_id: 1,
        hardfork: Hardfork::Cancun,
        block_gas_limit: 30_000_000,
        guards: GuardParams::default(),
        deposit_contract: ChainParams::MAINNET_DEPOSITS,
        limits: ExecutionLimits::ETHEREUM,
    };
    Ok(ChainStore::open(folder, GenesisBlock { spec: params.into(), header, world }, settings)?)
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
pub(crate) fn run(dir: &Path, shape: &Shape, progress: &mut impl Write) -> Result<DiskCost, BenchError> {
    let mut runs = Vec::new();
    for round in 0..shape.rounds.get() {
        let mut store = ChainStore::open_existing(dir, StoreSettings::default())?;
        let before = written(&store)?;
        let changes: StateChanges = roots::block(shape, &store.head_world(), round)?;
        let (cold, world) = timed(|| store.head_world().apply(&changes));
        let world = world?;
        let (root, _) = timed(|| world.root());
        let block = next_block(&store, &world);
        let (commit, committed) = timed(|| store.commit(block, world));
        committed?;
        let log_bytes = written(&store)?.log_bytes_written - before.log_bytes_written;
        let plain = plain_write(&dir.join("plain"), log_bytes)?;
        writeln!(progress, "block {}: applied in {cold:?}, root in {root:?}, written in {commit:?}", round + 1)?;
        runs.push((cold, root, commit, log_bytes, plain));
    }
    Ok(DiskCost {
        accounts: shape.accounts,
        changes: shape.changes,
        cold_applied_ms: median(runs.iter().map(|run| run.0)),
        root_ms: median(runs.iter().map(|run| run.1)),
        commit_ms: median(runs.iter().map(|run| run.2)),
        plain_ms: median(runs.iter().map(|run| run.4)),
        log_bytes: runs.iter().map(|run| run.3).max().unwrap_or_default(),
    })
}

/// Writes so many bytes to a file, syncs it, and removes it.
fn plain_write(path: &Path, bytes: u64) -> Result<Duration, BenchError> {
    // Hashes do not compress, in case that a file system would try.
    let words = (0..bytes.div_ceil(32)).flat_map(|word| keccak256(word.to_be_bytes()).0);
    let content: Vec<u8> = words.collect();
    let mut file = File::create(path)?;
    let (took, written) = timed(|| file.write_all(&content).and_then(|()| file.sync_data()));
    written?;
    std::fs::remove_file(path)?;
    Ok(took)
}

/// Puts a state on disk.
pub(crate) fn put(dir: &Path, shape: &Shape, progress: &mut impl Write) -> Result<(), BenchError> {
    writeln!(progress, "a state of {} accounts on disk …", shape.accounts)?;
    chain(dir, WorldState::of(&roots::state(shape)), StoreSettings::default()).map(drop)
}

/// Writes so many blocks, one after the other, and counts what the database writes until it is closed.
pub(crate) fn series(
    dir: &Path,
    shape: &Shape,
    blocks: usize,
    progress: &mut impl Write,
) -> Result<WriteCost, BenchError> {
    writeln!(progress, "{blocks} blocks after each other …")?;
    let mut store = ChainStore::open_existing(dir, StoreSettings::default())?;
    let (before, mut commits) = (written(&store)?, Vec::new());
    for round in 0..blocks {
        // Other slots than those of the blocks before.
        let changes = roots::block(shape, &store.head_world(), 1_000 + round)?;
        let world = store.head_world().apply(&changes)?;
        let block = next_block(&store, &world);
        let (commit, committed) = timed(|| store.commit(block, world));
        committed?;
        commits.push(commit);
    }
    let after = written(&store)?;
    Ok(WriteCost {
        accounts: shape.accounts,
        blocks,
        changes: shape.changes,
        commit_ms: median(commits.into_iter()),
        user_bytes: after.user_bytes_written - before.user_bytes_written,
        log_bytes: after.log_bytes_written - before.log_bytes_written,
        file_bytes: after.file_bytes_written - before.file_bytes_written,
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
            let dir = tempfile::tempdir().expect("there is room for a small state");
            put(dir.path(), &shape, &mut std::io::sink()).expect("there is room for a small state");
            let cost = run(dir.path(), &shape, &mut std::io::sink()).expect("the state is there");
            (cost, series(dir.path(), &shape, 3, &mut std::io::sink()).expect("the state is there"))
        };
        let (small, large) = (cost(20), cost(2_000));
        assert!(large.0.log_bytes < 2 * small.0.log_bytes, "{small:?} {large:?}");
        assert!(large.1.user_bytes < 2 * small.1.user_bytes, "{small:?} {large:?}");
        // Each byte is in the log, with no more than what the log says of it.
        for (_, written) in [small, large] {
            assert!(
                written.log_bytes >= written.user_bytes && written.log_bytes < 2 * written.user_bytes,
                "{written:?}"
            );
        }
    }
}
