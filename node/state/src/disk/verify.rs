//! Checks of a whole folder: every record is read, and compared with all that must agree with it.

use std::collections::BTreeMap;

use alloy_consensus::proofs::{calculate_receipt_root, calculate_transaction_root};
use alloy_eip7928::compute_block_access_list_hash;
use alloy_primitives::{B256, keccak256};
use alloy_trie::TrieAccount;
use serde::Serialize;

use super::{
    Disk,
    base::StoredAccount,
    newest::Newest,
    record,
    schema::{ACCESS_LISTS, ACCOUNTS, CODE, HEADERS, NUMBERS, STORAGE, TRANSACTIONS, VERSIONED, split_version},
};
use crate::{StoreError, StoredBlock, trie::Rebuild, world::Checking};

/// States between the ends that are computed anew where every one is checked, at most.
const REBUILDS_MAX: u64 = 8;
/// One of so many blocks, at most.
const REBUILT_EVERY_MIN: u64 = 1_000;

/// Which states are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The newest and the oldest that is kept, computed anew.
    Ends,
    /// Those of every block that is kept: the ends and some between them as above, and each from the one before it by what the
    /// block changed, which takes as long as the blocks' changes are many.
    Every,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Blocks are read and compared with indices.
    Blocks,
    /// Records of state are read and compared with the blocks' change sets.
    Records,
    /// A state is computed anew from accounts and slots.
    State {
        /// Of this block.
        block: u64,
    },
    /// Each state is compared with what the block's changes make of the one before it.
    Follow,
    /// A state's trie is read, node by node.
    Trie {
        /// Of this block.
        block: u64,
    },
    /// Old states are forgotten.
    Prune,
    /// A folder of the former format is read from its newest state back to its first.
    WalkBack,
    /// Its blocks are written in this format.
    Migrate,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// In this step.
    pub step: Step,
    /// So many are done.
    pub done: u64,
    /// Of so many, where that is known.
    pub total: Option<u64>,
}

/// What was read, and found to be right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// Blocks.
    pub blocks: u64,
    /// Transactions with their receipts.
    pub transactions: u64,
    /// Records of state, all versions counted.
    pub records: u64,
    /// States whose roots were computed.
    pub states: u64,
    /// Those of them that were computed from nothing but accounts and slots.
    pub rebuilt: u64,
    /// Accounts after the newest block.
    pub accounts: u64,
    /// Slots after the newest block.
    pub slots: u64,
    /// Records of trie nodes after the newest block.
    pub nodes: u64,
    /// State root of the newest block, computed anew.
    pub root: B256,
}

pub(super) type Tell<'a> = &'a mut dyn FnMut(Progress);

impl Disk {
    /// Reads everything and checks it.
    pub(crate) fn verify(&self, scope: Scope, tell: Tell<'_>) -> Result<Checked, StoreError> {
        let mut checked = Checked::default();
        self.verify_blocks(&mut checked, tell)?;
        self.verify_code()?;
        self.verify_records(&mut checked, tell)?;
        for block in rebuilt(scope, self.oldest, self.head) {
            checked.root = self.rebuild_root(block, tell)?;
            checked.rebuilt += 1;
        }
        checked.states = checked.rebuilt;
        if scope == Scope::Every && self.oldest < self.head {
            self.verify_trie(self.oldest, &mut Checked::default(), tell)?;
            checked.states = 1 + self.verify_followers(tell)?;
        }
        self.verify_trie(self.head, &mut checked, tell)?;
        Ok(checked)
    }

    /// The root that a block's header says its state has.
    pub(super) fn state_root(&self, block: u64) -> Result<B256, StoreError> {
        let header = self.reader.header(block)?.ok_or(StoreError::NoBlock { number: block, head: self.head })?;
        Ok(header.state_root)
    }

