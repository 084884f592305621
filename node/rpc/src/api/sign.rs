//! Signatures by the keys that the node holds for development.

use alloy_consensus::SignableTransaction as _;
use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, Bytes, Signature, U256};
use alloy_rpc_types_eth::{Transaction, TransactionRequest};
use alloy_signer::SignerSync as _;
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_types::Transaction as Sent;
use serde::Serialize;

use crate::{RpcError, api::Api, typed_data::TypedData, wire};

/// A transaction that wants nothing but its signature, which is zero.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Filled {
    /// Its encoding (EIP-2718).
    raw: Bytes,
    tx: Transaction,
}

#[rpc(server, namespace = "eth")]
pub(crate) trait EthSign {
    /// Signs typed structured data (EIP-712). Version 3 is version 4 without arrays, so one answer serves all names.
    #[method(name = "signTypedData_v4", aliases = ["eth_signTypedData", "eth_signTypedData_v3"])]
    fn sign_typed_data(&self, address: Address, data: TypedData) -> Result<Bytes, RpcError>;

    /// Completes and signs a transaction, and sends it nowhere. Gives its encoding (EIP-2718).
    #[method(name = "signTransaction")]
    async fn sign_transaction(&self, request: TransactionRequest) -> Result<Bytes, RpcError>;

    /// Completes a transaction, and neither signs nor sends it.
    #[method(name = "fillTransaction")]
    async fn fill_transaction(&self, request: TransactionRequest) -> Result<Filled, RpcError>;
}

#[async_trait]
impl EthSignServer for Api {
    fn sign_typed_data(&self, address: Address, data: TypedData) -> Result<Bytes, RpcError> {
        Ok(self.0.signer(address)?.sign_hash_sync(&data.digest()?)?.as_bytes().into())
    }

    async fn sign_transaction(&self, request: TransactionRequest) -> Result<Bytes, RpcError> {
        self.0
            .read(move |node| {
                let (typed, from) = node.complete_transaction(request)?;
                node.signer(from)?;
                Ok(node.send_as(typed, from)?.encoded_2718().into())
            })
            .await
    }

    async fn fill_transaction(&self, request: TransactionRequest) -> Result<Filled, RpcError> {
        self.0
            .read(move |node| {
                let (typed, from) = node.complete_transaction(request)?;
                let unsigned = typed.into_signed(Signature::new(U256::ZERO, U256::ZERO, false));
                let filled = Sent::new_unchecked(unsigned.into(), from);
                Ok(Filled { raw: filled.encoded_2718().into(), tx: wire::pending_transaction(&filled) })
            })
            .await
    }
}
