//! The parameters of a CosmWasm guard: the members of its `instantiate` message.
//!
//! Numbers are decimal strings if they can have more than 32 bits, which `Uint64` to `Uint512` read, else JSON numbers;
//! addresses and bytes are lower-case hex behind `0x`, arrays and tuples JSON arrays. A contract that declares no
//! parameters gets what is given as it stands: a value that is JSON as that, any other as a string.

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::hex;
use parapet_monitor::Descriptor;
use serde_json::{Map, Value};

use super::{ParameterError, values};

/// Widest integer that is a JSON number, in bits: any reader takes it as it is.
const NUMBER_BITS_MAX: usize = 32;

/// Encodes a configuration: what is given, else the defaults.
///
/// # Errors
/// [`ParameterError`] names the parameter and, where that helps, all of them.
pub fn encode(descriptor: &Descriptor, given: &[(String, String)]) -> Result<Vec<u8>, ParameterError> {
    let mut members = Map::new();
    if descriptor.parameters.is_empty() {
        for (name, text) in given {
            let value = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()));
            if members.insert(name.clone(), value).is_some() {
                return Err(ParameterError::Twice(name.clone()));
            }
        }
    } else {
        let values = values(descriptor, given)?;
        let names = descriptor.parameters.iter().map(|parameter| parameter.name.clone());
        members.extend(names.zip(values.iter().map(json)));
    }
    Ok(Value::Object(members).to_string().into_bytes())
}

/// A configuration as `name` and value in text; `None` when the bytes are no JSON object.
#[must_use]
pub fn decode(configuration: &[u8]) -> Option<Vec<(String, String)>> {
    if configuration.is_empty() {
        return Some(Vec::new());
    }
    let members: Map<String, Value> = serde_json::from_slice(configuration).ok()?;
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Some(members.into_iter().map(|(name, value)| (name, text(value))).collect())
}

fn json(value: &DynSolValue) -> Value {
    match value {
        DynSolValue::Bool(value) => Value::Bool(*value),
        DynSolValue::Uint(value, bits) if *bits <= NUMBER_BITS_MAX => Value::from(value.saturating_to::<u32>()),
        DynSolValue::Int(value, bits) if *bits <= NUMBER_BITS_MAX => Value::from(value.as_i64()),
        DynSolValue::Uint(value, _) => Value::from(value.to_string()),
        DynSolValue::Int(value, _) => Value::from(value.to_string()),
        DynSolValue::FixedBytes(word, size) => Value::from(hex::encode_prefixed(&word[..*size])),
        DynSolValue::Address(value) => Value::from(hex::encode_prefixed(value)),
        DynSolValue::Function(value) => Value::from(hex::encode_prefixed(value)),
        DynSolValue::Bytes(value) => Value::from(hex::encode_prefixed(value)),
        DynSolValue::String(value) => Value::from(value.as_str()),
        DynSolValue::Array(items) | DynSolValue::FixedArray(items) | DynSolValue::Tuple(items) => {
            Value::Array(items.iter().map(json).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use parapet_monitor::Parameter;

    use super::*;

    fn descriptor(parameters: &[(&str, &str)]) -> Descriptor {
        let parameter = |(name, ty): &(&str, &str)| Parameter {
            name: (*name).to_owned(),
            ty: (*ty).to_owned(),
            unit: None,
            default: None,
            doc: String::new(),
        };
        let text = r#"{"abi":1,"name":"cap","version":"1","triggers":["flow"]}"#;
        let parameters = parameters.iter().map(parameter).collect();
        Descriptor { parameters, ..Descriptor::parse(text.as_bytes()).expect("it is well formed") }
    }

    fn encoded(parameters: &[(&str, &str)], given: &[(&str, &str)]) -> String {
        let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        String::from_utf8(encode(&descriptor(parameters), &given).expect("it is well formed"))
            .expect("it is well formed")
    }

    #[test]
    fn declared_parameters_become_members_of_their_types() {
        let parameters = [("max", "uint256"), ("part", "uint16"), ("on", "bool"), ("who", "address[]")];
        let checksummed = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let given = [("max", "1 ether"), ("part", "7"), ("on", "true"), ("who", checksummed)];
        assert_eq!(
            encoded(&parameters, &given),
            r#"{"max":"1000000000000000000","on":true,"part":7,"who":["0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"]}"#
        );
    }

    #[test]
    fn without_declared_parameters_values_stand_as_they_are_given() {
        assert_eq!(encoded(&[], &[("a", "7"), ("b", "seven"), ("c", "[1]")]), r#"{"a":7,"b":"seven","c":[1]}"#);
        assert_eq!(encoded(&[], &[]), "{}");
    }

    #[test]
    fn a_configuration_reads_back_as_text() {
        let read = decode(br#"{"max":"10","part":7}"#).expect("it is well formed");
        assert_eq!(read, [("max".to_owned(), "10".to_owned()), ("part".to_owned(), "7".to_owned())]);
        assert_eq!(decode(b""), Some(Vec::new()));
        assert_eq!(decode(b"[]"), None);
    }
}
