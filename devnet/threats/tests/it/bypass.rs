//! There is no way around a guard: by no kind of frame, no part that an account has in one, no way that ether moves, and no
//! storage that is gone after the transaction.

use alloy_primitives::{Address, B256, U256, keccak256};
use parapet_monitor::Outcome;
use parapet_threats::{
    ATTACKER, Call, Chain, OWNER, USER, VAULT,
    code::{self, Kind, POP, REVERT, STOP, join},
    guard, veto_code,
};
use parapet_types::{ChainAct, Destiny, Withdrawal};

/// What the attacker calls.
const TOOL: Address = Address::repeat_byte(0xb0);
const LIBRARY: Address = Address::repeat_byte(0xb1);
const WALLET: Address = Address::repeat_byte(0xb2);
/// The precompile that answers what it is told.
const IDENTITY: Address = Address::with_last_byte(4);
/// Ether of everybody who was placed.
const ETHER_WEI: u128 = 10_u128.pow(24);

fn attack() -> Call {
    Call { from: ATTACKER, ..Call::to(TOOL) }
}

/// A chain on which the attacker's tool runs this code.
fn with_tool(code: &[u8]) -> Chain {
    let mut chain = Chain::new();
    chain.put(VAULT, &STOP, []);
    chain.put(LIBRARY, &STOP, []);
    chain.put(TOOL, &join(&[code, &POP, &STOP]), []);
    chain
}

/// Whether the attack is vetoed when a guard with this trigger is attached to an account.
fn is_vetoed(chain: &Chain, trigger: &str, account: Address) -> bool {
    let mut chain = chain.fresh();
    assert_eq!(chain.fresh().send(&attack()).destiny, Destiny::Succeeded, "without a guard");
    chain.attach(&guard::vetoes_on(trigger), &[account]);
    chain.settle_attachments();
    match veto_code(&chain.send(&attack())) {
        None => false,
        Some(code) => code == 7,
    }
}

