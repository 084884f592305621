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
use rayon::{
    ThreadPool, ThreadPoolBuilder,
    iter::{IntoParallelRefIterator as _, ParallelIterator as _},
};
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
    /// The root after it, on all cores, in milliseconds.
    pub(crate) root_ms: f64,
    /// The same on one thread.
    pub(crate) root_one_ms: f64,
    /// The same on two threads.
    pub(crate) root_two_ms: f64,
    /// Nodes that it hashed.
    pub(crate) hashed: usize,
    /// Distinct nodes on the ways to what changed: the least that can be hashed.
    pub(crate) bound: usize,
    /// Hashing these alone, on one thread, in milliseconds.
    pub(crate) hashing_ms: f64,
    /// The same on two threads.
    pub(crate) hashing_two_ms: f64,
}

impl RootCost {
    /// How many times faster the root is than a rebuild.
    #[must_use]
    pub(crate) fn times_faster(&self) -> f64 {
        self.rebuilt_ms / self.root_ms
    }

    /// How many times longer the root takes on all cores than hashing alone on one thread.
    #[must_use]
    pub(crate) fn times_hashing(&self) -> f64 {
        self.root_ms / self.hashing_ms
    }

    /// The same, both on one thread.
    #[must_use]
    pub(crate) fn times_hashing_one(&self) -> f64 {
        self.root_one_ms / self.hashing_ms
    }

    /// The same, both on two threads.
    #[must_use]
    pub(crate) fn times_hashing_two(&self) -> f64 {
        self.root_two_ms / self.hashing_two_ms
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
    let (one, two) = (pool(1)?, pool(2)?);
    let mut runs = Vec::new();
    for round in 0..shape.rounds.get() {
        let changes = block(shape, &world, round)?;
        // Who applies the changes anew has what nobody has hashed yet.
        let fresh = [world.apply(&changes)?, world.apply(&changes)?];
        let (root_one, first) = one.install(|| timed(|| fresh[0].root()));
        let (root_two, second) = two.install(|| timed(|| fresh[1].root()));
        let (applied, after) = timed(|| world.apply(&changes));
        let after = after?;
        let hashed = after.unhashed_nodes();
        let (took, root) = timed(|| after.root());
        let (rebuilt, expected) = timed(|| after.rebuild_root());
        let expected = expected?;
        if let Some(computed) = [root, first, second].into_iter().find(|root| *root != expected) {
            return Err(BenchError::Root { computed, rebuilt: expected });
        }
        let nodes = nodes_on_the_way(&after, &changes)?;
        let all: Vec<_> = nodes.into_values().collect();
        let hash_all = || all.par_iter().map(keccak256).reduce(|| B256::ZERO, |all, hash| all ^ hash);
        let (hashing, _) = timed(|| all.iter().fold(B256::ZERO, |all, node| all ^ keccak256(node)));
        let (hashing_two, _) = two.install(|| timed(hash_all));
        writeln!(progress, "block {}: rebuilt in {rebuilt:?}, kept up in {took:?}", round + 1)?;
        let times = [rebuilt, applied, took, root_one, root_two, hashing, hashing_two];
        runs.push(Run { times, hashed, bound: all.len() });
        world = after;
    }
    let [rebuilt_ms, applied_ms, root_ms, root_one_ms, root_two_ms, hashing_ms, hashing_two_ms] =
        std::array::from_fn(|of| median(runs.iter().map(|run| run.times[of])));
    Ok(RootCost {
        accounts: shape.accounts,
        slots: shape.contracts.get() * shape.slots.get(),
        changes: shape.changes,
        rebuilt_ms,
        applied_ms,
        root_ms,
        root_one_ms,
        root_two_ms,
        hashing_ms,
        hashing_two_ms,
        hashed: runs.iter().map(|run| run.hashed).max().unwrap_or_default(),
        bound: runs.iter().map(|run| run.bound).max().unwrap_or_default(),
    })
}

/// What one block took.
struct Run {
    /// Rebuilt; applied; the root on all cores, on one thread, on two; hashing alone on one thread, on two.
    times: [Duration; 7],
    /// Nodes hashed.
    hashed: usize,
    /// Nodes that had to be.
    bound: usize,
}

/// So many threads to work on.
pub(crate) fn pool(threads: usize) -> Result<ThreadPool, BenchError> {
    Ok(ThreadPoolBuilder::new().num_threads(threads).build()?)
}

/// The median, in milliseconds.
pub(crate) fn median(times: impl Iterator<Item = Duration>) -> f64 {
    let mut all: Vec<Duration> = times.collect();
    all.sort_unstable();
    all.get(all.len() / 2).map_or(0.0, Duration::as_secs_f64) * 1_000.0
}

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
