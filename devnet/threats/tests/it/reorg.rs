//! Reorganisations under a guard that remembers: what is left is the chain that never had the dropped blocks, on disk as in
//! memory. Every block's root covers the guard's state, which is storage of the registry.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use parapet_builder::{Amendment, Chain, MineRequest, Mining, Orphans, ReorgRequest, Settings};
use parapet_genesis::{CHAIN_ID, DevGenesis, DevSettings};
use parapet_judge::Judge;
use parapet_monitor::{Fuel, MemoryAccounts, Mode as Acting};
use parapet_random::Random;
use parapet_registry::{Attachment, RegistryImage};
use parapet_state::{ChainStore, Scope, StoreSettings, StoredBlock};
use parapet_store::window_slot;
use parapet_threats::{VAULT, code::STOP, veto_code};
use parapet_types::{REGISTRY, Transaction};
use parapet_vm::{Engine, EngineSettings};

use crate::state::{KEY, window};

const TIME: u64 = 1_700_000_000;
const STEPS: u64 = 40;
const DEPTH_MAX: u64 = 4;
const ATTACHMENT: B256 = B256::with_last_byte(1);

/// A chain whose first block attaches the guard; at most its window's allowance passes the vault.
struct Guarded {
    chain: Chain,
    accounts: Vec<Address>,
}

impl Guarded {
    fn begin(dir: Option<&Path>) -> Self {
        let DevGenesis { accounts, block, .. } = DevGenesis::build(&DevSettings::at(TIME)).unwrap();
        // So little memory that states lie on disk.
        let little = StoreSettings { trie_bytes: 20_000, recent_bytes: 0, ..StoreSettings::with_memory(1 << 20) };
        let store = match dir {
            Some(dir) => ChainStore::open(dir, block, little).unwrap(),
            None => ChainStore::in_memory(block),
        };
        let judge = Judge::new(Engine::new(EngineSettings::default()).unwrap());
        let settings = Settings { mining: Mining::Manual, ..Settings::default() };
        let chain = Chain::new(store, settings, Arc::new(judge), Arc::new(|| TIME)).unwrap();
        let amend = |address, amendment| chain.amend(address, amendment).unwrap();
        for (address, account) in attached() {
            if address != REGISTRY {
                amend(address, Amendment::Code(account.code));
            }
            for (slot, value) in account.storage {
                amend(address, Amendment::Storage { slot, value });
            }
        }
        amend(VAULT, Amendment::Code(Bytes::from_static(&STOP)));
        chain.mine(MineRequest { timestamp: Some(TIME + 1), ..MineRequest::default() }).unwrap();
        Self { chain, accounts: accounts.iter().map(|account| account.address).collect() }
    }

    /// A call of the vault.
    fn call(&self, sender: Address, nonce: u64) -> Transaction {
        let tx = TxEip1559 {
            chain_id: CHAIN_ID,
            nonce,
            gas_limit: 1_000_000,
            max_fee_per_gas: 100_000_000_000,
            to: TxKind::Call(VAULT),
            ..TxEip1559::default()
        };
        Transaction::new_unchecked(TxEnvelope::Eip1559(tx.into_signed(Signature::test_signature())), sender)
    }

    fn head(&self) -> Arc<StoredBlock> {
        Arc::clone(&self.chain.head().block)
    }

    fn nonce(&self, number: u64, sender: Address) -> u64 {
        self.chain.world(number).unwrap().unwrap().account(&sender).unwrap().unwrap_or_default().nonce
    }

    fn window(&self) -> U256 {
        self.chain.head().world.storage(&REGISTRY, window_slot(ATTACHMENT, &KEY)).unwrap()
    }

    /// Blocks come, go and are replaced.
    fn step(&self, random: &mut Random) {
        let head = self.head().number();
        let sender = self.accounts[usize::try_from(random.below(3)).unwrap()];
        // The first block, which attaches, stays.
        let depth = random.below(DEPTH_MAX).min(head - 1);
        match random.below(4) {
            0 => {
                self.chain.rollback(depth).unwrap();
            }
            1 => {
                let nonce = self.nonce(head - depth, sender);
                let calls = vec![self.call(sender, nonce), self.call(sender, nonce + 1)];
                let transactions = (depth > 0).then(|| (random.below(depth), calls));
                let orphans = if random.below(2) == 0 { Orphans::Forget } else { Orphans::Readmit };
                let transactions = transactions.into_iter().collect::<BTreeMap<_, _>>();
                self.chain.reorg(ReorgRequest { depth, transactions, orphans }).unwrap();
            }
            _ => {
                let next = self.chain.next_nonce(&sender).unwrap();
                self.chain.submit(self.call(sender, next)).unwrap();
                let timestamp = self.head().header.timestamp + 1 + random.below(40);
                self.chain.mine(MineRequest { timestamp: Some(timestamp), ..MineRequest::default() }).unwrap();
            }
        }
    }
}

/// The registry's storage and the module's code, with the guard attached to the vault.
fn attached() -> MemoryAccounts {
    let module = window();
    let mut image = RegistryImage::default();
    image.register(module.clone());
    image.attachments.push(Attachment {
        id: ATTACHMENT,
        module: keccak256(&module),
        mode: Some(Acting::Enforce),
        fuel_max: Fuel(1_000_000),
        accounts: vec![VAULT],
        ..Attachment::default()
    });
    let mut accounts = MemoryAccounts::new();
    image.write(&mut accounts);
    accounts
}

/// A chain of the blocks that are left of another, built one after the other.
fn replayed(other: &Guarded) -> Guarded {
    let replay = Guarded::begin(None);
    for number in 2..=other.head().number() {
        let block = other.chain.block(number).unwrap().unwrap();
        for transaction in &block.transactions {
            replay.chain.submit(transaction.clone()).unwrap();
        }
        let timestamp = Some(block.header.timestamp);
        replay.chain.mine(MineRequest { timestamp, ..MineRequest::default() }).unwrap();
        assert_eq!(replay.head().header, block.header, "block {number}");
    }
    replay
}

/// A block without the time that its guards took on this machine.
fn timeless(block: &StoredBlock) -> StoredBlock {
    let mut block = block.clone();
    let verdicts = block.executed.iter_mut().flat_map(|executed| &mut executed.verdicts);
    verdicts.for_each(|verdict| verdict.elapsed_ns = 0);
    block
}

#[test]
fn what_is_left_of_a_reorganised_chain_is_the_chain_that_never_had_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let chain = Guarded::begin(Some(dir.path()));
    let mut random = Random(6);
    let (mut vetoed, mut passed) = (0, 0);
    for step in 0..STEPS {
        chain.step(&mut random);
        let head = chain.head();
        let codes = head.executed.iter().map(veto_code);
        codes.for_each(|code| if code == Some(8) { vetoed += 1 } else { passed += 1 });
        if step % 8 == 7 {
            let replay = replayed(&chain);
            assert_eq!(timeless(&replay.head()), timeless(&head), "after {step} steps");
            assert_eq!(replay.window(), chain.window(), "after {step} steps");
            assert_eq!(chain.chain.head().world.rebuild_root().unwrap(), head.header.state_root);
        }
    }
    assert!(vetoed > 2 && passed > 2, "the guard's memory decides: {vetoed} vetoed, {passed} passed");
    let expected = chain.head();
    drop(chain);
    let store = ChainStore::open_existing(dir.path(), StoreSettings::default()).unwrap();
    assert_eq!(store.head(), expected);
    store.verify(Scope::Every, &mut |_| ()).unwrap();
}
