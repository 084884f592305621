//! Loading a folder: every record is read and checked against the others before anything is served from it.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use parapet_types::{AccountChange, ChainParams, StateChanges};
use rocksdb::IteratorMode;

use super::{
    ACCOUNTS, BLOCKS, CODE, Disk, Head, META, META_FORMAT, META_HEAD, META_PARAMS, Record, STORAGE, TRANSACTIONS,
    record, supported,
};
use crate::{GenesisBlock, StoreError, StoredBlock, WorldState, store::Kept};

impl Disk {
    /// Whether nothing was ever written.
    pub(super) fn is_new(&self) -> Result<bool, StoreError> {
        if self.get(META, META_FORMAT.as_bytes())?.is_some() {
            return Ok(false);
        }
        match self.records(BLOCKS).next() {
            None => Ok(true),
            Some(_) => Err(self.corrupted(META, META_FORMAT.as_bytes(), "missing, although there are blocks")),
        }
    }

    /// The whole chain, each block with the state after it.
    pub(super) fn load(&self, genesis: &GenesisBlock) -> Result<Vec<Kept>, StoreError> {
        self.check_version()?;
        self.check_params(&genesis.params)?;
        let blocks = self.load_blocks()?;
        self.check_genesis(&blocks[0], genesis)?;
        self.check_places(&blocks)?;
        let worlds = self.load_worlds(&blocks)?;
        let kept = blocks.into_iter().zip(worlds);
        Ok(kept.map(|(block, world)| Kept { block: Arc::new(block), world }).collect())
    }

    fn check_version(&self) -> Result<(), StoreError> {
        let bytes = self.meta(META_FORMAT)?;
        let bytes = record::sized(&bytes).map_err(|reason| self.corrupted(META, META_FORMAT.as_bytes(), reason))?;
        supported(&self.path, u32::from_be_bytes(bytes))
    }

    fn check_params(&self, given: &ChainParams) -> Result<(), StoreError> {
        let stored: ChainParams = serde_json::from_slice(&self.meta(META_PARAMS)?)
            .map_err(|reason| self.corrupted(META, META_PARAMS.as_bytes(), reason))?;
        if stored == *given {
            return Ok(());
        }
        Err(StoreError::OtherChain { path: self.path.clone(), stored: Box::new(stored), given: Box::new(*given) })
    }

    /// The genesis given must be the one stored, except for its timestamp: a chain is resumed later than it began.
    fn check_genesis(&self, stored: &StoredBlock, given: &GenesisBlock) -> Result<(), StoreError> {
        let mut header = given.header.clone();
        header.timestamp = stored.header.timestamp;
        if header == *stored.header.inner() {
            return Ok(());
        }
        Err(StoreError::OtherGenesis {
            path: self.path.clone(),
            stored: stored.header.state_root,
            given: given.header.state_root,
        })
    }

    /// Blocks from genesis to the head; not empty.
    fn load_blocks(&self) -> Result<Vec<StoredBlock>, StoreError> {
        let mut blocks: Vec<StoredBlock> = Vec::new();
        for entry in self.records(BLOCKS) {
            let (key, value) = entry?;
            let block = record::decode_block(&value).map_err(|reason| self.corrupted(BLOCKS, &key, reason))?;
            if key[..] != block.number().to_be_bytes() {
                return Err(self.corrupted(BLOCKS, &key, format!("holds block {}", block.number())));
            }
            let parent = blocks.last();
            if parent.is_some_and(|p| p.number() + 1 != block.number() || p.hash() != block.header.parent_hash) {
                return Err(self.corrupted(BLOCKS, &key, "does not follow the block before it"));
            }
            blocks.push(block);
        }
        let head = self.meta(META_HEAD)?;
        let head = record::decode_head(&head).map_err(|reason| self.corrupted(META, META_HEAD.as_bytes(), reason))?;
        match blocks.last() {
            Some(last) if (Head { number: last.number(), hash: last.hash() }) == head => Ok(blocks),
            _ => {
                let reason = format!("names block {} {}, which is not the last one", head.number, head.hash);
                Err(self.corrupted(META, META_HEAD.as_bytes(), reason))
            }
        }
    }

