#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use parapet_guest::{
    descriptor::Described,
    mock::{Enter, Hook, Scene},
    prelude::*,
};

use super::{CALLBACKS, CODE_REENTERED, PLAIN_TRANSFER, Reentrancy};

const VAULT: Address = Address([0xaa; 20]);
const SHARES: Address = Address([0xab; 20]);
const ATTACKER: Address = Address([0xee; 20]);
const HELPER: Address = Address([0xef; 20]);
const LENDER: Address = Address([0x1e; 20]);
const LOGIC: Address = Address([0x10; 20]);
const WITHDRAW: Bytes4 = Bytes4([0x3c, 0xcf, 0xd6, 0x0b]);
const CALLBACK: Bytes4 = Bytes4([0xca, 0x11, 0xba, 0xc4]);

fn guard() -> Reentrancy {
    Reentrancy { allow_callers: Vec::new(), allow_selectors: Vec::new(), allow_views: false }
}

fn scene(guard: &Reentrancy) -> Scene<Reentrancy> {
    Scene::new(guard, &[VAULT, SHARES])
}

/// The attacker's contract is paid by the vault, which is open.
fn while_paid(guard: &Reentrancy) -> Scene<Reentrancy> {
    let mut scene = scene(guard);
    scene.enter(Enter::call(ATTACKER)).enter(Enter::call(VAULT).selector(WITHDRAW));
    scene.enter(Enter::call(ATTACKER).value(U256::from(1)));
    scene
}

#[test]
fn vetoes_a_withdrawal_inside_a_withdrawal_and_names_who_and_where() {
    let mut scene = while_paid(&guard());
    scene.enter(Enter::call(VAULT).selector(WITHDRAW));
    let veto = scene.finish().veto.unwrap();
    assert_eq!((veto.hook, veto.code), (Hook::OnCall(3), CODE_REENTERED));
    assert_eq!(
        veto.detail,
        "re-entered 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa (withdraw selector 0x3ccfd60b) \
         from 0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee while frame 1 was open"
    );
}

#[test]
fn lets_an_honest_withdrawal_pass() {
    let mut scene = while_paid(&guard());
    scene.leave().leave();
    assert_eq!(scene.finish().veto, None);
}

#[test]
fn lets_the_vault_be_called_again_once_it_has_ended() {
    let mut scene = while_paid(&guard());
    scene.leave().leave().enter(Enter::call(VAULT).selector(WITHDRAW));
    assert_eq!(scene.finish().veto, None);
}

#[test]
fn vetoes_entry_into_another_member_of_the_group() {
    let mut scene = while_paid(&guard());
    scene.enter(Enter::call(SHARES).selector(CALLBACK));
    let veto = scene.finish().veto.unwrap();
    assert!(veto.detail.contains("(selector 0xca11bac4)"), "{}", veto.detail);
}

#[test]
fn vetoes_entry_by_a_helper_deeper_in_the_stack() {
    let mut scene = while_paid(&guard());
    scene.enter(Enter::call(HELPER)).enter(Enter::call(VAULT).selector(WITHDRAW));
    let veto = scene.finish().veto.unwrap();
    assert!(veto.detail.ends_with("from 0xefefefefefefefefefefefefefefefefefefefef while frame 1 was open"));
}

#[test]
fn vetoes_entry_from_the_constructor_of_a_contract_created_meanwhile() {
    let mut scene = while_paid(&guard());
    scene.enter(Enter::create(HELPER)).enter(Enter::call(VAULT).selector(WITHDRAW));
    assert_eq!(scene.finish().vetoed(), Some(CODE_REENTERED));
}

#[test]
fn vetoes_entry_while_foreign_code_runs_on_the_attackers_account() {
    let mut scene = while_paid(&guard());
    scene.enter(Enter::delegate_call(LOGIC)).enter(Enter::call(VAULT).selector(WITHDRAW));
    assert_eq!(scene.finish().vetoed(), Some(CODE_REENTERED));
}

#[test]
fn lets_members_call_each_other_and_themselves() {
    let mut scene = scene(&guard());
    scene.enter(Enter::call(VAULT).selector(WITHDRAW)).enter(Enter::call(SHARES)).enter(Enter::call(VAULT));
    scene.enter(Enter::call(VAULT)).enter(Enter::static_call(SHARES));
    assert_eq!(scene.finish().veto, None);
}

#[test]
fn lets_a_proxy_run_its_own_logic() {
    let mut scene = scene(&guard());
    scene.enter(Enter::call(VAULT)).enter(Enter::delegate_call(LOGIC)).enter(Enter::call(SHARES));
    scene.enter(Enter::delegate_call(LOGIC));
    assert_eq!(scene.finish().veto, None);
}

#[test]
fn does_not_judge_a_members_code_that_runs_on_a_foreign_account() {
    let mut scene = while_paid(&guard());
    scene.enter(Enter::delegate_call(VAULT));
    assert_eq!(scene.finish().veto, None);
}

#[test]
fn vetoes_a_view_that_re_enters_unless_views_are_allowed() {
    let mut refused = while_paid(&guard());
    refused.enter(Enter::static_call(VAULT).selector(CALLBACK));
    assert_eq!(refused.finish().vetoed(), Some(CODE_REENTERED));

    let allowing = Reentrancy { allow_views: true, ..guard() };
    let mut allowed = while_paid(&allowing);
    allowed.enter(Enter::static_call(VAULT).selector(CALLBACK));
    assert_eq!(allowed.finish().veto, None);

    let mut writing = while_paid(&allowing);
    writing.enter(Enter::call(VAULT).selector(CALLBACK));
    assert_eq!(writing.finish().vetoed(), Some(CODE_REENTERED), "allowed views allow no call that can write");
}

