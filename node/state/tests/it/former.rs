//! Folders of format 2, written as programs of that time wrote them, and what is taken over from them.

use std::{collections::BTreeMap, fs, path::Path};

use alloy_consensus::Header;
use alloy_eips::{eip2718::Encodable2718 as _, eip4895::Withdrawals};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rlp::RlpEncodable;
use parapet_state::{
    ChainStore, Consequence, FORMAT_VERSION, Scope, StoreError, StoreSettings, StoredBlock, WorldState,
};
use parapet_types::{AccountChange, AccountInfo, StateChanges};
use rocksdb::{DB, Options};

use crate::{
    chain::{block_of, extend, genesis, genesis_with},
    model::{Random, random_changes},
    restart::assert_same,
};

const FORMER: u32 = 2;
const FAMILIES: [&str; 7] = ["meta", "accounts", "storage", "code", "blocks", "undo", "transactions"];

#[derive(RlpEncodable)]
struct AccountRecord {
    nonce: u64,
    balance: U256,
    code_hash: B256,
}

#[derive(RlpEncodable)]
#[rlp(trailing)]
struct BlockRecord {
    header: Header,
    transactions: Vec<Bytes>,
    senders: Vec<Address>,
    receipts: Vec<Bytes>,
    executed: Bytes,
    chain_acts: Bytes,
    withdrawals: Option<Withdrawals>,
}

#[derive(RlpEncodable)]
struct ChangeRecord {
    address: Address,
    info: Vec<AccountRecord>,
    wipe_storage: bool,
    storage: Vec<SlotRecord>,
}

#[derive(RlpEncodable)]
struct SlotRecord {
    slot: U256,
    value: U256,
}

fn account(info: &AccountInfo) -> AccountRecord {
    AccountRecord { nonce: info.nonce, balance: info.balance, code_hash: info.code_hash }
}

fn block_record(block: &StoredBlock) -> BlockRecord {
    BlockRecord {
        header: block.header.inner().clone(),
        transactions: block.transactions.iter().map(|transaction| transaction.encoded_2718().into()).collect(),
        senders: block.transactions.iter().map(|transaction| transaction.signer()).collect(),
        receipts: block.receipts.iter().map(|receipt| receipt.encoded_2718().into()).collect(),
        executed: serde_json::to_vec(&block.executed).unwrap().into(),
        chain_acts: serde_json::to_vec(&block.chain_acts).unwrap().into(),
        withdrawals: block.withdrawals.clone(),
    }
}

/// What leads back from the state after changes to the one before them, as that format had it.
fn undo_of(before: &WorldState, changes: &StateChanges) -> Vec<ChangeRecord> {
    let undo = |(address, change): (&Address, &AccountChange)| {
        let Some(info) = before.account(address).unwrap() else {
            return ChangeRecord { address: *address, info: vec![], wipe_storage: true, storage: vec![] };
        };
        let wipe_storage = change.wipe_storage || change.info.is_none();
        let slots: BTreeMap<U256, U256> = if wipe_storage {
            before.slots(address).unwrap().into_iter().collect()
        } else {
            change.storage.keys().map(|slot| (*slot, before.storage(address, *slot).unwrap())).collect()
        };
        let storage = slots.into_iter().map(|(slot, value)| SlotRecord { slot, value }).collect();
        ChangeRecord { address: *address, info: vec![account(&info)], wipe_storage, storage }
    };
    changes.accounts.iter().map(undo).collect()
}

/// A chain in memory, and what each of its blocks changed.
struct Chain {
    store: ChainStore,
    changes: Vec<StateChanges>,
}

impl Chain {
    fn random(genesis: parapet_state::GenesisBlock, seed: u64, blocks: u64) -> Self {
        let (mut store, mut random, mut changes) = (ChainStore::in_memory(genesis), Random(seed), Vec::new());
        for _ in 0..blocks {
            let world = store.head_world();
            changes.push(random_changes(&mut random, &world));
            let after = world.apply(&changes[changes.len() - 1]).unwrap();
            let (block, after) = block_of(&store, &mut random, after);
            store.commit(block, after).unwrap();
        }
        let amendments = random_changes(&mut random, &store.head_world());
        store.amend_head(&amendments).unwrap();
        Self { store, changes }
    }

    /// Writes the folder that a program of format 2 would have.
    fn write(&self, dir: &Path) {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        let db = DB::open_cf(&options, dir.join("chain"), FAMILIES).unwrap();
        let put = |family: &str, key: &[u8], value: &[u8]| {
            db.put_cf(db.cf_handle(family).unwrap(), key, value).unwrap();
        };
        let (store, head) = (&self.store, self.store.head());
        put("meta", b"format", &FORMER.to_be_bytes());
        put("meta", b"params", &serde_json::to_vec(store.spec()).unwrap());
        put("meta", b"head", &[&head.number().to_be_bytes(), head.hash().as_slice()].concat());
        put("meta", b"amendments", &serde_json::to_vec(store.amendments()).unwrap());
        for number in 0..=head.number() {
            let block = store.block(number).unwrap().unwrap();
            put("blocks", &number.to_be_bytes(), &alloy_rlp::encode(block_record(&block)));
            for (index, transaction) in block.transactions.iter().enumerate() {
                let place = [number.to_be_bytes(), (index as u64).to_be_bytes()].concat();
                put("transactions", transaction.tx_hash().as_slice(), &place);
            }
        }
        for (changes, number) in self.changes.iter().zip(1u64..) {
            let before = store.world(number - 1).unwrap().unwrap();
            put("undo", &number.to_be_bytes(), &alloy_rlp::encode(undo_of(&before, changes)));
            changes.code.iter().for_each(|(hash, code)| put("code", hash.as_slice(), code));
        }
        let world = store.head_world();
        for (address, info) in world.accounts().map(Result::unwrap) {
            put("accounts", address.as_slice(), &alloy_rlp::encode(account(&info)));
            for (slot, value) in world.slots(&address).unwrap() {
                let key = [address.as_slice(), &slot.to_be_bytes::<32>()].concat();
                put("storage", &key, &value.to_be_bytes::<32>());
            }
        }
        let number = head.number();
        fs::write(dir.join("announced"), [number.to_be_bytes(), (!number).to_be_bytes()].concat()).unwrap();
    }
}

