//! How records are written as bytes: RLP, EIP-2718 envelopes, and JSON for what has neither.

use alloy_consensus::{Header, ReceiptEnvelope, Sealed, TxEnvelope};
use alloy_eips::{
    eip2718::{Decodable2718, Encodable2718},
    eip4895::Withdrawals,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use parapet_types::{AccountInfo, Executed, Transaction};

use super::{
    base::StoredAccount,
    schema::{ACCOUNTS, STORAGE, StateKey},
};
use crate::{StoredBlock, trie::Place, world::Slot};

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
    #[error("a change set with a broken list of keys")]
    Keys,
    #[error("no record has kind {0}")]
    Kind(u8),
}

/// Number and hash of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) number: u64,
    pub(super) hash: B256,
}

#[derive(RlpEncodable, RlpDecodable)]
struct AccountRecord {
    address: Address,
    nonce: u64,
    balance: U256,
    code_hash: B256,
    storage_root: B256,
}

#[derive(RlpEncodable, RlpDecodable)]
struct SlotRecord {
    slot: U256,
    value: U256,
}

#[derive(RlpEncodable, RlpDecodable)]
#[rlp(trailing)]
struct BodyRecord {
    transactions: Vec<Bytes>,
    /// Kept and not recovered from signatures: that is slow, and a development chain may impersonate a sender.
    senders: Vec<Address>,
    withdrawals: Option<Withdrawals>,
    /// Of a block from before the merge that has any.
    ommers: Option<Vec<Header>>,
}

#[derive(RlpEncodable, RlpDecodable)]
struct ResultsRecord {
    /// JSON.
    executed: Bytes,
    /// JSON.
    chain_acts: Bytes,
}

pub(super) fn encode_account(account: &StoredAccount) -> Vec<u8> {
    let StoredAccount { address, info: AccountInfo { nonce, balance, code_hash }, storage_root } = *account;
    alloy_rlp::encode(AccountRecord { address, nonce, balance, code_hash, storage_root })
}

pub(super) fn decode_account(bytes: &[u8]) -> Result<StoredAccount, RecordError> {
    let AccountRecord { address, nonce, balance, code_hash, storage_root } = alloy_rlp::decode_exact(bytes)?;
    Ok(StoredAccount { address, info: AccountInfo { nonce, balance, code_hash }, storage_root })
}

pub(super) fn encode_slot(&(slot, value): &Slot) -> Vec<u8> {
    alloy_rlp::encode(SlotRecord { slot, value })
}

pub(super) fn decode_slot(bytes: &[u8]) -> Result<Slot, RecordError> {
    let SlotRecord { slot, value } = alloy_rlp::decode_exact(bytes)?;
    Ok((slot, value))
}

/// The parts of a block, one for each family.
pub(super) struct BlockParts<B> {
    pub(super) header: B,
    pub(super) body: B,
    pub(super) receipts: B,
    pub(super) results: B,
}

pub(super) fn encode_block(block: &StoredBlock) -> BlockParts<Vec<u8>> {
    let receipts: Vec<Bytes> = block.receipts.iter().map(|receipt| receipt.encoded_2718().into()).collect();
    BlockParts {
        header: alloy_rlp::encode(block.header.inner()),
        body: alloy_rlp::encode(BodyRecord {
            transactions: block.transactions.iter().map(|transaction| transaction.encoded_2718().into()).collect(),
            senders: block.transactions.iter().map(Transaction::signer).collect(),
            withdrawals: block.withdrawals.clone(),
            ommers: (!block.ommers.is_empty()).then(|| block.ommers.clone()),
        }),
        receipts: alloy_rlp::encode(receipts),
        results: alloy_rlp::encode(ResultsRecord {
            executed: serde_json::to_vec(&block.executed).expect("results are plain data").into(),
            chain_acts: serde_json::to_vec(&block.chain_acts).expect("verdicts are plain data").into(),
        }),
    }
}

pub(super) fn decode_header(bytes: &[u8]) -> Result<Sealed<Header>, RecordError> {
    Ok(Sealed::new(alloy_rlp::decode_exact(bytes)?))
}

pub(super) fn decode_block(parts: &BlockParts<Vec<u8>>) -> Result<StoredBlock, RecordError> {
    let body: BodyRecord = alloy_rlp::decode_exact(&parts.body)?;
    let transactions: Vec<TxEnvelope> = decode_envelopes(&body.transactions)?;
    let receipts: Vec<Bytes> = alloy_rlp::decode_exact(&parts.receipts)?;
    let receipts: Vec<ReceiptEnvelope> = decode_envelopes(&receipts)?;
    let results: ResultsRecord = alloy_rlp::decode_exact(&parts.results)?;
    let executed: Vec<Executed> = serde_json::from_slice(&results.executed)?;
    let lengths = [body.senders.len(), receipts.len(), executed.len()];
    if lengths.iter().any(|length| *length != transactions.len()) {
        let [senders, receipts, executed] = lengths;
        return Err(RecordError::Body { transactions: transactions.len(), senders, receipts, executed });
    }
    let signed = transactions.into_iter().zip(body.senders);
    Ok(StoredBlock {
        header: decode_header(&parts.header)?,
        transactions: signed.map(|(transaction, sender)| Transaction::new_unchecked(transaction, sender)).collect(),
        withdrawals: body.withdrawals,
        ommers: body.ommers.unwrap_or_default(),
        receipts,
        executed,
        chain_acts: serde_json::from_slice(&results.chain_acts)?,
    })
}

