//! What waits in the pool, kept across restarts. A journal that cannot be written is told and stops nothing.

use parapet_pool::{Candidate, Journal, Rejoining};
use parapet_types::Transaction;

use crate::Chain;

impl Chain {
    /// Opens the journal, if there is to be one.
    pub(crate) fn open_journal(path: Option<&std::path::Path>) -> Option<(Journal, Rejoining)> {
        match path.map(Journal::open)? {
            Ok(opened) => Some(opened),
            Err(error) => {
                tracing::warn!("{error}; what waits in the pool is not kept");
                None
            }
        }
    }

    /// Admits again what waited when the node stopped. What was mined since, or is no longer valid, is left out.
    pub(crate) fn rejoin(&self, Rejoining { transactions, damaged_bytes }: Rejoining) {
        if damaged_bytes > 0 {
            tracing::warn!("{damaged_bytes} bytes of the journal of waiting transactions are damaged and were skipped");
        }
        let read = transactions.len();
        let answers = self.submit_all(transactions);
        let back = answers.iter().filter(|answer| answer.is_ok()).count();
        if read > 0 {
            tracing::info!("{back} of {read} transactions of the journal wait again");
        }
        for error in answers.into_iter().filter_map(Result::err) {
            tracing::debug!("a transaction of the journal does not wait again: {error}");
        }
        self.rewrite_journal();
    }

    pub(crate) fn note_in_journal(&self, transaction: &Transaction) {
        let Some(journal) = &self.0.journal else { return };
        if let Err(error) = journal.lock().append([transaction]) {
            tracing::warn!("{error}");
        }
    }

    pub(crate) fn rewrite_journal_if_long(&self) {
        if self.0.journal.as_ref().is_some_and(|journal| journal.lock().is_long()) {
            self.rewrite_journal();
        }
    }

    /// Leaves in the journal what waits now.
    pub(crate) fn rewrite_journal(&self) {
        let Some(journal) = &self.0.journal else { return };
        let pool = self.0.pool.read();
        if let Err(error) = journal.lock().rewrite(pool.by_arrival().into_iter().map(Candidate::whole)) {
            tracing::warn!("{error}");
        }
    }
}
