//! Real blocks with a state witness: the nodes of the state's tries that the block needs, and the codes. The root of the
//! state above is computed from them.

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, Sealable as _, Sealed, U256, keccak256, map::B256Map};
use alloy_rlp::Decodable as _;
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount};
use parapet_executor::{Mode, execute_block};
use parapet_import::{ImportError, Imported, Parent, import_block, replay_block};
use parapet_monitor::NoMonitor;
use parapet_types::{AccountChange, AccountInfo, FlatState, ReadError, StateChanges, StateReader};
use serde::Deserialize;

use crate::{
    ConformanceError,
    error::Stop,
    real::{self, Decoded, RealBlock},
    recorder::Recorder,
    trie::{Nodes, SparseTrie},
};

/// A file of this format.
#[derive(Debug, Deserialize)]
pub(crate) struct WitnessBlock {
    chain_id: u64,
    block_rlp: Bytes,
    witness: Witness,
    /// Where the witness has no header of the parent.
    prev_state_root: Option<B256>,
    /// The parent's hash and those before it.
    #[serde(default)]
    block_hashes: Vec<B256>,
}

#[derive(Debug, Deserialize)]
struct Witness {
    state: Vec<Bytes>,
    codes: Vec<Bytes>,
    headers: Vec<Bytes>,
}

/// A block with the state it is to be executed on.
struct Case {
    decoded: Decoded,
    parent: Option<Sealed<Header>>,
    state: WitnessState,
}

impl WitnessBlock {
    fn open(&self) -> Result<Case, Stop> {
        let mut decoded = real::decode(self.chain_id, &self.block_rlp)?;
        let numbers = (0..decoded.block.header.number).rev();
        decoded.ancestors.extend(numbers.zip(self.block_hashes.iter().copied()));
        let mut parent = None;
        for rlp in &self.witness.headers {
            let header = Header::decode(&mut &rlp[..]).map_err(ImportError::Encoding)?.seal_slow();
            decoded.ancestors.insert(header.number, header.hash());
            if header.hash() == decoded.block.header.parent_hash {
                parent = Some(header);
            }
        }
        let root = parent.as_ref().map(|parent| parent.state_root).or(self.prev_state_root);
        let root = root.ok_or(ConformanceError::Missing("parent's state root"))?;
        let by_hash = |all: &[Bytes]| all.iter().map(|bytes| (keccak256(bytes), bytes.clone())).collect();
        let state = WitnessState { nodes: by_hash(&self.witness.state), codes: by_hash(&self.witness.codes), root };
        Ok(Case { decoded, parent, state })
    }

    /// The block as benchmarks take it, with the state that one execution reads.
    pub(crate) fn load(self, name: String) -> Result<RealBlock, Stop> {
        let Case { decoded, state, .. } = self.open()?;
        let recorder = Recorder::new(&state);
        let mut block = RealBlock::new(name, decoded.params, FlatState::default(), decoded);
        let mut input = block.input();
        input.at.world = &recorder;
        execute_block(&input, &NoMonitor, Mode::Sequential).map_err(ImportError::Execution)?;
        block.state = FlatState::from(&recorder.into_changes());
        Ok(block)
    }
}

/// Runs one block.
pub(crate) fn run(test: &WitnessBlock, mode: Mode<'_>) -> Result<(), Stop> {
    let Case { decoded: Decoded { params, block, ancestors }, parent, state } = test.open()?;
    let post_state = |changes: &StateChanges| {
        state.root_after(changes).map(|root| (root, ())).map_err(|error| ReadError(Box::new(error)))
    };
    let Imported { .. } = match &parent {
        Some(header) => {
            let on = Parent { header, world: &state, ancestors: &ancestors };
            import_block(&params, on, &block, &NoMonitor, mode, post_state)?
        }
        None => replay_block(&params, &state, &ancestors, &block, &NoMonitor, mode, post_state)?,
    };
    Ok(())
}

/// State as a witness has it. What the witness cannot tell is an error; code that it does not have may also be code that
/// the block creates, and counts as absent.
#[derive(Debug)]
struct WitnessState {
    nodes: Nodes,
    codes: B256Map<Bytes>,
    root: B256,
}

impl WitnessState {
    fn find(&self, address: &Address) -> Result<Option<TrieAccount>, ConformanceError> {
        let leaf = SparseTrie::new(&self.nodes, self.root).get(keccak256(address))?;
        let decode = |leaf: Vec<u8>| {
            TrieAccount::decode(&mut &leaf[..]).map_err(|error| ConformanceError::MalformedAccount(*address, error))
        };
        leaf.map(decode).transpose()
    }

    fn find_slot(&self, address: &Address, slot: U256) -> Result<U256, ConformanceError> {
        let Some(account) = self.find(address)? else {
            return Ok(U256::ZERO);
        };
        let leaf = SparseTrie::new(&self.nodes, account.storage_root).get(keccak256(slot.to_be_bytes::<32>()))?;
        let decode = |leaf: Vec<u8>| {
            U256::decode(&mut &leaf[..]).map_err(|error| ConformanceError::MalformedAccount(*address, error))
        };
        leaf.map_or(Ok(U256::ZERO), decode)
    }

    /// The root after a change set. Every insertion comes before any removal: what replaces a leaf may keep a branch
    /// from collapsing onto a node that the witness does not have.
    fn root_after(&self, changes: &StateChanges) -> Result<B256, ConformanceError> {
        let mut trie = SparseTrie::new(&self.nodes, self.root);
        for (address, change) in &changes.accounts {
            if let Some(info) = change.info {
                let storage_root = self.storage_root_after(address, change)?;
                let account = TrieAccount::new(info.nonce, info.balance, storage_root, info.code_hash);
                trie.insert(keccak256(address), alloy_rlp::encode(account))?;
            }
        }
        for (address, _) in changes.accounts.iter().filter(|(_, change)| change.info.is_none()) {
            trie.remove(keccak256(address))?;
        }
        Ok(trie.root())
    }

    fn storage_root_after(&self, address: &Address, change: &AccountChange) -> Result<B256, ConformanceError> {
        let before = match self.find(address)? {
            Some(account) if !change.wipe_storage => account.storage_root,
            _ => EMPTY_ROOT_HASH,
        };
        let mut trie = SparseTrie::new(&self.nodes, before);
        let (removed, set): (Vec<_>, Vec<_>) = change.storage.iter().partition(|(_, value)| value.is_zero());
        for (slot, value) in set {
            trie.insert(keccak256(slot.to_be_bytes::<32>()), alloy_rlp::encode(value))?;
        }
        for (slot, _) in removed {
            trie.remove(keccak256(slot.to_be_bytes::<32>()))?;
        }
        Ok(trie.root())
    }
}

fn unreadable(error: ConformanceError) -> ReadError {
    ReadError(Box::new(error))
}

impl StateReader for WitnessState {
    fn account(&self, address: &Address) -> Result<Option<AccountInfo>, ReadError> {
        let account = self.find(address).map_err(unreadable)?;
        Ok(account.map(|TrieAccount { nonce, balance, code_hash, .. }| AccountInfo { nonce, balance, code_hash }))
    }

    fn storage(&self, address: &Address, slot: U256) -> Result<U256, ReadError> {
        self.find_slot(address, slot).map_err(unreadable)
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, ReadError> {
        Ok(if code_hash == KECCAK256_EMPTY { Some(Bytes::new()) } else { self.codes.get(&code_hash).cloned() })
    }
}
