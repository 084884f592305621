//! Folders of format 2, which held the newest state alone, and the way back from each block: read, and never written.
//!
//! | family | key | value |
//! |---|---|---|
//! | `meta` | `params`, `head`, `amendments` | as in this format |
//! | `accounts` | address | RLP of nonce, balance, code hash |
//! | `storage` | address, slot | word, never zero |
//! | `code` | hash | code |
//! | `blocks` | number | RLP of header, transactions, senders, receipts, results (JSON), verdicts on the chain's own acts (JSON), withdrawals |
//! | `undo` | number | RLP of the change set that leads from the block's state to its parent's |

use std::path::{Path, PathBuf};

use alloy_consensus::{Header, ReceiptEnvelope, Sealed, TxEnvelope};
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use parapet_types::{AccountChange, AccountInfo, ChainSpec, Executed, StateChanges, Transaction};
use rocksdb::{DB, InfoLogger, IteratorMode, LogLevel, Options};

use super::{
    database::recovery,
    database_dir,
    marker::Marker,
    record::{self, RecordError},
    schema::{META, META_AMENDMENTS, META_FORMAT, META_HEAD, META_PARAMS},
};
use crate::{StoreError, StoredBlock, WorldState};

/// The format that is read here.
pub(crate) const FORMER_VERSION: u32 = 2;

const ACCOUNTS: &str = "accounts";
const STORAGE: &str = "storage";
const CODE: &str = "code";
const BLOCKS: &str = "blocks";
const UNDO: &str = "undo";

/// An open folder of format 2.
pub(crate) struct Former {
    path: PathBuf,
    database: DB,
    /// Keeps everybody else out.
    marker: Marker,
    head: u64,
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
    senders: Vec<Address>,
    receipts: Vec<Bytes>,
    executed: Bytes,
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

impl From<AccountRecord> for AccountInfo {
    fn from(record: AccountRecord) -> Self {
        Self { nonce: record.nonce, balance: record.balance, code_hash: record.code_hash }
    }
}

impl Former {
    /// Opens a data folder for reading.
    pub(crate) fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = database_dir(dir);
        if !path.join("CURRENT").exists() {
            return Err(StoreError::NoChain { path: dir.to_owned() });
        }
        let marker = Marker::open(dir)?;
        let failed = |source| StoreError::Database { path: path.clone(), action: "opening it for reading", source };
        let families = DB::list_cf(&recovery(), &path).map_err(failed)?;
        let database = DB::open_cf_for_read_only(&quiet(), &path, families, false).map_err(failed)?;
        let mut former = Self { path, database, marker, head: 0 };
        let version: [u8; 4] = former.meta(META_FORMAT, record::sized)?;
        let found = u32::from_be_bytes(version);
        if found != FORMER_VERSION {
            return Err(StoreError::NotFormer { path: former.path, found });
        }
        former.head = former.meta(META_HEAD, record::decode_head)?.number;
        former.marker.check(former.head)?;
        Ok(former)
    }

    /// Number of the newest block.
    pub(crate) const fn head(&self) -> u64 {
        self.head
    }

    /// What the chain is.
    pub(crate) fn spec(&self) -> Result<ChainSpec, StoreError> {
        self.meta(META_PARAMS, |json| Ok(serde_json::from_slice(json)?))
    }

    /// What was amended since the head.
    pub(crate) fn amendments(&self) -> Result<StateChanges, StoreError> {
        match self.get(META, META_AMENDMENTS.as_bytes())? {
            None => Ok(StateChanges::default()),
            Some(json) => {
                self.decoded(META, META_AMENDMENTS.as_bytes(), &json, |json| Ok(serde_json::from_slice(json)?))
            }
        }
    }

    /// A block that is in the chain.
    pub(crate) fn block(&self, number: u64) -> Result<StoredBlock, StoreError> {
        self.numbered(BLOCKS, number, decode_block)
    }

    /// What leads from a block's state to its parent's.
    pub(crate) fn undo(&self, number: u64) -> Result<StateChanges, StoreError> {
        self.numbered(UNDO, number, decode_undo)
    }

