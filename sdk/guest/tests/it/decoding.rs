//! Calls, logs and entries of mappings with their values, against alloy's encoding.

use alloy_primitives::{Address as AlloyAddress, B256 as AlloyB256, Bytes as AlloyBytes, U256 as AlloyU256};
use alloy_sol_types::{SolCall as _, SolEvent as _, sol};
use parapet_guest::{
    abi::{PreimageRecord, SlotChangeRecord},
    descriptor::Described as _,
    mock::{Enter, Scene},
    prelude::*,
};

const TOKEN: Address = Address([0x70; 20]);

sol! {
    function pay(address to, uint256 amount);
    function batch(address[] to, bytes data, string memo, int128 change, bool last);
    function ping();
    event Paid(address indexed to, uint256 amount, bytes data);
    event Ping();
}

/// Tells every call, log and entry that it can read.
#[guard(name = "reader", triggers(frame), subscribes(flows, preimages))]
pub(crate) struct Reader {
    #[param(default = "50%")]
    share: Bps,
    #[param(default = "1 day")]
    period: Seconds,
    dust: Wei,
}

#[guard]
impl Guard for Reader {
    fn on_call(&self, tx: &Tx, frame: &Frame) {
        if let Some((to, amount)) = args!(tx, frame, "pay(address,uint256)") {
            alert!(1, "{to} {amount}");
        }
        if args!(tx, frame, "ping()").is_some() {
            alert!(2, "pinged");
        }
    }

    fn on_tx(&self, tx: &Tx) {
        for call in calls!(tx, "batch(address[],bytes,string,int128,bool)") {
            let (to, data, memo, change, last) = call.arguments;
            alert!(3, "frame {}: {} {} {} {change} {last}", call.frame.id(), to.len(), data.len(), memo.len());
        }
        for log in logs!(tx, "Paid(address indexed,uint256,bytes)") {
            let (to, amount, data) = log.values;
            alert!(4, "log {} of {}: {to} {amount} {}", log.index, log.log.address(), data.len());
        }
        alert!(5, "{} pings", logs!(tx, "Ping()").count());
        for change in tx.entry_changes(TOKEN, U256::from(3)) {
            alert!(6, "{} word {}: {} to {}", change.key, change.word, change.before, change.after);
        }
        alert!(7, "{} {} {}", self.share, self.period, self.dust);
    }
}

fn guard() -> Reader {
    Reader { share: Bps::new(5_000), period: Seconds::new(86_400), dust: Wei::new(U256::from(7)) }
}

fn said(scene: &mut Scene<Reader>, code: u16) -> Vec<String> {
    scene.finish().alerts.into_iter().filter(|said| said.code == code).map(|said| said.detail).collect()
}

#[test]
fn arguments_are_what_alloy_encoded() {
    let call = payCall { to: AlloyAddress::repeat_byte(0x11), amount: AlloyU256::from(5) };
    let mut scene = Scene::new(&guard(), &[TOKEN]);
    scene.enter(Enter::call(TOKEN).input(&call.abi_encode())).leave();
    scene.enter(Enter::call(TOKEN).input(&call.abi_encode()[..40])).leave();
    assert_eq!(said(&mut scene, 1), ["0x1111111111111111111111111111111111111111 5"], "calldata that ends too early");
    scene.enter(Enter::call(TOKEN).input(&pingCall {}.abi_encode()));
    assert_eq!(said(&mut scene, 2), ["pinged"]);
}

#[test]
fn init_code_is_no_call() {
    let mut scene = Scene::new(&guard(), &[TOKEN]);
    scene.enter(Enter::create(TOKEN).input(&pingCall {}.abi_encode()));
    assert_eq!(said(&mut scene, 2), Vec::<String>::new());
}