    /// The root of the state after a block, from nothing but accounts and slots. It must be the one in the header.
    pub(crate) fn rebuild_root(&self, block: u64, tell: Tell<'_>) -> Result<B256, StoreError> {
        if block < self.oldest {
            return Err(StoreError::Pruned { number: block });
        }
        let expected = self.state_root(block)?;
        let mut slots = Newest::new(self, STORAGE, block);
        let (mut all, mut done) = (Rebuild::default(), 0);
        for account in Newest::new(self, ACCOUNTS, block) {
            let (key, bytes) = account?;
            let corrupted = |reason: &dyn std::fmt::Display| self.database().corrupted(ACCOUNTS, &key, reason);
            let StoredAccount { address, info, storage_root } =
                record::decode_account(&bytes).map_err(|reason| corrupted(&reason))?;
            if keccak256(address)[..] != key {
                return Err(corrupted(&format!("is of {address}, which has another key")));
            }
            let storage = Rebuild::root_of(slots.below(&key).map(|entry| {
                let (key, bytes) = entry?;
                let slot = record::decode_slot(&bytes);
                let slot = slot.map_err(|reason| self.database().corrupted(STORAGE, &key, reason))?;
                if keccak256(slot.0.to_be_bytes::<32>())[..] != key[32..] {
                    let reason = format!("is of slot {}, which has another key", slot.0);
                    return Err(self.database().corrupted(STORAGE, &key, reason));
                }
                Ok((B256::from_slice(&key[32..]), slot))
            }))?;
            if storage != storage_root {
                return Err(corrupted(&format!("has storage root {storage_root}, its slots have {storage}")));
            }
            let leaf = TrieAccount::new(info.nonce, info.balance, storage_root, info.code_hash);
            all.add(&B256::from_slice(&key), |out| alloy_rlp::Encodable::encode(&leaf, out));
            done += 1;
            tell(Progress { step: Step::State { block }, done, total: None });
        }
        if let Some(stray) = slots.next() {
            return Err(self.database().corrupted(STORAGE, &stray?.0, "belongs to no account"));
        }
        let computed = all.root();
        if computed == expected {
            return Ok(computed);
        }
        Err(StoreError::StoredRoot { path: self.database().path.clone(), number: block, expected, computed })
    }

    /// Blocks follow each other, hold what their headers commit to, and are found by hash; so are their transactions.
    fn verify_blocks(&self, checked: &mut Checked, tell: Tell<'_>) -> Result<(), StoreError> {
        let (mut parent, mut places) = (None, BTreeMap::new());
        for number in 0..=self.head {
            let block = self.reader.block(number)?.ok_or_else(|| self.missing(HEADERS, &number.to_be_bytes()))?;
            self.verify_block(&block, parent)?;
            parent = Some(block.hash());
            for (index, transaction) in block.transactions.iter().enumerate() {
                places.insert(*transaction.tx_hash(), (number, index));
            }
            checked.blocks += 1;
            checked.transactions += block.transactions.len() as u64;
            tell(Progress { step: Step::Blocks, done: number + 1, total: Some(self.head + 1) });
        }
        for entry in self.database().records(TRANSACTIONS) {
            let (key, _) = entry?;
            let hash = B256::try_from(&key[..]).unwrap_or_default();
            if places.remove(&hash) != self.reader.place(hash)? {
                return Err(self.database().corrupted(TRANSACTIONS, &key, "does not lead to this transaction"));
            }
        }
        for entry in self.database().records(ACCESS_LISTS) {
            let (key, _) = entry?;
            let number = record::decode_number(&key).ok().filter(|number| *number <= self.head);
            number.ok_or_else(|| self.database().corrupted(ACCESS_LISTS, &key, "belongs to no block of the chain"))?;
        }
        if let Some((hash, (number, _))) = places.pop_first() {
            let reason = format!("missing, although block {number} holds this transaction");
            return Err(self.database().corrupted(TRANSACTIONS, hash.as_slice(), reason));
        }
        if self.database().records(NUMBERS).count() as u64 == checked.blocks {
            Ok(())
        } else {
            Err(self.database().corrupted(NUMBERS, &[], "names blocks that are not in the chain"))
        }
    }

    fn verify_block(&self, block: &StoredBlock, parent: Option<B256>) -> Result<(), StoreError> {
        let (header, number) = (&block.header, block.number());
        let transactions: Vec<_> = block.transactions.iter().map(|transaction| transaction.inner()).collect();
        let wrong = if parent.is_some_and(|parent| parent != header.parent_hash) {
            "does not follow the block before it"
        } else if self.reader.number(block.hash())? != Some(number) {
            "is not found by its hash"
        } else if calculate_transaction_root(&transactions) != header.transactions_root {
            "does not commit to the block's transactions"
        } else if calculate_receipt_root(&block.receipts) != header.receipts_root {
            "does not commit to the block's receipts"
        } else if number > 0 && self.access_list_hash(number)? != header.block_access_list_hash {
            "does not commit to the block's access list"
        } else {
            return Ok(());
        };
        Err(self.database().corrupted(HEADERS, &number.to_be_bytes(), wrong))
    }

