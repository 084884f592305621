//! Speaks to a node: reads by `eth_call`, changes by signed transactions, errors turned into words.

mod reverts;

use std::time::Duration;

use alloy_eips::BlockId;
use alloy_network::{Ethereum, EthereumWallet, NetworkTransactionBuilder as _, TransactionBuilder as _};
use alloy_primitives::{Address, B256};
use alloy_provider::{
    Provider as _, ProviderBuilder, RootProvider,
    transport::{RpcError, TransportError, TransportErrorKind},
};
use alloy_rpc_types_eth::{TransactionInput, TransactionReceipt, TransactionRequest};
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolCall;
use parapet_registry::REGISTRY_ADDRESS;

use crate::{CliError, NodeArgs, SignerArgs};

/// How long a transaction is waited for, in seconds.
const RECEIPT_WAIT_S: u64 = 120;
/// How often it is looked for.
const RECEIPT_POLL: Duration = Duration::from_millis(100);
/// Gas limit of a transaction under EIP-7825; a higher one is refused by every Osaka node.
const GAS_LIMIT_MAX: u64 = 16_777_216;

/// A node that has a registry.
pub(crate) struct Node {
    url: String,
    provider: RootProvider<Ethereum>,
}

/// A node, and an account that signs.
pub(crate) struct Client {
    pub(crate) node: Node,
    pub(crate) address: Address,
    wallet: EthereumWallet,
}

impl Node {
    /// Checks that a node is there and has a registry.
    pub(crate) async fn connect(args: &NodeArgs) -> Result<Self, CliError> {
        let url = args.rpc_url.trim().to_owned();
        let wrong = |reason: &str| CliError::Url { url: url.clone(), reason: reason.to_owned() };
        if url.starts_with("https://") && !cfg!(feature = "https") {
            return Err(wrong(
                "this program was built without TLS; build it with `--features https`, or forward a port",
            ));
        }
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(wrong("it starts with http://"));
        }
        let parsed = url.parse().map_err(|error| wrong(&format!("{error}")))?;
        let provider = ProviderBuilder::new().disable_recommended_fillers().connect_http(parsed);
        let node = Self { url, provider };
        let code = node.provider.get_code_at(REGISTRY_ADDRESS).await;
        if code.map_err(|error| node.broken("eth_getCode", &error))?.is_empty() {
            return Err(CliError::NoRegistry { url: node.url, registry: REGISTRY_ADDRESS });
        }
        Ok(node)
    }

    /// Reads from the registry.
    pub(crate) async fn read<C: SolCall>(&self, what: &'static str, call: &C) -> Result<C::Return, CliError> {
        let request = TransactionRequest::default().with_to(REGISTRY_ADDRESS).with_input(call.abi_encode());
        let output = self.provider.call(request).block(BlockId::latest()).await;
        let output = output.map_err(|error| self.explain(what, "eth_call", &error))?;
        C::abi_decode_returns(&output).map_err(|error| CliError::NoAnswer {
            url: self.url.clone(),
            method: "eth_call",
            reason: format!("the registry's answer to {} does not decode: {error}", C::SIGNATURE),
        })
    }

    /// Code of an account.
    pub(crate) async fn code(&self, account: Address) -> Result<alloy_primitives::Bytes, CliError> {
        self.provider.get_code_at(account).await.map_err(|error| self.broken("eth_getCode", &error))
    }

    /// A method that no other client knows, with one argument.
    pub(crate) async fn ask<T>(
        &self,
        what: &'static str,
        method: &'static str,
        argument: impl serde::Serialize + Clone + std::fmt::Debug + Send + Sync + Unpin + 'static,
    ) -> Result<T, CliError>
    where
        T: serde::de::DeserializeOwned + std::fmt::Debug + Send + Sync + Unpin + 'static,
    {
        self.ask_all(what, method, (argument,)).await
    }

    /// The same with several arguments.
    pub(crate) async fn ask_all<T>(
        &self,
        what: &'static str,
        method: &'static str,
        arguments: impl serde::Serialize + Clone + std::fmt::Debug + Send + Sync + Unpin + 'static,
    ) -> Result<T, CliError>
    where
        T: serde::de::DeserializeOwned + std::fmt::Debug + Send + Sync + Unpin + 'static,
    {
        let answer = self.provider.raw_request(method.into(), arguments).await;
        answer.map_err(|error| self.explain(what, method, &error))
    }

    /// An answer as what it should be.
    pub(crate) fn understood<T: serde::de::DeserializeOwned>(
        &self,
        method: &'static str,
        answer: &serde_json::Value,
    ) -> Result<T, CliError> {
        T::deserialize(answer).map_err(|error| self.unusable(method, format!("it does not read as it should: {error}")))
    }

    /// An answer that is none.
    pub(crate) fn unusable(&self, method: &'static str, reason: String) -> CliError {
        CliError::NoAnswer { url: self.url.clone(), method, reason }
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What the node said no to, or that it said nothing.
    fn explain(&self, what: &'static str, method: &'static str, error: &TransportError) -> CliError {
        match error {
            RpcError::ErrorResp(payload) => {
                let data = payload.data.as_ref().and_then(|data| reverts::data_in(data.get()));
                let known = data.and_then(|data| reverts::explain(&data));
                let reason = known.unwrap_or_else(|| format!("{} (code {})", payload.message, payload.code));
                CliError::Refused { what, reason }
            }
            RpcError::NullResp
            | RpcError::UnsupportedFeature(_)
            | RpcError::LocalUsageError(_)
            | RpcError::SerError(_)
            | RpcError::DeserError { .. }
            | RpcError::Transport(_) => self.broken(method, error),
        }
    }

    /// No answer that could be used.
    fn broken(&self, method: &'static str, error: &TransportError) -> CliError {
        let reason = match error {
            RpcError::Transport(TransportErrorKind::Custom(error)) => innermost(error.as_ref()),
            other => other.to_string(),
        };
        CliError::NoAnswer { url: self.url.clone(), method, reason }
    }
}

