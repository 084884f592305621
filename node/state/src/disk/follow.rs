//! Every kept state from the one before it: one pass over what blocks wrote, and no state as a whole.
//!
//! Where a state is right, in its accounts, its slots and its trie, and the next block's records are those that its changes of
//! accounts and slots lead to, then the next state is right as well: of all else it has what the one before has. The first is
//! computed anew, and so are some on the way and the last (see [`verify`](super::verify)).

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use parapet_types::{AccountChange, StateChanges};

use super::{
    Disk,
    record::{self, RecordError},
    schema::{ACCOUNTS, CODE, STORAGE, StateKey},
    verify::{Progress, Step, Tell},
    write,
};
use crate::StoreError;

impl Disk {
    /// Checks the states after all blocks that are kept, given that the oldest is right; gives their number.
    pub(super) fn verify_followers(&self, tell: Tell<'_>) -> Result<u64, StoreError> {
        let total = self.head - self.oldest;
        let mut root = self.state_root(self.oldest)?;
        for block in self.oldest + 1..=self.head {
            root = self.verify_follower(block, root)?;
            tell(Progress { step: Step::Follow, done: block - self.oldest, total: Some(total) });
        }
        Ok(total)
    }

    /// Checks what a block wrote against what its changes make of the state before it; gives its state's root.
    fn verify_follower(&self, block: u64, root_before: B256) -> Result<B256, StoreError> {
        let (expected, keys) = (self.state_root(block)?, self.reader.changes(block)?);
        let before = self.world(block - 1, root_before)?;
        let after = before.apply(&self.changed_by(block, &keys)?).map_err(|error| match error {
            StoreError::Code { address, code_hash } => {
                let reason = format!("missing, although block {block} gave it to {address}");
                self.database().corrupted(CODE, code_hash.as_slice(), reason)
            }
            other => other,
        })?;
        let computed = after.root();
        if computed != expected {
            let path = self.database().path.clone();
            return Err(StoreError::StoredRoot { path, number: block, expected, computed });
        }
        let mut derived = BTreeMap::new();
        write::each_record(self.store, &after, &mut |key, value| {
            derived.insert(key, value.to_vec());
        });
        for key in keys {
            let written = self.database().get(key.family, &key.at(block))?.unwrap_or_default();
            let expected = match derived.remove(&key) {
                Some(value) => value,
                // It was written as it was before: a block may undo what it did.
                None => self.database().newest(&key, block - 1)?.map_or_else(Vec::new, |(_, value)| value),
            };
            if written != expected {
                let reason = format!("what block {block} wrote is not what its changes lead to");
                return Err(self.database().corrupted(key.family, &key.bytes, reason));
            }
        }
        match derived.pop_first() {
            None => Ok(computed),
            Some((key, _)) => {
                let reason = format!("block {block} did not write it, although its changes lead to it");
                Err(self.database().corrupted(key.family, &key.bytes, reason))
            }
        }
    }

    /// What a block changed, by its records of accounts and slots.
    fn changed_by(&self, block: u64, keys: &[StateKey]) -> Result<StateChanges, StoreError> {
        let mut accounts: BTreeMap<&[u8], (Address, AccountChange)> = BTreeMap::new();
        for key in keys.iter().filter(|key| key.family == ACCOUNTS) {
            let (now, before) = self.both(key, block, record::decode_account)?;
            // One that came and went within the block has no address any more, and needs none.
            if let Some(account) = now.or(before) {
                let change = AccountChange { info: now.map(|account| account.info), ..AccountChange::default() };
                accounts.insert(&key.bytes, (account.address, change));
            }
        }
        for key in keys.iter().filter(|key| key.family == STORAGE) {
            let (now, before) = self.both(key, block, record::decode_slot)?;
            let Some((slot, _)) = now.or(before) else { continue };
            let account = key.bytes.get(..B256::len_bytes()).and_then(|account| accounts.get_mut(account));
            let Some((_, change)) = account else {
                let reason = format!("block {block} wrote it, and not its account");
                return Err(self.database().corrupted(STORAGE, &key.bytes, reason));
            };
            if change.info.is_some() {
                change.storage.insert(slot, now.map_or(U256::ZERO, |(_, value)| value));
            }
        }
        Ok(StateChanges { accounts: accounts.into_values().collect(), ..StateChanges::default() })
    }

    /// What held for a key after a block, and before it.
    fn both<T>(
        &self,
        key: &StateKey,
        block: u64,
        decode: impl Fn(&[u8]) -> Result<T, RecordError>,
    ) -> Result<(Option<T>, Option<T>), StoreError> {
        let at = |block| {
            let found = self.database().newest(key, block)?;
            let found = found.map(|(_, bytes)| decode(&bytes)).transpose();
            found.map_err(|reason| self.database().corrupted(key.family, &key.bytes, reason))
        };
        Ok((at(block)?, at(block - 1)?))
    }
}
