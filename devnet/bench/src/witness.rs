//! State as a witness gives it: the trie nodes that a block's execution needs, and nothing else. Invariant: an account
//! or slot that the witness does not show is an error, never an empty one. Code that it does not show is none, because
//! code that the block creates is asked for, too; where it lacks code that runs, the block's gas shows it.

use std::sync::Mutex;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256, map::B256Map};
use alloy_rlp::Decodable as _;
use alloy_trie::{
    EMPTY_ROOT_HASH, Nibbles, TrieAccount,
    nodes::{RlpNode, TrieNode},
};
use parapet_types::{AccountChange, AccountInfo, FlatState, ReadError, StateChanges, StateReader};

/// What a witness lacks, or holds in a form that is none.
#[derive(Debug, thiserror::Error)]
enum WitnessError {
    #[error("the witness lacks node {0}")]
    Node(B256),
    #[error("a node of the witness cannot be decoded: {0}")]
    Rlp(#[from] alloy_rlp::Error),
    #[error("a thread that read the witness panicked")]
    Poisoned,
}

impl From<WitnessError> for ReadError {
    fn from(error: WitnessError) -> Self {
        Self(Box::new(error))
    }
}

/// A witness that remembers what was read of it.
#[derive(Debug)]
pub(crate) struct Witness {
    root: B256,
    nodes: B256Map<Bytes>,
    code: B256Map<Bytes>,
    read: Mutex<StateChanges>,
}

impl Witness {
    /// The state with this root, of which these nodes and this code are known.
    pub(crate) fn new(root: B256, nodes: Vec<Bytes>, code: Vec<Bytes>) -> Self {
        let by_hash = |list: Vec<Bytes>| list.into_iter().map(|bytes| (keccak256(&bytes), bytes)).collect();
        Self { root, nodes: by_hash(nodes), code: by_hash(code), read: Mutex::default() }
    }

    /// Everything that was read so far, as a state of its own.
    pub(crate) fn into_read(self) -> FlatState {
        let mut read = self.read.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Storage was read of accounts that are there; those that are not were noted to be none.
        read.code.extend(self.code);
        FlatState::from(&read)
    }

    fn trie_account(&self, address: &Address) -> Result<Option<TrieAccount>, WitnessError> {
        let leaf = self.leaf(self.root, keccak256(address))?;
        leaf.map(|leaf| TrieAccount::decode(&mut &leaf[..])).transpose().map_err(Into::into)
    }

    /// The value of a key in the trie with this root.
    fn leaf(&self, root: B256, key: B256) -> Result<Option<Vec<u8>>, WitnessError> {
        if root == EMPTY_ROOT_HASH {
            return Ok(None);
        }
        let mut path = Nibbles::unpack(key);
        let mut node = self.node(&RlpNode::word_rlp(&root))?;
        loop {
            let (child, consumed) = match node {
                TrieNode::EmptyRoot => return Ok(None),
                TrieNode::Leaf(leaf) => return Ok((leaf.key == path).then_some(leaf.value)),
                TrieNode::Extension(extension) => {
                    if !path.starts_with(&extension.key) {
                        return Ok(None);
                    }
                    (extension.child, extension.key.len())
                }
                TrieNode::Branch(branch) => {
                    let Some(nibble) = path.first() else { return Ok(None) };
                    let branch = branch.as_ref();
                    let child = branch.children().find(|(index, _)| *index == nibble).and_then(|(_, child)| child);
                    let Some(child) = child else { return Ok(None) };
                    (child.clone(), 1)
                }
            };
            path = path.slice(consumed..);
            node = self.node(&child)?;
        }
    }

    /// A child: by its hash, or, where it is short, as it stands.
    fn node(&self, child: &RlpNode) -> Result<TrieNode, WitnessError> {
        let Some(hash) = child.as_hash() else { return Ok(TrieNode::decode(&mut child.as_slice())?) };
        let rlp = self.nodes.get(&hash).ok_or(WitnessError::Node(hash))?;
        Ok(TrieNode::decode(&mut &rlp[..])?)
    }

    fn note(&self, address: &Address, with: impl FnOnce(&mut AccountChange)) -> Result<(), WitnessError> {
        let mut read = self.read.lock().map_err(|_| WitnessError::Poisoned)?;
        with(read.accounts.entry(*address).or_default());
        Ok(())
    }
}

impl StateReader for Witness {
    fn account(&self, address: &Address) -> Result<Option<AccountInfo>, ReadError> {
        let info = self.trie_account(address)?.map(|account| AccountInfo {
            nonce: account.nonce,
            balance: account.balance,
            code_hash: account.code_hash,
        });
        self.note(address, |change| change.info = info)?;
        Ok(info)
    }

    fn storage(&self, address: &Address, slot: U256) -> Result<U256, ReadError> {
        let Some(account) = self.trie_account(address)? else { return Ok(U256::ZERO) };
        let leaf = self.leaf(account.storage_root, keccak256(slot.to_be_bytes::<32>()))?;
        let value = leaf.map(|leaf| U256::decode(&mut &leaf[..])).transpose().map_err(WitnessError::from)?;
        let value = value.unwrap_or_default();
        self.note(address, |change| {
            change.storage.insert(slot, value);
        })?;
        Ok(value)
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, ReadError> {
        if code_hash == KECCAK256_EMPTY {
            return Ok(Some(Bytes::new()));
        }
        Ok(self.code.get(&code_hash).cloned())
    }
}
