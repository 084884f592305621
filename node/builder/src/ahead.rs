//! Blocks that are sealed and not stored yet: the next one is executed while the last one is written.
//!
//! ```text
//! writer   execute n → root, hash, seal n → execute n + 1 → root, hash, seal n + 1 → (wait for n) → …
//! storer                                    write n, show n, announce n              write n + 1, …
//! ```
//!
//! What waits for what: a block's execution waits for its parent's hash, since the hash is written to state before the first
//! transaction (EIP-2935), hence for the parent's root, and not for the parent's write. Its own write waits for its parent's. The
//! pool lets go of a transaction, readers see a block, listeners hear of it, and whoever sent a transaction is answered, only when
//! its block is stored: nothing is acknowledged that a crash could take back (I7). Whatever else changes the chain (amendments,
//! time, snapshots) waits until all is stored.
//!
//! Invariants: at most one block is being written while another one is executed; blocks are stored in the order in which they were
//! sealed; when one cannot be stored, neither is any after it, and their transactions still wait in the pool.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{self, SyncSender},
    },
    thread,
};

use alloy_consensus::Header;
use alloy_eip7928::BlockAccessList;
use alloy_primitives::{Address, Sealed};
use parapet_state::{StoredBlock, WorldState};
use parapet_types::StateChanges;
use parking_lot::{Condvar, Mutex};

use crate::{Chain, ChainError, outlook::Outlook};

/// After so many blocks in a row that were executed before their parent was stored, one waits for it: what the store gives back
/// may hold less in memory.
const IN_A_ROW_MAX: u32 = 32;

/// A block that is ready to be stored, and what it changes beside the store.
pub(crate) struct Finished {
    pub(crate) block: StoredBlock,
    /// Where its fork has one.
    pub(crate) access_list: Option<BlockAccessList>,
    pub(crate) world: WorldState,
    /// The nonces of all accounts that it changed.
    pub(crate) nonces: BTreeMap<Address, u64>,
    /// What was amended before it.
    pub(crate) amendments: StateChanges,
    /// What is known of blocks after it.
    pub(crate) outlook: Outlook,
}

/// What the next block is built on.
#[derive(Clone)]
pub(crate) struct Base {
    pub(crate) header: Sealed<Header>,
    pub(crate) world: WorldState,
    /// Next nonces of senders whose transactions are in a block that is not stored yet.
    pub(crate) nonces: Arc<BTreeMap<Address, u64>>,
    /// What is known of blocks to come.
    pub(crate) outlook: Outlook,
}

/// The newest block, sealed and handed over.
pub(crate) struct Ahead {
    base: Base,
    ticket: Ticket,
    in_a_row: u32,
}

/// Tells when a block is stored.
#[derive(Clone, Default)]
pub(crate) struct Ticket(Arc<(Mutex<Progress>, Condvar)>);

#[derive(Default)]
enum Progress {
    #[default]
    UnderWay,
    Stored,
    Failed(Option<ChainError>),
}

impl Ticket {
    /// Waits until the block is stored.
    ///
    /// # Errors
    /// What kept it from being stored; who asks again is told that the node is stopping.
    pub(crate) fn wait(&self) -> Result<(), ChainError> {
        let (progress, changed) = &*self.0;
        let mut progress = progress.lock();
        loop {
            match &mut *progress {
                Progress::UnderWay => changed.wait(&mut progress),
                Progress::Stored => return Ok(()),
                Progress::Failed(error) => return Err(error.take().unwrap_or(ChainError::Closed)),
            }
        }
    }

    fn is_under_way(&self) -> bool {
        matches!(*self.0.0.lock(), Progress::UnderWay)
    }

    fn done(&self, result: Result<(), ChainError>) {
        let (progress, changed) = &*self.0;
        *progress.lock() = result.map_or_else(|error| Progress::Failed(Some(error)), |()| Progress::Stored);
        changed.notify_all();
    }
}

impl Ahead {
    /// Waits until it is stored.
    ///
    /// # Errors
    /// As [`Ticket::wait`].
    pub(crate) fn wait(&self) -> Result<(), ChainError> {
        self.ticket.wait()
    }

    /// Tells when it is stored.
    pub(crate) fn ticket(&self) -> Ticket {
        self.ticket.clone()
    }

    /// What the next block may be built on without waiting.
    pub(crate) fn base(&self) -> Option<&Base> {
        (self.ticket.is_under_way() && self.in_a_row < IN_A_ROW_MAX).then_some(&self.base)
    }
}

/// Writes blocks on a thread of its own, which ends with the last handle to the chain.
#[derive(Debug)]
pub(crate) struct Storer(SyncSender<Job>);

struct Job {
    chain: Chain,
    finished: Finished,
    ticket: Ticket,
}

impl Storer {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`ChainError::Thread`] when the system gives none.
    pub(crate) fn start() -> Result<Self, ChainError> {
        // Who hands a block over has waited for the one before, so none waits in the channel for long.
        let (sender, jobs) = mpsc::sync_channel::<Job>(1);
        let store = move || {
            for Job { chain, finished, ticket } in jobs {
                // Who waits must be told, whatever happens.
                let stored = catch_unwind(AssertUnwindSafe(|| chain.store(finished))).unwrap_or_else(|_| {
                    chain.fail();
                    Err(ChainError::Closed)
                });
                // Whoever waits may be the last to hold the chain, and open its folder anew.
                drop(chain);
                ticket.done(stored);
            }
        };
        thread::Builder::new().name("storer".to_owned()).spawn(store).map_err(ChainError::Thread)?;
        Ok(Self(sender))
    }

    /// Hands a block over; the one before is stored by then.
    ///
    /// # Errors
    /// What kept the one before from being stored.
    pub(crate) fn hand_over(
        &self,
        chain: &Chain,
        before: Option<Ahead>,
        finished: Finished,
    ) -> Result<Ahead, ChainError> {
        let in_a_row = before.as_ref().map_or(0, |ahead| ahead.in_a_row + 1);
        if let Some(before) = before {
            before.wait()?;
        }
        let base = Base {
            header: finished.block.header.clone(),
            world: finished.world.clone(),
            nonces: Arc::new(finished.nonces.clone()),
            outlook: finished.outlook,
        };
        let ticket = Ticket::default();
        let job = Job { chain: chain.clone(), finished, ticket: ticket.clone() };
        self.0.send(job).map_err(|_| ChainError::Closed)?;
        Ok(Ahead { base, ticket, in_a_row })
    }
}
