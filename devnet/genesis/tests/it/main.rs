//! The genesis block against what is known of it elsewhere.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod forks;
mod schedules;

use alloy_consensus::{EMPTY_ROOT_HASH, Header};
use alloy_eips::{eip2935, eip4788, eip7002, eip7251, eip7685::EMPTY_REQUESTS_HASH};
use alloy_primitives::{Address, B256, Bytes, U256, address, b256, keccak256};
use alloy_trie::{TrieAccount, root};
use parapet_genesis::{
    ACCOUNTS_MAX, CREATE2_FACTORY, Create2Factory, DevGenesis, DevSettings, GenesisError, StateFile, Wallet,
    dev_accounts,
};
use parapet_state::ChainStore;
use parapet_types::{ChainParams, Hardfork, REGISTRY};

const TIME: u64 = 1_700_000_000;

fn settings(hardfork: Hardfork) -> DevSettings {
    let usual = DevSettings::at(TIME);
    DevSettings { params: ChainParams { hardfork, ..usual.params }, ..usual }
}

fn build(hardfork: Hardfork) -> DevGenesis {
    DevGenesis::build(&settings(hardfork)).unwrap()
}

/// As every Ethereum development tool prints them.
#[test]
fn the_ten_accounts_are_the_well_known_ones() {
    let known = [
        address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
        address!("70997970C51812dc3A010C7d01b50e0d17dc79C8"),
        address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
        address!("90F79bf6EB2c4f870365E785982E1f101E93b906"),
        address!("15d34AAf54267DB7D7c367839AAf71A00a2C6A65"),
        address!("9965507D1a55bcC2695C58ba16FB37d819B0A4dc"),
        address!("976EA74026E726554dB657fA54763abd0C3a0aa9"),
        address!("14dC79964da2C08b23698B3D3cc7Ca32193d9955"),
        address!("23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"),
        address!("a0Ee7A142d267C1f36714E4a8F75612F20a79720"),
    ];
    let genesis = build(Hardfork::Osaka);
    assert_eq!(genesis.accounts.iter().map(|account| account.address).collect::<Vec<_>>(), known);
    let key = b256!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    assert_eq!((genesis.accounts[0].key, genesis.guardian), (key, known[0]));
    for account in known {
        let info = genesis.block.world.account(&account).unwrap().unwrap();
        assert_eq!((info.nonce, info.balance), (0, U256::from(10_000) * U256::from(10).pow(U256::from(18))));
    }
}

#[test]
fn the_header_encodes_to_its_hash_and_has_the_fields_of_its_fork() {
    for hardfork in Hardfork::ALL {
        let header = build(hardfork).block.header;
        let bytes = alloy_rlp::encode(&header);
        assert_eq!(keccak256(&bytes), header.hash_slow());
        assert_eq!(alloy_rlp::decode_exact::<Header>(&bytes).unwrap(), header);
        assert_eq!((header.number, header.timestamp, header.gas_limit), (0, TIME, 30_000_000));
        assert_eq!((header.base_fee_per_gas, header.difficulty), (Some(1_000_000_000), U256::ZERO));
        let since = |fork| hardfork >= fork;
        assert_eq!(header.withdrawals_root, since(Hardfork::Shanghai).then_some(EMPTY_ROOT_HASH));
        assert_eq!(header.excess_blob_gas, since(Hardfork::Cancun).then_some(0));
        assert_eq!(header.parent_beacon_block_root, since(Hardfork::Cancun).then_some(B256::ZERO));
        assert_eq!(header.requests_hash, since(Hardfork::Prague).then_some(EMPTY_REQUESTS_HASH));
    }
}

#[test]
fn the_state_root_equals_an_independent_construction() {
    let genesis = build(Hardfork::Osaka);
    let world = &genesis.block.world;
    let system: [(Address, &Bytes); 4] = [
        (eip4788::BEACON_ROOTS_ADDRESS, &eip4788::BEACON_ROOTS_CODE),
        (eip2935::HISTORY_STORAGE_ADDRESS, &eip2935::HISTORY_STORAGE_CODE),
        (eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, &eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_CODE),
        (eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, &eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_CODE),
    ];
    let (registry, storage) = parapet_registry::genesis_account(genesis.guardian, genesis.guardian);
    // keccak256 of the factory's runtime code, as explorers show it on every chain that has it.
    let factory = b256!("2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989");
    let contract = |code_hash, storage_root| TrieAccount::new(1, U256::ZERO, storage_root, code_hash);
    let funded = |account: &parapet_genesis::DevAccount| {
        let account_of = TrieAccount { balance: DevSettings::at(0).balance, ..TrieAccount::default() };
        (account.address, account_of)
    };
    let storage = storage.into_iter().map(|(slot, value)| (B256::from(slot), value));
    let expected = system
        .into_iter()
        .map(|(address, code)| (address, contract(keccak256(code), EMPTY_ROOT_HASH)))
        .chain(genesis.accounts.iter().map(funded))
        .chain([
            (REGISTRY, contract(keccak256(&registry), root::storage_root_unhashed(storage))),
            (CREATE2_FACTORY, contract(factory, EMPTY_ROOT_HASH)),
        ]);
    assert_eq!(root::state_root_unhashed(expected), world.root());
    assert_eq!(genesis.block.header.state_root, world.root());
    for (address, info) in world.accounts().map(Result::unwrap) {
        assert!(world.code(info.code_hash).unwrap().is_some(), "{address} has code that is not there");
    }
}

