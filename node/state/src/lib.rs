//! The chain's state: accounts, storage, code, their roots, the blocks that led there, and their store on disk.
//!
//! A [`WorldState`] is an immutable value: applying a block's changes gives a new one that shares all it can with the
//! old one, so a snapshot is a clone. A [`ChainStore`] holds the blocks and their states. Accounts and storage lie in
//! Merkle-Patricia tries that know their hashes, so a root costs what a block changed and a proof what it reads; each trie is
//! the map as well. Where a chain lives in a folder, memory holds what its newest blocks changed and what was read lately,
//! within [bounds](StoreSettings); all else is read as it is needed, as it was after any block that is kept. A block is
//! written first, in one batch, and only then does memory follow: what a reader has seen survives a crash.
//!
//! Assumptions: one writer; keys are hashed with Keccak-256, whose collisions are not considered. This is the only crate that
//! knows RocksDB.

mod ahead;
mod block;
mod disk;
mod error;
mod keys;
mod reader;
mod settings;
mod source;
mod store;
mod trie;
mod world;

pub use block::{GenesisBlock, StoredBlock};
pub use disk::{Checked, FORMAT_VERSION, FamilyStats, MemoryUse, Progress, Scope, Step, StoreStats};
pub use error::{Consequence, StoreError};
pub use settings::{StoreSettings, SyncMode};
pub use store::{ANCESTORS_MAX, ChainStore, KeptFork};
pub use trie::{AccountProof, SlotProof};
pub use world::WorldState;
