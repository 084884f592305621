//! Chains to test with: genesis blocks, transactions of every kind, blocks that follow a head. And the store's
//! behaviour that has nothing to do with disk.

use alloy_consensus::{
    EMPTY_ROOT_HASH, Eip658Value, Header, Receipt, ReceiptEnvelope, Sealed, SignableTransaction as _, TxEip1559,
    TxEip7702, TxEnvelope, TxLegacy,
    proofs::{calculate_receipt_root, calculate_transaction_root},
};
use alloy_eip7928::{AccountChanges, BlockAccessList, compute_block_access_list_hash};
use alloy_eips::{eip4895::Withdrawals, eip7702::Authorization};
use alloy_primitives::{Address, B256, Bytes, Log, Signature, TxKind, U256};
use parapet_monitor::{Fuel, Hook, Mode, Outcome, Verdict};
use parapet_state::{ChainStore, Consequence, GenesisBlock, Scope, StoreError, StoreSettings, StoredBlock, WorldState};
use parapet_types::{
    AccountChange, AccountInfo, ChainAct, ChainParams, Destiny, Executed, ExecutionLimits, GuardParams, Hardfork,
    JudgedAct, StateChanges, Transaction, Withdrawal,
};

use crate::model::{Random, address, random_changes};

pub(crate) fn genesis(timestamp: u64) -> GenesisBlock {
    genesis_with(31_337, Hardfork::Osaka, timestamp, 1_000)
}

pub(crate) fn genesis_with(chain_id: u64, hardfork: Hardfork, timestamp: u64, balance: u64) -> GenesisBlock {
    let info = AccountInfo { balance: U256::from(balance), ..AccountInfo::default() };
    let change =
        AccountChange { info: Some(info), wipe_storage: false, storage: [(U256::from(1), U256::from(2))].into() };
    let changes = StateChanges { accounts: [(address(0), change)].into(), ..StateChanges::default() };
    let world = WorldState::of(&changes);
    let shanghai = hardfork >= Hardfork::Shanghai;
    let header = Header {
        state_root: world.root(),
        timestamp,
        base_fee_per_gas: Some(7),
        withdrawals_root: shanghai.then_some(EMPTY_ROOT_HASH),
        ..Header::default()
    };
    GenesisBlock {
        spec: ChainParams {
            chain_id,
            hardfork,
            block_gas_limit: 30_000_000,
            guards: GuardParams::default(),
            deposit_contract: ChainParams::MAINNET_DEPOSITS,
            limits: ExecutionLimits::ETHEREUM,
        }
        .into(),
        header,
        world,
    }
}

/// A block with one transaction of each kind, after the head, over random changes.
pub(crate) fn next_block(store: &ChainStore, random: &mut Random) -> (StoredBlock, WorldState) {
    let changes = random_changes(random, &store.head_world());
    block_of(store, random, store.head_world().apply(&changes).unwrap())
}

/// A block after the head that leads to a state.
pub(crate) fn block_of(store: &ChainStore, random: &mut Random, world: WorldState) -> (StoredBlock, WorldState) {
    let transactions = transactions(random);
    let receipts: Vec<_> = transactions.iter().map(receipt).collect();
    let envelopes: Vec<_> = transactions.iter().map(|transaction| transaction.inner()).collect();
    let head = store.head();
    let header = Header {
        parent_hash: head.hash(),
        number: head.number() + 1,
        state_root: world.root(),
        transactions_root: calculate_transaction_root(&envelopes),
        receipts_root: calculate_receipt_root(&receipts),
        timestamp: head.header.timestamp + 1,
        base_fee_per_gas: Some(7),
        withdrawals_root: head.header.withdrawals_root,
        extra_data: Bytes::from(random.next().to_be_bytes().to_vec()),
        ..Header::default()
    };
    let withdrawal = Withdrawal { index: random.next(), validator_index: 2, address: address(3), amount: 4 };
    let block = StoredBlock {
        header: Sealed::new(header),
        receipts,
        executed: transactions.iter().map(|_| executed(random)).collect(),
        chain_acts: vec![
            JudgedAct { act: ChainAct::SystemCall { target: address(4) }, verdicts: vec![verdict(random)] },
            JudgedAct { act: ChainAct::Withdrawals, verdicts: vec![verdict(random)] },
        ],
        transactions,
        withdrawals: head.header.withdrawals_root.map(|_| Withdrawals::new(vec![withdrawal])),
        ommers: Vec::new(),
    };
    (block, world)
}

pub(crate) fn extend(store: &mut ChainStore, random: &mut Random, blocks: usize) {
    for _ in 0..blocks {
        let (block, world) = next_block(store, random);
        store.commit(block, world).unwrap();
    }
}

