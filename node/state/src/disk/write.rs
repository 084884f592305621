//! A block's writes: one batch.

use std::{collections::BTreeSet, sync::Arc};

use alloy_eip7928::BlockAccessList;
use alloy_primitives::B256;
use rocksdb::WriteBatch;

use super::{
    base::StoredAccount,
    database::Database,
    record::{self, BlockParts, ChangeSet, Head},
    schema::{
        ACCESS_LISTS, BODIES, CHANGES, CODE, HEADERS, META, META_HEAD, NUMBERS, RECEIPTS, RESULTS, StateKey,
        TRANSACTIONS,
    },
};
use crate::{
    StoredBlock, WorldState,
    trie::{Found, NodeRecord, Place, Unsaved},
    world::{Account, Slot},
};

/// What a block's state took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Bytes of memory of the trie nodes that changed.
    pub(super) node_bytes: usize,
}

/// Adds what a state has and the store has not, as written by a block.
pub(super) fn put_state(
    database: &Database,
    batch: &mut WriteBatch,
    block: u64,
    store: u64,
    world: &WorldState,
) -> Written {
    let mut keys = BTreeSet::new();
    let written = each_record(store, world, &mut |key, value| {
        batch.put_cf(database.family(key.family), key.at(block), value);
        keys.insert(key);
    });
    let (code, ..) = world.unsaved();
    for (hash, code) in code {
        batch.put_cf(database.family(CODE), hash, code);
    }
    // Nothing goes back beyond the first block, or replaces what was before it.
    if block > 0 {
        batch.put_cf(database.family(CHANGES), block.to_be_bytes(), alloy_rlp::encode(ChangeSet::of(&keys)));
    }
    written
}

/// Hands over the records that a state has and its store has not, code apart. Removals first, so that what comes back stays.
pub(super) fn each_record(store: u64, world: &WorldState, take: Take<'_>) -> Written {
    let (_, removed, accounts) = world.unsaved();
    let mut writes = StateWrites { store, take, written: Written::default() };
    for (account, slot) in removed {
        let key = slot.map_or_else(|| StateKey::account(account), |slot| StateKey::slot(account, &slot));
        let is_gone = match (accounts.find(account), slot) {
            (Found::Absent, _) => true,
            (Found::Here(account), Some(slot)) => matches!(account.slots.find(slot), Found::Absent),
            (Found::Here(_), None) | (Found::InStore, _) => false,
        };
        if is_gone {
            (writes.take)(key, &[]);
        }
    }
    accounts.save(store, &mut writes);
    writes.written
}

/// Adds the access list of a block.
pub(super) fn put_access_list(database: &Database, batch: &mut WriteBatch, block: u64, list: &BlockAccessList) {
    batch.put_cf(database.family(ACCESS_LISTS), block.to_be_bytes(), alloy_rlp::encode(list));
}

/// Adds a block, without its state, and makes it the head.
pub(super) fn put_block(database: &Database, batch: &mut WriteBatch, block: &StoredBlock) {
    let (number, family) = (block.number(), |name| database.family(name));
    let BlockParts { header, body, receipts, results } = record::encode_block(block);
    batch.put_cf(family(HEADERS), number.to_be_bytes(), header);
    batch.put_cf(family(BODIES), number.to_be_bytes(), body);
    batch.put_cf(family(RECEIPTS), number.to_be_bytes(), receipts);
    batch.put_cf(family(RESULTS), number.to_be_bytes(), results);
    batch.put_cf(family(NUMBERS), block.hash(), number.to_be_bytes());
    for (index, transaction) in block.transactions.iter().enumerate() {
        batch.put_cf(family(TRANSACTIONS), transaction.tx_hash(), record::encode_place(number, index));
    }
    batch.put_cf(family(META), META_HEAD, record::encode_head(Head { number, hash: block.hash() }));
}

/// Where records of state go, with what they say; nothing where something was removed.
type Take<'a> = &'a mut dyn FnMut(StateKey, &[u8]);

struct StateWrites<'a> {
    store: u64,
    take: Take<'a>,
    written: Written,
}

impl StateWrites<'_> {
    fn put_node(&mut self, account: Option<&B256>, place: Place, node: &NodeRecord) {
        let mut bytes = Vec::new();
        node.write(&mut bytes);
        (self.take)(StateKey::node(account, place), &bytes);
    }
}

impl Unsaved<Arc<Account>> for StateWrites<'_> {
    fn leaf(&mut self, key: &B256, account: &Arc<Account>) {
        let Account { address, info, slots } = &**account;
        slots.save(self.store, &mut SlotWrites { account: *key, all: self });
        let stored = StoredAccount { address: *address, info: *info, storage_root: slots.root() };
        (self.take)(StateKey::account(key), &record::encode_account(&stored));
        self.written.node_bytes += size_of::<Account>();
    }

    fn node(&mut self, place: Place, node: &NodeRecord) {
        self.put_node(None, place, node);
    }

    fn bytes(&mut self, count: usize) {
        self.written.node_bytes += count;
    }
}

/// The writes of one account's storage.
struct SlotWrites<'a, 'b> {
    account: B256,
    all: &'a mut StateWrites<'b>,
}

impl Unsaved<Slot> for SlotWrites<'_, '_> {
    fn leaf(&mut self, key: &B256, slot: &Slot) {
        (self.all.take)(StateKey::slot(&self.account, key), &record::encode_slot(slot));
    }

    fn node(&mut self, place: Place, node: &NodeRecord) {
        let account = self.account;
        self.all.put_node(Some(&account), place, node);
    }

    fn bytes(&mut self, count: usize) {
        self.all.written.node_bytes += count;
    }
}
