//! Builds blocks from the pool and owns the chain's head.
//!
//! [`Chain`] is the one handle to the chain: transactions are [submitted](Chain::submit) to it, blocks are
//! [mined](Chain::mine) by it, readers take its published [`Head`] and its stored blocks. A block is executed, sealed,
//! stored, and only then shown and announced: what a client has seen survives the process.
//!
//! Where the chain is kept, the next block is executed while the last one is written (`ahead`), and what transactions that wait are
//! likely to need is read from the disk before their block (`prefetch`).
//!
//! Blocks that were built elsewhere are [received](Chain::receive), and become part of the chain when they are
//! [chosen](Chain::choose). Blocks for others are [built apart](Chain::build_apart), and change nothing here.
//!
//! Blocks are executed by all threads of one set of workers, which lives as long as the chain; see [`Settings::threads`].
//!
//! Invariants: one writer at a time; readers never wait for execution; the head that is shown is stored; time comes
//! from the [`Clock`] handed in, and what is measured for metrics decides nothing.

mod ahead;
mod amend;
mod apart;
mod bad;
mod blobs;
mod chain;
mod clock;
mod compare;
mod deadline;
mod dropping;
mod error;
mod execute;
mod forked;
mod header;
mod interval;
mod journal;
mod measure;
mod mine;
mod outlook;
mod payloads;
mod prefetch;
mod reads;
mod reorg;
mod select;
mod settings;
mod snapshot;
mod submit;
mod time;

pub use amend::Amendment;
pub use apart::{Payload, PayloadRequest};
pub use chain::{BlockLog, Chain, Event, Head};
pub use clock::{Clock, SystemClock};
pub use compare::{Difference, first_difference};
pub use error::{ChainError, Consequence};
pub use forked::Beginning;
pub use header::{Contents, next_base_fee, next_excess_blob_gas, seal};
pub use measure::{GAS_BUCKETS, SECONDS_BUCKETS, TRANSACTIONS_BUCKETS, describe_metrics};
pub use mine::MineRequest;
pub use outlook::{BlockOverride, GAS_LIMIT_MIN};
pub use payloads::{Chosen, PAYLOADS_MAX, Received, stored_block};
pub use reorg::{Orphans, Reorg, ReorgRequest};
pub use settings::{
    BLOCK_BYTES_MAX, BLOCK_TIME_MAX, BLOCK_TRANSACTIONS_MAX, BLOCKS_PER_REQUEST_MAX, EVENTS_MAX, Mining,
    PREFETCH_THREADS, PREFETCH_THREADS_MAX, SNAPSHOTS_MAX, SequentialCheck, Settings, cores,
};
pub use snapshot::SnapshotPoint;
pub use submit::Submission;
