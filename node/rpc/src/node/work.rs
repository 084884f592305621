//! Where the work of methods runs.
//!
//! Invariants: whatever executes transactions or walks the chain runs off the threads that serve connections, a bounded number at a
//! time, but for what ends within a fraction of a millisecond and while nobody changes the chain ([`Node::briefly`]); work counts until it has ended, even where whoever asked for it has left; writers queue fairly for the one writer that the
//! chain has.

use std::sync::Arc;

use alloy_primitives::B256;
use parapet_builder::Head;
use parapet_types::Transaction;
use tokio::sync::Semaphore;

use super::Node;
use crate::RpcError;

impl Node {
    /// Runs what would hold up an async thread, on a thread for reads. It has a time by which it must have ended: whoever
    /// loops over blocks or executions asks [`parapet_simulate::check_time`].
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, RpcError> + Send + 'static,
    ) -> Result<T, RpcError> {
        let node = Arc::clone(self);
        self.readers.run(move || work(&node)).await
    }

    /// Tries here what can be begun anew and mostly takes less time than handing it to another thread does; `None` where it takes
    /// longer, might wait for another chain or hold up a change of this one, needs a guard, or fails.
    pub(crate) fn briefly<T>(&self, work: impl FnOnce() -> Result<T, RpcError>) -> Option<T> {
        let may_try = self.chain.fork().is_none() && !self.chain.is_being_written();
        if may_try { self.readers.briefly(work).ok() } else { None }
    }

    /// The head of a chain that goes on from no other one, so that looking at its state takes no time.
    pub(crate) fn own_head(&self) -> Option<Arc<Head>> {
        self.chain.fork().is_none().then(|| self.chain.head())
    }

    /// Looks something up, which takes no time unless the chain goes on from another one: then it is as [`read`](Self::read).
    pub(crate) async fn look<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, RpcError> + Send + 'static,
    ) -> Result<T, RpcError> {
        if self.chain.fork().is_some() { self.read(work).await } else { work(self) }
    }

    /// Compiles guards that are tried out, and executes blocks for them: apart from other reads, which must not wait for it.
    pub(crate) async fn try_out_apart<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, RpcError> + Send + 'static,
    ) -> Result<T, RpcError> {
        self.run(&self.tryouts, work).await
    }

    /// Tries a transaction before it is admitted: apart from other reads, which must not wait for it.
    pub(crate) async fn screen_apart<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, RpcError> + Send + 'static,
    ) -> Result<T, RpcError> {
        self.run(&self.screens, work).await
    }

    /// Submits transactions, in their order, and gives an answer for each.
    pub(crate) async fn submit(self: &Arc<Self>, transactions: Vec<Transaction>) -> Vec<Result<B256, RpcError>> {
        let screened = self.screened(transactions).await;
        let mut good = Vec::with_capacity(screened.len());
        let screened: Vec<Result<(), RpcError>> =
            screened.into_iter().map(|transaction| transaction.map(|transaction| good.push(transaction))).collect();
        let mut answers = self.intake.submit(good).await.into_iter();
        let missing = || Err(RpcError::Internal("the chain's writer did not answer".to_owned()));
        screened
            .into_iter()
            .map(|let_through| let_through.and_then(|()| answers.next().unwrap_or_else(missing)))
            .collect()
    }

    /// Runs what changes the chain.
    pub(crate) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, RpcError> + Send + 'static,
    ) -> Result<T, RpcError> {
        self.run(&self.writes, work).await
    }

    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        permits: &Arc<Semaphore>,
        work: impl FnOnce(&Self) -> Result<T, RpcError> + Send + 'static,
    ) -> Result<T, RpcError> {
        let permit = Arc::clone(permits).acquire_owned().await.expect("never closed");
        let node = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            // Whoever asked may leave; the work goes on, and counts until it ends.
            let _permit = permit;
            work(&node)
        })
        .await;
        done.unwrap_or_else(|panic| Err(RpcError::Internal(panic.to_string())))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use std::sync::mpsc;

    use super::*;
    use crate::node::tests::node;

    #[tokio::test]
    async fn work_whose_client_left_counts_until_it_ends() {
        let node = node();
        let (began, begun) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let left = {
            let node = Arc::clone(&node);
            tokio::spawn(async move {
                let work = move |_: &Node| {
                    began.send(()).unwrap();
                    Ok(released.recv().is_err())
                };
                node.write(work).await
            })
        };
        while begun.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        left.abort();
        assert!(left.await.unwrap_err().is_cancelled());
        assert_eq!(node.writes.available_permits(), 0);
        drop(release);
        assert_eq!(node.write(|_| Ok(7)).await.unwrap(), 7);
    }
}
