//! How an entry lies in words, from its first slot on:
//!
//! | word | holds |
//! |---|---|
//! | 0 | length of the value plus one (4 bytes, so zero means *no entry*), first 28 bytes of the value |
//! | 1 | length of the key (2 bytes), first 30 bytes of the key |
//! | 2, 3 | first slots of the entries to the left and right below it in the tree; zero where there is none |
//! | 4 | height of the tree below it |
//! | 5 … 12 | rest of the key |
//! | 13 … | rest of the value |
//!
//! So a short entry that hangs at the end of the tree is two words and the link to it; a walk looks at a link and a key,
//! and is not disturbed by whoever changes a value.

use alloy_primitives::U256;

/// Bytes of the key in its first word.
pub(crate) const KEY_HEAD_BYTES: usize = 30;
/// Bytes of the value in its first word.
pub(crate) const VALUE_HEAD_BYTES: usize = 28;

const WORD_BYTES: usize = 32;
const KEY_HEAD: u64 = 1;
const LEFT: u64 = 2;
const RIGHT: u64 = 3;
const HEIGHT: u64 = 4;
const KEY_REST: u64 = 5;
const VALUE_REST: u64 = 13;

/// A side of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

impl Side {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// An entry, by its first slot. None lies at zero: a hash would have to be zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node(U256);

impl Node {
    pub(crate) const fn at(slot: U256) -> Self {
        Self(slot)
    }

    /// From a link.
    pub(crate) fn linked(word: U256) -> Option<Self> {
        (!word.is_zero()).then_some(Self(word))
    }

    /// As a link.
    pub(crate) fn link(node: Option<Self>) -> U256 {
        node.map_or(U256::ZERO, |node| node.0)
    }

    fn slot(self, word: u64) -> U256 {
        self.0.wrapping_add(U256::from(word))
    }

    pub(crate) fn child(self, side: Side) -> U256 {
        self.slot(match side {
            Side::Left => LEFT,
            Side::Right => RIGHT,
        })
    }

    pub(crate) fn height(self) -> U256 {
        self.slot(HEIGHT)
    }

    /// The key's `index`th word.
    pub(crate) fn key(self, index: usize) -> U256 {
        self.slot(if index == 0 { KEY_HEAD } else { KEY_REST + index as u64 - 1 })
    }

    /// The value's `index`th word.
    pub(crate) fn value(self, index: usize) -> U256 {
        if index == 0 { self.0 } else { self.slot(VALUE_REST + index as u64 - 1) }
    }
}

/// Words of which the first holds `head` bytes and the others 32 each.
pub(crate) const fn words_of(len: usize, head: usize) -> usize {
    1 + len.saturating_sub(head).div_ceil(WORD_BYTES)
}

/// The bytes that lie in the `index`th word.
pub(crate) fn part(bytes: &[u8], head: usize, index: usize) -> &[u8] {
    let start = if index == 0 { 0 } else { head + (index - 1) * WORD_BYTES };
    let end = head + index * WORD_BYTES;
    &bytes[start.min(bytes.len())..end.min(bytes.len())]
}

/// The `index`th word of bytes, in whose first word `mark` stands before them.
pub(crate) fn packed(bytes: &[u8], head: usize, index: usize, mark: u32) -> U256 {
    let mut word = [0; WORD_BYTES];
    let start = if index == 0 { WORD_BYTES - head } else { 0 };
    if index == 0 {
        let mark = mark.to_be_bytes();
        word[..start].copy_from_slice(&mark[mark.len() - start..]);
    }
    let part = part(bytes, head, index);
    word[start..start + part.len()].copy_from_slice(part);
    U256::from_be_bytes(word)
}

/// The mark of a first word.
pub(crate) fn mark(word: U256, head: usize) -> u32 {
    let bytes = word.to_be_bytes::<WORD_BYTES>();
    bytes[..WORD_BYTES - head].iter().fold(0, |mark, byte| mark << 8 | u32::from(*byte))
}

/// The bytes that the `index`th word of `len` bytes holds.
pub(crate) fn unpacked(
    word: U256,
    head: usize,
    index: usize,
    len: usize,
) -> ([u8; WORD_BYTES], std::ops::Range<usize>) {
    let bytes = word.to_be_bytes::<WORD_BYTES>();
    let (start, before) = if index == 0 { (WORD_BYTES - head, 0) } else { (0, head + (index - 1) * WORD_BYTES) };
    let held = len.saturating_sub(before).min(WORD_BYTES - start);
    (bytes, start..start + held)
}
