//! The chain in RocksDB. Invariant: a block is one batch, synced before anyone hears of it, so the folder always holds
//! a whole chain up to its head, with the flat state after it.
//!
//! | family | key | value |
//! |---|---|---|
//! | `meta` | `format`, `params`, `head` | version (u32), JSON, number and hash |
//! | `meta` | `amendments` | what was amended since the head, JSON; absent when nothing was |
//! | `accounts` | address | RLP of nonce, balance, code hash |
//! | `storage` | address, slot | word, never zero |
//! | `code` | hash | code |
//! | `blocks` | number | RLP of header, transactions, senders, receipts, results (JSON), verdicts on the chain's own acts (JSON), withdrawals |
//! | `undo` | number | RLP of the change set that leads from the block's state to its parent's |
//! | `transactions` | hash | number of the block, index |
//!
//! Integers in keys and values are big-endian, so that keys sort by number.
//!
//! The database lies in `chain/` of the data folder; beside it, `announced` remembers the newest block (see [`marker`]).

mod load;
mod marker;
mod record;

use std::path::{Path, PathBuf};

use alloy_primitives::{B256, U256};
use parapet_types::StateChanges;
use rocksdb::{
    ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType, DBRecoveryMode, Options, WriteBatch, WriteOptions,
};

use self::marker::Marker;
use crate::{GenesisBlock, StoreError, StoredBlock, WorldState, store::Kept};

/// Version of the format above, raised with every change of it. A folder of another version is refused.
///
/// | version | what changed |
/// |---|---|
/// | 1 | |
/// | 2 | parameters say how guards are paid for, results what that came to; blocks hold verdicts on the chain's own acts |
pub const FORMAT_VERSION: u32 = 2;

/// The database's own folder within the data folder.
const DATABASE_DIR: &str = "chain";
/// Log files of the database that are kept.
const LOG_FILES_MAX: usize = 4;
/// Bytes of write-ahead log after which memory tables are flushed: bounds the time that opening takes.
const WAL_BYTES_MAX: u64 = 128 * 1_024 * 1_024;

const META: &str = "meta";
const ACCOUNTS: &str = "accounts";
const STORAGE: &str = "storage";
const CODE: &str = "code";
const BLOCKS: &str = "blocks";
const UNDO: &str = "undo";
const TRANSACTIONS: &str = "transactions";
const FAMILIES: [&str; 7] = [META, ACCOUNTS, STORAGE, CODE, BLOCKS, UNDO, TRANSACTIONS];
/// RocksDB makes this one in every database; nothing is kept in it.
const DEFAULT: &str = "default";

const META_FORMAT: &str = "format";
const META_PARAMS: &str = "params";
const META_HEAD: &str = "head";
const META_AMENDMENTS: &str = "amendments";

/// A key and its value.
type Record = (Box<[u8]>, Box<[u8]>);

/// An open folder.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
    db: DB,
    marker: Marker,
    /// Set by a write that failed: whether it is in the database is then unknown until it is opened anew.
    failed: bool,
}

impl Disk {
    /// Opens a folder and loads its chain, or begins one.
    pub(crate) fn open(dir: &Path, genesis: &GenesisBlock) -> Result<(Self, Vec<Kept>), StoreError> {
        let path = dir.join(DATABASE_DIR);
        check_files(&path)?;
        let db = open_database(&path)?;
        let marker = Marker::open(dir)?;
        let mut disk = Self { path, db, marker, failed: false };
        if disk.is_new()? {
            disk.marker.check(0)?;
            disk.begin(genesis)?;
        }
        let kept = disk.load(genesis)?;
        let head = kept.last().map_or(0, |kept| kept.block.number());
        disk.marker.check(head)?;
        disk.marker.advance(head);
        Ok((disk, kept))
    }