    /// The state after the newest block.
    pub(crate) fn head_world(&self) -> Result<WorldState, StoreError> {
        let mut all = StateChanges::default();
        self.each(CODE, |key, code| {
            all.code.insert(B256::from(record::sized::<32>(key)?), Bytes::copy_from_slice(code));
            Ok(())
        })?;
        self.each(ACCOUNTS, |key, bytes| {
            let info = AccountInfo::from(alloy_rlp::decode_exact::<AccountRecord>(bytes)?);
            let change = AccountChange { info: Some(info), ..AccountChange::default() };
            all.accounts.insert(Address::from(record::sized::<20>(key)?), change);
            Ok(())
        })?;
        self.each(STORAGE, |key, word| {
            let key: [u8; 52] = record::sized(key)?;
            let (address, slot) = (Address::from_slice(&key[..20]), U256::from_be_slice(&key[20..]));
            let account = all.accounts.get_mut(&address).ok_or(RecordError::Keys)?;
            account.storage.insert(slot, U256::from_be_bytes(record::sized::<32>(word)?));
            Ok(())
        })?;
        Ok(WorldState::of(&all))
    }

    fn each(
        &self,
        family: &'static str,
        mut take: impl FnMut(&[u8], &[u8]) -> Result<(), RecordError>,
    ) -> Result<(), StoreError> {
        let Some(handle) = self.database.cf_handle(family) else { return Err(self.no_family(family)) };
        for entry in self.database.iterator_cf(handle, IteratorMode::Start) {
            let (key, value) = entry.map_err(|source| self.failed(source))?;
            self.decoded(family, &key, &value, |value| take(&key, value))?;
        }
        Ok(())
    }

    fn meta<T>(
        &self,
        key: &'static str,
        decode: impl FnOnce(&[u8]) -> Result<T, RecordError>,
    ) -> Result<T, StoreError> {
        self.required(META, key.as_bytes(), decode)
    }

    fn numbered<T>(
        &self,
        family: &'static str,
        number: u64,
        decode: impl FnOnce(&[u8]) -> Result<T, RecordError>,
    ) -> Result<T, StoreError> {
        self.required(family, &number.to_be_bytes(), decode)
    }

    fn required<T>(
        &self,
        family: &'static str,
        key: &[u8],
        decode: impl FnOnce(&[u8]) -> Result<T, RecordError>,
    ) -> Result<T, StoreError> {
        let bytes = self.get(family, key)?.ok_or_else(|| self.corrupted(family, key, "missing"))?;
        self.decoded(family, key, &bytes, decode)
    }

    fn decoded<T>(
        &self,
        family: &'static str,
        key: &[u8],
        bytes: &[u8],
        decode: impl FnOnce(&[u8]) -> Result<T, RecordError>,
    ) -> Result<T, StoreError> {
        decode(bytes).map_err(|reason| self.corrupted(family, key, reason))
    }

    fn get(&self, family: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(handle) = self.database.cf_handle(family) else { return Err(self.no_family(family)) };
        self.database.get_cf(handle, key).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: rocksdb::Error) -> StoreError {
        StoreError::Database { path: self.path.clone(), action: "reading a record", source }
    }

    fn no_family(&self, missing: &'static str) -> StoreError {
        StoreError::Incomplete { path: self.path.clone(), missing }
    }

    fn corrupted(&self, family: &'static str, key: &[u8], reason: impl std::fmt::Display) -> StoreError {
        let key = alloy_primitives::hex::encode_prefixed(key);
        StoreError::Corrupted { path: self.path.clone(), family, key, reason: reason.to_string() }
    }
}

/// As for any look, but for RocksDB's own notes, which would be a new file in the folder.
fn quiet() -> Options {
    let mut options = recovery();
    options.set_info_logger(InfoLogger::new_callback_logger(LogLevel::Fatal, |_, _| ()));
    options
}

fn decode_block(bytes: &[u8]) -> Result<StoredBlock, RecordError> {
    let record: BlockRecord = alloy_rlp::decode_exact(bytes)?;
    let transactions: Vec<TxEnvelope> = record::decode_envelopes(&record.transactions)?;
    let receipts: Vec<ReceiptEnvelope> = record::decode_envelopes(&record.receipts)?;
    let executed: Vec<Executed> = serde_json::from_slice(&record.executed)?;
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
        ommers: Vec::new(),
        receipts,
        executed,
        chain_acts: serde_json::from_slice(&record.chain_acts)?,
    })
}

fn decode_undo(bytes: &[u8]) -> Result<StateChanges, RecordError> {
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
