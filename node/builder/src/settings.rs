//! Settings of the builder, and when it mines.

use std::{num::NonZeroUsize, path::PathBuf, thread::available_parallelism, time::Duration};

use alloy_primitives::{Address, Bytes};
use parapet_pool::{Balances, Order};

/// Most blocks one request may mine.
pub const BLOCKS_PER_REQUEST_MAX: u64 = 100_000;
/// Most snapshots that are kept; the oldest makes room.
pub const SNAPSHOTS_MAX: usize = 1_024;
/// Most transactions taken from the pool for one block, unless told otherwise; gas is the tighter bound.
pub const BLOCK_TRANSACTIONS_MAX: usize = 10_000;
/// Most bytes of a block's transactions: EIP-7934 allows 8 MiB for the whole block, and its header and withdrawals are
/// far below the rest.
pub const BLOCK_BYTES_MAX: usize = 8 * 1_024 * 1_024 - 64 * 1_024;
/// Announcements a listener may lag behind before it loses the oldest.
pub const EVENTS_MAX: usize = 4_096;
/// Longest time between two blocks that can be asked for.
pub const BLOCK_TIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Threads that read ahead, unless told otherwise: they wait for the disk and hardly take a core's time.
pub const PREFETCH_THREADS: usize = 4;
/// Most of them that can be asked for.
pub const PREFETCH_THREADS_MAX: usize = 256;

/// When blocks are mined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mining {
    /// As transactions come, each before its submission returns; those that come together are in one block.
    #[default]
    Instant,
    /// A block each time this long has passed, empty ones included.
    Interval(Duration),
    /// A block each time this long has passed, and one as transactions come, each before its submission returns.
    Mixed(Duration),
    /// Only when asked.
    Manual,
}

impl Mining {
    /// Whether transactions are mined as they come.
    #[must_use]
    pub const fn is_instant(self) -> bool {
        match self {
            Self::Instant | Self::Mixed(_) => true,
            Self::Interval(_) | Self::Manual => false,
        }
    }

    /// How long it is from one block to the next, if blocks come by themselves.
    #[must_use]
    pub const fn interval(self) -> Option<Duration> {
        match self {
            Self::Interval(every) | Self::Mixed(every) => Some(every),
            Self::Instant | Self::Manual => None,
        }
    }
}

/// Whether every block is executed a second time, one transaction after the other, before it is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SequentialCheck {
    /// Only by all threads.
    #[default]
    Off,
    /// By all threads and sequentially; a block on which they differ is not stored. Takes twice the time.
    On,
}

/// Settings of the builder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// When blocks are mined.
    pub mining: Mining,
    /// Threads that execute a block, the one that builds it included.
    pub threads: NonZeroUsize,
    /// Threads that read, where the chain is kept on disk, what transactions that wait are likely to need; none with 0.
    pub prefetch_threads: usize,
    /// Whether blocks are executed sequentially, too.
    pub check: SequentialCheck,
    /// How long a block's execution may take; what is not settled by then waits for the next block. Half of the interval
    /// where it is `None` and blocks are mined at intervals. A block's first candidate is always taken.
    pub block_deadline: Option<Duration>,
    /// Base fee of the block after genesis, in wei per gas; without it, that which follows from genesis.
    pub first_base_fee: Option<u64>,
    /// Who gets the priority fees.
    pub beneficiary: Address,
    /// Extra data of every header, at most 32 bytes.
    pub extra_data: Bytes,
    /// How much the pool holds.
    pub pool: parapet_pool::Limits,
    /// Which of the transactions that a block could take goes first.
    pub order: Order,
    /// What becomes of transactions that their sender cannot pay for.
    pub balances: Balances,
    /// Most transactions of one block; gas is the tighter bound.
    pub block_transactions_max: usize,
    /// Most bytes of blobs that are kept once their transactions are mined.
    pub mined_blob_bytes_max: usize,
    /// File in which what waits in the pool is kept across restarts.
    pub journal: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mining: Mining::Instant,
            threads: cores(),
            prefetch_threads: PREFETCH_THREADS,
            check: SequentialCheck::Off,
            block_deadline: None,
            first_base_fee: None,
            beneficiary: Address::ZERO,
            extra_data: Bytes::from_static(b"parapet"),
            pool: parapet_pool::Limits::default(),
            order: Order::default(),
            balances: Balances::default(),
            block_transactions_max: BLOCK_TRANSACTIONS_MAX,
            mined_blob_bytes_max: 0,
            journal: None,
        }
    }
}

/// Threads that this machine runs at once; one where it does not tell.
#[must_use]
pub fn cores() -> NonZeroUsize {
    available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
