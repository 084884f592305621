//! Roots from nothing but leaves, through alloy-trie's builder: the oracle of the roots that are kept up.

use alloy_primitives::B256;
use alloy_trie::{HashBuilder, Nibbles};

use super::TrieValue;
use crate::StoreError;

/// A trie that is built anew, leaf by leaf. No hash that is known is looked at.
#[derive(Default)]
pub(crate) struct Rebuild {
    builder: HashBuilder,
    leaf: Vec<u8>,
}

impl Rebuild {
    /// Adds a leaf, by its RLP. In order of keys.
    pub(crate) fn add(&mut self, key: &B256, encode: impl FnOnce(&mut Vec<u8>)) {
        self.leaf.clear();
        encode(&mut self.leaf);
        self.builder.add_leaf(Nibbles::unpack(key), &self.leaf);
    }

    pub(crate) fn root(mut self) -> B256 {
        self.builder.root()
    }

    /// The root of a trie with these leaves.
    pub(crate) fn root_of<V: TrieValue>(
        leaves: impl Iterator<Item = Result<(B256, V), StoreError>>,
    ) -> Result<B256, StoreError> {
        let mut all = Self::default();
        for leaf in leaves {
            let (key, value) = leaf?;
            all.add(&key, |out| value.encode(out));
        }
        Ok(all.root())
    }
}