pub(super) fn decode_envelopes<T: Decodable2718>(items: &[Bytes]) -> Result<Vec<T>, RecordError> {
    let decode = |(index, item): (usize, &Bytes)| {
        T::decode_2718_exact(item).map_err(|source| RecordError::Envelope { index, source })
    };
    items.iter().enumerate().map(decode).collect()
}

/// What a block wrote into the families that hold state: keys without their versions.
#[derive(Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(super) struct ChangeSet {
    /// Keys of accounts.
    accounts: Bytes,
    /// Places in the trie of accounts.
    nodes: Bytes,
    storage: Vec<StorageChanges>,
}

/// The same, within one account.
#[derive(Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
struct StorageChanges {
    account: B256,
    slots: Bytes,
    nodes: Bytes,
}

impl ChangeSet {
    /// The change set with these keys.
    pub(super) fn of(keys: &std::collections::BTreeSet<StateKey>) -> Self {
        let (mut accounts, mut nodes) = (Vec::new(), Vec::new());
        let mut storage = std::collections::BTreeMap::<B256, (Vec<u8>, Vec<u8>)>::new();
        for StateKey { family, bytes } in keys {
            match *family {
                ACCOUNTS => accounts.extend_from_slice(bytes),
                super::schema::ACCOUNT_NODES => nodes.extend_from_slice(bytes),
                family => {
                    let (account, rest) = bytes.split_at(32);
                    let (slots, nodes) = storage.entry(B256::from_slice(account)).or_default();
                    if family == STORAGE { slots.extend_from_slice(rest) } else { nodes.extend_from_slice(rest) }
                }
            }
        }
        let storage = storage.into_iter().map(|(account, (slots, nodes))| StorageChanges {
            account,
            slots: slots.into(),
            nodes: nodes.into(),
        });
        Self { accounts: accounts.into(), nodes: nodes.into(), storage: storage.collect() }
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        Ok(alloy_rlp::decode_exact(bytes)?)
    }

    /// Its keys.
    pub(super) fn keys(&self) -> Result<Vec<StateKey>, RecordError> {
        let mut keys: Vec<_> = words(&self.accounts)?.map(|account| StateKey::account(&account)).collect();
        keys.extend(places(&self.nodes)?.into_iter().map(|place| StateKey::node(None, place)));
        for StorageChanges { account, slots, nodes } in &self.storage {
            keys.extend(words(slots)?.map(|slot| StateKey::slot(account, &slot)));
            keys.extend(places(nodes)?.into_iter().map(|place| StateKey::node(Some(account), place)));
        }
        Ok(keys)
    }
}

fn words(bytes: &Bytes) -> Result<impl Iterator<Item = B256> + '_, RecordError> {
    let words = bytes.chunks_exact(32);
    if words.remainder().is_empty() { Ok(words.map(B256::from_slice)) } else { Err(RecordError::Keys) }
}

fn places(mut bytes: &[u8]) -> Result<Vec<Place>, RecordError> {
    let mut places = Vec::new();
    while !bytes.is_empty() {
        let (place, length) = Place::read(bytes).ok_or(RecordError::Keys)?;
        places.push(place);
        bytes = &bytes[length..];
    }
    Ok(places)
}

pub(super) fn encode_head(Head { number, hash }: Head) -> Vec<u8> {
    [&number.to_be_bytes(), hash.as_slice()].concat()
}

pub(super) fn decode_head(bytes: &[u8]) -> Result<Head, RecordError> {
    let head: [u8; 40] = sized(bytes)?;
    let (number, hash) = head.split_at(8);
    Ok(Head { number: decode_number(number)?, hash: B256::from_slice(hash) })
}

pub(super) fn decode_number(bytes: &[u8]) -> Result<u64, RecordError> {
    Ok(u64::from_be_bytes(sized(bytes)?))
}

/// Number of the block and index in it.
pub(super) fn encode_place(number: u64, index: usize) -> [u8; 16] {
    let mut place = [0; 16];
    place[..8].copy_from_slice(&number.to_be_bytes());
    place[8..].copy_from_slice(&(index as u64).to_be_bytes());
    place
}

pub(super) fn decode_place(bytes: &[u8]) -> Result<(u64, usize), RecordError> {
    let place: [u8; 16] = sized(bytes)?;
    let (number, index) = place.split_at(8);
    let index = usize::try_from(decode_number(index)?).map_err(|_| RecordError::Keys)?;
    Ok((decode_number(number)?, index))
}

/// Bytes of a known length.
pub(super) fn sized<const N: usize>(bytes: &[u8]) -> Result<[u8; N], RecordError> {
    bytes.try_into().map_err(|_| RecordError::Length { found: bytes.len(), expected: N })
}
