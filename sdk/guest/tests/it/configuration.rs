//! Parameters, against alloy's encoding of the same values.

use alloy_primitives::{Address as AlloyAddress, FixedBytes, U256 as AlloyU256};
use alloy_sol_types::SolValue as _;
use parapet_guest::{
    CODE_CONFIGURATION,
    config::{Config as _, Fault},
    descriptor::Described as _,
    mock::{Hook, Scene},
    prelude::*,
};

/// Has a parameter of "every" type.
///
/// And more to say, which is no summary.
#[derive(Debug, PartialEq)]
#[guard(name = "all_types", triggers(frame, flow), subscribes(accesses))]
pub(crate) struct AllTypes {
    /// Zero is
    /// ether.
    #[param(default = "0x0000000000000000000000000000000000000000")]
    token: Address,
    #[param]
    amount: U256,
    seconds: u64,
    on: bool,
    selector: Bytes4,
    hash: B256,
    callers: Vec<Address>,
    selectors: Vec<Bytes4>,
}

#[guard]
impl Guard for AllTypes {}

fn value() -> AllTypes {
    AllTypes {
        token: Address([1; 20]),
        amount: U256::MAX,
        seconds: 86_400,
        on: true,
        selector: Bytes4([2; 4]),
        hash: B256([3; 32]),
        callers: [Address([4; 20]), Address([5; 20])].to_vec(),
        selectors: [Bytes4([6; 4])].to_vec(),
    }
}

fn encoded_by_alloy() -> Vec<u8> {
    (
        AlloyAddress::repeat_byte(1),
        AlloyU256::MAX,
        86_400_u64,
        true,
        FixedBytes([2_u8; 4]),
        FixedBytes([3_u8; 32]),
        vec![AlloyAddress::repeat_byte(4), AlloyAddress::repeat_byte(5)],
        vec![FixedBytes([6_u8; 4])],
    )
        .abi_encode_params()
}

#[test]
fn decodes_what_abi_encode_gives() {
    assert_eq!(AllTypes::decode(&encoded_by_alloy()), Ok(value()));
}

#[test]
fn encodes_as_abi_encode_does() {
    assert_eq!(value().encode(), encoded_by_alloy());
    let empty = AllTypes { callers: Vec::new(), selectors: Vec::new(), ..value() };
    assert_eq!(AllTypes::decode(&empty.encode()), Ok(empty));
}

#[test]
fn refuses_every_shorter_and_every_longer_configuration() {
    let whole = encoded_by_alloy();
    for len in 0..whole.len() {
        assert!(AllTypes::decode(&whole[..len]).is_err(), "{len} of {} bytes", whole.len());
    }
    let mut longer = whole;
    longer.push(0);
    assert_eq!(AllTypes::decode(&longer).unwrap_err().fault, Fault::Long);
}

#[test]
fn refuses_words_that_abi_encode_never_writes_and_names_the_parameter() {
    let set = |word: usize, byte: usize, value: u8| {
        let mut bytes = encoded_by_alloy();
        bytes[32 * word + byte] = value;
        let error = AllTypes::decode(&bytes).unwrap_err();
        (error.parameter, error.fault)
    };
    assert_eq!(set(0, 11, 1), ("token", Fault::Value));
    assert_eq!(set(2, 23, 1), ("seconds", Fault::Value));
    assert_eq!(set(3, 31, 2), ("on", Fault::Value));
    assert_eq!(set(4, 4, 1), ("selector", Fault::Value));
    assert_eq!(set(6, 0, 0xff), ("callers", Fault::Short), "an offset of nearly 2^256");
    assert_eq!(set(8, 29, 0xff), ("callers", Fault::Short), "a length beyond the end");
    assert_eq!(set(9, 0, 1), ("callers", Fault::Value));
}

#[test]
fn refuses_a_configuration_at_attachment_with_a_reason() {
    let scene = Scene::<AllTypes>::with_configuration(vec![0; 64], &[]);
    let veto = scene.veto().unwrap();
    assert_eq!((veto.hook, veto.code), (Hook::Init, CODE_CONFIGURATION));
    assert_eq!(veto.detail, "configuration refused: it ends before parameter seconds");
}

#[test]
fn reads_a_configuration_of_many_pages() {
    let guard = AllTypes { callers: [Address([9; 20])].repeat(100), ..value() };
    assert_eq!(Scene::new(&guard, &[]).veto(), None);
}

#[test]
fn describes_itself_in_json() {
    let json: serde_json::Value = serde_json::from_str(AllTypes::DESCRIPTOR).unwrap();
    assert_eq!(json["abi"], parapet_guest::abi::ABI_VERSION);
    assert_eq!(json["name"], "all_types");
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json["summary"], "Has a parameter of \"every\" type.");
    assert_eq!(json["triggers"], serde_json::json!(["frame", "flow"]));
    assert_eq!(json["subscribes"], serde_json::json!(["accesses"]));
    let types: Vec<_> = json["parameters"].as_array().unwrap().iter().map(|p| p["type"].clone()).collect();
    let expected = ["address", "uint256", "uint64", "bool", "bytes4", "bytes32", "address[]", "bytes4[]"];
    assert_eq!(types, expected);
    assert_eq!(json["parameters"][0]["default"], "0x0000000000000000000000000000000000000000");
    assert_eq!(json["parameters"][0]["doc"], "Zero is ether.");
    assert_eq!(json["parameters"][1].get("default"), None, "a required parameter has none");
}