fn migrate(from: &Path, into: &Path) -> Result<std::sync::Arc<StoredBlock>, StoreError> {
    ChainStore::migrate(from, into, StoreSettings::default(), &mut |_| ())
}

fn open(dir: &Path) -> Result<ChainStore, StoreError> {
    ChainStore::open_existing(dir, StoreSettings::default())
}

/// All files and what is in them.
fn bytes_of(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect()
}

/// A random chain in `old` of a folder.
fn written(seed: u64) -> (tempfile::TempDir, Chain) {
    let dir = tempfile::tempdir().unwrap();
    let chain = Chain::random(genesis(1), seed, 12);
    chain.write(&dir.path().join("old"));
    (dir, chain)
}

#[test]
fn every_block_and_state_and_what_was_amended_is_taken_over() {
    for (seed, hardfork) in (0..).zip(parapet_types::Hardfork::ALL) {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (dir.path().join("old"), dir.path().join("new"));
        let chain = Chain::random(genesis_with(5, hardfork, 1, 1_000), seed, 25);
        chain.write(&old);
        let before = bytes_of(&old.join("chain"));
        let head = migrate(&old, &new).unwrap();
        assert_eq!(head, chain.store.head(), "seed {seed}");
        assert_eq!(bytes_of(&old.join("chain")), before, "the old folder is as it was");
        let mut store = open(&new).unwrap();
        assert_eq!(store.amendments(), chain.store.amendments(), "seed {seed}");
        assert_same(&chain.store, &store);
        store.verify(Scope::Every, &mut |_| ()).unwrap();
        let names: Vec<_> = fs::read_dir(&new).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        store.rewind(3).unwrap();
        extend(&mut store, &mut Random(seed), 3);
        store.verify(Scope::Every, &mut |_| ()).unwrap();
    }
}

#[test]
fn what_was_interrupted_is_no_chain_and_is_begun_again() {
    let (dir, chain) = written(70);
    let (old, new, whole) = (dir.path().join("old"), dir.path().join("new"), dir.path().join("whole"));
    migrate(&old, &whole).unwrap();
    // All that can be there of an attempt that a crash ended: nothing of it is in its place.
    fs::create_dir_all(new.join("unfinished")).unwrap();
    fs::rename(whole.join("chain"), new.join("unfinished/chain")).unwrap();
    assert!(matches!(open(&new).unwrap_err(), StoreError::NoChain { .. }));
    migrate(&old, &new).unwrap();
    assert!(!new.join("unfinished").exists());
    assert_same(&chain.store, &open(&new).unwrap());
    let error = migrate(&old, &new).unwrap_err();
    assert!(matches!(error, StoreError::ChainThere { .. }), "{error}");
    assert_eq!(error.consequence(), Consequence::Refuse);
    assert!(matches!(migrate(&old, &old).unwrap_err(), StoreError::ChainThere { .. }));
}

#[test]
fn a_way_back_that_is_wrong_is_found_before_there_is_a_chain() {
    for damaged in [1, 6, 12u64] {
        let (dir, _) = written(71);
        let (old, new) = (dir.path().join("old"), dir.path().join("new"));
        let db = DB::open_cf(&Options::default(), old.join("chain"), FAMILIES).unwrap();
        let nobody = alloy_rlp::encode(Vec::<SlotRecord>::new());
        db.put_cf(db.cf_handle("undo").unwrap(), damaged.to_be_bytes(), nobody).unwrap();
        drop(db);
        let error = migrate(&old, &new).unwrap_err();
        let is_found =
            matches!(error, StoreError::Root { .. } | StoreError::StoredRoot { .. } | StoreError::Code { .. });
        assert!(is_found, "block {damaged}: {error}");
        assert!(matches!(open(&new).unwrap_err(), StoreError::NoChain { .. }));
    }
}

#[test]
fn other_formats_than_the_former_are_told_apart() {
    let (dir, _) = written(72);
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    let error = open(&old).unwrap_err().to_string();
    assert!(error.contains("has format 2") && error.contains("parapet db migrate"), "{error}");
    for (number, remedy) in [
        (FORMER - 1, "go on with that one"),
        (FORMAT_VERSION, "use it as it is"),
        (FORMAT_VERSION + 1, "update this one"),
    ] {
        let db = DB::open_cf(&Options::default(), old.join("chain"), FAMILIES).unwrap();
        db.put_cf(db.cf_handle("meta").unwrap(), "format", number.to_be_bytes()).unwrap();
        drop(db);
        let error = migrate(&old, &new).unwrap_err();
        assert!(matches!(error, StoreError::NotFormer { found, .. } if found == number), "{error}");
        assert!(error.to_string().contains(remedy), "{error}");
        assert!(matches!(open(&new).unwrap_err(), StoreError::NoChain { .. }));
    }
}

#[test]
fn a_folder_that_lost_blocks_is_not_taken_over() {
    let (dir, _) = written(73);
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    fs::write(old.join("announced"), [13u64.to_be_bytes(), (!13u64).to_be_bytes()].concat()).unwrap();
    let error = migrate(&old, &new).unwrap_err();
    assert!(matches!(error, StoreError::Lost { announced: 13, head: 12, .. }), "{error}");
}
