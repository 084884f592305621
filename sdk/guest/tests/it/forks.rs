//! Triggers as data, forks, and static calls with typed answers.

use parapet_guest::{
    config::Encoder,
    descriptor::Described as _,
    mock::{Enter, Scene},
    prelude::*,
};

const VAULT: Address = Address([0xaa; 20]);
const TOKEN: Address = Address([0x70; 20]);

/// The share price must not fall within one call.
#[guard(
    name = "share_price",
    triggers(
        call(selector = ["deposit(uint256)", "0x2e1a7d4d"], kind = call, role = target, depth_max = 3),
        slot(slot = slot),
        slot(mapping = 3, key = owner, words = 2),
        log(topic0 = "Transfer(address,address,uint256)"),
        flow(asset = ether, reason = fee),
        code,
        frame,
    ),
    subscribes(preimages, fees)
)]
pub(crate) struct SharePrice {
    /// Where the vault keeps its lock.
    slot: U256,
    owner: Address,
}

#[guard]
impl Guard for SharePrice {
    fn on_call_end(&self, tx: &Tx, frame: &Frame) {
        let price = |fork| view!(tx, fork, VAULT, "convertToAssets(uint256)(uint256)", U256::from(1_000));
        let (Some(before), Some(after)) = (price(Fork::before(frame)), price(Fork::after(frame))) else {
            veto!(2, "no price");
        };
        if after < before {
            veto!(1, "the price fell from {before} to {after}");
        }
        let lock = tx.storage(Fork::before(frame), VAULT, self.slot);
        alert!(3, "{lock} {}", tx.balance(Fork::after(frame), self.owner));
        if let Some((one, many)) =
            view!(tx, Fork::Now, TOKEN, "pair(address,bool)(address,uint256[])", self.owner, true)
        {
            alert!(4, "{one} {}", many.len());
        }
    }
}

fn guard() -> SharePrice {
    SharePrice { slot: U256::from(7), owner: Address([0x11; 20]) }
}

fn price_of(fork: Fork, price: u64, scene: &mut Scene<SharePrice>) {
    let calldata = [&hex("07a2d13a")[..], &U256::from(1_000).to_be_bytes::<32>()].concat();
    scene.answer(fork, VAULT, &calldata, &U256::from(price).to_be_bytes::<32>());
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

#[test]
fn the_descriptor_says_what_the_attribute_does() {
    let json: serde_json::Value = serde_json::from_str(SharePrice::DESCRIPTOR).unwrap();
    let expected = serde_json::json!([
        {"on": "call", "selector": ["deposit(uint256)", "0x2e1a7d4d"], "kind": "call", "role": "target", "depth_max": 3},
        {"on": "slot", "slot": "$slot"},
        {"on": "slot", "mapping": 3, "key": "$owner", "words": 2},
        {"on": "log", "topic0": "Transfer(address,address,uint256)"},
        {"on": "flow", "asset": "ether", "reason": "fee"},
        {"on": "code"},
        "frame",
    ]);
    assert_eq!(json["triggers"], expected);
    assert_eq!(json["subscribes"], serde_json::json!(["preimages", "fees"]));
}

#[test]
fn a_price_is_compared_before_and_after_a_frame() {
    let mut scene = Scene::new(&guard(), &[VAULT]);
    price_of(Fork::Before(0), 100, &mut scene);
    price_of(Fork::After(0), 99, &mut scene);
    let outcome = scene.enter(Enter::call(VAULT)).leave().finish();
    assert_eq!(outcome.veto.unwrap().detail, "the price fell from 100 to 99");
}

#[test]
fn a_call_that_answers_nothing_has_no_value() {
    let outcome = Scene::new(&guard(), &[VAULT]).enter(Enter::call(VAULT)).leave().finish();
    assert_eq!(outcome.vetoed(), Some(2), "an account without code returns nothing");
}

#[test]
fn state_at_forks_and_several_answers_are_read() {
    let mut scene = Scene::new(&guard(), &[VAULT]);
    price_of(Fork::Before(0), 1, &mut scene);
    price_of(Fork::After(0), 1, &mut scene);
    scene.storage(Fork::Before(0), VAULT, U256::from(7), U256::from(42));
    let answer = Encoder::new(2).push(&Address([5; 20])).push(&vec![U256::from(1); 3]).finish();
    let selector = keccak(b"pair(address,bool)");
    let calldata = [&selector[..4], &Encoder::new(2).push(&guard().owner).push(&true).finish()].concat();
    scene.answer(Fork::Now, TOKEN, &calldata, &answer);
    let said = scene.enter(Enter::call(VAULT)).leave().finish().alerts;
    let said: Vec<_> = said.iter().map(|said| said.detail.as_str()).collect();
    assert_eq!(said, ["42 0", "0x0505050505050505050505050505050505050505 3"]);
}

fn keccak(text: &[u8]) -> [u8; 32] {
    alloy_primitives::keccak256(text).0
}
