//! Numbers as development tools send them: hexadecimal text, decimal text, or a JSON number.

use serde::{Deserialize, Deserializer, de::Error as _};

/// A number below 2^64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quantity(pub(crate) u64);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(u64),
            Text(String),
        }
        let text = match Form::deserialize(deserializer) {
            Ok(Form::Number(number)) => return Ok(Self(number)),
            Ok(Form::Text(text)) => text,
            Err(_) => return Err(D::Error::custom("expected a number, such as 10, \"10\" or \"0xa\"")),
        };
        let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => text.parse(),
        };
        parsed.map(Self).map_err(|error| D::Error::custom(format!("{text:?} is not a number below 2^64: {error}")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    #[test]
    fn reads_every_form_tools_send() {
        let read = |json: &str| serde_json::from_str::<Quantity>(json).map(|quantity| quantity.0);
        assert_eq!(read("10").unwrap(), 10);
        assert_eq!(read("\"10\"").unwrap(), 10);
        assert_eq!(read("\"0xa\"").unwrap(), 10);
        assert_eq!(read("\"0x0a\"").unwrap(), 10);
        assert_eq!(read("\"0xffffffffffffffff\"").unwrap(), u64::MAX);
    }

    #[test]
    fn refuses_what_is_no_number_below_two_to_the_64() {
        for json in ["-1", "1.5", "\"0x\"", "\"\"", "\"ten\"", "\"0x10000000000000000\"", "null", "[]"] {
            assert!(serde_json::from_str::<Quantity>(json).is_err(), "{json} was read");
        }
    }
}