impl Client {
    /// Connects, with the account of a private key.
    pub(crate) async fn connect(args: &SignerArgs) -> Result<Self, CliError> {
        let signer: PrivateKeySigner = args.private_key.trim().parse().map_err(|_| CliError::PrivateKey)?;
        let node = Node::connect(&args.node).await?;
        Ok(Self { node, address: signer.address(), wallet: EthereumWallet::from(signer) })
    }

    /// Sends a call to the registry and waits until a block has it.
    pub(crate) async fn send<C: SolCall>(&self, what: &'static str, call: &C) -> Result<TransactionReceipt, CliError> {
        let node = &self.node;
        let provider = &node.provider;
        let chain_id = provider.get_chain_id().await.map_err(|error| node.broken("eth_chainId", &error))?;
        let nonce = provider.get_transaction_count(self.address).pending().await;
        let nonce = nonce.map_err(|error| node.broken("eth_getTransactionCount", &error))?;
        let fees = provider.estimate_eip1559_fees().await.map_err(|error| node.broken("eth_feeHistory", &error))?;
        let request = TransactionRequest {
            from: Some(self.address),
            chain_id: Some(chain_id),
            nonce: Some(nonce),
            input: TransactionInput::both(call.abi_encode().into()),
            max_fee_per_gas: Some(fees.max_fee_per_gas),
            max_priority_fee_per_gas: Some(fees.max_priority_fee_per_gas),
            ..TransactionRequest::default()
        }
        .with_to(REGISTRY_ADDRESS);
        let estimate = provider.estimate_gas(request.clone()).await;
        let estimate = estimate.map_err(|error| node.explain(what, "eth_estimateGas", &error))?;
        let request = request.with_gas_limit(with_margin(estimate));
        let signed = request.build(&self.wallet).await;
        let signed = signed.map_err(|error| CliError::Refused { what, reason: error.to_string() })?;
        let hash = *signed.tx_hash();
        let sent = provider.send_tx_envelope(signed).await;
        let _pending = sent.map_err(|error| node.explain(what, "eth_sendRawTransaction", &error))?;
        self.receipt(what, hash).await
    }

    async fn receipt(&self, what: &'static str, transaction: B256) -> Result<TransactionReceipt, CliError> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(RECEIPT_WAIT_S);
        while tokio::time::Instant::now() < deadline {
            let receipt = self.node.provider.get_transaction_receipt(transaction).await;
            match receipt.map_err(|error| self.node.broken("eth_getTransactionReceipt", &error))? {
                Some(receipt) if receipt.status() => return Ok(receipt),
                Some(_) => return Err(CliError::Failed { what, transaction }),
                None => tokio::time::sleep(RECEIPT_POLL).await,
            }
        }
        Err(CliError::NotIncluded { transaction, seconds: RECEIPT_WAIT_S })
    }
}

/// A quarter more than the estimate, because guards that are attached meanwhile cost gas too.
fn with_margin(estimate: u64) -> u64 {
    estimate.saturating_add(estimate / 4).min(GAS_LIMIT_MAX.max(estimate))
}

/// The cause that says most: clients wrap "connection refused" in three layers that say less.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::{GAS_LIMIT_MAX, with_margin};

    #[test]
    fn gas_limit_has_a_margin_and_stays_within_what_nodes_take() {
        assert_eq!(with_margin(100_000), 125_000);
        assert_eq!(with_margin(GAS_LIMIT_MAX - 1), GAS_LIMIT_MAX);
        assert_eq!(with_margin(GAS_LIMIT_MAX + 1), GAS_LIMIT_MAX + 1);
    }
}