#[test]
fn allows_an_intended_callback_by_its_selector_and_what_it_calls_itself() {
    let guard = Reentrancy { allow_selectors: [CALLBACK].to_vec(), ..guard() };
    let mut scene = while_paid(&guard);
    scene.enter(Enter::call(VAULT).selector(CALLBACK)).enter(Enter::call(SHARES).selector(WITHDRAW));
    scene.leave().leave();
    assert_eq!(scene.veto(), None);
    scene.enter(Enter::call(VAULT).selector(WITHDRAW));
    assert_eq!(scene.finish().vetoed(), Some(CODE_REENTERED));
}

#[test]
fn vetoes_re_entry_from_inside_an_allowed_callback() {
    let guard = Reentrancy { allow_selectors: [CALLBACK].to_vec(), ..guard() };
    let mut scene = while_paid(&guard);
    scene.enter(Enter::call(VAULT).selector(CALLBACK)).enter(Enter::call(HELPER));
    scene.enter(Enter::call(VAULT).selector(WITHDRAW));
    assert_eq!(scene.finish().vetoed(), Some(CODE_REENTERED));
}

#[test]
fn allows_a_named_caller_and_no_other() {
    let guard = Reentrancy { allow_callers: [LENDER].to_vec(), ..guard() };
    let mut allowed = scene(&guard);
    allowed.enter(Enter::call(VAULT)).enter(Enter::call(LENDER)).enter(Enter::call(VAULT).selector(CALLBACK));
    assert_eq!(allowed.finish().veto, None);

    let mut refused = scene(&guard);
    refused.enter(Enter::call(VAULT)).enter(Enter::call(LENDER)).enter(Enter::call(ATTACKER));
    refused.enter(Enter::call(VAULT).selector(CALLBACK));
    assert_eq!(refused.finish().vetoed(), Some(CODE_REENTERED));
}

#[test]
fn counts_a_plain_transfer_as_entry_unless_it_is_allowed() {
    let mut refused = while_paid(&guard());
    refused.enter(Enter::call(VAULT).value(U256::from(1)));
    let veto = refused.finish().veto.unwrap();
    assert!(veto.detail.contains("(plain transfer)"), "{}", veto.detail);

    let allowing = Reentrancy { allow_selectors: [PLAIN_TRANSFER].to_vec(), ..guard() };
    let mut allowed = while_paid(&allowing);
    allowed.enter(Enter::call(VAULT).value(U256::from(1)));
    assert_eq!(allowed.finish().veto, None);

    for input in [[0_u8; 4].as_slice(), &[0], &[0, 0, 0]] {
        let mut zeros = while_paid(&allowing);
        zeros.enter(Enter::call(VAULT).input(input));
        assert_eq!(zeros.finish().vetoed(), Some(CODE_REENTERED), "calldata {input:?} is no plain transfer");
    }
}

/// The vault calls somebody with input, who calls back.
fn called_back(asked: Enter, answer: Enter) -> Option<u16> {
    let mut scene = scene(&guard());
    scene.enter(Enter::call(ATTACKER)).enter(Enter::call(VAULT).selector(WITHDRAW)).enter(asked);
    scene.enter(Enter::delegate_call(LOGIC)).enter(answer);
    scene.finish().vetoed()
}

#[test]
fn lets_who_was_asked_answer() {
    let ask = || Enter::call(LENDER).selector(WITHDRAW);
    for callback in CALLBACKS {
        assert_eq!(called_back(ask(), Enter::call(VAULT).selector(Bytes4(callback))), None);
    }
    let unwrapped = Enter::call(VAULT).value(U256::from(1));
    assert_eq!(called_back(ask(), unwrapped.clone()), None);
    for other in [unwrapped.clone().selector(WITHDRAW), Enter::call(VAULT), Enter::call(VAULT).selector(CALLBACK)] {
        assert_eq!(called_back(ask(), other), Some(CODE_REENTERED));
    }
    let paid = ask().value(U256::from(1));
    assert_eq!(called_back(paid, unwrapped.clone()), Some(CODE_REENTERED), "who is paid was not asked");
    assert_eq!(called_back(Enter::call(LENDER), unwrapped), Some(CODE_REENTERED), "nor was who is only called");
}

#[test]
fn vetoes_a_callback_by_another_than_was_asked() {
    let mut scene = scene(&guard());
    scene.enter(Enter::call(ATTACKER)).enter(Enter::call(VAULT)).enter(Enter::call(LENDER).selector(WITHDRAW));
    scene.enter(Enter::call(ATTACKER)).enter(Enter::call(VAULT).selector(Bytes4(CALLBACKS[0])));
    assert_eq!(scene.finish().vetoed(), Some(CODE_REENTERED));
}

#[test]
fn ignores_precompiles_even_if_one_is_guarded() {
    let precompile = Address([0; 20]);
    let mut scene = Scene::new(&guard(), &[VAULT, precompile]);
    scene.enter(Enter::call(VAULT)).enter(Enter::call(ATTACKER)).enter(Enter::call(precompile).precompile());
    assert_eq!(scene.finish().veto, None);
}

#[test]
fn describes_itself_with_its_parameters() {
    let descriptor = Reentrancy::DESCRIPTOR;
    for part in [
        r#""name":"reentrancy""#,
        r#""triggers":["frame"],"subscribes":[]"#,
        r#"{"name":"allow_callers","type":"address[]","default":"[]""#,
        r#"{"name":"allow_views","type":"bool","default":"false""#,
    ] {
        assert!(descriptor.contains(part), "{part} in {descriptor}");
    }
}
