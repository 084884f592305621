//! The threads that execute blocks. They live as long as the node.

use std::{mem, num::NonZeroUsize, sync::Arc, vec};

use alloy_consensus::{TxEnvelope, crypto::RecoveryError, transaction::SignerRecoverable as _};
use parapet_types::Transaction;
use parking_lot::Mutex;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{
    parallel::{Cells, Codes, Profile},
    session::Experience,
};

/// Most cells of past blocks whose memory is kept for the next ones.
const KEPT_MAX: usize = 2;
/// Signatures that a thread takes at once: about a millisecond of work.
const RECOVERED_AT_ONCE: usize = 32;

/// Threads for [`Mode::Parallel`](crate::Mode::Parallel), with what they learned from recent blocks and the memory they
/// work in.
#[derive(Debug)]
pub struct Workers {
    threads: NonZeroUsize,
    /// `None`: there is only the calling thread, or no more could be had.
    pool: Option<ThreadPool>,
    codes: Arc<Codes>,
    profile: Mutex<Profile>,
    /// That of threads that are not at work.
    experience: Mutex<Vec<Experience>>,
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
        let kept = Arc::new(Mutex::new(vec![Cells::ready()]));
        Self { threads, pool, codes: Arc::default(), profile: Mutex::default(), experience: Mutex::default(), kept }
    }

    /// How many threads there are, the calling one included.
    #[must_use]
    pub const fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    /// Recovers the senders of transactions, in order. Whoever is free takes the next few: halves would be done together
    /// only if nothing else ran on the machine.
    ///
    /// # Errors
    /// A signature that is not one.
    pub fn recover(&self, transactions: Vec<TxEnvelope>) -> Result<Vec<Transaction>, RecoveryError> {
        let Some(pool) = &self.pool else { return transactions.into_iter().map(recover).collect() };
        let count = transactions.len();
        let left = Mutex::new((0, transactions.into_iter()));
        let done = Mutex::new(Vec::with_capacity(count.div_ceil(RECOVERED_AT_ONCE)));
        let next = || next_few(&mut left.lock());
        let work = &|| {
            while let Some((at, few)) = next() {
                let recovered = few.into_iter().map(recover).collect::<Result<Vec<_>, _>>();
                done.lock().push((at, recovered));
            }
        };
        pool.in_place_scope(|scope| {
            (1..self.threads.get()).for_each(|_| scope.spawn(|_| work()));
            work();
        });
        let mut done = done.into_inner();
        done.sort_unstable_by_key(|(at, _)| *at);
        let mut recovered = Vec::with_capacity(count);
        for (_, few) in done {
            recovered.extend(few?);
        }
        Ok(recovered)
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

    /// What some thread learned in an earlier block, for a thread's session in the next one.
    pub(crate) fn lend_experience(&self) -> Experience {
        self.experience.lock().pop().unwrap_or_default()
    }

    /// Keeps what a thread has learned for as long as the profile.
    pub(crate) fn keep_experience(&self, experience: Experience) {
        let mut kept = self.experience.lock();
        // Blocks may be executed at the same time, on more threads than there are.
        if kept.len() < self.threads.get() {
            kept.push(experience);
        }
    }

    /// Cells for a block, empty.
    pub(crate) fn lend(&self) -> Lent {
        self.codes.trim();
        self.profile.lock().trim();
        let cells = self.kept.lock().pop().unwrap_or_default();
        Lent { cells, home: Arc::clone(&self.kept) }
    }
}

fn recover(transaction: TxEnvelope) -> Result<Transaction, RecoveryError> {
    transaction.try_into_recovered().map_err(|_| RecoveryError::new())
}

/// The next few of what is left, and the position of the first of them.
fn next_few<T>((at, left): &mut (usize, vec::IntoIter<T>)) -> Option<(usize, Vec<T>)> {
    let few: Vec<T> = left.by_ref().take(RECOVERED_AT_ONCE).collect();
    let first = *at;
    *at += few.len();
    (!few.is_empty()).then_some((first, few))
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
