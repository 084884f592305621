//! The chain as the node's other steps see it: one writer at a time, and readers (`reads.rs`) that never wait for execution.
//!
//! Readers look at the [`Head`] that was published last, an immutable value, and at blocks in the store, whose lock is
//! held while a finished block is written and never while one is executed.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use alloy_primitives::B256;
use parapet_executor::Workers;
use parapet_fork::Fork;
use parapet_monitor::Monitor;
use parapet_pool::{Journal, Pool};
use parapet_state::{ChainStore, StoreError, StoredBlock, WorldState};
use parapet_types::{ChainSpec, StateChanges};
use parking_lot::{Mutex, MutexGuard, RwLock};
use tokio::sync::{broadcast, watch};

use crate::{
    ChainError, Clock, Consequence, EVENTS_MAX, Mining, Settings,
    ahead::{Ahead, Base, Storer},
    amend::Amended,
    bad::BadBlocks,
    blobs::MinedBlobs,
    forked::Beginning,
    header::next_base_fee,
    measure::note_threads,
    outlook::Outlook,
    payloads::Payloads,
    prefetch::Prefetch,
    snapshot::Snapshots,
};

/// The newest block and the state to build on.
#[derive(Clone, Debug)]
pub struct Head {
    /// The block.
    pub block: Arc<StoredBlock>,
    /// The state after it, with what was amended since.
    pub world: WorldState,
    pub(crate) outlook: Outlook,
}

impl Head {
    /// Base fee of the next block, in wei per gas.
    #[must_use]
    pub fn next_base_fee(&self) -> u64 {
        self.outlook.base_fee.unwrap_or_else(|| next_base_fee(&self.block.header))
    }
}

/// Whether blocks are told in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockLog {
    /// As they are added.
    On,
    /// Not at all.
    Off,
}

/// What listeners are told.
#[derive(Clone, Debug)]
pub enum Event {
    /// A block was added; it is stored.
    Block(Arc<StoredBlock>),
    /// Blocks were dropped, newest first.
    Dropped(Vec<Arc<StoredBlock>>),
}

/// The chain: a handle that is cheap to clone.
#[derive(Clone)]
pub struct Chain(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) spec: RwLock<Arc<ChainSpec>>,
    /// The block of another chain from which this one goes on.
    pub(crate) fork: RwLock<Option<Arc<Fork>>>,
    pub(crate) workers: Workers,
    pub(crate) monitor: Arc<dyn Monitor>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: RwLock<ChainStore>,
    pub(crate) pool: RwLock<Pool>,
    /// Blobs of transactions that left the pool for a block.
    pub(crate) mined_blobs: Mutex<MinedBlobs>,
    /// What waits in the pool, in a file.
    pub(crate) journal: Option<Mutex<Journal>>,
    pub(crate) head: RwLock<Arc<Head>>,
    pub(crate) amended: RwLock<Amended>,
    /// Blocks that were built elsewhere and are not valid.
    pub(crate) bad: Mutex<BadBlocks>,
    pub(crate) mining: watch::Sender<Mining>,
    /// Whether blocks are told in the log as they are added.
    pub(crate) logs_blocks: AtomicBool,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) pending: broadcast::Sender<B256>,
    /// Whether the store has failed for good.
    failed: watch::Sender<bool>,
    writer: Mutex<Writer>,
    /// Writes blocks of a chain that is kept; one in memory has nothing to wait for.
    pub(crate) storer: Option<Storer>,
    /// Reads ahead where the chain is kept.
    pub(crate) prefetch: Option<Prefetch>,
}

/// What only the writer touches.
pub(crate) struct Writer {
    pub(crate) outlook: Outlook,
    pub(crate) snapshots: Snapshots,
    /// Blocks that were built elsewhere and are not chosen yet.
    pub(crate) payloads: Payloads,
    /// From the state the head commits to, to the state that is shown.
    pub(crate) amendments: StateChanges,
    /// The newest block, if it was sealed and is perhaps not stored yet.
    pub(crate) ahead: Option<Ahead>,
    closed: bool,
}

