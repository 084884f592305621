//! Answers to Otterscan: pages of blocks, and searches through the chain.
//!
//! There is no index of who has to do with a transaction, so a search executes blocks once more, one after the other, and
//! looks at their calls. Bounded are the blocks of one search and the length of a page; where the bound is reached before
//! the page is full, that is an error and no shorter page, which would be taken for the end. What has a first moment (code,
//! a nonce) is found by halves.

use std::sync::Arc;

use alloy_consensus::{Transaction as _, Typed2718 as _};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_eth::{Block, BlockTransactions, BlockTransactionsKind, Header, Transaction};
use alloy_rpc_types_trace::{
    otterscan::{
        BlockDetails, ContractCreator, InternalIssuance, InternalOperation, OperationType, OtsBlock,
        OtsBlockTransactions, OtsTransactionReceipt, TraceEntry, TransactionsWithReceipts,
    },
    parity::{Action, CallType, CreationMethod, LocalizedTransactionTrace, TransactionTrace},
};
use parapet_state::{StoreError, StoredBlock, WorldState};

use crate::{RpcError, node::Node, wire};

/// Most transactions of a page, but for those of its last block.
const PAGE_MAX: u64 = 100;

/// What a search has found: blocks with the indices of transactions in them.
type Found = Vec<(Arc<StoredBlock>, Vec<usize>)>;

/// Whether a search went on to the end of the chain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// It did.
    End,
    /// The page was full before.
    FullPage,
}

fn check_page(size: u64) -> Result<(), RpcError> {
    match size {
        0 => Err(RpcError::params("a page of no transactions was asked for: give at least 1")),
        1..=PAGE_MAX => Ok(()),
        _ => Err(RpcError::TooMuch { what: format!("a page of {size} transactions"), max: PAGE_MAX }),
    }
}

impl Node {
    /// Whether an account has code after a block.
    pub(crate) fn has_code(&self, id: BlockId, address: Address) -> Result<bool, RpcError> {
        Ok(has_code(&self.world(Some(id))?, address)?)
    }

    /// Ether that moved inside a transaction.
    pub(crate) fn operations(&self, hash: B256) -> Result<Vec<InternalOperation>, RpcError> {
        let calls = self.calls_of_transaction(hash)?.unwrap_or_default();
        let failed: Vec<&[usize]> = calls
            .iter()
            .filter(|call| call.trace.error.is_some())
            .map(|call| call.trace.trace_address.as_slice())
            .collect();
        let stands = |trace: &TransactionTrace| !failed.iter().any(|place| trace.trace_address.starts_with(place));
        let inner = calls.iter().map(|call| &call.trace).filter(|trace| !trace.trace_address.is_empty());
        Ok(inner.filter(|trace| stands(trace)).filter_map(operation).collect())
    }

    /// The calls of a transaction.
    pub(crate) fn tree(&self, hash: B256) -> Result<Option<Vec<TraceEntry>>, RpcError> {
        let calls = self.calls_of_transaction(hash)?;
        Ok(calls.map(|calls| calls.iter().filter_map(|call| entry(&call.trace)).collect()))
    }

    /// A block without its transactions.
    pub(crate) fn details(&self, id: BlockId) -> Result<Option<BlockDetails>, RpcError> {
        let Some(block) = self.block(id)? else { return Ok(None) };
        let base_fee = block.header.base_fee_per_gas;
        let fees = block.transactions.iter().zip(&block.executed).map(|(transaction, executed)| {
            U256::from(transaction.inner().effective_gas_price(base_fee)) * U256::from(executed.gas_used)
        });
        // Since the merge nothing is issued here; before it, what was is part of the state alone.
        let issuance = InternalIssuance::default();
        let total = fees.fold(U256::ZERO, U256::saturating_add);
        Ok(Some(BlockDetails::new(wire::block(&block, BlockTransactionsKind::Hashes), issuance, total)))
    }

    /// A page of a block's transactions, counted from its end.
    pub(crate) fn page_of_block(
        &self,
        id: BlockId,
        page: u64,
        page_size: u64,
    ) -> Result<Option<OtsBlockTransactions>, RpcError> {
        check_page(page_size)?;
        let Some(block) = self.block(id)? else { return Ok(None) };
        let count = block.transactions.len();
        let before = usize::try_from(page.saturating_mul(page_size)).unwrap_or(usize::MAX);
        let end = count.saturating_sub(before);
        let indices = end.saturating_sub(page_size as usize)..end;
        let whole: Block<Transaction, Header> = wire::block(&block, BlockTransactionsKind::Hashes);
        let shown = indices.clone().filter_map(|index| wire::mined_transaction(&block, index)).collect();
        let fullblock = OtsBlock {
            block: Block { transactions: BlockTransactions::Full(shown), ..whole },
            transaction_count: count,
        };
        let receipts = indices.filter_map(|index| self.receipt_of(&block, index)).collect();
        Ok(Some(OtsBlockTransactions { fullblock, receipts }))
    }

