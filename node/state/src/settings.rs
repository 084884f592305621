//! How a chain that lives in a folder is kept: bounds on memory, what a block waits for, how far history reaches.

use std::num::NonZeroU64;

/// Bytes in a mebibyte.
const MIB: usize = 1_024 * 1_024;

/// How a folder is used. Every bound is one of memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// What a block waits for before it is announced.
    pub sync: SyncMode,
    /// Blocks whose states are kept, counted from the head, at least; all where there is no number.
    pub prune: Option<NonZeroU64>,
    /// Decompressed pieces of the database's files.
    pub block_cache_bytes: usize,
    /// What was written and is not yet in files, over all column families.
    pub write_buffer_bytes: usize,
    /// Trie nodes that blocks changed, which lie in memory until there are this many bytes of them; then all are dropped at
    /// once and read again as they are needed.
    pub trie_bytes: usize,
    /// Accounts and slots that were read.
    pub value_bytes: usize,
    /// Newest blocks with their receipts.
    pub recent_bytes: usize,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self::with_memory(512 * MIB)
    }
}

impl StoreSettings {
    /// Everything kept, every block synced, and so many bytes of memory shared out: a quarter each for files' pieces, for
    /// trie nodes and for values read, an eighth each for what is to be written and for recent blocks.
    #[must_use]
    pub const fn with_memory(bytes: usize) -> Self {
        Self {
            sync: SyncMode::Block,
            prune: None,
            block_cache_bytes: bytes / 4,
            write_buffer_bytes: bytes / 8,
            trie_bytes: bytes / 4,
            value_bytes: bytes / 4,
            recent_bytes: bytes / 8,
        }
    }
}

/// What a block waits for before it is announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncMode {
    /// The disk: a block that was announced survives the loss of power.
    #[default]
    Block,
    /// The operating system: a block that was announced survives the end of the process, however it comes, but the newest
    /// ones may be lost with the machine. The chain then ends at an earlier block, whole.
    System,
}
