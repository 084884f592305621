//! Reorganisations as anvil makes them: blocks are dropped, and others may come in their place.

use std::collections::{BTreeMap, HashMap};

use alloy_eips::BlockId;
use alloy_primitives::{Address, Bytes};
use alloy_rpc_types_eth::{BlockOverrides, TransactionRequest};
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_builder::{ChainError, Orphans, ReorgRequest, next_base_fee};
use parapet_types::Transaction;
use serde::Deserialize;

use crate::{
    RpcError,
    api::{Api, fees::SUGGESTED_TIP_WEI, send::signed_transaction},
    node::Node,
    wire::Quantity,
};

/// Most transactions that a reorganisation is given.
const TRANSACTIONS_MAX: usize = 10_000;

/// A transaction of a new block.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum TransactionData {
    /// Signed, EIP-2718.
    Raw(Bytes),
    /// For the node to sign.
    Request(Box<TransactionRequest>),
}

#[rpc(server, namespace = "anvil")]
pub(crate) trait Reorg {
    /// Drops so many blocks, one where no number is given.
    #[method(name = "rollback")]
    async fn rollback(&self, depth: Option<Quantity>) -> Result<(), RpcError>;

    /// Drops so many blocks and mines as many in their place, which hold nothing but the transactions that are given with the
    /// place of their block, 0 for the first.
    #[method(name = "reorg")]
    async fn reorg(
        &self,
        depth: Quantity,
        tx_block_pairs: Option<Vec<(TransactionData, Quantity)>>,
    ) -> Result<(), RpcError>;
}

#[async_trait]
impl ReorgServer for Api {
    async fn rollback(&self, depth: Option<Quantity>) -> Result<(), RpcError> {
        let depth = depth.map_or(1, |depth| depth.0);
        self.0
            .write(move |node| {
                node.filters.rewind(&node.chain.rollback(depth)?);
                Ok(())
            })
            .await
    }

    async fn reorg(
        &self,
        depth: Quantity,
        tx_block_pairs: Option<Vec<(TransactionData, Quantity)>>,
    ) -> Result<(), RpcError> {
        self.0.write(move |node| node.reorg(depth.0, tx_block_pairs.unwrap_or_default())).await
    }
}

impl Node {
    fn reorg(&self, depth: u64, pairs: Vec<(TransactionData, Quantity)>) -> Result<(), RpcError> {
        if pairs.len() > TRANSACTIONS_MAX {
            let what = format!("a reorganisation with {} transactions", pairs.len());
            return Err(RpcError::TooMuch { what, max: TRANSACTIONS_MAX as u64 });
        }
        let head = self.chain.head().block.number();
        let common = head.checked_sub(depth).ok_or(ChainError::TooDeep { depth, head })?;
        let transactions = self.new_transactions(common, pairs)?;
        let reorg = self.chain.reorg(ReorgRequest { depth, transactions, orphans: Orphans::Forget })?;
        self.filters.rewind(&reorg.dropped);
        for (hash, reason) in reorg.left_out {
            tracing::warn!("{hash} is in none of the new blocks: {reason}");
        }
        Ok(())
    }

    /// Transactions by the place of their block, completed as of the block that is common to both branches.
    fn new_transactions(
        &self,
        common: u64,
        mut pairs: Vec<(TransactionData, Quantity)>,
    ) -> Result<BTreeMap<u64, Vec<Transaction>>, RpcError> {
        // Those of a sender have their nonces in the order of their blocks.
        pairs.sort_by_key(|(_, place)| place.0);
        let (mut nonces, mut blocks) = (HashMap::new(), BTreeMap::<u64, Vec<_>>::new());
        for (data, place) in pairs {
            let transaction = match data {
                TransactionData::Raw(bytes) => signed_transaction(&bytes)?,
                TransactionData::Request(request) => self.signed_on(common, *request, &mut nonces)?,
            };
            blocks.entry(place.0).or_default().push(transaction);
        }
        Ok(blocks)
    }

    /// Completes a request after a block and signs it. Who depends on another new transaction says the gas.
    fn signed_on(
        &self,
        block: u64,
        mut request: TransactionRequest,
        nonces: &mut HashMap<Address, u64>,
    ) -> Result<Transaction, RpcError> {
        let at = self.at_with(Some(BlockId::number(block)), None, None::<BlockOverrides>)?;
        let from = request.from.or_else(|| self.accounts.first().copied());
        if let Some(from) = from {
            let nonce = match nonces.get(&from) {
                Some(nonce) => *nonce,
                None => at.world.account(&from)?.unwrap_or_default().nonce,
            };
            let nonce = *request.nonce.get_or_insert(nonce);
            nonces.insert(from, nonce.saturating_add(1));
            request.from = Some(from);
        }
        if request.gas.is_none() {
            request.gas = Some(self.estimate_at(&at, request.clone())?);
        }
        if request.gas_price.is_none() && request.max_fee_per_gas.is_none() {
            let base_fee = next_base_fee(&self.known_block(BlockId::number(block))?.header);
            let tip = *request.max_priority_fee_per_gas.get_or_insert(SUGGESTED_TIP_WEI);
            request.max_fee_per_gas = Some((2 * u128::from(base_fee)).saturating_add(tip));
        }
        let (typed, from) = self.complete_transaction(request)?;
        self.send_as(typed, from)
    }
}