fn transactions(random: &mut Random) -> Vec<Transaction> {
    let (nonce, input) = (random.next(), Bytes::from(random.next().to_be_bytes().to_vec()));
    let signature = Signature::test_signature();
    let legacy = TxLegacy { nonce, to: TxKind::Create, input: input.clone(), ..TxLegacy::default() };
    let dynamic = TxEip1559 { chain_id: 1, nonce, to: TxKind::Call(address(1)), input, ..TxEip1559::default() };
    let authorization = Authorization { chain_id: U256::from(1), address: address(2), nonce: 0 };
    let set_code = TxEip7702 {
        chain_id: 1,
        nonce,
        to: address(1),
        authorization_list: vec![authorization.into_signed(signature)],
        ..TxEip7702::default()
    };
    // The senders are not those of the signatures: a development chain may impersonate.
    [
        TxEnvelope::from(legacy.into_signed(signature)),
        dynamic.into_signed(signature).into(),
        set_code.into_signed(signature).into(),
    ]
    .into_iter()
    .zip(0..)
    .map(|(transaction, index)| Transaction::new_unchecked(transaction, address(index)))
    .collect()
}

fn log() -> Log {
    Log::new_unchecked(address(5), vec![B256::repeat_byte(1)], Bytes::from_static(&[1, 2, 3]))
}

fn receipt(transaction: &Transaction) -> ReceiptEnvelope<Log> {
    let receipt = Receipt { status: Eip658Value::Eip658(true), cumulative_gas_used: 21_000, logs: vec![log()] };
    match transaction.inner() {
        TxEnvelope::Legacy(_) => ReceiptEnvelope::Legacy(receipt.with_bloom()),
        TxEnvelope::Eip2930(_) => ReceiptEnvelope::Eip2930(receipt.with_bloom()),
        TxEnvelope::Eip1559(_) => ReceiptEnvelope::Eip1559(receipt.with_bloom()),
        TxEnvelope::Eip4844(_) => ReceiptEnvelope::Eip4844(receipt.with_bloom()),
        TxEnvelope::Eip7702(_) => ReceiptEnvelope::Eip7702(receipt.with_bloom()),
    }
}

fn executed(random: &mut Random) -> Executed {
    let detail = Bytes::from_static(b"more than the cap");
    let vetoed =
        Destiny::Vetoed { guard: address(6), attachment: B256::repeat_byte(7), code: 8, detail: detail.clone() };
    let halted = Destiny::Halted { reason: "OutOfGas".to_owned() };
    let destinies = [Destiny::Succeeded, Destiny::Reverted, halted, vetoed];
    Executed {
        destiny: destinies[random.below(4) as usize].clone(),
        gas_used: random.next(),
        guard_gas_used: 0,
        guard_fuel: Fuel(0),
        output: Bytes::from_static(&[1, 2]),
        logs: vec![log()],
        created: Some(Address::repeat_byte(3)),
        verdicts: vec![verdict(random)],
    }
}

fn verdict(random: &mut Random) -> Verdict {
    Verdict {
        attachment: B256::repeat_byte(7),
        module: B256::repeat_byte(8),
        guard: "outflow_cap".to_owned(),
        mode: Mode::Enforce,
        outcome: Outcome::Veto,
        hook: Some(Hook::OnTx),
        frame: Some(2),
        code: 8,
        detail: Bytes::from_static(b"more than the cap"),
        fuel: Fuel(random.next()),
        elapsed_ns: 9,
        origin: Default::default(),
    }
}

#[test]
fn finds_blocks_and_transactions_by_number_and_hash() {
    let mut store = ChainStore::in_memory(genesis(1));
    extend(&mut store, &mut Random(1), 5);
    assert_eq!(store.head().number(), 5);
    for number in 0..=5 {
        let block = store.block(number).unwrap().unwrap();
        assert_eq!(block.number(), number);
        assert_eq!(store.block_by_hash(block.hash()).unwrap().unwrap(), block);
        assert_eq!(store.world(number).unwrap().unwrap().root(), block.header.state_root);
        assert_eq!(block.to_consensus_block().header.hash_slow(), block.hash());
        for (index, transaction) in block.transactions.iter().enumerate() {
            assert_eq!(store.transaction(*transaction.tx_hash()).unwrap().unwrap(), (block.clone(), index));
        }
    }
    assert_eq!(store.block(6).unwrap(), None);
    assert_eq!(store.block_by_hash(B256::ZERO).unwrap(), None);
    assert_eq!(store.transaction(B256::ZERO).unwrap(), None);
    assert!(store.world(6).unwrap().is_none());
}

#[test]
fn ancestors_are_the_256_blocks_before_a_number() {
    let mut store = ChainStore::in_memory(genesis(1));
    extend(&mut store, &mut Random(1), 260);
    let ancestors = store.ancestors(261).unwrap();
    assert_eq!((ancestors.len(), *ancestors.keys().next().unwrap()), (256, 5));
    assert_eq!(ancestors[&260], store.head().hash());
    let first = (0, store.block(0).unwrap().unwrap().hash());
    assert_eq!(store.ancestors(1).unwrap().into_iter().collect::<Vec<_>>(), vec![first]);
    assert!(store.ancestors(0).unwrap().is_empty());
}