#[test]
fn calls_of_every_type_are_found_in_any_frame_and_in_large_calldata() {
    let call = batchCall {
        to: vec![AlloyAddress::ZERO; 3_000],
        data: AlloyBytes::from(vec![9; 70_001]),
        memo: "hello".to_owned(),
        change: -1,
        last: true,
    };
    let mut scene = Scene::new(&guard(), &[TOKEN]);
    scene.enter(Enter::call(Address([1; 20]))).enter(Enter::call(Address([2; 20])).input(&call.abi_encode()));
    assert_eq!(said(&mut scene, 3), [format!("frame 1: 3000 70001 5 {} true", U256::MAX)]);
}

#[test]
fn logs_are_read_from_topics_and_data_and_other_events_are_not() {
    let paid = Paid { to: AlloyAddress::repeat_byte(0x22), amount: AlloyU256::from(6), data: vec![1, 2, 3].into() };
    let topics = |event: &Paid| event.encode_topics().iter().map(|topic| B256(topic.0.0)).collect::<Vec<_>>();
    let mut scene = Scene::new(&guard(), &[TOKEN]);
    scene.enter(Enter::call(TOKEN));
    scene.log(TOKEN, &[], b"");
    scene.log(TOKEN, &topics(&paid)[..1], &paid.encode_data());
    scene.log(TOKEN, &topics(&paid), &paid.encode_data()[..40]);
    scene.log(TOKEN, &topics(&paid), &paid.encode_data());
    scene.log(TOKEN, &[B256(Ping::SIGNATURE_HASH.0)], b"");
    let outcome = scene.finish();
    let said: Vec<_> = outcome.alerts.iter().map(|said| said.detail.as_str()).collect();
    let log = format!("log 3 of {TOKEN}: 0x2222222222222222222222222222222222222222 6 3");
    assert_eq!(said, [log.as_str(), "1 pings", "5000 basis points 86400 seconds 7 wei"]);
}

#[test]
fn changes_in_a_mapping_are_told_with_their_keys() {
    let key = AlloyB256::repeat_byte(0x44);
    let entry = alloy_primitives::keccak256([key.0, U256::from(3).to_be_bytes()].concat());
    let change = |slot: U256, after: u64| SlotChangeRecord {
        address: TOKEN.into(),
        slot: slot.to_be_bytes(),
        new: U256::from(after).to_be_bytes(),
        ..SlotChangeRecord::default()
    };
    let first = U256::from_be_bytes(entry.0);
    let mut scene = Scene::new(&guard(), &[TOKEN]);
    let base = U256::from(3).to_be_bytes();
    scene.world.preimages.push(PreimageRecord { key: key.0, base, hash: entry.0, ..PreimageRecord::default() });
    scene.world.slot_changes.push(change(first, 8));
    scene.world.slot_changes.push(change(first + U256::from(1), 9));
    scene.world.slot_changes.push(change(first + U256::from(64), 10));
    scene.world.slot_changes.push(change(first - U256::from(1), 11));
    scene.world.slot_changes.push(SlotChangeRecord { address: Address([1; 20]).into(), ..change(first, 12) });
    let key = B256(key.0);
    assert_eq!(said(&mut scene, 6), [format!("{key} word 0: 0 to 8"), format!("{key} word 1: 0 to 9")]);
}

#[test]
fn units_stand_in_the_descriptor_and_are_checked_as_the_guard_is_attached() {
    let json: serde_json::Value = serde_json::from_str(Reader::DESCRIPTOR).unwrap();
    let units: Vec<_> = json["parameters"].as_array().unwrap().iter().map(|one| one["unit"].as_str()).collect();
    assert_eq!(units, [Some("bps"), Some("seconds"), Some("wei")]);
    let words = |share: u64, period: u64| {
        [U256::from(share), U256::from(period), U256::ZERO].map(|word| word.to_be_bytes::<32>()).concat()
    };
    let vetoed = |config: Vec<u8>| Scene::<Reader>::with_configuration(config, &[TOKEN]).veto().cloned();
    assert_eq!(vetoed(words(10_000, 86_400)), None);
    let refused = vetoed(words(10_001, 86_400)).unwrap();
    assert_eq!(refused.detail, "configuration refused: not a value of its type: parameter share");
    assert!(vetoed(words(1, 1_700_000_000_000)).unwrap().detail.ends_with("parameter period"), "milliseconds");
}