    /// Transactions below a block that an account has to do with.
    pub(crate) fn search_before(
        &self,
        address: Address,
        number: u64,
        page_size: u64,
    ) -> Result<TransactionsWithReceipts, RpcError> {
        let head = self.chain.head().block.number();
        let from_top = number == 0 || number > head;
        let below = if from_top { head + 1 } else { number };
        let (found, reached) = self.search(address, (self.chain.first()..below).rev(), page_size)?;
        Ok(self.results(found, from_top, reached == Reached::End))
    }

    /// Transactions above a block that an account has to do with.
    pub(crate) fn search_after(
        &self,
        address: Address,
        number: u64,
        page_size: u64,
    ) -> Result<TransactionsWithReceipts, RpcError> {
        let head = self.chain.head().block.number();
        let first = if number == 0 { 0 } else { number.saturating_add(1) };
        let (mut found, reached) = self.search(address, first.max(self.chain.first())..=head, page_size)?;
        found.reverse();
        Ok(self.results(found, reached == Reached::End, number == 0))
    }

    fn search(
        &self,
        address: Address,
        numbers: impl Iterator<Item = u64>,
        page_size: u64,
    ) -> Result<(Found, Reached), RpcError> {
        check_page(page_size)?;
        let (mut found, mut count, mut looked, mut executed) = (Vec::new(), 0, 0, 0);
        for number in numbers {
            parapet_simulate::check_time()?;
            let Some(block) = self.block(number.into())? else { continue };
            looked += 1;
            executed += u64::from(!block.transactions.is_empty());
            let max = self.limits.trace_blocks_max;
            if executed > max || looked > self.limits.log_blocks_max {
                return Err(RpcError::TooMuch { what: format!("a search of more than {looked} blocks"), max });
            }
            let indices = self.touching(&block, address)?;
            if indices.is_empty() {
                continue;
            }
            count += indices.len() as u64;
            found.push((block, indices));
            if count >= page_size {
                return Ok((found, Reached::FullPage));
            }
        }
        Ok((found, Reached::End))
    }

    /// Which transactions of a block an account has to do with: as sender, or in any of their calls.
    fn touching(&self, block: &StoredBlock, address: Address) -> Result<Vec<usize>, RpcError> {
        if block.transactions.is_empty() {
            return Ok(Vec::new());
        }
        let calls = self.calls_of(block)?;
        let touches = |index: &usize| {
            let named = |call: &LocalizedTransactionTrace| {
                call.transaction_position == Some(*index as u64) && call.trace.contains_address(address)
            };
            block.transactions[*index].signer() == address || calls.iter().any(named)
        };
        Ok((0..block.transactions.len()).filter(touches).collect())
    }

    fn results(&self, found: Found, first_page: bool, last_page: bool) -> TransactionsWithReceipts {
        let mut results = TransactionsWithReceipts { txs: Vec::new(), receipts: Vec::new(), first_page, last_page };
        for (block, indices) in found {
            // Newest first, within a block as well.
            for index in indices.into_iter().rev() {
                results.txs.extend(wire::mined_transaction(&block, index));
                results.receipts.extend(self.receipt_of(&block, index));
            }
        }
        results
    }

    fn receipt_of(&self, block: &StoredBlock, index: usize) -> Option<OtsTransactionReceipt> {
        let receipt = wire::receipt(block, index, self.blobs(&block.header))?;
        Some(receipt.without_logs(block.transactions[index].inner().ty(), block.header.timestamp))
    }

    /// The transaction that an account sent with a nonce.
    pub(crate) fn sent_with(&self, sender: Address, nonce: u64) -> Result<Option<B256>, RpcError> {
        let is_past = |world: &WorldState| -> Result<bool, StoreError> {
            Ok(world.account(&sender)?.unwrap_or_default().nonce > nonce)
        };
        let Some(block) = self.first_block(is_past)? else { return Ok(None) };
        let sent = block.transactions.iter().find(|tx| tx.signer() == sender && tx.inner().nonce() == nonce);
        Ok(sent.map(|transaction| *transaction.inner().tx_hash()))
    }