#[test]
fn refuses_a_block_that_does_not_follow_the_head() {
    let mut store = ChainStore::in_memory(genesis(1));
    let (block, world) = next_block(&store, &mut Random(1));
    extend(&mut store, &mut Random(2), 1);
    let error = store.commit(block, world).unwrap_err();
    assert!(matches!(error, StoreError::NotNext { number: 1, head_number: 1, .. }), "{error}");
    assert_eq!(error.consequence(), Consequence::Refuse);
    assert_eq!(store.head().number(), 1);
}

#[test]
fn refuses_a_state_that_is_not_the_headers() {
    let mut store = ChainStore::in_memory(genesis(1));
    let (block, _) = next_block(&store, &mut Random(1));
    let error = store.commit(block, store.head_world()).unwrap_err();
    assert!(matches!(error, StoreError::Root { number: 1, .. }), "{error}");
}

#[test]
fn code_that_nobody_has_is_refused() {
    let code_hash = B256::repeat_byte(7);
    let info = AccountInfo { code_hash, ..AccountInfo::default() };
    let change = AccountChange { info: Some(info), ..AccountChange::default() };
    let changes = StateChanges { accounts: [(address(77), change)].into(), ..StateChanges::default() };
    let error = WorldState::new().apply(&changes).unwrap_err();
    assert!(
        matches!(error, StoreError::Code { address: at, code_hash: hash } if (at, hash) == (address(77), code_hash))
    );
}

#[test]
fn refuses_a_block_without_its_receipts() {
    let mut store = ChainStore::in_memory(genesis(1));
    let (mut block, world) = next_block(&store, &mut Random(1));
    block.receipts.pop();
    let error = store.commit(block, world).unwrap_err();
    assert!(matches!(error, StoreError::Body { transactions: 3, receipts: 2, executed: 3, .. }), "{error}");
}

#[test]
fn rewinding_forgets_later_blocks_and_their_transactions() {
    let mut store = ChainStore::in_memory(genesis(1));
    extend(&mut store, &mut Random(1), 6);
    let (kept, dropped) = (store.block(2).unwrap().unwrap(), store.block(3).unwrap().unwrap());
    store.rewind(2).unwrap();
    assert_eq!(store.head(), kept);
    assert_eq!(store.head_world().root(), kept.header.state_root);
    assert_eq!(store.block_by_hash(dropped.hash()).unwrap(), None);
    assert_eq!(store.transaction(*dropped.transactions[0].tx_hash()).unwrap(), None);
    assert!(store.transaction(*kept.transactions[0].tx_hash()).unwrap().is_some());
    let error = store.rewind(3).unwrap_err();
    assert!(matches!(error, StoreError::NoBlock { number: 3, head: 2 }), "{error}");
    extend(&mut store, &mut Random(9), 2);
    assert_eq!(store.head().number(), 4);
}

#[test]
#[should_panic(expected = "commits to the genesis state")]
fn a_genesis_that_does_not_commit_to_its_state_is_a_mistake() {
    let mut genesis = genesis(1);
    genesis.header.state_root = B256::ZERO;
    let _ = ChainStore::in_memory(genesis);
}

/// The next block, with an access list to which its header commits.
fn listed_block(store: &ChainStore, random: &mut Random) -> (StoredBlock, BlockAccessList, WorldState) {
    let (mut block, world) = next_block(store, random);
    let list = vec![AccountChanges::new(address(random.below(9))), AccountChanges::new(address(10))];
    // A header that has a later field has all before it.
    block.header = Sealed::new(Header {
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(B256::ZERO),
        block_access_list_hash: Some(compute_block_access_list_hash(&list)),
        ..block.header.inner().clone()
    });
    (block, list, world)
}

#[test]
fn access_lists_are_kept_with_their_blocks_and_go_with_them() {
    let dir = tempfile::tempdir().unwrap();
    let disk = || ChainStore::open(dir.path(), genesis(1), StoreSettings::default()).unwrap();
    for mut store in [ChainStore::in_memory(genesis(1)), disk()] {
        let mut random = Random(5);
        let (block, first, world) = listed_block(&store, &mut random);
        store.commit_listed(block, Some(first.clone()), world).unwrap();
        extend(&mut store, &mut random, 1);
        let (block, third, world) = listed_block(&store, &mut random);
        for wrong in [None, Some(first.clone())] {
            let error = store.commit_listed(block.clone(), wrong, world.clone()).unwrap_err();
            assert!(matches!(error, StoreError::AccessList { number: 3, .. }), "{error}");
            assert_eq!(error.consequence(), Consequence::Refuse);
        }
        store.commit_listed(block, Some(third.clone()), world).unwrap();
        let lists = |store: &ChainStore| -> Vec<_> {
            (0..=4).map(|number| store.access_list(number).unwrap().map(|list| BlockAccessList::clone(&list))).collect()
        };
        assert_eq!(lists(&store), [None, Some(first.clone()), None, Some(third), None]);
        store.rewind(2).unwrap();
        assert_eq!(lists(&store), [None, Some(first), None, None, None]);
    }
    let store = disk();
    assert!(store.access_list(1).unwrap().is_some(), "it survives the process");
    store.verify(Scope::Every, &mut |_| ()).unwrap();
}
