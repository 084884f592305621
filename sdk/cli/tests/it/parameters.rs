//! Parameters of real guards, from text to bytes and back.

use alloy_primitives::{Address, U256, address, fixed_bytes};
use alloy_sol_types::SolValue as _;
use parapet_cli::{
    parameters::{ParameterError, check, decode, encode},
    shipped,
};
use parapet_monitor::Descriptor;

fn descriptor(name: &str) -> Descriptor {
    parapet_vm::vet(shipped::find(name).unwrap().wasm).unwrap().descriptor
}

fn given(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn defaults_fill_what_is_not_given() {
    let encoded = encode(&descriptor("outflow_cap"), &given(&[("tx_max", "1 ether")])).unwrap();
    let every_asset = Address::repeat_byte(0xff);
    let ether = U256::from(10).pow(U256::from(18));
    let expected = (every_asset, ether, U256::MAX, 86_400_u64, 2_500_u64, 5_000_u64);
    assert_eq!(encoded, expected.abi_encode_params());
}

#[test]
fn arrays_are_written_with_or_without_brackets() {
    let guard = descriptor("reentrancy");
    let caller = address!("0x00000000000000000000000000000000000000aa");
    let expected =
        (vec![caller], vec![fixed_bytes!("0x3ccfd60b"), fixed_bytes!("0xd0e30db0")], false).abi_encode_params();
    let text = caller.to_string();
    for selectors in ["0x3ccfd60b,0xd0e30db0", "[0x3ccfd60b, 0xd0e30db0]"] {
        let parameters = given(&[("allow_callers", &text), ("allow_selectors", selectors)]);
        assert_eq!(encode(&guard, &parameters).unwrap(), expected);
    }
    let empty = (Vec::<Address>::new(), Vec::<alloy_primitives::FixedBytes<4>>::new(), true).abi_encode_params();
    assert_eq!(encode(&guard, &given(&[("allow_callers", ""), ("allow_views", "true")])).unwrap(), empty);
}

#[test]
fn what_was_encoded_reads_back_as_text() {
    let guard = descriptor("outflow_cap");
    let encoded = encode(&guard, &given(&[("tx_max", "7"), ("window_seconds", "60")])).unwrap();
    let decoded = decode(&guard, &encoded).unwrap();
    assert_eq!(decoded[1], ("tx_max".to_owned(), "7".to_owned()));
    assert_eq!(decoded[3], ("window_seconds".to_owned(), "60".to_owned()));
    assert_eq!(decode(&guard, &encoded[..40]), None);
}

#[test]
fn a_missing_parameter_is_named_with_all_there_are() {
    let contract = shipped::find("outflow_cap_cosmwasm").unwrap();
    let contract = parapet_cosmwasm::vet(contract.hash(), contract.wasm).unwrap().descriptor;
    let error = encode(&contract, &[]).unwrap_err();
    assert!(matches!(&error, ParameterError::Missing { name, .. } if name == "tx_max"));
    let text = error.to_string();
    for part in ["--param tx_max=", "window_seconds (uint64, default 86400)", "tx_max (uint256, required)"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn an_unknown_parameter_is_named_with_all_there_are() {
    let text = encode(&descriptor("reentrancy"), &given(&[("allow", "1")])).unwrap_err().to_string();
    assert!(text.contains("no parameter \"allow\"") && text.contains("allow_views (bool, default false)"), "{text}");
}

#[test]
fn a_parameter_given_twice_is_refused() {
    let error = encode(&descriptor("outflow_cap"), &given(&[("tx_max", "1"), ("tx_max", "2")])).unwrap_err();
    assert!(matches!(error, ParameterError::Twice(name) if name == "tx_max"));
}

#[test]
fn values_of_other_types_are_refused_with_type_and_value() {
    let cases = [
        ("outflow_cap", "tx_max", "much"),
        ("outflow_cap", "tx_max", "-1"),
        ("outflow_cap", "window_seconds", "18446744073709551616"),
        ("outflow_cap", "token", "0x12"),
        ("reentrancy", "allow_views", "perhaps"),
        ("reentrancy", "allow_selectors", "0x3ccfd60b00"),
        ("reentrancy", "allow_callers", "[0x12"),
    ];
    for (guard, name, value) in cases {
        let mut parameters = given(&[(name, value)]);
        if guard == "outflow_cap" && name != "tx_max" {
            parameters.push(("tx_max".to_owned(), "1".to_owned()));
        }
        let error = encode(&descriptor(guard), &parameters).unwrap_err();
        assert!(matches!(&error, ParameterError::Value { name: named, .. } if named == name), "{value}: {error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn mistakes_of_a_guards_author_are_found_at_checking() {
    let mut guard = descriptor("outflow_cap");
    guard.parameters[0].default = Some("ether".to_owned());
    assert!(matches!(check(&guard), Err(ParameterError::Default { .. })));
    guard.parameters[0].ty = "money".to_owned();
    assert!(matches!(check(&guard), Err(ParameterError::Type { .. })));
}
