//! Blocks as they are read: by number, by hash, by transaction.

use std::sync::Arc;

use alloy_consensus::{Header, Sealed};
use alloy_eip7928::BlockAccessList;
use alloy_primitives::B256;

use super::{
    database::Database,
    record::{self, BlockParts, ChangeSet},
    schema::{ACCESS_LISTS, BODIES, CHANGES, HEADERS, NUMBERS, RECEIPTS, RESULTS, StateKey, TRANSACTIONS},
};
use crate::{StoreError, StoredBlock};

/// Reads an open folder. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Reader(Arc<Database>);

impl Reader {
    pub(super) fn new(database: Database) -> Self {
        Self(Arc::new(database))
    }

    pub(super) const fn database(&self) -> &Arc<Database> {
        &self.0
    }

    pub(crate) fn header(&self, number: u64) -> Result<Option<Sealed<Header>>, StoreError> {
        let key = number.to_be_bytes();
        let Some(bytes) = self.0.get(HEADERS, &key)? else { return Ok(None) };
        let header = record::decode_header(&bytes).map_err(|reason| self.0.corrupted(HEADERS, &key, reason))?;
        if header.number != number {
            return Err(self.0.corrupted(HEADERS, &key, format!("holds block {}", header.number)));
        }
        Ok(Some(header))
    }

    pub(crate) fn block(&self, number: u64) -> Result<Option<StoredBlock>, StoreError> {
        let key = number.to_be_bytes();
        let Some(header) = self.0.get(HEADERS, &key)? else { return Ok(None) };
        let part = |family| self.0.get(family, &key)?.ok_or_else(|| self.0.corrupted(family, &key, "missing"));
        let parts = BlockParts { header, body: part(BODIES)?, receipts: part(RECEIPTS)?, results: part(RESULTS)? };
        let block = record::decode_block(&parts).map_err(|reason| self.0.corrupted(BODIES, &key, reason))?;
        if block.number() != number {
            return Err(self.0.corrupted(HEADERS, &key, format!("holds block {}", block.number())));
        }
        Ok(Some(block))
    }

    /// A block's access list; `None` where it has none.
    pub(crate) fn access_list(&self, number: u64) -> Result<Option<BlockAccessList>, StoreError> {
        let key = number.to_be_bytes();
        let Some(bytes) = self.0.get(ACCESS_LISTS, &key)? else { return Ok(None) };
        let list = alloy_rlp::decode_exact(&bytes);
        list.map(Some).map_err(|reason| self.0.corrupted(ACCESS_LISTS, &key, reason))
    }

    pub(crate) fn number(&self, hash: B256) -> Result<Option<u64>, StoreError> {
        let Some(bytes) = self.0.get(NUMBERS, hash.as_slice())? else { return Ok(None) };
        let number = record::decode_number(&bytes);
        number.map(Some).map_err(|reason| self.0.corrupted(NUMBERS, hash.as_slice(), reason))
    }

    /// Number of the block that holds a transaction, and its index there.
    pub(crate) fn place(&self, transaction: B256) -> Result<Option<(u64, usize)>, StoreError> {
        let Some(bytes) = self.0.get(TRANSACTIONS, transaction.as_slice())? else { return Ok(None) };
        let place = record::decode_place(&bytes);
        place.map(Some).map_err(|reason| self.0.corrupted(TRANSACTIONS, transaction.as_slice(), reason))
    }

    /// What a block wrote into the families that hold state.
    pub(super) fn changes(&self, number: u64) -> Result<Vec<StateKey>, StoreError> {
        let key = number.to_be_bytes();
        let bytes = self.0.get(CHANGES, &key)?.ok_or_else(|| self.0.corrupted(CHANGES, &key, "missing"))?;
        let keys = ChangeSet::decode(&bytes).and_then(|changes| changes.keys());
        keys.map_err(|reason| self.0.corrupted(CHANGES, &key, reason))
    }
}
