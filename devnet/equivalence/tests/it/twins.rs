//! One guard in both forms, native and CosmWasm, on the same chain: the same verdicts, and in parallel the same as one
//! after the other, with guard state that every transaction reads and changes.

use std::{num::NonZeroUsize, sync::Arc};

use alloy_primitives::{B256, Bytes, U256, keccak256};
use parapet_equivalence::{Account, Candidate, Observed, Place, Random, Realised, Scenario, first_difference, observe};
use parapet_executor::{Mode, Workers};
use parapet_judge::Judge;
use parapet_monitor::{Fuel, MemoryAccounts, Mode as AttachmentMode, Outcome};
use parapet_registry::{Attachment, Failure, REGISTRY_ADDRESS, RegistryImage};
use parapet_types::{AccountChange, AccountInfo, FlatState, Hardfork};
use parapet_vm::{Engine, EngineSettings};

const NATIVE: &[u8] = include_bytes!("../../../../guards/artifacts/outflow_cap.wasm");
const CONTRACT: &[u8] = include_bytes!("../../../../guards/artifacts/outflow_cap_cosmwasm.wasm");

/// Most that may leave in one transaction, and within a window, in wei.
const TX_MAX: u64 = 1_000;
const WINDOW_MAX: u64 = 5_000;
const RICH: u64 = 1 << 60;
pub(crate) const GUARDED: [Place; 2] = [Place::Person(0), Place::Person(1)];
const TRANSACTIONS: usize = 60;

/// The same configuration, as each form takes it.
fn configuration(module: &[u8]) -> Bytes {
    if module == CONTRACT {
        return format!(r#"{{"tx_max":"{TX_MAX}","window_max":"{WINDOW_MAX}","window_seconds":"3600"}}"#)
            .into_bytes()
            .into();
    }
    let words = [0, TX_MAX, WINDOW_MAX, 3_600, 0, 0].map(U256::from);
    words.iter().flat_map(|word| word.to_be_bytes::<32>()).collect()
}

/// Transfers from, to and between the guarded accounts, and beside them.
pub(crate) fn scenario(seed: u64) -> Scenario {
    let mut random = Random(seed);
    let mut scenario = Scenario::empty(Hardfork::Osaka);
    scenario.gas_limit = 1_000_000_000;
    scenario.accounts = (0..6).map(|number| Account::funded(Place::Person(number), RICH)).collect();
    let mut transfer = |_| {
        let (from, to) = (Place::Person(random.small(4)), Place::Person(random.small(6)));
        let value = random.pick(&[0, 1, 300, TX_MAX, TX_MAX + 1]);
        Candidate { gas_limit: 1_000_000, ..Candidate::transfer(from, to, value) }
    };
    scenario.transactions = (0..TRANSACTIONS).map(&mut transfer).collect();
    scenario
}

/// The scenario's block on a chain where the guard is attached from the beginning.
fn guarded(scenario: &Scenario, module: &[u8]) -> Realised {
    attached(scenario, module, Failure::Closed, configuration(module))
}

/// As [`guarded`], by any module.
pub(crate) fn attached(scenario: &Scenario, module: &[u8], failure: Failure, configuration: Bytes) -> Realised {
    attached_all(scenario, &[(module, configuration)], failure)
}

/// As [`attached`], by several modules, each with its configuration.
pub(crate) fn attached_all(scenario: &Scenario, guards: &[(&[u8], Bytes)], failure: Failure) -> Realised {
    let mut block = scenario.realise();
    let mut image = RegistryImage::default();
    for (number, (module, configuration)) in (1..).zip(guards) {
        let hash = image.register(Bytes::copy_from_slice(module));
        image.attachments.push(Attachment {
            id: B256::with_last_byte(number),
            module: hash,
            mode: Some(AttachmentMode::Enforce),
            failure,
            fuel_max: Fuel(10_000_000),
            attached_at: 1,
            accounts: GUARDED.map(|place| block.address(place)).to_vec(),
            configuration: configuration.clone(),
            ..Attachment::default()
        });
    }
    let mut accounts = MemoryAccounts::new();
    image.write(&mut accounts);
    for (address, account) in accounts {
        let code_hash = keccak256(&account.code);
        if !account.code.is_empty() {
            block.genesis.code.insert(code_hash, account.code);
        }
        let info = AccountInfo { nonce: 1, balance: account.balance, code_hash };
        let change = AccountChange { info: Some(info), wipe_storage: false, storage: account.storage };
        block.genesis.accounts.insert(address, change);
    }
    block.state = FlatState::from(&block.genesis);
    block
}

pub(crate) fn judge() -> Judge {
    Judge::new(Engine::new(EngineSettings::default()).unwrap())
}

/// What an attachment said of each transaction, without the fuel, which differs from form to form.
fn verdicts(seen: &Observed) -> Vec<Vec<(Outcome, u16, String)>> {
    let said = |included: &parapet_equivalence::Included| {
        let verdicts = included.executed.verdicts.iter();
        verdicts.map(|verdict| (verdict.outcome, verdict.code, verdict.detail_text())).collect()
    };
    seen.included.iter().map(said).collect()
}

#[test]
fn both_forms_of_a_guard_give_the_same_verdicts_on_the_same_chain() {
    let mut codes = Vec::new();
    for seed in 0..4 {
        let scenario = scenario(seed);
        let run = |module| {
            let block = guarded(&scenario, module);
            observe(&block.input(&block.state), &judge(), Mode::Sequential).unwrap()
        };
        let (native, contract) = (verdicts(&run(NATIVE)), verdicts(&run(CONTRACT)));
        assert_eq!(native, contract, "seed {seed}");
        codes.extend(native.iter().flatten().map(|(outcome, code, _)| (*outcome, *code)));
    }
    for expected in [(Outcome::Allow, 0), (Outcome::Veto, 1), (Outcome::Veto, 2)] {
        assert!(codes.contains(&expected), "{expected:?} was never said");
    }
}

#[test]
fn a_contract_with_state_of_its_own_judges_in_parallel_as_one_after_the_other() {
    let judge = Arc::new(judge());
    for seed in 4..8 {
        let block = guarded(&scenario(seed), CONTRACT);
        let expected = observe(&block.input(&block.state), &*judge, Mode::Sequential);
        let seen = expected.as_ref().unwrap();
        assert!(seen.changes.accounts[&REGISTRY_ADDRESS].storage.len() > 3, "the window and its mark are kept");
        for threads in [1, 2, 4, 8] {
            let workers = Workers::new(NonZeroUsize::new(threads).unwrap());
            for _ in 0..3 {
                let found = observe(&block.input(&block.state), &*judge, Mode::Parallel(&workers));
                if let Some(part) = first_difference(&expected, &found) {
                    panic!("seed {seed}, {threads} threads: {part}");
                }
            }
        }
    }
}
