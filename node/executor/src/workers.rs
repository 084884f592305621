//! The threads that execute blocks. They live as long as the node.

use std::{mem, num::NonZeroUsize, sync::Arc};

use alloy_consensus::{TxEnvelope, crypto::RecoveryError, transaction::SignerRecoverable as _};
use parapet_types::Transaction;
use parking_lot::Mutex;
use rayon::{ThreadPool, ThreadPoolBuilder, prelude::*};

use crate::parallel::{Cells, Codes, Profile};

/// Most cells of past blocks whose memory is kept for the next ones.
const KEPT_MAX: usize = 2;

/// Threads for [`Mode::Parallel`](crate::Mode::Parallel), with what they learned from recent blocks and the memory they
/// work in.
#[derive(Debug)]
pub struct Workers {
    threads: NonZeroUsize,
    /// `None`: there is only the calling thread, or no more could be had.
    pool: Option<ThreadPool>,
    codes: Arc<Codes>,
    profile: Mutex<Profile>,
    kept: Arc<Mutex<Vec<Cells>>>,
}

impl Workers {
    /// That many threads, the calling one included. Where the system gives no more, the calling one works alone.
    #[must_use]
    pub fn new(threads: NonZeroUsize) -> Self {
        let helpers = threads.get() - 1;
        let pool = (helpers > 0).then(|| {
            let named = |index| format!("executor-{index}");
            ThreadPoolBuilder::new().num_threads(helpers).thread_name(named).build()
        });
        let pool = pool.and_then(|built| {
            built.inspect_err(|error| tracing::warn!("blocks are executed on one thread: {error}")).ok()
        });
        Self { threads, pool, codes: Arc::default(), profile: Mutex::default(), kept: Arc::default() }
    }

    /// How many threads there are, the calling one included.
    #[must_use]
    pub const fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    /// Recovers the senders of transactions, in order.
    ///
    /// # Errors
    /// The first signature that is not one.
    pub fn recover(&self, transactions: Vec<TxEnvelope>) -> Result<Vec<Transaction>, RecoveryError> {
        let recover = |transaction: TxEnvelope| transaction.try_into_recovered().map_err(|_| RecoveryError::new());
        match &self.pool {
            None => transactions.into_iter().map(recover).collect(),
            Some(pool) => {
                // The calling thread takes its share too.
                let mut transactions = transactions;
                let own = transactions.len() / self.threads;
                let rest = transactions.split_off(own);
                let mut others = Ok(Vec::new());
                let mut first = Ok(Vec::new());
                pool.in_place_scope(|scope| {
                    scope.spawn(|_| others = rest.into_par_iter().map(recover).collect());
                    first = transactions.into_iter().map(recover).collect();
                });
                let mut first: Vec<_> = first?;
                first.extend(others?);
                Ok(first)
            }
        }
    }

    pub(crate) const fn pool(&self) -> Option<&ThreadPool> {
        self.pool.as_ref()
    }

    pub(crate) const fn codes(&self) -> &Arc<Codes> {
        &self.codes
    }

    pub(crate) const fn profile(&self) -> &Mutex<Profile> {
        &self.profile
    }

    /// Cells for a block, empty.
    pub(crate) fn lend(&self) -> Lent {
        self.codes.trim();
        self.profile.lock().trim();
        let cells = self.kept.lock().pop().unwrap_or_default();
        Lent { cells, home: Arc::clone(&self.kept) }
    }
}

/// Cells that go back, emptied, when the block's outcome is not needed any more.
#[derive(Debug)]
pub(crate) struct Lent {
    cells: Cells,
    home: Arc<Mutex<Vec<Cells>>>,
}

impl Lent {
    pub(crate) const fn cells(&self) -> &Cells {
        &self.cells
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut cells = mem::take(&mut self.cells);
        cells.clear();
        let mut home = self.home.lock();
        if home.len() < KEPT_MAX {
            home.push(cells);
        }
    }
}