    /// Writes a block and what it does to state. `before` is the state after its parent.
    pub(crate) fn commit(
        &mut self,
        block: &StoredBlock,
        changes: &StateChanges,
        before: &WorldState,
    ) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        self.put_block(&mut batch, block);
        self.put_changes(&mut batch, changes, before);
        let undo = record::encode_undo(&before.undo_of(changes));
        batch.put_cf(self.family(UNDO), block.number().to_be_bytes(), undo);
        batch.delete_cf(self.family(META), META_AMENDMENTS);
        self.write(batch, "writing a block")?;
        self.marker.advance(block.number());
        Ok(())
    }

    /// Writes what is amended since the head, in place of what was.
    pub(crate) fn amend(&mut self, amendments: &StateChanges) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        if *amendments == StateChanges::default() {
            batch.delete_cf(self.family(META), META_AMENDMENTS);
        } else {
            let json = serde_json::to_vec(amendments).expect("amendments are plain data");
            batch.put_cf(self.family(META), META_AMENDMENTS, json);
        }
        self.write(batch, "writing amendments")
    }

    /// What was amended since the head.
    pub(crate) fn amendments(&self) -> Result<StateChanges, StoreError> {
        let Some(json) = self.get(META, META_AMENDMENTS.as_bytes())? else { return Ok(StateChanges::default()) };
        serde_json::from_slice(&json).map_err(|reason| self.corrupted(META, META_AMENDMENTS.as_bytes(), reason))
    }

    /// Drops all blocks but the first of `kept`, which ends with the head.
    pub(crate) fn rewind(&mut self, kept: &[Kept]) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        for dropped in kept.iter().skip(1).rev() {
            let number = dropped.block.number();
            self.put_changes(&mut batch, &self.undo(number)?, &dropped.world);
            batch.delete_cf(self.family(BLOCKS), number.to_be_bytes());
            batch.delete_cf(self.family(UNDO), number.to_be_bytes());
            for transaction in &dropped.block.transactions {
                batch.delete_cf(self.family(TRANSACTIONS), transaction.tx_hash());
            }
        }
        if let Some(head) = kept.first() {
            self.marker.lower(head.block.number())?;
            batch.put_cf(self.family(META), META_HEAD, record::encode_head(&head.block));
        }
        batch.delete_cf(self.family(META), META_AMENDMENTS);
        self.write(batch, "dropping blocks")
    }

    fn begin(&mut self, genesis: &GenesisBlock) -> Result<(), StoreError> {
        let params = serde_json::to_vec(&genesis.params).expect("parameters are plain data");
        let mut batch = WriteBatch::default();
        batch.put_cf(self.family(META), META_FORMAT, FORMAT_VERSION.to_be_bytes());
        batch.put_cf(self.family(META), META_PARAMS, params);
        self.put_block(&mut batch, &StoredBlock::genesis(genesis.header.clone()));
        self.put_changes(&mut batch, &genesis.world.to_changes(), &WorldState::new());
        self.write(batch, "writing the genesis block")
    }

    fn put_block(&self, batch: &mut WriteBatch, block: &StoredBlock) {
        let number = block.number();
        batch.put_cf(self.family(BLOCKS), number.to_be_bytes(), record::encode_block(block));
        batch.put_cf(self.family(META), META_HEAD, record::encode_head(block));
        for (index, transaction) in block.transactions.iter().enumerate() {
            let place = record::encode_place(number, index);
            batch.put_cf(self.family(TRANSACTIONS), transaction.tx_hash(), place);
        }
    }

    fn put_changes(&self, batch: &mut WriteBatch, changes: &StateChanges, before: &WorldState) {
        let (accounts, storage) = (self.family(ACCOUNTS), self.family(STORAGE));
        for (address, change) in &changes.accounts {
            if change.wipe_storage || change.info.is_none() {
                for (slot, _) in before.slots(address) {
                    batch.delete_cf(storage, record::storage_key(address, slot));
                }
            }
            let Some(info) = &change.info else {
                batch.delete_cf(accounts, address);
                continue;
            };
            batch.put_cf(accounts, address, record::encode_account(info));
            for (slot, value) in &change.storage {
                let key = record::storage_key(address, *slot);
                if *value == U256::ZERO {
                    batch.delete_cf(storage, key);
                } else {
                    batch.put_cf(storage, key, value.to_be_bytes::<32>());
                }
            }
        }
        for (hash, code) in &changes.code {
            batch.put_cf(self.family(CODE), hash, code);
        }
    }

    fn write(&mut self, batch: WriteBatch, action: &'static str) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Failed { path: self.path.clone() });
        }
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.db.write_opt(batch, &options).map_err(|source| {
            self.failed = true;
            self.database(action, source)
        })
    }

    fn undo(&self, number: u64) -> Result<StateChanges, StoreError> {
        let key = number.to_be_bytes();
        let bytes = self.get(UNDO, &key)?.ok_or_else(|| self.corrupted(UNDO, &key, "missing"))?;
        record::decode_undo(&bytes).map_err(|reason| self.corrupted(UNDO, &key, reason))
    }

    fn get(&self, family: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.db.get_cf(self.family(family), key).map_err(|source| self.database("reading a record", source))
    }

    fn family(&self, name: &'static str) -> &ColumnFamily {
        self.db.cf_handle(name).expect("the database was opened with every family")
    }

    fn database(&self, action: &'static str, source: rocksdb::Error) -> StoreError {
        StoreError::Database { path: self.path.clone(), action, source }
    }

    fn corrupted(&self, family: &'static str, key: &[u8], reason: impl std::fmt::Display) -> StoreError {
        let key = match std::str::from_utf8(key) {
            Ok(text) if family == META => text.to_owned(),
            _ => alloy_primitives::hex::encode_prefixed(key),
        };
        StoreError::Corrupted { path: self.path.clone(), family, key, reason: reason.to_string() }
    }
}

