//! Typed structured data as it is signed (EIP-712): what a wallet shows, hashed so that it can be nothing else.
//!
//! Bounds: values nest as deep as JSON may, and types are followed once each, so whatever is given ends.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, I256, U256, keccak256};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use crate::RpcError;

/// The type of the domain, in which a signature holds.
const DOMAIN: &str = "EIP712Domain";
/// Fields that a domain may have, in their order, with their types.
const DOMAIN_FIELDS: [(&str, &str); 5] = [
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
    ("salt", "bytes32"),
];

/// Data with its types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypedData(Parts);

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parts {
    types: BTreeMap<String, Vec<Field>>,
    primary_type: String,
    domain: Value,
    #[serde(default)]
    message: Value,
}

/// A field of a struct type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Field {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

impl<'de> Deserialize<'de> for TypedData {
    /// As JSON, or as text that is JSON: wallets send either.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parts = match Value::deserialize(deserializer)? {
            Value::String(text) => serde_json::from_str(&text),
            value => serde_json::from_value(value),
        };
        parts.map(Self).map_err(D::Error::custom)
    }
}

fn wrong(what: impl Into<String>) -> RpcError {
    RpcError::params(format!("no typed data (EIP-712): {}", what.into()))
}

impl TypedData {
    /// What is signed.
    pub(crate) fn digest(mut self) -> Result<B256, RpcError> {
        let parts = &mut self.0;
        let given = parts.domain.as_object().ok_or_else(|| wrong("the domain is no object"))?;
        let usual = DOMAIN_FIELDS.iter().filter(|(name, _)| given.contains_key(*name));
        let usual = usual.map(|(name, kind)| Field { name: (*name).to_owned(), kind: (*kind).to_owned() }).collect();
        parts.types.entry(DOMAIN.to_owned()).or_insert(usual);
        let mut signed = vec![0x19, 0x01];
        signed.extend(parts.hash_struct(DOMAIN, &parts.domain)?);
        if parts.primary_type != DOMAIN {
            signed.extend(parts.hash_struct(&parts.primary_type, &parts.message)?);
        }
        Ok(keccak256(signed))
    }
}

impl Parts {
    fn fields(&self, name: &str) -> Result<&[Field], RpcError> {
        self.types.get(name).map(Vec::as_slice).ok_or_else(|| wrong(format!("there is no type {name}")))
    }

    /// A struct type in words, with those that it refers to in the order of their names.
    fn encode_type(&self, name: &str) -> Result<String, RpcError> {
        let (mut met, mut open) = (BTreeSet::new(), vec![name]);
        while let Some(next) = open.pop() {
            for field in self.fields(next)? {
                let base = field.kind.split('[').next().unwrap_or_default();
                if base != name && self.types.contains_key(base) && met.insert(base) {
                    open.push(base);
                }
            }
        }
        let told = |name: &str| {
            let fields = self.fields(name)?.iter().map(|Field { name, kind }| format!("{kind} {name}"));
            Ok::<_, RpcError>(format!("{name}({})", fields.collect::<Vec<_>>().join(",")))
        };
        std::iter::once(name).chain(met).map(told).collect()
    }

    fn hash_struct(&self, name: &str, value: &Value) -> Result<B256, RpcError> {
        let mut encoded = keccak256(self.encode_type(name)?).to_vec();
        for field in self.fields(name)? {
            encoded.extend(self.encode(&field.kind, &value[&field.name], &field.name)?);
        }
        Ok(keccak256(encoded))
    }

    /// A value as one word.
    fn encode(&self, kind: &str, value: &Value, name: &str) -> Result<B256, RpcError> {
        if let Some((element, length)) = kind.strip_suffix(']').and_then(|array| array.rsplit_once('[')) {
            let values = value.as_array().ok_or_else(|| wrong(format!("{name} is no array")))?;
            if !length.is_empty() && length.parse() != Ok(values.len()) {
                return Err(wrong(format!("{name} has {} elements, its type is {kind}", values.len())));
            }
            let words = values.iter().map(|value| self.encode(element, value, name));
            return Ok(keccak256(words.collect::<Result<Vec<_>, _>>()?.concat()));
        }
        if self.types.contains_key(kind) {
            // Absent structs are zero, by which types may refer to themselves.
            return if value.is_null() { Ok(B256::ZERO) } else { self.hash_struct(kind, value) };
        }
        atom(kind, value).ok_or_else(|| wrong(format!("{name} is no {kind}")))
    }
}

