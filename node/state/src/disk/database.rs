//! RocksDB, as this store uses it: how it is opened, and reads and writes whose errors say where.
//!
//! *Damage.* Every block of a file and every record of the write-ahead log has a checksum, which is looked at by each read.
//! A record that is torn off at the end of the log is what a crash leaves of a write that nobody has heard of, and is
//! dropped; any other damage there is an error. Recovery to a point in time, RocksDB's own default, would also drop
//! whatever follows a damaged record without a word; absolute consistency would refuse what every crash leaves. What looks
//! like a torn write and is none is found by the [marker](super::marker).

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType, DBRawIterator,
    DBRecoveryMode, IteratorMode, Options, ReadOptions, SliceTransform, WriteBatch, WriteOptions,
};

use super::schema::{FAMILIES, META, StateKey, VERSIONED};
use crate::{StoreError, StoreSettings, settings::SyncMode};

/// Log files of the database that are kept.
const LOG_FILES_MAX: usize = 4;
/// Bytes of write-ahead log after which memory tables are flushed: bounds the time that opening takes.
const WAL_BYTES_MAX: u64 = 128 * 1_024 * 1_024;
/// Least size of a memory table, below which files would be too many.
const TABLE_BYTES_MIN: usize = 1_024 * 1_024;
/// Files that are kept open; others are opened again as they are needed.
const OPEN_FILES_MAX: i32 = 512;
/// Bits per key of the filters that tell that a file does not have a key: one look in a hundred is in vain.
const FILTER_BITS: f64 = 10.0;
/// Share of a memory table that is such a filter.
const TABLE_FILTER_SHARE: f64 = 0.02;

/// What the system says where it does not let a file be opened, whoever has it.
const DENIALS: [&str; 3] = ["Permission denied", "Read-only file system", "No space left"];

/// A key and its value.
pub(crate) type Record = (Box<[u8]>, Box<[u8]>);

/// An open database.
pub(crate) struct Database {
    pub(crate) path: PathBuf,
    pub(crate) db: DB,
    pub(crate) cache: Cache,
    pub(crate) options: Options,
    /// What it failed with first. Whatever failed to be read may be wrong elsewhere, too, and what a failed write left is not
    /// known until it is opened anew: nothing is written after it.
    failure: OnceLock<String>,
}

impl Database {
    pub(crate) fn open(path: &Path, settings: &StoreSettings) -> Result<Self, StoreError> {
        let options = options(settings);
        let cache = Cache::new_lru_cache(settings.block_cache_bytes);
        let families = FAMILIES.map(|name| ColumnFamilyDescriptor::new(name, family_options(name, &options, &cache)));
        let opened = DB::open_cf_descriptors(&options, path, families);
        let db = opened.map_err(|source| {
            let path = path.to_owned();
            // An older program may hold it, which had but the database's own lock. That has no error kind of its own; its
            // file is named LOCK, and no other file is.
            let said = source.as_ref();
            if said.contains("LOCK") && said.contains("lock") && !DENIALS.iter().any(|denial| said.contains(denial)) {
                StoreError::InUse { path }
            } else {
                StoreError::Database { path, action: "opening it", source }
            }
        })?;
        Ok(Self { path: path.to_owned(), db, cache, options, failure: OnceLock::new() })
    }

    pub(crate) fn get(&self, family: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.db.get_cf(self.family(family), key).map_err(|source| self.failed("reading a record", source))
    }

    /// What held for a key after a block, and the block that wrote it; `None` where nothing did, or it was removed.
    pub(crate) fn newest(&self, key: &StateKey, block: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let records = self.versions(key, block);
        let found = match records.item() {
            Some((found, value)) if !value.is_empty() => key.version_of(found).map(|version| (version, value.to_vec())),
            Some(_) | None => None,
        };
        records.status().map_err(|source| self.failed("reading state", source))?;
        Ok(found)
    }

