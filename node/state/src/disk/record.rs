//! Records as bytes. Decoding takes nothing for granted and says what is wrong.

use alloy_consensus::{Header, ReceiptEnvelope, Sealed, TxEnvelope};
use alloy_eips::{
    eip2718::{Decodable2718, Encodable2718},
    eip4895::Withdrawals,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use parapet_types::{AccountChange, AccountInfo, StateChanges, Transaction};

use super::Head;
use crate::StoredBlock;

/// Why bytes are not a record.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    #[error("{found} bytes, {expected} are expected")]
    Length { found: usize, expected: usize },
    #[error("not valid RLP: {0}")]
    Rlp(#[from] alloy_rlp::Error),
    #[error("item {index} is no valid EIP-2718 envelope: {source}")]
    Envelope { index: usize, source: alloy_eips::eip2718::Eip2718Error },
    #[error("not valid JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{transactions} transactions, but {senders} senders, {receipts} receipts and {executed} results")]
    Body { transactions: usize, senders: usize, receipts: usize, executed: usize },
}

#[derive(RlpEncodable, RlpDecodable)]
struct AccountRecord {
    nonce: u64,
    balance: U256,
    code_hash: B256,
}

#[derive(RlpEncodable, RlpDecodable)]
#[rlp(trailing)]
struct BlockRecord {
    header: Header,
    transactions: Vec<Bytes>,
    /// Kept and not recovered from signatures: that is slow, and a development chain may impersonate a sender.
    senders: Vec<Address>,
    receipts: Vec<Bytes>,
    /// JSON.
    executed: Bytes,
    /// JSON.
    chain_acts: Bytes,
    withdrawals: Option<Withdrawals>,
}

#[derive(RlpEncodable, RlpDecodable)]
struct ChangeRecord {
    address: Address,
    /// At most one.
    info: Vec<AccountRecord>,
    wipe_storage: bool,
    storage: Vec<SlotRecord>,
}

#[derive(RlpEncodable, RlpDecodable)]
struct SlotRecord {
    slot: U256,
    value: U256,
}

impl From<&AccountInfo> for AccountRecord {
    fn from(info: &AccountInfo) -> Self {
        Self { nonce: info.nonce, balance: info.balance, code_hash: info.code_hash }
    }
}

impl From<AccountRecord> for AccountInfo {
    fn from(record: AccountRecord) -> Self {
        Self { nonce: record.nonce, balance: record.balance, code_hash: record.code_hash }
    }
}

pub(super) fn encode_account(info: &AccountInfo) -> Vec<u8> {
    alloy_rlp::encode(AccountRecord::from(info))
}

pub(super) fn decode_account(bytes: &[u8]) -> Result<AccountInfo, RecordError> {
    Ok(alloy_rlp::decode_exact::<AccountRecord>(bytes)?.into())
}

pub(super) fn encode_block(block: &StoredBlock) -> Vec<u8> {
    alloy_rlp::encode(BlockRecord {
        header: block.header.inner().clone(),
        transactions: block.transactions.iter().map(|transaction| transaction.encoded_2718().into()).collect(),
        senders: block.transactions.iter().map(Transaction::signer).collect(),
        receipts: block.receipts.iter().map(|receipt| receipt.encoded_2718().into()).collect(),
        executed: serde_json::to_vec(&block.executed).expect("results are plain data").into(),
        chain_acts: serde_json::to_vec(&block.chain_acts).expect("verdicts are plain data").into(),
        withdrawals: block.withdrawals.clone(),
    })
}

pub(super) fn decode_block(bytes: &[u8]) -> Result<StoredBlock, RecordError> {
    let record: BlockRecord = alloy_rlp::decode_exact(bytes)?;
    let transactions: Vec<TxEnvelope> = decode_envelopes(&record.transactions)?;
    let receipts: Vec<ReceiptEnvelope> = decode_envelopes(&record.receipts)?;
    let executed: Vec<parapet_types::Executed> = serde_json::from_slice(&record.executed)?;
    let lengths = [record.senders.len(), receipts.len(), executed.len()];
    if lengths.iter().any(|length| *length != transactions.len()) {
        let [senders, receipts, executed] = lengths;
        return Err(RecordError::Body { transactions: transactions.len(), senders, receipts, executed });
    }
    let signed = transactions.into_iter().zip(record.senders);
    Ok(StoredBlock {
        header: Sealed::new(record.header),
        transactions: signed.map(|(transaction, sender)| Transaction::new_unchecked(transaction, sender)).collect(),
        withdrawals: record.withdrawals,
        receipts,
        executed,
        chain_acts: serde_json::from_slice(&record.chain_acts)?,
    })
}

fn decode_envelopes<T: Decodable2718>(items: &[Bytes]) -> Result<Vec<T>, RecordError> {
    let decode = |(index, item): (usize, &Bytes)| {
        T::decode_2718_exact(item).map_err(|source| RecordError::Envelope { index, source })
    };
    items.iter().enumerate().map(decode).collect()
}

pub(super) fn encode_undo(undo: &StateChanges) -> Vec<u8> {
    let records: Vec<ChangeRecord> = undo
        .accounts
        .iter()
        .map(|(address, change)| ChangeRecord {
            address: *address,
            info: change.info.iter().map(AccountRecord::from).collect(),
            wipe_storage: change.wipe_storage,
            storage: change.storage.iter().map(|(slot, value)| SlotRecord { slot: *slot, value: *value }).collect(),
        })
        .collect();
    alloy_rlp::encode(records)
}

pub(super) fn decode_undo(bytes: &[u8]) -> Result<StateChanges, RecordError> {
    let records: Vec<ChangeRecord> = alloy_rlp::decode_exact(bytes)?;
    let accounts = records.into_iter().map(|record| {
        let change = AccountChange {
            info: record.info.into_iter().next().map(AccountInfo::from),
            wipe_storage: record.wipe_storage,
            storage: record.storage.into_iter().map(|slot| (slot.slot, slot.value)).collect(),
        };
        (record.address, change)
    });
    Ok(StateChanges { accounts: accounts.collect(), ..StateChanges::default() })
}

pub(super) fn storage_key(address: &Address, slot: U256) -> [u8; 52] {
    let mut key = [0; 52];
    key[..20].copy_from_slice(address.as_slice());
    key[20..].copy_from_slice(&slot.to_be_bytes::<32>());
    key
}

pub(super) fn decode_storage_key(bytes: &[u8]) -> Result<(Address, U256), RecordError> {
    let key: [u8; 52] = sized(bytes)?;
    Ok((Address::from_slice(&key[..20]), U256::from_be_slice(&key[20..])))
}

pub(super) fn encode_head(block: &StoredBlock) -> Vec<u8> {
    [&block.number().to_be_bytes(), block.hash().as_slice()].concat()
}

pub(super) fn decode_head(bytes: &[u8]) -> Result<Head, RecordError> {
    let head: [u8; 40] = sized(bytes)?;
    let (number, hash) = head.split_at(8);
    Ok(Head { number: u64::from_be_bytes(sized(number)?), hash: B256::from_slice(hash) })
}

/// Number of the block and index in it.
pub(super) fn encode_place(number: u64, index: usize) -> [u8; 16] {
    let mut place = [0; 16];
    place[..8].copy_from_slice(&number.to_be_bytes());
    place[8..].copy_from_slice(&(index as u64).to_be_bytes());
    place
}

/// Bytes of a known length.
pub(super) fn sized<const N: usize>(bytes: &[u8]) -> Result<[u8; N], RecordError> {
    bytes.try_into().map_err(|_| RecordError::Length { found: bytes.len(), expected: N })
}