    fn access_list_hash(&self, number: u64) -> Result<Option<B256>, StoreError> {
        Ok(self.reader.access_list(number)?.map(|list| compute_block_access_list_hash(&list)))
    }

    fn verify_code(&self) -> Result<(), StoreError> {
        for entry in self.database().records(CODE) {
            let (key, code) = entry?;
            let hash = keccak256(&code);
            if key[..] != hash[..] {
                return Err(self.database().corrupted(CODE, &key, format!("holds code with hash {hash}")));
            }
        }
        Ok(())
    }

    /// Every record of state that was written after the oldest kept block stands in its block's change set, and the other
    /// way round.
    fn verify_records(&self, checked: &mut Checked, tell: Tell<'_>) -> Result<(), StoreError> {
        let mut listed = BTreeMap::new();
        for block in self.oldest + 1..=self.head {
            for key in self.reader.changes(block)? {
                if self.database().get(key.family, &key.at(block))?.is_none() {
                    let reason = format!("missing, although block {block} wrote it");
                    return Err(self.database().corrupted(key.family, &key.bytes, reason));
                }
                *listed.entry(block).or_insert(0u64) += 1;
            }
            tell(Progress { step: Step::Records, done: block - self.oldest, total: Some(self.head - self.oldest) });
        }
        for (family, _) in VERSIONED {
            for entry in self.database().records(family) {
                let (key, _) = entry?;
                let Some((_, version)) = split_version(&key).filter(|(_, version)| *version <= self.head) else {
                    return Err(self.database().corrupted(family, &key, "no block of the chain wrote it"));
                };
                checked.records += 1;
                if version > self.oldest {
                    let count = listed.entry(version).or_insert(0);
                    *count = count.checked_sub(1).ok_or_else(|| {
                        self.database().corrupted(family, &key, format!("not among the changes of block {version}"))
                    })?;
                }
            }
        }
        Ok(())
    }

    fn verify_trie(&self, block: u64, checked: &mut Checked, tell: Tell<'_>) -> Result<(), StoreError> {
        let mut done = 0;
        self.world(block, self.state_root(block)?)?.check(|found| {
            match found {
                Checking::Node => checked.nodes += 1,
                Checking::Account => checked.accounts += 1,
                Checking::Slot => checked.slots += 1,
            }
            done += 1;
            tell(Progress { step: Step::Trie { block }, done, total: None });
        })
    }
}

/// The blocks whose states are computed anew: both ends, and some between them.
fn rebuilt(scope: Scope, oldest: u64, head: u64) -> impl Iterator<Item = u64> {
    let step = match scope {
        Scope::Ends => (head - oldest).max(1),
        Scope::Every => ((head - oldest) / (REBUILDS_MAX + 1) + 1).max(REBUILT_EVERY_MIN),
    };
    (oldest..head).step_by(usize::try_from(step).unwrap_or(usize::MAX)).chain([head])
}

#[cfg(test)]
mod tests {
    use super::{REBUILDS_MAX, Scope, rebuilt};

    #[test]
    fn states_are_computed_anew_at_both_ends_and_at_a_bounded_number_between() {
        let blocks = |scope, oldest, head| rebuilt(scope, oldest, head).collect::<Vec<_>>();
        for scope in [Scope::Ends, Scope::Every] {
            assert_eq!(blocks(scope, 7, 7), [7]);
            assert_eq!(blocks(scope, 7, 8), [7, 8]);
            assert_eq!(blocks(scope, 0, 900), [0, 900]);
        }
        assert_eq!(blocks(Scope::Ends, 0, 2_100), [0, 2_100]);
        assert_eq!(blocks(Scope::Every, 0, 2_100), [0, 1_000, 2_000, 2_100]);
        assert!(blocks(Scope::Every, 5, 10_000_000).len() as u64 <= REBUILDS_MAX + 2);
    }
}
