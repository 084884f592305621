//! The trace's records as bytes, for guards that must be quick.

use std::marker::PhantomData;

use cosmwasm_std::Storage;
use parapet_abi::Record;

/// What keys of records begin with; then the kind's number, one byte, and the index of the first record that is asked
/// for, four bytes, big-endian.
pub const RECORDS: &[u8] = b"\0parapet.records";

/// Size of one record and number of those that are left, four bytes each, little-endian, before the records.
const HEADER_BYTES: usize = 8;

/// The records of one kind, in order, in the layout of `parapet_abi`; none where the guard does not subscribe to them.
///
/// The host shows them among the entries of the contract's storage, under keys that cannot be written. Reading them so
/// takes a small part of the fuel that the same list takes as JSON objects in the message; name what `sudo` is still to be
/// shown in the descriptor's `message`.
pub fn records<R: Record>(storage: &dyn Storage) -> impl Iterator<Item = R> {
    Records { storage, page: Vec::new(), at: 0, read: 0, left: None, record_bytes: 0, kind: PhantomData }
}

/// Where an iteration stands.
struct Records<'a, R> {
    storage: &'a dyn Storage,
    page: Vec<u8>,
    /// Of the page.
    at: usize,
    /// Records read so far.
    read: u32,
    /// How many there are beyond those read, once it is known.
    left: Option<u32>,
    record_bytes: usize,
    kind: PhantomData<R>,
}

impl<R: Record> Records<'_, R> {
    /// Asks for what follows; `None` if that is nothing.
    fn turn(&mut self) -> Option<()> {
        let key = [RECORDS, &[R::KIND as u8], &self.read.to_be_bytes()].concat();
        self.page = self.storage.get(&key)?;
        self.at = HEADER_BYTES;
        let [a, b, c, d, e, f, g, h] = *self.page.first_chunk::<HEADER_BYTES>()?;
        self.record_bytes = u32::from_le_bytes([a, b, c, d]) as usize;
        self.left = Some(u32::from_le_bytes([e, f, g, h]));
        Some(())
    }
}

impl<R: Record> Iterator for Records<'_, R> {
    type Item = R;

    fn next(&mut self) -> Option<R> {
        if self.left == Some(0) {
            return None;
        }
        if self.at >= self.page.len() {
            self.turn()?;
        }
        // What later versions of the layout have appended to a record is left out.
        let (record, _) = R::read_from_prefix(self.page.get(self.at..)?).ok()?;
        self.at += self.record_bytes;
        self.read += 1;
        self.left = self.left.map(|left| left.saturating_sub(1));
        Some(record)
    }
}