    /// The transaction index must lead to every transaction and to nothing else.
    fn check_places(&self, blocks: &[StoredBlock]) -> Result<(), StoreError> {
        let mut places = BTreeMap::new();
        for entry in self.records(TRANSACTIONS) {
            let (key, value) = entry?;
            places.insert(key, value);
        }
        for block in blocks {
            for (index, transaction) in block.transactions.iter().enumerate() {
                let hash = transaction.tx_hash();
                let place = places.remove(hash.as_slice());
                if place.as_deref() != Some(&record::encode_place(block.number(), index)[..]) {
                    let reason = format!("does not lead to transaction {index} of block {}", block.number());
                    return Err(self.corrupted(TRANSACTIONS, hash.as_slice(), reason));
                }
            }
        }
        match places.first_key_value() {
            None => Ok(()),
            Some((key, _)) => Err(self.corrupted(TRANSACTIONS, key, "names a transaction that is in no block")),
        }
    }

    /// The state after each block: the newest from the flat records, the others back from there by what each block
    /// undid. Both ends are compared with their headers.
    fn load_worlds(&self, blocks: &[StoredBlock]) -> Result<Vec<WorldState>, StoreError> {
        let mut worlds = vec![self.load_head_world()?];
        for block in blocks.iter().skip(1).rev() {
            let parent = worlds[worlds.len() - 1].apply(&self.undo(block.number())?);
            worlds.push(parent);
        }
        worlds.reverse();
        for index in [blocks.len() - 1, 0] {
            let (expected, computed) = (blocks[index].header.state_root, worlds[index].root());
            if computed != expected {
                let number = blocks[index].number();
                return Err(StoreError::StoredRoot { path: self.path.clone(), number, expected, computed });
            }
        }
        Ok(worlds)
    }

    fn load_head_world(&self) -> Result<WorldState, StoreError> {
        let mut all = StateChanges { code: self.load_code()?, ..StateChanges::default() };
        for entry in self.records(ACCOUNTS) {
            let (key, value) = entry?;
            let corrupted = |reason| self.corrupted(ACCOUNTS, &key, reason);
            let address = Address::from(record::sized::<20>(&key).map_err(corrupted)?);
            let info = record::decode_account(&value).map_err(corrupted)?;
            all.accounts.insert(address, AccountChange { info: Some(info), ..AccountChange::default() });
        }
        for entry in self.records(STORAGE) {
            let (key, value) = entry?;
            let corrupted = |reason| self.corrupted(STORAGE, &key, reason);
            let (address, slot) = record::decode_storage_key(&key).map_err(corrupted)?;
            let word = U256::from_be_bytes(record::sized::<32>(&value).map_err(corrupted)?);
            let Some(account) = all.accounts.get_mut(&address) else {
                return Err(self.corrupted(STORAGE, &key, "belongs to no account"));
            };
            account.storage.insert(slot, word);
        }
        Ok(WorldState::new().apply(&all))
    }

    fn load_code(&self) -> Result<BTreeMap<B256, Bytes>, StoreError> {
        let mut code = BTreeMap::new();
        for entry in self.records(CODE) {
            let (key, value) = entry?;
            let hash = keccak256(&value);
            if key[..] != hash[..] {
                return Err(self.corrupted(CODE, &key, format!("holds code with hash {hash}")));
            }
            code.insert(hash, Bytes::from(value));
        }
        Ok(code)
    }

    fn meta(&self, key: &'static str) -> Result<Vec<u8>, StoreError> {
        self.get(META, key.as_bytes())?.ok_or_else(|| self.corrupted(META, key.as_bytes(), "missing"))
    }

    fn records(&self, family: &'static str) -> impl Iterator<Item = Result<Record, StoreError>> {
        let records = self.db.iterator_cf(self.family(family), IteratorMode::Start);
        records.map(|entry| entry.map_err(|source| self.database("reading records", source)))
    }
}
