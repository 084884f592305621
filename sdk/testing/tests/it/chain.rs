//! Guards on a chain of real contracts.

use std::path::Path;

use parapet_guest::prelude::*;
use parapet_testing::{
    Hook,
    chain::{Call, Chain, Ending, creation_code},
};

/// Looks at everything around a token, before, after and in between, and keeps count.
#[guard(name = "token_watch", triggers(call(selector = "transfer(address,uint256)", role = target)), subscribes(flows, accesses))]
pub(crate) struct TokenWatch {
    /// Most that may be transferred in one call.
    most: U256,
    /// Most transfers in a day.
    per_day: u64,
}

#[guard]
impl Guard for TokenWatch {
    fn init(&self, _: &Tx) {
        if self.most.is_zero() {
            veto!(9, "nothing could be transferred");
        }
    }

    fn on_call(&self, tx: &Tx, frame: &Frame) {
        if let Some((to, amount)) = args!(tx, frame, "transfer(address,uint256)")
            && amount > self.most
        {
            let held = view!(tx, Fork::Now, frame.target(), "balanceOf(address)(uint256)", frame.caller());
            veto!(1, "{to} is to get {amount} of {}", held.unwrap_or_default());
        }
    }

    fn on_call_end(&self, tx: &Tx, frame: &Frame) {
        let held = |fork| view!(tx, fork, frame.target(), "balanceOf(address)(uint256)", frame.caller());
        let (before, after) = (held(Fork::before(frame)), held(Fork::after(frame)));
        alert!(2, "{} before, {} after", before.unwrap_or_default(), after.unwrap_or_default());
    }

    fn on_tx(&self, tx: &Tx) {
        let logged = logs!(tx, "Transfer(address indexed,address indexed,uint256)").count();
        let writes = tx.accesses().filter(|access| access.kind() == Some(AccessKind::StorageWrite)).count();
        alert!(3, "{logged} logs, {} flows, {}", moved::by_asset(tx).len() + tx.flows().count(), writes >= 2);
        if store::window_add(b"day", U256::from(1), U256::from(self.per_day), 86_400) == store::Added::Refused {
            veto!(4, "{} transfers a day", self.per_day);
        }
    }
}

/// A plain ERC-20 token of the workloads, all of it its creator's.
fn token(chain: &mut Chain, owner: Address) -> Address {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../devnet/workloads/artifacts/PlainToken.json");
    let creation = creation_code(&std::fs::read_to_string(path).unwrap()).unwrap();
    let supply = U256::from(1_000).to_be_bytes::<32>();
    chain.deploy(owner, &[&creation[..], &supply].concat())
}

fn transfer(from: Address, token: Address, to: Address, amount: u64) -> Call {
    Call::to(from, token).input(&calldata!("transfer(address,uint256)", to, U256::from(amount)))
}

/// A token of which the owner has something, watched.
fn watched() -> (Chain, Address, Address, Address) {
    let mut chain = Chain::new();
    let (owner, user) = (chain.account("owner"), chain.account("user"));
    let token = token(&mut chain, owner);
    chain.attach(&TokenWatch { most: U256::from(100), per_day: 3 }, &[token]);
    (chain, owner, user, token)
}

#[test]
fn a_guard_sees_a_real_contract_before_and_after_a_call() {
    let (mut chain, owner, user, token) = watched();
    let sent = chain.send(&transfer(owner, token, user, 100));
    assert_eq!(sent.ending, Ending::Succeeded);
    let said: Vec<_> = sent.alerts.iter().map(|said| (said.hook, said.detail.as_str())).collect();
    assert_eq!(said, [(Hook::OnCallEnd(0), "1000 before, 900 after"), (Hook::OnTx, "1 logs, 1 flows, true")]);
    let held = chain.view(token, &calldata!("balanceOf(address)", user)).unwrap();
    assert_eq!(U256::from_be_slice(&held), U256::from(100));
}

#[test]
fn a_veto_undoes_the_transaction_and_says_where() {
    let (mut chain, owner, user, token) = watched();
    let sent = chain.send(&transfer(owner, token, user, 101));
    let Ending::Vetoed(veto) = &sent.ending else { panic!("{sent:?}") };
    assert_eq!((veto.hook, veto.code), (Hook::OnCall(0), 1));
    assert!(veto.detail.ends_with("is to get 101 of 1000"), "{veto:?}");
    let held = chain.view(token, &calldata!("balanceOf(address)", user)).unwrap();
    assert_eq!(U256::from_be_slice(&held), U256::ZERO);
}

#[test]
fn what_wakes_nothing_is_not_judged_and_what_fails_is_not_vetoed() {
    let (mut chain, owner, user, token) = watched();
    let approve = Call::to(owner, token).input(&calldata!("approve(address,uint256)", user, U256::from(5)));
    assert_eq!(chain.send(&approve).alerts, []);
    let too_much = chain.send(&transfer(user, token, owner, 1));
    assert!(matches!(too_much.ending, Ending::Reverted | Ending::Halted(_)), "{too_much:?}");
}

#[test]
fn guard_state_lasts_with_transactions_that_stand_and_time_passes() {
    let (mut chain, owner, user, token) = watched();
    let before = chain.clone();
    for _ in 0..3 {
        assert_eq!(chain.send(&transfer(owner, token, user, 1)).vetoed(), None);
    }
    assert_eq!(chain.send(&transfer(owner, token, user, 1)).vetoed(), Some(4));
    assert_eq!(before.clone().send(&transfer(owner, token, user, 1)).vetoed(), None, "a clone has its own");
    chain.later(86_400);
    assert_eq!(chain.send(&transfer(owner, token, user, 1)).vetoed(), None);
}

#[test]
#[should_panic(expected = "nothing could be transferred")]
fn parameters_that_init_refuses_are_not_attached() {
    let mut chain = Chain::new();
    chain.attach(&TokenWatch { most: U256::ZERO, per_day: 1 }, &[Address([1; 20])]);
}

#[test]
#[should_panic(expected = "its module")]
fn a_module_that_says_something_else_fails_the_test() {
    /// Objects to nothing, unlike its module.
    #[guard(name = "mute", triggers(frame))]
    struct Mute;
    #[guard]
    impl Guard for Mute {}
    let module = wat::parse_str(
        r#"(module (import "parapet_v1" "alert" (func $alert (param i32 i32 i32)))
            (memory (export "memory") 1)
            (func (export "on_tx") (call $alert (i32.const 5) (i32.const 0) (i32.const 0)))
            (@custom "parapet.guard" "{\"abi\":1,\"name\":\"mute\",\"version\":\"0.1.0\",\"summary\":\"Objects to nothing, unlike its module.\",\"triggers\":[\"frame\"]}"))"#,
    );
    let mut chain = Chain::new();
    let (user, other) = (chain.account("user"), chain.account("other"));
    chain.attach_module(&Mute, &[other], &module.unwrap());
    chain.send(&Call::to(user, other));
}
