//! Transactions on their way in, and the keys the node holds for development.

use std::time::Instant;

use alloy_consensus::{SignableTransaction as _, TxEnvelope, TypedTransaction, transaction::SignerRecoverable as _};
use alloy_eips::eip2718::Decodable2718 as _;
use alloy_primitives::{Address, B256, Bytes, TxKind};
use alloy_rpc_types_eth::{BlockOverrides, TransactionRequest};
use alloy_signer::SignerSync as _;
use alloy_signer_local::PrivateKeySigner;
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_types::{Transaction, unsigned_transaction};

use crate::{
    RpcError,
    api::{Api, fees::SUGGESTED_TIP_WEI},
    node::{At, Node},
};

#[rpc(server, namespace = "eth")]
pub(crate) trait EthSend {
    #[method(name = "sendRawTransaction")]
    async fn send_raw_transaction(&self, raw: Bytes) -> Result<B256, RpcError>;

    #[method(name = "sendTransaction")]
    async fn send_transaction(&self, request: TransactionRequest) -> Result<B256, RpcError>;

    #[method(name = "accounts", aliases = ["eth_requestAccounts"])]
    fn accounts(&self) -> Result<Vec<Address>, RpcError>;

    #[method(name = "sign")]
    fn sign(&self, address: Address, message: Bytes) -> Result<Bytes, RpcError>;
}

#[rpc(server, namespace = "personal")]
pub(crate) trait Personal {
    #[method(name = "sign")]
    fn personal_sign(&self, message: Bytes, address: Address) -> Result<Bytes, RpcError>;
}

#[async_trait]
impl EthSendServer for Api {
    /// Admits the transaction and gives its hash. Unless it is screened, one that a guard vetoes is mined, and its
    /// sender pays for it.
    async fn send_raw_transaction(&self, raw: Bytes) -> Result<B256, RpcError> {
        let transaction = signed_transaction(&raw)?;
        self.0.submit(vec![transaction]).await.pop().expect("there is an answer for each transaction")
    }

    async fn send_transaction(&self, request: TransactionRequest) -> Result<B256, RpcError> {
        self.0
            .write(move |node| {
                let (typed, from) = node.complete_transaction(request)?;
                let transaction = node.send_as(typed, from)?;
                node.screen(&transaction)?;
                Ok(node.chain.submit(transaction)?)
            })
            .await
    }

    fn accounts(&self) -> Result<Vec<Address>, RpcError> {
        let mut accounts = self.0.accounts.clone();
        let impersonated = self.0.impersonation.accounts();
        accounts.extend(impersonated.into_iter().filter(|account| !self.0.signers.contains_key(account)));
        Ok(accounts)
    }

    fn sign(&self, address: Address, message: Bytes) -> Result<Bytes, RpcError> {
        self.0.sign_message(address, &message)
    }
}

/// A transaction as its sender signed it. Finding the sender out takes most of the time.
pub(crate) fn signed_transaction(raw: &[u8]) -> Result<Transaction, RpcError> {
    let envelope = TxEnvelope::decode_2718_exact(raw)
        .map_err(|error| RpcError::params(format!("this is no signed transaction (EIP-2718): {error}")))?;
    let sender = envelope
        .recover_signer()
        .map_err(|error| RpcError::params(format!("invalid sender: the signature is not valid: {error}")))?;
    Ok(Transaction::new_unchecked(envelope, sender))
}

impl PersonalServer for Api {
    fn personal_sign(&self, message: Bytes, address: Address) -> Result<Bytes, RpcError> {
        self.0.sign_message(address, &message)
    }
}

impl Node {
    pub(crate) fn signer(&self, address: Address) -> Result<&PrivateKeySigner, RpcError> {
        self.signers.get(&address).ok_or(RpcError::UnknownAccount(address))
    }

    /// Signs a message as EIP-191 has it, so that it can never be a transaction.
    fn sign_message(&self, address: Address, message: &Bytes) -> Result<Bytes, RpcError> {
        Ok(self.signer(address)?.sign_message_sync(message)?.as_bytes().into())
    }

    /// A transaction as the node sends it for an account: signed where there is a key, marked where it is impersonated.
    pub(crate) fn send_as(&self, typed: TypedTransaction, from: Address) -> Result<Transaction, RpcError> {
        if !self.signers.contains_key(&from) && self.impersonation.has(&from) {
            return Ok(unsigned_transaction(typed, from));
        }
        let signature = self.signer(from)?.sign_hash_sync(&typed.signature_hash())?;
        Ok(Transaction::new_unchecked(typed.into_signed(signature).into(), from))
    }

    /// Completes a transaction with what its sender left open; it comes from the first account unless it says from whom.
    pub(crate) fn complete_transaction(
        &self,
        mut request: TransactionRequest,
    ) -> Result<(TypedTransaction, Address), RpcError> {
        let Some(from) = request.from.or_else(|| self.accounts.first().copied()) else {
            return Err(RpcError::params("'from' is missing: say which account sends this"));
        };
        request.from = Some(from);
        let chain_id = self.params().chain_id;
        if let Some(other) = request.chain_id.filter(|given| *given != chain_id) {
            return Err(RpcError::params(format!("chainId is {other}, but this is chain {chain_id}")));
        }
        request.chain_id = Some(chain_id);
        request.to = request.to.or(Some(TxKind::Create));
        if request.nonce.is_none() {
            request.nonce = Some(self.chain.next_nonce(&from)?);
        }
        if request.gas.is_none() {
            request.gas = Some(self.estimate(request.clone())?);
        }
        if request.gas_price.is_none() {
            let tip = *request.max_priority_fee_per_gas.get_or_insert(SUGGESTED_TIP_WEI);
            // Twice the base fee, so that the transaction stays good while blocks fill.
            request.max_fee_per_gas.get_or_insert((2 * self.next_base_fee()).saturating_add(tip));
        }
        request.normalize_input();
        let typed = request.build_typed_tx().map_err(|request| {
            RpcError::params(format!("the transaction is incomplete: {:?}", request.missing_keys()))
        })?;
        Ok((typed, from))
    }

    /// The gas of a transaction that is not completed yet, within the time of a read: others may wait to write meanwhile.
    fn estimate(&self, request: TransactionRequest) -> Result<u64, RpcError> {
        let at = self.at_with(Some(alloy_eips::BlockId::pending()), None, None::<BlockOverrides>)?;
        self.estimate_at(&at, request)
    }

    /// The same at some point of the chain.
    pub(crate) fn estimate_at(&self, at: &At, request: TransactionRequest) -> Result<u64, RpcError> {
        // The nonce may lie in the future, behind transactions that wait.
        let request = self.call_request(TransactionRequest { nonce: None, ..request })?;
        let estimate = || parapet_simulate::estimate_gas(&at.point(), &request, self.monitor());
        Ok(parapet_simulate::until(Instant::now() + self.limits.read_time_max, estimate)?)
    }
}