    /// What was written for a key up to a block, newest first: the blocks that wrote it, and values, which are empty where it was
    /// removed.
    pub(crate) fn versions_up_to(&self, key: &StateKey, block: u64) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let (mut records, mut all) = (self.versions(key, block), Vec::new());
        while let Some((found, value)) = records.item() {
            let Some(version) = key.version_of(found) else { break };
            all.push((version, value.to_vec()));
            records.next();
        }
        records.status().map_err(|source| self.failed("reading state", source))?;
        Ok(all)
    }

    /// Stands at the newest record of a key up to a block, and does not leave the key.
    fn versions(&self, key: &StateKey, block: u64) -> DBRawIterator<'_> {
        let mut options = ReadOptions::default();
        options.set_prefix_same_as_start(true);
        options.set_iterate_upper_bound([&key.bytes[..], &[0xff; 9]].concat());
        let mut records = self.db.raw_iterator_cf_opt(self.family(key.family), options);
        records.seek(key.at(block));
        records
    }

    /// All records of a family, in order of keys.
    pub(crate) fn records(&self, family: &'static str) -> impl Iterator<Item = Result<Record, StoreError>> + '_ {
        self.records_from(family, &[])
    }

    /// Records of a family from a key on.
    pub(crate) fn records_from(
        &self,
        family: &'static str,
        key: &[u8],
    ) -> impl Iterator<Item = Result<Record, StoreError>> + '_ {
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        let from = IteratorMode::From(key, rocksdb::Direction::Forward);
        let records = self.db.iterator_cf_opt(self.family(family), options, from);
        records.map(|entry| entry.map_err(|source| self.failed("reading records", source)))
    }

    pub(crate) fn write(&self, batch: WriteBatch, sync: SyncMode, action: &'static str) -> Result<(), StoreError> {
        self.check_unfailed()?;
        let mut options = WriteOptions::default();
        options.set_sync(sync == SyncMode::Block);
        self.db.write_opt(batch, &options).map_err(|source| self.failed(action, source))
    }

    pub(crate) fn family(&self, name: &'static str) -> &ColumnFamily {
        self.db.cf_handle(name).expect("the database was opened with every family")
    }

    /// Refuses where something has failed before.
    pub(crate) fn check_unfailed(&self) -> Result<(), StoreError> {
        match self.failure.get() {
            Some(first) => Err(StoreError::Failed { path: self.path.clone(), first: first.clone() }),
            None => Ok(()),
        }
    }

    pub(crate) fn failed(&self, action: &'static str, source: rocksdb::Error) -> StoreError {
        self.note(StoreError::Database { path: self.path.clone(), action, source })
    }

    pub(crate) fn corrupted(&self, family: &'static str, key: &[u8], reason: impl std::fmt::Display) -> StoreError {
        let key = match std::str::from_utf8(key) {
            Ok(text) if family == META => text.to_owned(),
            _ => alloy_primitives::hex::encode_prefixed(key),
        };
        self.note(StoreError::Corrupted { path: self.path.clone(), family, key, reason: reason.to_string() })
    }

    /// Remembers the first failure.
    pub(crate) fn note(&self, error: StoreError) -> StoreError {
        self.failure.get_or_init(|| error.to_string());
        error
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Whether an error names a file of this folder.
pub(super) fn is_about(source: &rocksdb::Error, path: &Path) -> bool {
    path.to_str().is_some_and(|path| source.as_ref().contains(path))
}

/// What holds for whoever reads the files, for good or for a look.
pub(super) fn recovery() -> Options {
    let mut options = Options::default();
    options.set_paranoid_checks(true);
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options
}

fn options(settings: &StoreSettings) -> Options {
    let mut options = recovery();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_keep_log_file_num(LOG_FILES_MAX);
    options.set_max_total_wal_size(WAL_BYTES_MAX);
    options.set_max_open_files(OPEN_FILES_MAX);
    options.set_db_write_buffer_size(settings.write_buffer_bytes);
    options.set_write_buffer_size((settings.write_buffer_bytes / 2).max(TABLE_BYTES_MIN));
    options.set_compression_type(DBCompressionType::Lz4);
    options.enable_statistics();
    options
}

fn family_options(name: &str, common: &Options, cache: &Cache) -> Options {
    let mut options = common.clone();
    let mut tables = BlockBasedOptions::default();
    tables.set_block_cache(cache);
    // Filters and indices count towards the cache, so that it bounds them, too.
    tables.set_cache_index_and_filter_blocks(true);
    tables.set_pin_l0_filter_and_index_blocks_in_cache(true);
    tables.set_bloom_filter(FILTER_BITS, false);
    let versioned = VERSIONED.iter().find(|(family, _)| *family == name);
    if let Some((_, Some(length))) = versioned {
        options.set_prefix_extractor(SliceTransform::create_fixed_prefix(*length));
        options.set_memtable_prefix_bloom_ratio(TABLE_FILTER_SHARE);
    }
    if versioned.is_some() {
        // No look at versions is for a whole key.
        tables.set_whole_key_filtering(false);
    }
    options.set_block_based_table_factory(&tables);
    options
}
