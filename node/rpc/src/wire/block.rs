//! Blocks and transactions on the wire.

use alloy_consensus::{Sealable as _, TxEnvelope};
use alloy_primitives::U256;
use alloy_rlp::Encodable as _;
use alloy_rpc_types_eth::{Block, BlockTransactions, BlockTransactionsKind, Header, Transaction, TransactionInfo};
use parapet_state::StoredBlock;

/// A header.
pub(crate) fn header(block: &StoredBlock) -> Header {
    let size = block.to_consensus_block().length();
    Header::from_consensus(block.header.clone(), None, Some(U256::from(size)))
}

/// A block, with its transactions or their hashes.
pub(crate) fn block(block: &StoredBlock, kind: BlockTransactionsKind) -> Block {
    let transactions = match kind {
        BlockTransactionsKind::Hashes => {
            BlockTransactions::Hashes(block.transactions.iter().map(|tx| *tx.inner().tx_hash()).collect())
        }
        BlockTransactionsKind::Full => BlockTransactions::Full(
            (0..block.transactions.len()).filter_map(|index| mined_transaction(block, index)).collect(),
        ),
    };
    let uncles = block.ommers.iter().map(alloy_consensus::Header::hash_slow).collect();
    Block { header: header(block), uncles, transactions, withdrawals: block.withdrawals.clone() }
}

/// An ommer of a block: its header, without what was in it; `None` if the block has no such index.
pub(crate) fn ommer(block: &StoredBlock, index: usize) -> Option<Block> {
    let ommer = block.ommers.get(index)?.clone();
    let size = alloy_consensus::Block::<TxEnvelope>::uncle(ommer.clone()).length();
    let header = Header::from_consensus(ommer.seal_slow(), None, Some(U256::from(size)));
    Some(Block { header, uncles: Vec::new(), transactions: BlockTransactions::Uncle, withdrawals: None })
}

/// A transaction of a block; `None` if the block has no such index.
pub(crate) fn mined_transaction(block: &StoredBlock, index: usize) -> Option<Transaction> {
    let transaction = block.transactions.get(index)?;
    let info = TransactionInfo {
        hash: Some(*transaction.inner().tx_hash()),
        index: u64::try_from(index).ok(),
        block_hash: Some(block.hash()),
        block_number: Some(block.number()),
        base_fee: block.header.base_fee_per_gas,
        block_timestamp: Some(block.header.timestamp),
    };
    Some(Transaction::from_transaction(transaction.clone(), info))
}

/// A transaction that waits in the pool.
pub(crate) fn pending_transaction(transaction: &parapet_types::Transaction) -> Transaction {
    Transaction::from_transaction(transaction.clone(), TransactionInfo::default())
}
