use parapet_guest::{
    abi::{AccessRecord, CodeChangeRecord, PreimageRecord},
    mock::{Enter, Scene},
    prelude::*,
};
use standing::{ECRECOVER, word_of};

use super::{BorrowedCode, CODE_CHOSEN, PROXY_SLOTS};

const WALLET: Address = Address([0xaa; 20]);
const CODE: Address = Address([0x10; 20]);
const USER: Address = Address([0xee; 20]);
const EXECUTE: [u8; 4] = [9; 4];

fn scene() -> Scene<BorrowedCode> {
    Scene::new(&BorrowedCode { allow_code: Vec::new() }, &[WALLET])
}

/// Somebody calls, and says which code to run.
fn chosen() -> Scene<BorrowedCode> {
    let mut scene = scene();
    scene.enter(Enter::call(USER));
    scene.enter(Enter::call(WALLET).input(&[&EXECUTE[..], &[0; 12], &CODE.0].concat()));
    scene
}

fn borrow(scene: &mut Scene<BorrowedCode>) -> Option<u16> {
    scene.enter(Enter::delegate_call(CODE));
    scene.finish().vetoed()
}

/// The wallet looks at a word of its storage that was so before the transaction.
fn looks(scene: &mut Scene<BorrowedCode>, slot: u64, word: U256) {
    scene.storage(Fork::PreTx, WALLET, U256::from(slot), word);
    scene.world.accesses.push(AccessRecord {
        seq: 3,
        address: WALLET.into(),
        slot: U256::from(slot).to_be_bytes(),
        old: word.to_be_bytes(),
        new: word.to_be_bytes(),
        ..AccessRecord::default()
    });
}

fn finds(scene: &mut Scene<BorrowedCode>, who: Address, slot: u64) {
    let (key, hash) = (word_of(who).to_be_bytes(), U256::from(slot).to_be_bytes());
    scene.world.preimages.push(PreimageRecord { key, hash, ..PreimageRecord::default() });
}

#[test]
fn vetoes_code_that_a_stranger_chose() {
    assert_eq!(borrow(&mut chosen()), Some(CODE_CHOSEN));
    let mut proxied = chosen();
    proxied.enter(Enter::delegate_call(Address([0x11; 20])));
    assert_eq!(borrow(&mut proxied), Some(CODE_CHOSEN));
}

#[test]
fn vetoes_code_that_was_put_into_storage_meanwhile() {
    let mut scene = chosen();
    scene.world.accesses.push(AccessRecord {
        seq: 3,
        address: WALLET.into(),
        old: word_of(CODE).to_be_bytes(),
        ..AccessRecord::default()
    });
    assert_eq!(borrow(&mut scene), Some(CODE_CHOSEN));
}

#[test]
fn vetoes_code_that_was_made_in_the_same_transaction() {
    let mut scene = scene();
    scene.world.code_changes.push(CodeChangeRecord { address: CODE.into(), ..CodeChangeRecord::default() });
    scene.enter(Enter::call(WALLET));
    assert_eq!(borrow(&mut scene), Some(CODE_CHOSEN));
}

#[test]
fn lets_libraries_and_implementations_run() {
    let mut library = scene();
    library.enter(Enter::call(WALLET));
    assert_eq!(borrow(&mut library), None);

    for slot in PROXY_SLOTS {
        let mut proxy = chosen();
        proxy.storage(Fork::PreTx, WALLET, U256::from_be_bytes(slot.0), word_of(CODE));
        assert_eq!(borrow(&mut proxy), None);
    }
}

#[test]
fn lets_registered_code_run() {
    let mut facet = chosen();
    looks(&mut facet, 900, (word_of(CODE) << 64) | U256::from(7));
    assert_eq!(borrow(&mut facet), None);

    for (listed, expected) in [(U256::from(1), None), (U256::ZERO, Some(CODE_CHOSEN))] {
        let mut registry = chosen();
        finds(&mut registry, CODE, 901);
        looks(&mut registry, 901, listed);
        assert_eq!(borrow(&mut registry), expected);
    }
}

#[test]
fn lets_owners_and_role_holders_choose() {
    let mut owner = chosen();
    looks(&mut owner, 0, word_of(USER));
    assert_eq!(borrow(&mut owner), None);

    for (word, expected) in [(1, None), (2, Some(CODE_CHOSEN))] {
        let mut role = chosen();
        finds(&mut role, USER, 902);
        looks(&mut role, 902, U256::from(word));
        assert_eq!(borrow(&mut role), expected, "a balance of the caller's is no role");
    }
}

#[test]
fn lets_signed_transactions_of_a_multisig_choose() {
    let signer = Address([0x51; 20]);
    let mut scene = chosen();
    scene.enter(Enter::static_call(ECRECOVER).precompile());
    scene.leave_as(FrameStatus::Succeeded, &word_of(signer).to_be_bytes::<32>());
    finds(&mut scene, signer, 903);
    looks(&mut scene, 903, word_of(Address([0x52; 20])));
    assert_eq!(borrow(&mut scene), None);
}

#[test]
fn judges_guarded_accounts_alone() {
    let mut scene = scene();
    scene.enter(Enter::call(USER).input(&CODE.0)).enter(Enter::delegate_call(CODE)).leave();
    scene.enter(Enter::delegate_call(WALLET)).leave().enter(Enter::call(WALLET));
    assert_eq!(scene.finish().vetoed(), None);
}
