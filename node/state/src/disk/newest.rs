//! What held after a block, key by key, out of all versions in a family: a pass over all of them.

use super::{Disk, database::Record, schema::split_version};
use crate::StoreError;

/// Reads a family from its first key on.
pub(super) struct Newest<'a> {
    records: Box<dyn Iterator<Item = Result<Record, StoreError>> + 'a>,
    block: u64,
    /// Key of the record that was decided upon last.
    decided: Vec<u8>,
    /// What comes next.
    ahead: Option<(Vec<u8>, Vec<u8>)>,
}

impl<'a> Newest<'a> {
    pub(super) fn new(disk: &'a Disk, family: &'static str, block: u64) -> Self {
        let records = Box::new(disk.database().records(family));
        Self { records, block, decided: Vec::new(), ahead: None }
    }

    /// Those whose keys begin with these bytes, if they are the next ones.
    pub(super) fn below<'b>(
        &'b mut self,
        prefix: &'b [u8],
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), StoreError>> + 'b {
        std::iter::from_fn(move || match self.next()? {
            Ok((key, value)) if !key.starts_with(prefix) => {
                self.ahead = Some((key, value));
                None
            }
            found => Some(found),
        })
    }
}

impl Iterator for Newest<'_> {
    type Item = Result<(Vec<u8>, Vec<u8>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(ahead) = self.ahead.take() {
            return Some(Ok(ahead));
        }
        loop {
            let (key, value) = match self.records.next()? {
                Ok(record) => record,
                Err(error) => return Some(Err(error)),
            };
            // Whose version cannot be read is found by the pass over all records.
            let Some((bytes, version)) = split_version(&key) else { continue };
            if version > self.block || self.decided == bytes {
                continue;
            }
            self.decided = bytes.to_vec();
            if !value.is_empty() {
                return Some(Ok((self.decided.clone(), value.into_vec())));
            }
        }
    }
}
