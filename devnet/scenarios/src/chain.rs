//! The node as a wallet sees it: a stock client library over HTTP.

use alloy_network::{EthereumWallet, TransactionBuilder as _};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_provider::{DynProvider, Provider as _, ProviderBuilder};
use alloy_rpc_types_eth::{TransactionReceipt, TransactionRequest};
use alloy_rpc_types_trace::geth::CallFrame;
use alloy_signer_local::PrivateKeySigner;
use parapet_monitor::Verdict;
use serde::Deserialize;

use crate::{error::DemoError, node::Banner};

/// Enough for anything the story sends; used where the estimate of a transaction that would fail is not to be had.
pub(crate) const GAS_LIMIT: u64 = 3_000_000;

/// One account with its provider.
pub(crate) struct Actor {
    /// Who it is in the story.
    pub(crate) name: &'static str,
    /// Its address.
    pub(crate) address: Address,
    /// Its key in hex, as a person would type it.
    pub(crate) key: String,
    provider: DynProvider,
}

fn rpc(what: &'static str) -> impl Fn(&dyn std::fmt::Display) -> DemoError {
    move |reason| DemoError::Rpc { what, reason: reason.to_string() }
}

impl Actor {
    /// The account of an index in the node's banner.
    pub(crate) fn new(name: &'static str, banner: &Banner, index: usize) -> Result<Self, DemoError> {
        let failed = rpc("reading the node's accounts");
        let key = &banner.accounts.get(index).ok_or_else(|| failed(&"there are too few"))?.private_key;
        let signer: PrivateKeySigner = key.parse().map_err(|error| failed(&error))?;
        let url = banner.http.parse().map_err(|error| failed(&error))?;
        let address = signer.address();
        let provider = ProviderBuilder::new().wallet(EthereumWallet::from(signer)).connect_http(url).erased();
        Ok(Self { name, address, key: key.clone(), provider })
    }

    /// Sends a transaction and waits for its receipt. With a gas limit, no estimate is asked for.
    pub(crate) async fn send(
        &self,
        to: Option<Address>,
        input: Bytes,
        value: U256,
        gas_limit: Option<u64>,
    ) -> Result<TransactionReceipt, DemoError> {
        let failed = rpc("sending a transaction");
        let mut request = self.request(to, input, value, gas_limit);
        // Asked for each time: the library's own count would not notice that the chain went back.
        let nonce = self.provider.get_transaction_count(self.address).await.map_err(|error| failed(&error))?;
        request.set_nonce(nonce);
        let pending = self.provider.send_transaction(request).await.map_err(|error| failed(&error))?;
        pending.get_receipt().await.map_err(|error| failed(&error))
    }

    /// What `eth_estimateGas` says: the error a wallet shows before anything is sent.
    pub(crate) async fn estimate(&self, to: Address, input: Bytes, value: U256) -> Result<u64, (i64, String)> {
        let request = self.request(Some(to), input, value, None);
        self.provider.estimate_gas(request).await.map_err(|error| match error.as_error_resp() {
            Some(response) => (response.code, response.message.to_string()),
            None => (0, error.to_string()),
        })
    }

    fn request(&self, to: Option<Address>, input: Bytes, value: U256, gas_limit: Option<u64>) -> TransactionRequest {
        let mut request = TransactionRequest::default().with_from(self.address).with_input(input).with_value(value);
        request.set_kind(to.into());
        if let Some(gas_limit) = gas_limit {
            request.set_gas_limit(gas_limit);
        }
        request
    }

    /// Creates a contract.
    pub(crate) async fn deploy(&self, code: Bytes) -> Result<Address, DemoError> {
        let receipt = self.send(None, code, U256::ZERO, None).await?;
        receipt.contract_address.ok_or_else(|| rpc("creating a contract")(&"the creation failed"))
    }

    /// Balance of any account, in wei.
    pub(crate) async fn balance_of(&self, address: Address) -> Result<U256, DemoError> {
        self.provider.get_balance(address).await.map_err(|error| rpc("eth_getBalance")(&error))
    }

    /// Marks the state, to come back to it.
    pub(crate) async fn snapshot(&self) -> Result<U256, DemoError> {
        self.provider.raw_request("evm_snapshot".into(), ()).await.map_err(|error| rpc("evm_snapshot")(&error))
    }

    /// Comes back to a marked state.
    pub(crate) async fn revert(&self, snapshot: U256) -> Result<bool, DemoError> {
        let reverted = self.provider.raw_request("evm_revert".into(), (snapshot,)).await;
        reverted.map_err(|error| rpc("evm_revert")(&error))
    }

    /// The call tree of a transaction.
    pub(crate) async fn calls(&self, transaction: B256) -> Result<CallFrame, DemoError> {
        let options = serde_json::json!({"tracer": "callTracer"});
        let trace = self.provider.raw_request("debug_traceTransaction".into(), (transaction, options)).await;
        trace.map_err(|error| rpc("debug_traceTransaction")(&error))
    }

    /// What the guards said of a transaction.
    pub(crate) async fn verdicts(&self, transaction: B256) -> Result<Vec<Verdict>, DemoError> {
        let verdicts = self.provider.raw_request("guard_getVerdicts".into(), (transaction,)).await;
        verdicts.map_err(|error| rpc("guard_getVerdicts")(&error))
    }
    /// What of a transaction's gas was for its guards. A node leaves it out where that is nothing.
    pub(crate) async fn guard_gas(&self, transaction: B256) -> Result<u64, DemoError> {
        let receipt = self.provider.raw_request("eth_getTransactionReceipt".into(), (transaction,)).await;
        let receipt: GuardCost = receipt.map_err(|error| rpc("eth_getTransactionReceipt")(&error))?;
        Ok(receipt.guard_gas_used.to())
    }
}

/// What a receipt has beyond those of other chains.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct GuardCost {
    guard_gas_used: U64,
}