/// A value that is no array and no struct, as one word; `None` where it is not of its type.
fn atom(kind: &str, value: &Value) -> Option<B256> {
    let bytes = || value.as_str()?.parse::<Bytes>().ok();
    match kind {
        "string" => value.as_str().map(keccak256),
        "bytes" => bytes().map(keccak256),
        "bool" => value.as_bool().map(|set| B256::with_last_byte(u8::from(set))),
        "address" => value.as_str()?.parse::<Address>().ok().map(|address| address.into_word()),
        _ => {
            if let Some(bits) = kind.strip_prefix("uint") {
                let number: U256 = number(value)?.parse().ok()?;
                return (number.bit_len() <= width(bits)?).then(|| number.into());
            }
            if let Some(bits) = kind.strip_prefix("int") {
                let number: I256 = number(value)?.parse().ok()?;
                return (number.bits() as usize <= width(bits)?).then(|| number.into_raw().into());
            }
            let length: usize = kind.strip_prefix("bytes")?.parse().ok().filter(|length| (1..=32).contains(length))?;
            let bytes = bytes().filter(|bytes| bytes.len() == length)?;
            Some(B256::right_padding_from(&bytes))
        }
    }
}

/// A number in words: JSON's own, or text.
fn number(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// Bits of a number's type.
fn width(bits: &str) -> Option<usize> {
    if bits.is_empty() {
        return Some(256);
    }
    bits.parse().ok().filter(|bits| (8..=256).contains(bits) && bits % 8 == 0)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::b256;
    use serde_json::json;

    use super::*;

    fn digest(data: &Value) -> Result<B256, RpcError> {
        serde_json::from_value::<TypedData>(data.clone()).map_err(|error| wrong(error.to_string()))?.digest()
    }

    /// The example that EIP-712 works through.
    fn mail() -> Value {
        json!({
            "types": {
                "EIP712Domain": [
                    {"name": "name", "type": "string"}, {"name": "version", "type": "string"},
                    {"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"},
                ],
                "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
                "Mail": [
                    {"name": "from", "type": "Person"}, {"name": "to", "type": "Person"},
                    {"name": "contents", "type": "string"},
                ],
            },
            "primaryType": "Mail",
            "domain": {
                "name": "Ether Mail", "version": "1", "chainId": 1,
                "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
            },
            "message": {
                "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
                "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
                "contents": "Hello, Bob!",
            },
        })
    }

    fn of(kind: &str, value: &Value) -> Result<B256, RpcError> {
        digest(&json!({
            "types": {"Data": [{"name": "value", "type": kind}, {"name": "next", "type": "Data"}]},
            "primaryType": "Data", "domain": {"chainId": "0x1"}, "message": {"value": value},
        }))
    }

    #[test]
    fn the_example_of_the_eip_has_its_digest() {
        let expected = b256!("be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
        assert_eq!(digest(&mail()).expect("well-formed"), expected);
        assert_eq!(digest(&Value::String(mail().to_string())).expect("as text"), expected);
        let mut without = mail();
        without["types"].as_object_mut().expect("an object").remove(DOMAIN);
        assert_eq!(digest(&without).expect("the domain's type follows from its fields"), expected);
    }

    #[test]
    fn numbers_have_the_width_of_their_type() {
        for (kind, good, bad) in [
            ("uint8", json!(255), json!(256)),
            ("uint", json!("0xff"), json!(-1)),
            ("int8", json!(-128), json!(-129)),
            ("int8", json!("127"), json!("128")),
            ("bytes2", json!("0x0102"), json!("0x01")),
            ("bool", json!(true), json!(1)),
            ("uint8[2]", json!([1, 2]), json!([1])),
            ("uint8[2][]", json!([[1, 2]]), json!([[1, 2, 3]])),
            ("address", json!("0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"), json!("0x01")),
        ] {
            assert!(of(kind, &good).is_ok(), "{kind}");
            assert!(of(kind, &bad).is_err(), "{kind}");
        }
        for kind in ["uint7", "uint264", "bytes33", "nothing", "uint8[", "[]"] {
            assert!(of(kind, &json!(1)).is_err(), "{kind}");
        }
        assert_ne!(of("int8", &json!(-1)).expect("it fits"), of("int8", &json!(1)).expect("it fits"));
    }
}
