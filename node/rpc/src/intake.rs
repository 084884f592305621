//! Transactions on their way to the chain, which has one writer. Those that come while it is busy are handed to it together, so
//! that each block, each lock and each write is paid for once, however many clients send.
//!
//! Invariants: every transaction that is handed over is answered, whether its client still waits or not; transactions of one
//! client reach the chain in the order in which they came; at most [`WAITING_MAX`] wait, and who comes then waits to be let in.

use std::sync::Arc;

use alloy_primitives::B256;
use parapet_builder::Chain;
use parapet_types::Transaction;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::RpcError;

/// Most transactions that wait for the chain's writer.
const WAITING_MAX: u32 = 20_000;
/// Most that are handed over at once, so that who comes next does not wait for too long.
const TOGETHER_MAX: usize = 5_000;

/// Transactions of one client, and where their answers go.
struct Waiting {
    transactions: Vec<Transaction>,
    /// Theirs until they are answered, even where the client left.
    _room: OwnedSemaphorePermit,
    answer: oneshot::Sender<Vec<Result<B256, RpcError>>>,
}

/// Where transactions wait for the chain's writer.
pub(crate) struct Intake {
    chain: Chain,
    /// One at a time changes the chain.
    writes: Arc<Semaphore>,
    room: Arc<Semaphore>,
    waiting: Mutex<Vec<Waiting>>,
}

impl Intake {
    pub(crate) fn new(chain: Chain, writes: Arc<Semaphore>) -> Self {
        Self { chain, writes, room: Arc::new(Semaphore::new(WAITING_MAX as usize)), waiting: Mutex::default() }
    }

    /// Submits transactions, in their order, and gives an answer for each.
    pub(crate) async fn submit(self: &Arc<Self>, transactions: Vec<Transaction>) -> Vec<Result<B256, RpcError>> {
        let count = u32::try_from(transactions.len()).unwrap_or(WAITING_MAX).min(WAITING_MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(count).await.expect("never closed");
        let (answer, answered) = oneshot::channel();
        let is_first = {
            let mut waiting = self.waiting.lock();
            waiting.push(Waiting { transactions, _room: room, answer });
            waiting.len() == 1
        };
        if is_first {
            // Not here: this client may leave, and others wait for the same block.
            tokio::spawn(Arc::clone(self).hand_over());
        }
        answered.await.unwrap_or_else(|_| vec![Err(RpcError::Internal("the chain's writer panicked".to_owned()))])
    }

    /// Hands over whatever waits each time the chain is free, until nothing does.
    async fn hand_over(self: Arc<Self>) {
        loop {
            let permit = Arc::clone(&self.writes).acquire_owned().await.expect("never closed");
            let clients = self.take();
            if clients.is_empty() {
                return;
            }
            let chain = self.chain.clone();
            // The next ones go as soon as these are in blocks, which may still be on their way to the store.
            tokio::task::spawn_blocking(move || answer(&chain, clients, permit));
        }
    }

    /// Those who have waited longest, as many as go together.
    fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock();
        let mut together = 0;
        let fits = |client: &&Waiting| {
            let has_room = together < TOGETHER_MAX;
            together += client.transactions.len();
            has_room
        };
        let count = waiting.iter().take_while(fits).count();
        waiting.drain(..count).collect()
    }
}

/// Submits the transactions of some clients and answers them once all is stored.
fn answer(chain: &Chain, mut clients: Vec<Waiting>, permit: OwnedSemaphorePermit) {
    let lengths: Vec<_> = clients.iter().map(|client| client.transactions.len()).collect();
    let together = clients.iter_mut().flat_map(|client| std::mem::take(&mut client.transactions)).collect();
    let submission = chain.begin_all(together);
    drop(permit);
    let mut answers = submission.wait().into_iter().map(|answer| answer.map_err(RpcError::from));
    for (client, length) in clients.into_iter().zip(lengths) {
        // A client that left needs no answer.
        let _: Result<(), _> = client.answer.send(answers.by_ref().take(length).collect());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use alloy_consensus::{SignableTransaction as _, TxEnvelope, TxLegacy};
    use alloy_primitives::{Address, Signature};
    use parapet_builder::{Settings, SystemClock};
    use parapet_genesis::{DevGenesis, DevSettings};
    use parapet_monitor::NoMonitor;
    use parapet_state::ChainStore;

    use super::*;

    fn chain() -> Chain {
        let genesis = DevGenesis::build(&DevSettings::at(0)).unwrap();
        let store = ChainStore::in_memory(genesis.block);
        Chain::new(store, Settings::default(), Arc::new(NoMonitor), Arc::new(SystemClock)).unwrap()
    }

    /// One that the pool refuses.
    fn transaction() -> Transaction {
        let signed = TxLegacy::default().into_signed(Signature::test_signature());
        Transaction::new_unchecked(TxEnvelope::from(signed), Address::ZERO)
    }

    #[tokio::test]
    async fn transactions_whose_client_left_take_their_room_until_they_are_answered() {
        let writes = Arc::new(Semaphore::new(1));
        let intake = Arc::new(Intake::new(chain(), Arc::clone(&writes)));
        let busy = Arc::clone(&writes).acquire_owned().await.unwrap();
        let left = {
            let intake = Arc::clone(&intake);
            tokio::spawn(async move { intake.submit(vec![transaction(); 3]).await })
        };
        while intake.waiting.lock().is_empty() {
            tokio::task::yield_now().await;
        }
        left.abort();
        assert!(left.await.unwrap_err().is_cancelled());
        let room = || intake.room.available_permits();
        assert_eq!(room(), WAITING_MAX as usize - 3);
        drop(busy);
        let answers = intake.submit(vec![transaction()]).await;
        assert!(matches!(answers[..], [Err(_)]), "{answers:?}");
        while room() < WAITING_MAX as usize {
            tokio::task::yield_now().await;
        }
    }
}
