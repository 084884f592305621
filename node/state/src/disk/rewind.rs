//! Dropping blocks from the head down. Every table goes back with them, state of guards included, because every record of
//! state is a block's own.

use rocksdb::WriteBatch;

use super::{
    Disk, next_store,
    record::{self, Head},
    schema::{
        ACCESS_LISTS, BODIES, CHANGES, HEADERS, META, META_AMENDMENTS, META_HEAD, NUMBERS, RECEIPTS, RESULTS,
        TRANSACTIONS,
    },
};
use crate::StoreError;

/// Bytes after which dropping goes on in another batch, or as many as may wait to be in files, where those are fewer. A crash
/// between two leaves a whole chain, with a later head.
const BATCH_BYTES_MAX: usize = 16 * 1_024 * 1_024;

impl Disk {
    /// Drops all blocks after a number, whose state must be kept.
    pub(crate) fn rewind(&mut self, to: u64) -> Result<(), StoreError> {
        if to < self.oldest {
            return Err(StoreError::Pruned { number: to });
        }
        self.each_base(|base| {
            if base.block() > to {
                base.drop_later();
            }
        });
        // What nodes in memory say of this store holds no longer.
        self.store = next_store();
        self.marker.lower(to)?;
        let bytes_max = self.settings.write_buffer_bytes.min(BATCH_BYTES_MAX);
        let mut batch = WriteBatch::default();
        batch.delete_cf(self.database().family(META), META_AMENDMENTS);
        for number in (to + 1..=self.head).rev() {
            self.drop_block(&mut batch, number)?;
            if batch.size_in_bytes() > bytes_max {
                self.write(std::mem::take(&mut batch), "dropping blocks")?;
            }
        }
        self.write(batch, "dropping blocks")?;
        self.head = to;
        Ok(())
    }

    /// Adds the removal of the head, whose parent becomes the head.
    fn drop_block(&self, batch: &mut WriteBatch, number: u64) -> Result<(), StoreError> {
        let (reader, family) = (self.reader(), |name| self.database().family(name));
        let key = number.to_be_bytes();
        for state_key in reader.changes(number)? {
            batch.delete_cf(family(state_key.family), state_key.at(number));
        }
        let block = reader.block(number)?.ok_or_else(|| self.missing(HEADERS, &key))?;
        for transaction in &block.transactions {
            // The same transaction may stand in an earlier block, where a chain was amended between the two.
            if reader.place(*transaction.tx_hash())?.is_some_and(|(at, _)| at == number) {
                batch.delete_cf(family(TRANSACTIONS), transaction.tx_hash());
            }
        }
        batch.delete_cf(family(NUMBERS), block.hash());
        for name in [CHANGES, HEADERS, BODIES, RECEIPTS, RESULTS, ACCESS_LISTS] {
            batch.delete_cf(family(name), key);
        }
        let parent = Head { number: number - 1, hash: block.header.parent_hash };
        batch.put_cf(family(META), META_HEAD, record::encode_head(parent));
        Ok(())
    }
}
