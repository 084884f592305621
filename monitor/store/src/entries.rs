//! Ordered entries: byte keys and values, found by key in one step, and walked in the order of their keys.
//!
//! Invariant: an entry is in the tree exactly if the first word of its value is not zero.

use std::{cmp::Ordering, ops::Bound};

use alloy_primitives::U256;
use parapet_monitor::AttachmentId;

use crate::{
    entries_root, entry_slot,
    layout::{KEY_HEAD_BYTES, Node, VALUE_HEAD_BYTES, mark, packed, unpacked, words_of},
    tree::Tree,
};

/// Longest key of an entry, in bytes.
pub const KEY_BYTES_MAX: usize = 256;
/// Longest value of an entry, in bytes.
pub const VALUE_BYTES_MAX: usize = 8_192;

/// Words of the storage that entries lie in, as one transaction sees and changes them.
pub trait Words {
    /// What ends an operation before its time.
    type Error: From<EntryError>;

    /// A word.
    ///
    /// # Errors
    /// When it cannot be read, or paid for.
    fn read(&mut self, slot: U256) -> Result<U256, Self::Error>;

    /// Writes a word.
    ///
    /// # Errors
    /// When there is no room for it, or it cannot be paid for.
    fn write(&mut self, slot: U256, word: U256) -> Result<(), Self::Error>;
}

/// An operation on entries was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// A key that is too long.
    #[error("a key of {0} bytes, at most {KEY_BYTES_MAX} are kept")]
    KeyLength(usize),
    /// A value that is too long.
    #[error("a value of {0} bytes, at most {VALUE_BYTES_MAX} are kept")]
    ValueLength(usize),
    /// What was read is no tree of entries. Settled state always is one; state that is only a guess may be none.
    #[error("what was read is no tree of entries, which only state that is not settled can be")]
    Incoherent,
}

/// In which order keys come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Smallest first; keys are compared byte by byte, and a key comes after its own beginnings.
    Ascending,
    /// Largest first.
    Descending,
}

/// The entries of one attachment.
#[derive(Debug)]
pub struct Entries<'w, W> {
    attachment: AttachmentId,
    pub(crate) words: &'w mut W,
}

impl<'w, W: Words> Entries<'w, W> {
    /// The entries of an attachment.
    pub fn new(attachment: AttachmentId, words: &'w mut W) -> Self {
        Self { attachment, words }
    }

    /// The value of a key.
    ///
    /// # Errors
    /// That of the words; [`EntryError::KeyLength`].
    pub fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, W::Error> {
        let node = self.node(key)?;
        self.value(node)
    }

    /// Sets the value of a key.
    ///
    /// # Errors
    /// That of the words; [`EntryError::KeyLength`], [`EntryError::ValueLength`].
    pub fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), W::Error> {
        let node = self.node(key)?;
        if value.len() > VALUE_BYTES_MAX {
            return Err(EntryError::ValueLength(value.len()).into());
        }
        let before = self.value_len(node)?;
        let words = words_of(value.len(), VALUE_HEAD_BYTES);
        for index in 0..words {
            // The length is at most a value's, which is checked above.
            let word = packed(value, VALUE_HEAD_BYTES, index, value.len() as u32 + 1);
            self.words.write(node.value(index), word)?;
        }
        match before {
            Some(len) => self.clear_value(node, words, len),
            None => {
                for index in 0..words_of(key.len(), KEY_HEAD_BYTES) {
                    let word = packed(key, KEY_HEAD_BYTES, index, key.len() as u32);
                    self.words.write(node.key(index), word)?;
                }
                self.tree().insert(node, key)
            }
        }
    }

    /// Removes a key with its value. Whether it was there.
    ///
    /// # Errors
    /// That of the words; [`EntryError::KeyLength`].
    pub fn remove(&mut self, key: &[u8]) -> Result<bool, W::Error> {
        let node = self.node(key)?;
        let Some(len) = self.value_len(node)? else { return Ok(false) };
        self.tree().remove(node, key)?;
        self.clear_value(node, 0, len)?;
        for index in 0..words_of(key.len(), KEY_HEAD_BYTES) {
            self.words.write(node.key(index), U256::ZERO)?;
        }
        Ok(true)
    }

    /// The first key from a bound on, in an order: the smallest at or above it, or the largest at or below it.
    ///
    /// # Errors
    /// That of the words; [`EntryError::KeyLength`].
    pub fn seek(&mut self, from: Bound<&[u8]>, order: Order) -> Result<Option<Vec<u8>>, W::Error> {
        let (Bound::Included(key) | Bound::Excluded(key)) = from else {
            let Some(node) = self.tree().end(order)? else { return Ok(None) };
            return self.key(node).map(Some);
        };
        check_key(key)?;
        let own = Node::at(entry_slot(self.attachment, key));
        let found = self.tree().beside(own, key, matches!(from, Bound::Included(_)), order)?;
        found.map(|node| self.key(node)).transpose()
    }

    pub(crate) fn tree(&mut self) -> Tree<'_, W> {
        Tree::new(entries_root(self.attachment), self.words)
    }

    fn node(&self, key: &[u8]) -> Result<Node, W::Error> {
        check_key(key)?;
        Ok(Node::at(entry_slot(self.attachment, key)))
    }

    fn value_len(&mut self, node: Node) -> Result<Option<usize>, W::Error> {
        let head = self.words.read(node.value(0))?;
        value_len(head).map_err(W::Error::from)
    }

    fn value(&mut self, node: Node) -> Result<Option<Vec<u8>>, W::Error> {
        let head = self.words.read(node.value(0))?;
        let Some(len) = value_len(head)? else { return Ok(None) };
        let mut value = Vec::with_capacity(len);
        for index in 0..words_of(len, VALUE_HEAD_BYTES) {
            let word = if index == 0 { head } else { self.words.read(node.value(index))? };
            let (bytes, held) = unpacked(word, VALUE_HEAD_BYTES, index, len);
            value.extend_from_slice(&bytes[held]);
        }
        Ok(Some(value))
    }

    fn key(&mut self, node: Node) -> Result<Vec<u8>, W::Error> {
        let head = self.words.read(node.key(0))?;
        let len = mark(head, KEY_HEAD_BYTES) as usize;
        if len > KEY_BYTES_MAX {
            return Err(EntryError::Incoherent.into());
        }
        let mut key = Vec::with_capacity(len);
        for index in 0..words_of(len, KEY_HEAD_BYTES) {
            let word = if index == 0 { head } else { self.words.read(node.key(index))? };
            let (bytes, held) = unpacked(word, KEY_HEAD_BYTES, index, len);
            key.extend_from_slice(&bytes[held]);
        }
        Ok(key)
    }

    /// Clears the words of a value of `len` bytes from the `first`th on.
    fn clear_value(&mut self, node: Node, first: usize, len: usize) -> Result<(), W::Error> {
        (first..words_of(len, VALUE_HEAD_BYTES)).try_for_each(|index| self.words.write(node.value(index), U256::ZERO))
    }
}