/// Refuses a folder that lost the file which says what belongs to the database: RocksDB would begin a new one there.
fn check_files(path: &Path) -> Result<(), StoreError> {
    let folder = |source| StoreError::Folder { path: path.to_owned(), source };
    std::fs::create_dir_all(path).map_err(folder)?;
    if path.join("CURRENT").exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(folder)? {
        let entry = entry.map_err(folder)?;
        let name = entry.file_name();
        let holds_data = [".sst", ".log"].iter().any(|end| name.to_string_lossy().ends_with(end));
        if holds_data && entry.metadata().map_err(folder)?.len() > 0 {
            return Err(StoreError::Incomplete { path: path.to_owned(), missing: "CURRENT" });
        }
    }
    Ok(())
}

fn open_database(path: &Path) -> Result<DB, StoreError> {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_keep_log_file_num(LOG_FILES_MAX);
    options.set_max_total_wal_size(WAL_BYTES_MAX);
    options.set_compression_type(DBCompressionType::Lz4);
    // A crash may tear the last record, which nobody has heard of. Any other damage is reported, never skipped.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    if path.join("CURRENT").exists() {
        let database = |source| StoreError::Database { path: path.to_owned(), action: "reading its families", source };
        let mut found = DB::list_cf(&options, path).map_err(database)?;
        found.retain(|name| name != DEFAULT && !FAMILIES.contains(&name.as_str()));
        if !found.is_empty() {
            // A later format may have more families; its number says more than their names.
            peek_format(&options, path).map_or(Ok(()), |number| supported(path, number))?;
            return Err(StoreError::Unknown { path: path.to_owned(), found });
        }
    }
    let families = FAMILIES.map(|name| ColumnFamilyDescriptor::new(name, options.clone()));
    DB::open_cf_descriptors(&options, path, families).map_err(|source| {
        let path = path.to_owned();
        // The lock has no error kind of its own; its file is named LOCK, and no other file is.
        if source.as_ref().contains("LOCK") {
            StoreError::InUse { path, source }
        } else {
            StoreError::Database { path, action: "opening it", source }
        }
    })
}

/// The number of the format of a database that cannot be opened as a whole, if it says one.
fn peek_format(options: &Options, path: &Path) -> Option<u32> {
    let db = DB::open_cf_for_read_only(options, path, [META], false).ok()?;
    let number = db.get_cf(db.cf_handle(META)?, META_FORMAT).ok()??;
    record::sized(&number).ok().map(u32::from_be_bytes)
}

/// Refuses every format but this program's.
fn supported(path: &Path, found: u32) -> Result<(), StoreError> {
    match found {
        FORMAT_VERSION => Ok(()),
        _ => Err(StoreError::Format { path: path.to_owned(), found, expected: FORMAT_VERSION }),
    }
}

/// Number and hash of the newest block, as `meta` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    number: u64,
    hash: B256,
}
