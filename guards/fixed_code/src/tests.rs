use parapet_guest::{
    abi::CodeChangeRecord,
    mock::{Enter, Scene},
    prelude::*,
};

use super::{CODE_BORROWED, CODE_CHANGED, EMPTY, FixedCode};

const DAO: Address = Address([0xaa; 20]);
const PAYLOAD: Address = Address([0xbb; 20]);
const BENIGN: B256 = B256([1; 32]);
const EVIL: B256 = B256([2; 32]);
const OWN: B256 = B256([3; 32]);
const PROPOSE: [u8; 4] = [9; 4];

fn scene() -> Scene<FixedCode> {
    Scene::new(&FixedCode { allow_code: Vec::new() }, &[DAO])
}

/// Code as a transaction finds and leaves it.
fn code(scene: &mut Scene<FixedCode>, account: Address, found: B256, left: B256) {
    scene.world.pre_tx.code_hashes.insert(account.0, found.0);
    scene.world.now.code_hashes.insert(account.0, left.0);
}

fn propose(scene: &mut Scene<FixedCode>) -> Option<u16> {
    code(scene, DAO, OWN, OWN);
    let input = [&PROPOSE[..], &[0; 12], &PAYLOAD.0].concat();
    scene.enter(Enter::call(DAO).input(&input));
    scene.finish().vetoed()
}

fn execute(scene: &mut Scene<FixedCode>) -> Option<u16> {
    code(scene, DAO, OWN, OWN);
    scene.enter(Enter::call(DAO)).enter(Enter::delegate_call(PAYLOAD));
    scene.finish().vetoed()
}

#[test]
fn vetoes_a_payload_that_was_exchanged_since_it_was_proposed() {
    let mut scene = scene();
    code(&mut scene, PAYLOAD, BENIGN, BENIGN);
    assert_eq!(propose(&mut scene), None);
    code(&mut scene, PAYLOAD, EVIL, EVIL);
    assert_eq!(execute(&mut scene), Some(CODE_BORROWED));
    code(&mut scene, PAYLOAD, BENIGN, BENIGN);
    assert_eq!(execute(&mut scene), None);
}

#[test]
fn vetoes_a_payload_that_was_made_and_destroyed_as_it_was_proposed() {
    let mut scene = scene();
    code(&mut scene, PAYLOAD, B256::default(), BENIGN);
    assert_eq!(propose(&mut scene), None);
    code(&mut scene, PAYLOAD, EVIL, EVIL);
    assert_eq!(execute(&mut scene), Some(CODE_BORROWED));
}

#[test]
fn vetoes_borrowed_code_that_changes_between_two_uses() {
    let mut scene = scene();
    code(&mut scene, PAYLOAD, BENIGN, BENIGN);
    assert_eq!(execute(&mut scene), None);
    code(&mut scene, PAYLOAD, EVIL, EVIL);
    assert_eq!(execute(&mut scene), Some(CODE_BORROWED));
}

#[test]
fn vetoes_a_guarded_account_whose_delegation_changes_and_all_that_runs_by_it() {
    let mut scene = scene();
    for (found, left, expected) in
        [(EMPTY, EMPTY, None), (EMPTY, EVIL, Some(CODE_CHANGED)), (EVIL, EVIL, Some(CODE_CHANGED))]
    {
        code(&mut scene, DAO, found, left);
        assert_eq!(scene.enter(Enter::call(DAO)).finish().vetoed(), expected);
    }
}

#[test]
fn lets_a_contract_be_made_where_none_was() {
    let mut scene = scene();
    code(&mut scene, DAO, EMPTY, EMPTY);
    assert_eq!(scene.enter(Enter::call(DAO)).finish().vetoed(), None);
    code(&mut scene, DAO, EMPTY, OWN);
    let kind = CodeChangeKind::Create.into();
    scene.world.code_changes.push(CodeChangeRecord { kind, address: DAO.into(), ..CodeChangeRecord::default() });
    assert_eq!(scene.enter(Enter::call(DAO)).finish().vetoed(), None);
    code(&mut scene, DAO, OWN, EVIL);
    assert_eq!(scene.enter(Enter::call(DAO)).finish().vetoed(), Some(CODE_CHANGED));
}

#[test]
fn lets_another_implementation_be_borrowed_and_users_change_their_code() {
    let mut scene = scene();
    code(&mut scene, PAYLOAD, BENIGN, BENIGN);
    assert_eq!(propose(&mut scene), None);
    code(&mut scene, PAYLOAD, EVIL, EVIL);
    code(&mut scene, DAO, OWN, OWN);
    scene.enter(Enter::call(DAO)).enter(Enter::call(PAYLOAD));
    assert_eq!(scene.finish().vetoed(), None, "who is merely called may be anybody");
    code(&mut scene, DAO, OWN, OWN);
    scene.enter(Enter::call(DAO)).enter(Enter::delegate_call(Address([0xcc; 20])));
    assert_eq!(scene.finish().vetoed(), None);
}

#[test]
fn allows_listed_code() {
    let mut scene = Scene::new(&FixedCode { allow_code: [EVIL].to_vec() }, &[DAO]);
    code(&mut scene, DAO, OWN, EVIL);
    assert_eq!(scene.enter(Enter::call(DAO)).finish().vetoed(), None);
}
