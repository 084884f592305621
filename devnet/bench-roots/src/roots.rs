//! What a state root costs: of a block over a large state, against a rebuild of everything and against hashing alone.
//!
//! The bound is what no way of computing the root can avoid: every distinct node between the root and a changed leaf, once.
//! The nodes are taken from proofs of all that changed, and hashed again by themselves.

use std::{
    collections::HashMap,
    io::Write,
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use parapet_state::{StoreError, WorldState};
use parapet_types::{AccountChange, AccountInfo, StateChanges};
use serde::Serialize;

use crate::error::BenchError;

/// The shape of the state and of the blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Accounts, those with storage included.
    pub(crate) accounts: usize,
    /// Accounts that have storage, over which a block's changes are spread.
    pub(crate) contracts: NonZeroUsize,
    /// Slots of each of them.
    pub(crate) slots: NonZeroUsize,
    /// Slots that a block changes.
    pub(crate) changes: usize,
    /// Blocks measured. Medians are told.
    pub(crate) rounds: NonZeroUsize,
}

/// What a root came to.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct RootCost {
    /// Accounts of the state.
    pub(crate) accounts: usize,
    /// Slots of the state.
    pub(crate) slots: usize,
    /// Slots that the block changed.
    pub(crate) changes: usize,
    /// From nothing but the leaves, in milliseconds.
    pub(crate) rebuilt_ms: f64,
    /// Applying the change set, in milliseconds.
    pub(crate) applied_ms: f64,
    /// The root after it, in milliseconds.
    pub(crate) root_ms: f64,
    /// Nodes that it hashed.
    pub(crate) hashed: usize,
    /// Distinct nodes on the ways to what changed: the least that can be hashed.
    pub(crate) bound: usize,
    /// Hashing these alone, on one thread, in milliseconds.
    pub(crate) hashing_ms: f64,
}

impl RootCost {
    /// How many times faster the root is than a rebuild.
    #[must_use]
    pub(crate) fn times_faster(&self) -> f64 {
        self.rebuilt_ms / self.root_ms
    }

    /// How many times longer the root takes than hashing alone.
    #[must_use]
    pub(crate) fn times_hashing(&self) -> f64 {
        self.root_ms / self.hashing_ms
    }
}

/// Builds the state, changes it block by block, and measures.
///
/// # Errors
/// [`BenchError::Root`] when a root differs from the rebuilt one; [`BenchError::Print`] when progress cannot be told.
pub(crate) fn run(shape: &Shape, progress: &mut impl Write) -> Result<RootCost, BenchError> {
    writeln!(progress, "a state of {} accounts …", shape.accounts)?;
    let mut world = WorldState::of(&state(shape));
    let _ = world.root();
    let mut runs = Vec::new();
    for round in 0..shape.rounds.get() {
        let changes = block(shape, &world, round)?;
        let (applied, after) = timed(|| world.apply(&changes));
        let after = after?;
        let hashed = after.unhashed_nodes();
        let (took, root) = timed(|| after.root());
        let (rebuilt, expected) = timed(|| after.rebuild_root());
        let expected = expected?;
        if root != expected {
            return Err(BenchError::Root { computed: root, rebuilt: expected });
        }
        let nodes = nodes_on_the_way(&after, &changes)?;
        let (hashing, _) = timed(|| nodes.values().fold(B256::ZERO, |all, node| all ^ keccak256(node)));
        writeln!(progress, "block {}: rebuilt in {rebuilt:?}, kept up in {took:?}", round + 1)?;
        runs.push((rebuilt, applied, took, hashing, hashed, nodes.len()));
        world = after;
    }
    let median = |of: fn(&Run) -> Duration| {
        let mut all: Vec<Duration> = runs.iter().map(of).collect();
        all.sort_unstable();
        all[all.len() / 2].as_secs_f64() * 1_000.0
    };
    Ok(RootCost {
        accounts: shape.accounts,
        slots: shape.contracts.get() * shape.slots.get(),
        changes: shape.changes,
        rebuilt_ms: median(|run| run.0),
        applied_ms: median(|run| run.1),
        root_ms: median(|run| run.2),
        hashing_ms: median(|run| run.3),
        hashed: runs.iter().map(|run| run.4).max().unwrap_or_default(),
        bound: runs.iter().map(|run| run.5).max().unwrap_or_default(),
    })
}

/// Rebuilt, applied, kept up, hashed alone; nodes hashed, nodes that had to be.
type Run = (Duration, Duration, Duration, Duration, usize, usize);

pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let made = work();
    (start.elapsed(), made)
}

pub(crate) fn address(index: usize) -> Address {
    Address::from_word(keccak256(index.to_be_bytes()))
}

/// Contracts first, then accounts without storage.
pub(crate) fn state(shape: &Shape) -> StateChanges {
    let account = |index: usize| {
        let slots = if index < shape.contracts.get() { shape.slots.get() } else { 0 };
        let info = AccountInfo { nonce: 1, balance: U256::from(index + 1), ..AccountInfo::default() };
        let storage = (0..slots).map(|slot| (U256::from(slot), U256::from(slot + 1))).collect();
        (address(index), AccountChange { info: Some(info), wipe_storage: false, storage })
    };
    StateChanges { accounts: (0..shape.accounts).map(account).collect(), ..StateChanges::default() }
}

/// A block's changes, spread over all contracts. Each round writes other slots and other values.
pub(crate) fn block(shape: &Shape, world: &WorldState, round: usize) -> Result<StateChanges, StoreError> {
    let mut changes = StateChanges::default();
    for index in 0..shape.changes {
        let contract = address(index % shape.contracts);
        let drawn = keccak256([round.to_be_bytes(), index.to_be_bytes()].concat());
        // Neighbours in a walk whose stride shares no factor with most numbers: no slot twice in a block.
        let slot = (index / shape.contracts * 7_919 + round) % shape.slots;
        let change = changes.accounts.entry(contract).or_default();
        change.info = world.account(&contract)?;
        change.storage.insert(U256::from(slot), U256::from_be_bytes(drawn.0) | U256::ONE);
    }
    Ok(changes)
}

fn nodes_on_the_way(world: &WorldState, changes: &StateChanges) -> Result<HashMap<B256, Bytes>, StoreError> {
    let mut nodes = HashMap::new();
    for (address, change) in &changes.accounts {
        let slots: Vec<U256> = change.storage.keys().copied().collect();
        let proof = world.proof(*address, &slots)?;
        let all = proof.nodes.into_iter().chain(proof.slots.into_iter().flat_map(|slot| slot.nodes));
        nodes.extend(all.map(|node| (keccak256(&node), node)));
    }
    Ok(nodes)
}