#[test]
fn each_kind_of_frame_wakes_by_its_own_name_and_by_no_other() {
    let kinds = [
        ("call", code::call(Kind::Call, LIBRARY)),
        ("callcode", code::call(Kind::CallCode, LIBRARY)),
        ("delegatecall", code::call(Kind::DelegateCall, LIBRARY)),
        ("staticcall", code::call(Kind::StaticCall, LIBRARY)),
        ("create", code::create(&STOP, None)),
        ("create2", code::create(&STOP, Some(5))),
    ];
    for (made, code) in &kinds {
        let chain = with_tool(code);
        for (named, _) in &kinds {
            let trigger = format!(r#"{{"on":"call","kind":"{named}","role":["caller","target"],"depth_min":1}}"#);
            assert_eq!(is_vetoed(&chain, &trigger, TOOL), made == named, "{made}, and a guard of {named}");
        }
        assert!(
            !is_vetoed(&chain, r#"{"on":"call","kind":["precompile","system"],"role":["caller","target"]}"#, TOOL),
            "{made}"
        );
    }
}

#[test]
fn a_precompile_is_seen_however_a_guarded_account_enters_it() {
    // Whose code runs by DELEGATECALL is entered by whoever entered the account that it works on.
    for kind in Kind::ALL {
        let chain = with_tool(&code::call(kind, IDENTITY));
        let of_account = r#"{"on":"call","kind":"precompile","role":["caller","target"]}"#;
        assert!(is_vetoed(&chain, of_account, TOOL), "{kind:?}");
        // Whoever guards the precompile itself is woken as for any other code.
        assert!(is_vetoed(&chain, r#"{"on":"call","kind":"precompile"}"#, IDENTITY), "{kind:?}");
    }
}

#[test]
fn no_kind_of_call_reaches_a_protected_account_or_its_code_unseen() {
    for kind in Kind::ALL {
        assert!(is_vetoed(&with_tool(&code::call(kind, VAULT)), r#""frame""#, VAULT), "{kind:?}");
    }
}

#[test]
fn no_kind_of_call_reaches_a_protected_account_that_delegates_unseen() {
    for kind in Kind::ALL {
        let mut chain = with_tool(&code::call(kind, WALLET));
        chain.put(WALLET, &code::delegated_to(LIBRARY), []);
        assert!(is_vetoed(&chain, r#""frame""#, WALLET), "{kind:?} to the account");
        assert!(is_vetoed(&chain, r#""frame""#, LIBRARY), "{kind:?}, and the code that it delegates to");
    }
}

#[test]
fn no_constructor_reaches_a_protected_account_unseen() {
    for kind in Kind::ALL {
        for salt in [None, Some(5)] {
            let constructor = join(&[&code::call(kind, VAULT), &STOP]);
            assert!(is_vetoed(&with_tool(&code::create(&constructor, salt)), r#""frame""#, VAULT), "{kind:?} {salt:?}");
        }
    }
}

#[test]
fn an_account_is_protected_before_it_is_created() {
    for (salt, child) in [(None, TOOL.create(1)), (Some(5), TOOL.create2(B256::with_last_byte(5), keccak256(STOP)))] {
        assert!(is_vetoed(&with_tool(&code::create(&STOP, salt)), r#""frame""#, child), "{salt:?}");
    }
}

/// The vault does this when it is called.
fn with_vault(code: &[u8]) -> Chain {
    let mut chain = with_tool(&code::call(Kind::Call, VAULT));
    chain.put(VAULT, code, []);
    chain
}

#[test]
fn ether_that_leaves_by_a_call_or_a_selfdestruct_is_a_flow() {
    let out = r#"{"on":"flow","asset":"ether","direction":"out"}"#;
    let ways = [join(&[&code::pay(ATTACKER, 5), &POP, &STOP]), code::destroy(ATTACKER)];
    for way in ways {
        let chain = with_vault(&way);
        assert!(is_vetoed(&chain, out, VAULT));
        assert!(is_vetoed(&chain, r#"{"on":"flow","direction":"in"}"#, ATTACKER));
        assert!(!is_vetoed(&chain, r#"{"on":"flow","direction":"in"}"#, VAULT));
    }
    assert!(!is_vetoed(&with_vault(&STOP), out, VAULT), "nothing left");
}

#[test]
fn ether_that_another_contract_forces_on_an_account_is_a_flow() {
    let mut chain = with_tool(&code::call(Kind::Call, LIBRARY));
    chain.put(LIBRARY, &code::destroy(VAULT), []);
    assert!(is_vetoed(&chain, r#"{"on":"flow","reason":"selfdestruct","direction":"in"}"#, VAULT));
}

#[test]
fn what_a_guarded_sender_pays_for_gas_is_a_flow_for_who_asks() {
    let chain = with_tool(&code::call(Kind::Call, LIBRARY));
    assert!(is_vetoed(&chain, r#"{"on":"flow","reason":"fee","direction":"out"}"#, ATTACKER));
    assert!(!is_vetoed(&chain, r#""flow""#, ATTACKER), "only for who asks");
    assert!(!is_vetoed(&chain, r#"{"on":"flow","reason":"fee"}"#, VAULT));
}

#[test]
fn a_withdrawal_to_a_guarded_account_is_seen_and_paid_all_the_same() {
    let mut chain = with_tool(&STOP);
    chain.attach(&guard::vetoes_on(r#"{"on":"flow","reason":"withdrawal"}"#), &[VAULT]);
    chain.settle_attachments();
    chain.withdrawals = vec![Withdrawal { index: 0, validator_index: 0, address: VAULT, amount: 3 }];
    let block = chain.block(&[]);
    let [judged] = &block.chain_acts[..] else { panic!("{:?}", block.chain_acts) };
    assert_eq!((judged.act, judged.verdicts[0].outcome), (ChainAct::Withdrawals, Outcome::WouldVeto));
    assert_eq!(chain.balance(VAULT), U256::from(ETHER_WEI + 3_000_000_000));
    assert!(chain.block(&[]).chain_acts.is_empty(), "there was none in the next block");
}

#[test]
fn the_chains_own_calls_are_seen_and_cannot_be_stopped() {
    let mut chain = with_tool(&STOP);
    chain.attach(&guard::vetoes_on(r#"{"on":"call","kind":"system"}"#), &[]);
    chain.settle_attachments();
    let block = chain.block(&[attack()]);
    assert!(block.included[0].executed.succeeded() && block.included[0].executed.verdicts.is_empty());
    assert!(block.chain_acts.len() >= 2, "{:?}", block.chain_acts);
    for judged in &block.chain_acts {
        assert!(matches!(judged.act, ChainAct::SystemCall { .. }));
        assert_eq!((judged.verdicts[0].outcome, judged.verdicts[0].code), (Outcome::WouldVeto, 7));
    }
}

#[test]
fn a_lock_in_transient_storage_is_seen_whoevers_code_takes_it() {
    let lock = join(&[&code::store_transient(3, 1), &code::store_transient(3, 0), &STOP]);
    let trigger = r#"{"on":"transient","slot":3}"#;
    assert!(is_vetoed(&with_vault(&lock), trigger, VAULT), "though nothing of it is left");
    assert!(!is_vetoed(&with_vault(&lock), r#"{"on":"transient","slot":4}"#, VAULT));
    for kind in [Kind::DelegateCall, Kind::CallCode] {
        let mut chain = with_vault(&join(&[&code::call(kind, LIBRARY), &POP, &STOP]));
        chain.put(LIBRARY, &lock, []);
        assert!(is_vetoed(&chain, trigger, VAULT), "{kind:?}: it is the vault's storage");
        assert!(!is_vetoed(&chain, trigger, LIBRARY), "{kind:?}");
    }
    let mut undone = with_vault(&join(&[&code::call(Kind::DelegateCall, LIBRARY), &POP, &STOP]));
    undone.put(LIBRARY, &join(&[&code::store_transient(3, 1), &REVERT]), []);
    assert!(!is_vetoed(&undone, trigger, VAULT), "what was reverted was no lock");
}

#[test]
fn memory_of_a_guard_lasts_for_a_transaction_and_nobody_else_ever_sees_it() {
    let mut chain = with_tool(&join(&[&code::call(Kind::Call, VAULT), &POP, &code::call(Kind::Call, VAULT)]));
    for _ in 0..2 {
        chain.attach(&guard::marks_its_memory(), &[VAULT]);
    }
    chain.settle_attachments();
    let senders = [USER, ATTACKER, OWNER];
    let once = |number: usize| Call { from: senders[number % 3], ..Call::to(VAULT) };
    for round in 0..3 {
        let mut calls: Vec<_> = (0..12).map(once).collect();
        calls.insert(6, attack());
        let block = chain.block(&calls);
        let codes: Vec<_> = block.included.iter().map(|included| veto_code(&included.executed)).collect();
        let expected: Vec<_> = (0..13).map(|number| (number == 6).then_some(7)).collect();
        assert_eq!(codes, expected, "round {round}: only who calls twice meets the mark");
    }
}
