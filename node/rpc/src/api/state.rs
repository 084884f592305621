//! Accounts, code, storage and proofs.

use std::collections::BTreeMap;

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_rpc_types_eth::{EIP1186AccountProofResponse, EIP1186StorageProof};
use jsonrpsee::{core::async_trait, proc_macros::rpc};

use crate::{RpcError, api::Api, wire::Slot};

#[rpc(server, namespace = "eth")]
pub(crate) trait EthState {
    #[method(name = "getBalance")]
    async fn balance(&self, address: Address, block: Option<BlockId>) -> Result<U256, RpcError>;

    #[method(name = "getTransactionCount")]
    async fn transaction_count_of(&self, address: Address, block: Option<BlockId>) -> Result<U64, RpcError>;

    #[method(name = "getCode")]
    async fn code(&self, address: Address, block: Option<BlockId>) -> Result<Bytes, RpcError>;

    #[method(name = "getStorageAt")]
    async fn storage_at(&self, address: Address, slot: Slot, block: Option<BlockId>) -> Result<B256, RpcError>;

    /// Several slots of several accounts.
    #[method(name = "getStorageValues")]
    async fn storage_values(
        &self,
        slots: BTreeMap<Address, Vec<Slot>>,
        block: Option<BlockId>,
    ) -> Result<BTreeMap<Address, Vec<B256>>, RpcError>;

    #[method(name = "getProof")]
    async fn proof(
        &self,
        address: Address,
        slots: Vec<Slot>,
        block: Option<BlockId>,
    ) -> Result<EIP1186AccountProofResponse, RpcError>;
}

#[async_trait]
impl EthStateServer for Api {
    async fn balance(&self, address: Address, block: Option<BlockId>) -> Result<U256, RpcError> {
        self.0.look(move |node| Ok(node.world(block)?.account(&address)?.unwrap_or_default().balance)).await
    }

    async fn transaction_count_of(&self, address: Address, block: Option<BlockId>) -> Result<U64, RpcError> {
        self.0
            .look(move |node| {
                if block == Some(BlockId::pending()) {
                    return Ok(U64::from(node.chain.next_nonce(&address)?));
                }
                Ok(U64::from(node.world(block)?.account(&address)?.unwrap_or_default().nonce))
            })
            .await
    }

    async fn code(&self, address: Address, block: Option<BlockId>) -> Result<Bytes, RpcError> {
        self.0
            .look(move |node| {
                let world = node.world(block)?;
                let code_hash = world.account(&address)?.unwrap_or_default().code_hash;
                let missing = || RpcError::Internal(format!("the code {code_hash} of {address} is missing"));
                world.code(code_hash)?.ok_or_else(missing)
            })
            .await
    }

    async fn storage_at(&self, address: Address, slot: Slot, block: Option<BlockId>) -> Result<B256, RpcError> {
        self.0.look(move |node| Ok(node.world(block)?.storage(&address, slot.0.as_b256().into())?.into())).await
    }

    async fn storage_values(
        &self,
        slots: BTreeMap<Address, Vec<Slot>>,
        block: Option<BlockId>,
    ) -> Result<BTreeMap<Address, Vec<B256>>, RpcError> {
        let (count, max) = (slots.values().map(Vec::len).sum::<usize>(), self.0.limits.proof_slots_max);
        if count == 0 {
            return Err(RpcError::params("empty request: name at least one slot"));
        }
        if count > max {
            return Err(RpcError::TooMuch { what: format!("{count} slots"), max: max as u64 });
        }
        self.0
            .read(move |node| {
                let world = node.world(block)?;
                let of_account = |(address, slots): (Address, Vec<Slot>)| {
                    let words = slots.iter().map(|slot| Ok(world.storage(&address, slot.0.as_b256().into())?.into()));
                    Ok((address, words.collect::<Result<_, RpcError>>()?))
                };
                slots.into_iter().map(of_account).collect()
            })
            .await
    }

    /// Proves against the state root of the block's header: what was amended outside blocks is not in it yet.
    async fn proof(
        &self,
        address: Address,
        slots: Vec<Slot>,
        block: Option<BlockId>,
    ) -> Result<EIP1186AccountProofResponse, RpcError> {
        let max = self.0.limits.proof_slots_max;
        if slots.len() > max {
            return Err(RpcError::TooMuch { what: format!("{} slots", slots.len()), max: max as u64 });
        }
        self.0
            .read(move |node| {
                let id = block.unwrap_or_default();
                let number = node.known_block(id)?.number();
                let world = node.chain.committed_world(number)?;
                let world = world.ok_or_else(|| RpcError::no_block(id, node.chain.head().block.number()))?;
                let words: Vec<U256> = slots.iter().map(|slot| slot.0.as_b256().into()).collect();
                let proof = world.proof(address, &words)?;
                let info = world.account(&address)?.unwrap_or_default();
                Ok(EIP1186AccountProofResponse {
                    address,
                    balance: info.balance,
                    code_hash: info.code_hash,
                    nonce: info.nonce,
                    storage_hash: proof.storage_root,
                    account_proof: proof.nodes,
                    storage_proof: slots
                        .into_iter()
                        .zip(proof.slots)
                        .map(|(key, slot)| EIP1186StorageProof::new(key.0, slot.value, slot.nodes))
                        .collect(),
                })
            })
            .await
    }
}