#[test]
fn system_contracts_come_with_their_forks() {
    let has = |hardfork, address| build(hardfork).block.world.account(&address).unwrap().is_some();
    assert!(!has(Hardfork::Shanghai, eip4788::BEACON_ROOTS_ADDRESS));
    assert!(has(Hardfork::Cancun, eip4788::BEACON_ROOTS_ADDRESS));
    assert!(!has(Hardfork::Cancun, eip2935::HISTORY_STORAGE_ADDRESS));
    assert!(has(Hardfork::Prague, eip2935::HISTORY_STORAGE_ADDRESS));
    assert!(has(Hardfork::Paris, REGISTRY));
}

#[test]
fn the_number_of_accounts_is_bounded() {
    for asked in [0, ACCOUNTS_MAX + 1] {
        let error = DevGenesis::build(&DevSettings { accounts: asked, ..DevSettings::at(TIME) }).unwrap_err();
        assert!(matches!(error, GenesisError::Accounts { asked: named } if named == asked), "{error}");
    }
    let one = DevGenesis::build(&DevSettings { accounts: 1, ..DevSettings::at(TIME) }).unwrap();
    assert_eq!(one.accounts, dev_accounts(10).unwrap()[..1]);
}

#[test]
fn accounts_derive_from_any_phrase_and_path() {
    let phrase = Wallet::seeded_phrase(1);
    assert_eq!(phrase.split(' ').count(), 12);
    assert_eq!(phrase, Wallet::seeded_phrase(1));
    assert_ne!(phrase, Wallet::seeded_phrase(2));
    let usual = Wallet::default();
    let bare = Wallet { path: usual.path.trim_end_matches('/').to_owned(), ..usual.clone() };
    assert_eq!(bare.accounts(2).unwrap(), dev_accounts(2).unwrap());
    let elsewhere = Wallet { path: "m/44'/60'/1'/0/".to_owned(), ..usual.clone() };
    assert_ne!(elsewhere.accounts(1).unwrap(), usual.accounts(1).unwrap());
    for wrong in [Wallet { phrase: "no phrase".to_owned(), ..usual.clone() }, Wallet { path: "x".to_owned(), ..usual }]
    {
        assert!(matches!(wrong.accounts(1).unwrap_err(), GenesisError::Derivation { index: 0, .. }));
    }
}

#[test]
fn accounts_of_a_file_stand_beside_the_chains_own() {
    let (rich, other) = (dev_accounts(1).unwrap()[0].address, Address::repeat_byte(0x33));
    let file = serde_json::json!({"block": {"timestamp": "0x65", "gas_limit": "0x1312d00"}, "accounts": {
        rich.to_string(): {"nonce": 7, "balance": "0x1", "code": "0x", "storage": {}},
        other.to_string(): {"nonce": 1, "balance": "0x2", "code": "0x6001", "storage": {"0x01": "0x05"}},
    }});
    let (others, block) = StateFile::parse(file.to_string().as_bytes()).unwrap();
    assert_eq!((block.timestamp, block.gas_limit, block.chain_id), (Some(0x65), Some(20_000_000), None));
    let genesis = DevGenesis::build(&DevSettings { others, base_fee: 7, ..DevSettings::at(TIME) }).unwrap();
    let world = &genesis.block.world;
    assert_eq!(world.account(&rich).unwrap().map(|info| (info.nonce, info.balance)), Some((7, U256::from(1))));
    assert_eq!(world.storage(&other, U256::from(1)).unwrap(), U256::from(5));
    assert!(world.account(&REGISTRY).unwrap().is_some());
    assert_eq!(genesis.block.header.base_fee_per_gas, Some(7));
    let absent = DevSettings { create2_factory: Create2Factory::Absent, ..DevSettings::at(TIME) };
    assert!(DevGenesis::build(&absent).unwrap().block.world.account(&CREATE2_FACTORY).unwrap().is_none());
}

#[test]
fn a_chain_begins_with_it() {
    for hardfork in Hardfork::ALL {
        let genesis = build(hardfork).block;
        let hash = genesis.header.hash_slow();
        let store = ChainStore::in_memory(genesis);
        assert_eq!((store.head().hash(), store.head().number()), (hash, 0));
    }
}