    /// Who created a contract.
    pub(crate) fn creator(&self, address: Address) -> Result<Option<ContractCreator>, RpcError> {
        let Some(block) = self.first_block(|world| has_code(world, address))? else { return Ok(None) };
        if block.transactions.is_empty() {
            return Ok(None);
        }
        let calls = self.calls_of(&block)?;
        let created = |call: &&LocalizedTransactionTrace| {
            let result = call.trace.result.as_ref();
            result.and_then(|result| result.created_contract()) == Some(address)
        };
        let creation = calls.iter().rfind(created);
        Ok(creation.and_then(|call| {
            let Action::Create(create) = &call.trace.action else { return None };
            Some(ContractCreator { hash: call.transaction_hash?, creator: create.from })
        }))
    }

    /// The first block after which something holds that holds from then on; `None` where it does not hold after the head.
    fn first_block(
        &self,
        holds: impl Fn(&WorldState) -> Result<bool, StoreError>,
    ) -> Result<Option<Arc<StoredBlock>>, RpcError> {
        let holds_after = |number: u64| -> Result<bool, RpcError> { Ok(holds(&self.world(Some(number.into()))?)?) };
        let (first, mut high) = (self.chain.first(), self.chain.head().block.number());
        if !holds_after(high)? {
            return Ok(None);
        }
        let mut low = self.chain.oldest_state().max(first);
        if holds_after(low)? {
            return match (self.chain.fork(), low.checked_sub(1)) {
                (Some(_), _) => Err(RpcError::params(format!(
                    "that lies in block {first}, from which this chain was forked, or before it; ask the endpoint of the other chain"
                ))),
                (None, None) => self.block(BlockId::earliest()),
                (None, Some(number)) => Err(StoreError::Pruned { number }.into()),
            };
        }
        // It does not hold after `low`, and holds after `high`.
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if holds_after(middle)? {
                high = middle;
            } else {
                low = middle;
            }
        }
        self.block(high.into())
    }
}

fn has_code(world: &WorldState, address: Address) -> Result<bool, StoreError> {
    let account = world.account(&address)?;
    Ok(account.is_some_and(|account| account.code_hash != alloy_primitives::KECCAK256_EMPTY))
}

fn operation(trace: &TransactionTrace) -> Option<InternalOperation> {
    let one = |r#type, from, to, value| Some(InternalOperation { r#type, from, to, value });
    match &trace.action {
        Action::Call(call) if call.call_type == CallType::Call && !call.value.is_zero() => {
            one(OperationType::OpTransfer, call.from, call.to, call.value)
        }
        Action::Create(create) => {
            let kind = match create.creation_method {
                CreationMethod::Create2 => OperationType::OpCreate2,
                _ => OperationType::OpCreate,
            };
            one(kind, create.from, trace.result.as_ref()?.created_contract()?, create.value)
        }
        Action::Selfdestruct(destroyed) => {
            one(OperationType::OpSelfDestruct, destroyed.address, destroyed.refund_address, destroyed.balance)
        }
        Action::Call(_) | Action::Reward(_) => None,
    }
}

fn entry(trace: &TransactionTrace) -> Option<TraceEntry> {
    let depth = u32::try_from(trace.trace_address.len()).ok()?;
    let result = trace.result.as_ref();
    let output = result.map(|result| result.output().clone()).unwrap_or_default();
    Some(match &trace.action {
        Action::Call(call) => TraceEntry {
            r#type: call.call_type.to_string(),
            depth,
            from: call.from,
            to: call.to,
            // Calls that cannot move ether name none.
            value: matches!(call.call_type, CallType::Call | CallType::CallCode).then_some(call.value),
            input: call.input.clone(),
            output,
        },
        Action::Create(create) => TraceEntry {
            r#type: if create.creation_method == CreationMethod::Create2 { "CREATE2" } else { "CREATE" }.to_owned(),
            depth,
            from: create.from,
            to: result.and_then(|result| result.created_contract()).unwrap_or_default(),
            value: Some(create.value),
            input: create.init.clone(),
            output,
        },
        Action::Selfdestruct(destroyed) => TraceEntry {
            r#type: "SELFDESTRUCT".to_owned(),
            depth,
            from: destroyed.address,
            to: destroyed.refund_address,
            value: Some(destroyed.balance),
            input: Bytes::new(),
            output: Bytes::new(),
        },
        Action::Reward(_) => return None,
    })
}
