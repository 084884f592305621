//! Transactions whose sender waits for the receipt (EIP-7966).

use std::time::Duration;

use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_eth::TransactionRequest;
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_builder::Event;
use parapet_types::Transaction;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};

use crate::{
    RpcError,
    api::{Api, send::signed_transaction},
    wire::{self, Quantity, Receipt},
};

/// How long is waited where the sender does not say.
const WAIT_DEFAULT: Duration = Duration::from_secs(20);
/// The longest that is waited.
const WAIT_MAX: Duration = Duration::from_secs(60);

#[rpc(server, namespace = "eth")]
pub(crate) trait EthSync {
    /// Admits a signed transaction and waits until it is in a block, for so many milliseconds at most (20,000 where none are
    /// given, never more than 60,000). Answers its receipt; an error of code 4 with its hash as data where the time is over
    /// before: the transaction then waits on.
    #[method(name = "sendRawTransactionSync")]
    async fn send_raw_transaction_sync(&self, raw: Bytes, wait: Option<Quantity>) -> Result<Receipt, RpcError>;

    /// The same for a transaction that the node completes and sends for an account of its own, or an impersonated one.
    #[method(name = "sendTransactionSync")]
    async fn send_transaction_sync(&self, request: TransactionRequest) -> Result<Receipt, RpcError>;
}

#[async_trait]
impl EthSyncServer for Api {
    async fn send_raw_transaction_sync(&self, raw: Bytes, wait: Option<Quantity>) -> Result<Receipt, RpcError> {
        let wait = wait.filter(|wait| wait.0 > 0).map_or(WAIT_DEFAULT, |wait| Duration::from_millis(wait.0));
        self.send_and_wait(signed_transaction(&raw)?, wait.min(WAIT_MAX)).await
    }

    async fn send_transaction_sync(&self, request: TransactionRequest) -> Result<Receipt, RpcError> {
        let completed = self.0.read(move |node| {
            let (typed, from) = node.complete_transaction(request)?;
            node.send_as(typed, from)
        });
        self.send_and_wait(completed.await?, WAIT_DEFAULT).await
    }
}

impl Api {
    async fn send_and_wait(&self, transaction: Transaction, wait: Duration) -> Result<Receipt, RpcError> {
        // Before it is sent, so that no block is missed.
        let mut events = self.0.chain.events();
        let hash = self.0.submit(vec![transaction]).await.pop().expect("there is an answer for each transaction")?;
        timeout(wait, self.mined(hash, &mut events)).await.unwrap_or(Err(RpcError::NotInTime { hash, wait }))
    }

    async fn mined(&self, hash: B256, events: &mut Receiver<Event>) -> Result<Receipt, RpcError> {
        loop {
            if let Some((block, index)) = self.0.chain.transaction(hash)? {
                let blobs = self.0.blobs(&block.header);
                let receipt = wire::receipt(&block, index, blobs);
                return receipt.ok_or_else(|| RpcError::Internal(format!("the receipt of {hash} is missing")));
            }
            match events.recv().await {
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Err(parapet_builder::ChainError::Closed.into()),
            }
        }
    }
}
