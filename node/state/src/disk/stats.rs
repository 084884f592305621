//! What a folder holds and what it takes.

use rocksdb::{properties, statistics::Ticker};
use serde::Serialize;

use super::{
    Disk,
    schema::{FAMILIES, FORMAT_VERSION},
};
use crate::StoreError;

/// A folder in figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreStats {
    /// Number of its format.
    pub format: u32,
    /// Number of the newest block.
    pub head: u64,
    /// Number of the oldest block whose state is kept.
    pub oldest_state: u64,
    /// By column family.
    pub families: Vec<FamilyStats>,
    /// What lies in memory.
    pub memory: MemoryUse,
}

/// A column family in figures, as the database estimates them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FamilyStats {
    /// Its name.
    pub name: &'static str,
    /// Records.
    pub records: u64,
    /// Bytes of its files that are in use.
    pub file_bytes: u64,
    /// Bytes that are not in files yet.
    pub table_bytes: u64,
}

/// Memory of an open folder, in bytes, and what went to disk since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemoryUse {
    /// Pieces of files.
    pub block_cache_bytes: u64,
    /// What is not in files yet.
    pub write_buffer_bytes: u64,
    /// Trie nodes that blocks changed.
    pub trie_bytes: u64,
    /// The newest blocks with their receipts.
    pub recent_bytes: u64,
    /// Accounts and slots that were read: their number.
    pub values: u64,
    /// The same in bytes, as the bound on them counts.
    pub value_bytes: u64,
    /// Keys and values as they were given to be written.
    pub user_bytes_written: u64,
    /// Written to the write-ahead log.
    pub log_bytes_written: u64,
    /// Written to files, first and again.
    pub file_bytes_written: u64,
}

impl Disk {
    /// What the folder holds and takes.
    pub(crate) fn stats(&self, memory: MemoryUse) -> Result<StoreStats, StoreError> {
        let families = FAMILIES.iter().map(|name| {
            Ok(FamilyStats {
                name,
                records: self.property(name, properties::ESTIMATE_NUM_KEYS)?,
                file_bytes: self.property(name, properties::LIVE_SST_FILES_SIZE)?,
                table_bytes: self.property(name, properties::CUR_SIZE_ALL_MEM_TABLES)?,
            })
        });
        let families = families.collect::<Result<_, StoreError>>()?;
        Ok(StoreStats { format: FORMAT_VERSION, head: self.head, oldest_state: self.oldest, families, memory })
    }

    /// What it takes of memory, but for what lies beside it, and has written.
    pub(crate) fn memory(&self) -> Result<MemoryUse, StoreError> {
        let database = self.database();
        let tables = FAMILIES.iter().map(|name| self.property(name, properties::CUR_SIZE_ALL_MEM_TABLES));
        let ticker = |ticker| database.options.get_ticker_count(ticker);
        Ok(MemoryUse {
            block_cache_bytes: database.cache.get_usage() as u64,
            write_buffer_bytes: tables.sum::<Result<_, StoreError>>()?,
            trie_bytes: self.node_bytes as u64,
            user_bytes_written: ticker(Ticker::BytesWritten),
            log_bytes_written: ticker(Ticker::WalFileBytes),
            file_bytes_written: ticker(Ticker::FlushWriteBytes) + ticker(Ticker::CompactWriteBytes),
            ..MemoryUse::default()
        })
    }

    fn property(&self, family: &'static str, name: &properties::PropName) -> Result<u64, StoreError> {
        let database = self.database();
        let value = database.db.property_int_value_cf(database.family(family), name);
        Ok(value.map_err(|source| database.failed("counting records", source))?.unwrap_or_default())
    }
}