impl Chain {
    /// Takes over a store, and with it the chain, which may go on from a block of another one.
    ///
    /// # Errors
    /// [`ChainError::Store`] when the head's state cannot be read; others where a block of the other chain is to be executed
    /// again and cannot be.
    pub fn new(
        beginning: impl Into<Beginning>,
        settings: Settings,
        monitor: Arc<dyn Monitor>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ChainError> {
        let workers = Workers::new(settings.threads);
        let Beginning { store, fork } = beginning.into().ready(&settings, &*monitor, &workers)?;
        note_threads(workers.threads().get());
        let amendments = store.amendments().clone();
        let head = store.head();
        let outlook = Outlook::at_start(&settings, (store.first(), &head.header), fork.as_deref(), &*clock);
        let writer = Writer {
            outlook,
            snapshots: Snapshots::default(),
            payloads: Payloads::default(),
            amendments,
            ahead: None,
            closed: false,
        };
        let world = store.head_world().apply(&writer.amendments)?;
        let head = Head { block: store.head(), world, outlook };
        let storer = if store.is_on_disk() { Some(Storer::start()?) } else { None };
        let prefetch_threads = NonZeroUsize::new(settings.prefetch_threads).filter(|_| store.is_on_disk());
        let prefetch = prefetch_threads.map(Prefetch::start).transpose()?;
        let (journal, rejoining) = Self::open_journal(settings.journal.as_deref()).unzip();
        let chain = Self(Arc::new(Inner {
            spec: RwLock::new(Arc::new(store.spec().clone())),
            fork: RwLock::new(fork),
            workers,
            mining: watch::Sender::new(settings.mining),
            logs_blocks: AtomicBool::new(true),
            events: broadcast::Sender::new(EVENTS_MAX),
            pending: broadcast::Sender::new(EVENTS_MAX),
            failed: watch::Sender::new(false),
            pool: RwLock::new(Pool::new(settings.pool).in_order(settings.order)),
            head: RwLock::new(Arc::new(head)),
            amended: RwLock::new(Amended::default()),
            bad: Mutex::default(),
            store: RwLock::new(store),
            writer: Mutex::new(writer),
            storer,
            prefetch,
            journal: journal.map(Mutex::new),
            mined_blobs: Mutex::new(MinedBlobs::new(settings.mined_blob_bytes_max)),
            settings,
            monitor,
            clock,
        }));
        if let Some(rejoining) = rejoining {
            chain.rejoin(rejoining);
        }
        Ok(chain)
    }

    /// Has blocks told in the log as they are added, or no longer.
    pub fn set_block_log(&self, log: BlockLog) {
        self.0.logs_blocks.store(log == BlockLog::On, Ordering::Relaxed);
    }

    /// Returns when the store has failed for good: nothing further can be stored, so the node must stop.
    pub async fn storage_failed(&self) {
        // The sender lives as long as this handle.
        let _: Result<_, _> = self.0.failed.subscribe().wait_for(|failed| *failed).await;
    }

    /// Lets the block that is being built finish and refuses everything after it.
    pub fn close(&self) {
        let mut writer = self.writer_regardless();
        writer.closed = true;
        // Whoever sent what is in it is told if it fails.
        let _: Result<(), _> = writer.ahead.take().map_or(Ok(()), |ahead| ahead.wait());
        drop(writer);
        self.rewrite_journal();
    }

    /// Whether the chain is being changed at this moment.
    #[must_use]
    pub fn is_being_written(&self) -> bool {
        self.0.writer.is_locked()
    }

    /// The right to change the chain, all of which is stored.
    pub(crate) fn writer(&self) -> Result<MutexGuard<'_, Writer>, ChainError> {
        let mut writer = self.writer_ahead()?;
        match writer.ahead.take() {
            Some(ahead) => ahead.wait().map(|()| writer),
            None => Ok(writer),
        }
    }

    /// The right to add blocks, the newest of which may still be on its way to the store.
    pub(crate) fn writer_ahead(&self) -> Result<MutexGuard<'_, Writer>, ChainError> {
        let writer = self.writer_regardless();
        if writer.closed { Err(ChainError::Closed) } else { Ok(writer) }
    }

    /// Passes on what the store answered, and tells whoever waits for it when the store has failed for good.
    pub(crate) fn stored<T>(&self, answer: Result<T, StoreError>) -> Result<T, ChainError> {
        answer.map_err(|error| {
            let error = ChainError::from(error);
            match error.consequence() {
                Consequence::Refuse => {}
                Consequence::StopNode => {
                    tracing::error!("nothing further can be stored: {error}");
                    self.fail();
                }
            }
            error
        })
    }

    /// Nothing further can be stored.
    pub(crate) fn fail(&self) {
        self.0.failed.send_replace(true);
    }

    /// What the next block is built on: the newest block that is sealed.
    pub(crate) fn base(&self, writer: &mut Writer) -> Result<Base, ChainError> {
        if let Some(base) = writer.ahead.as_ref().and_then(Ahead::base) {
            return Ok(base.clone());
        }
        if let Some(ahead) = writer.ahead.take() {
            ahead.wait()?;
        }
        let head = self.head();
        Ok(Base {
            header: head.block.header.clone(),
            world: head.world.clone(),
            nonces: Arc::default(),
            outlook: writer.outlook,
        })
    }

    /// Where state could not be read: whether that is because the store has failed, which is then told to whoever waits for it.
    pub(crate) fn look_for_failure(&self) -> Result<(), ChainError> {
        let failure = self.0.store.read().check_unfailed();
        self.stored(failure)
    }

    fn writer_regardless(&self) -> MutexGuard<'_, Writer> {
        self.0.writer.lock()
    }

    /// Shows a new head to readers.
    pub(crate) fn publish(&self, head: Head) {
        *self.0.head.write() = Arc::new(head);
    }
}