fn check_key(key: &[u8]) -> Result<(), EntryError> {
    if key.len() > KEY_BYTES_MAX { Err(EntryError::KeyLength(key.len())) } else { Ok(()) }
}

fn value_len(head: U256) -> Result<Option<usize>, EntryError> {
    match (mark(head, VALUE_HEAD_BYTES) as usize).checked_sub(1) {
        Some(len) if len > VALUE_BYTES_MAX => Err(EntryError::Incoherent),
        len => Ok(len),
    }
}

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// A walk over the entries between two bounds. It holds no place in the tree but the last key, so entries may be set and
/// removed meanwhile; it then goes on with what is there.
#[derive(Clone, Debug)]
pub struct Scan {
    /// What is still to come.
    start: Bound<Vec<u8>>,
    end: Bound<Vec<u8>>,
    order: Order,
}

impl Scan {
    /// From `start` up, or from `end` down. Bounds that leave nothing between them are allowed.
    #[must_use]
    pub const fn new(start: Bound<Vec<u8>>, end: Bound<Vec<u8>>, order: Order) -> Self {
        Self { start, end, order }
    }

    /// The next entry.
    ///
    /// # Errors
    /// That of the words; [`EntryError::KeyLength`].
    pub fn next<W: Words>(&mut self, entries: &mut Entries<'_, W>) -> Result<Option<Pair>, W::Error> {
        let (from, to) = match self.order {
            Order::Ascending => (&self.start, &self.end),
            Order::Descending => (&self.end, &self.start),
        };
        let Some(key) = entries.seek(from.as_ref().map(Vec::as_slice), self.order)? else { return Ok(None) };
        let forward = |one: &[u8], other: &[u8]| match self.order {
            Order::Ascending => one.cmp(other),
            Order::Descending => other.cmp(one),
        };
        let went_on = match from {
            Bound::Included(from) => forward(&key, from) != Ordering::Less,
            Bound::Excluded(from) => forward(&key, from) == Ordering::Greater,
            Bound::Unbounded => true,
        };
        let within = match to {
            Bound::Included(to) => forward(&key, to) != Ordering::Greater,
            Bound::Excluded(to) => forward(&key, to) == Ordering::Less,
            Bound::Unbounded => true,
        };
        if !went_on {
            return Err(EntryError::Incoherent.into());
        }
        if !within {
            return Ok(None);
        }
        let value = entries.get(&key)?.ok_or(EntryError::Incoherent)?;
        *match self.order {
            Order::Ascending => &mut self.start,
            Order::Descending => &mut self.end,
        } = Bound::Excluded(key.clone());
        Ok(Some((key, value)))
    }
}
