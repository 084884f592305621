//! A storage slot as clients name it: up to 32 bytes in hexadecimal, short forms included.

use alloy_primitives::{B256, U256};
use alloy_serde::JsonStorageKey;
use serde::{Deserialize, Deserializer, de::Error as _};

/// Hexadecimal digits of 32 bytes.
const DIGITS_MAX: usize = 64;

/// A slot, kept in the form in which a proof repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot(pub(crate) JsonStorageKey);

impl<'de> Deserialize<'de> for Slot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(&text);
        if digits.len() > DIGITS_MAX {
            return Err(D::Error::custom(format!("storage key too long (want at most 32 bytes): {text:?}")));
        }
        let value = match U256::from_str_radix(digits, 16) {
            Ok(value) if !digits.is_empty() => value,
            _ => return Err(D::Error::custom(format!("invalid hex in storage key: {text:?}"))),
        };
        let whole = digits.len() == DIGITS_MAX;
        Ok(Self(if whole { JsonStorageKey::Hash(B256::from(value)) } else { JsonStorageKey::Number(value) }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use super::*;

    fn read(text: &str) -> serde_json::Result<Slot> {
        serde_json::from_value(serde_json::json!(text))
    }

    #[test]
    fn short_and_whole_forms_name_the_same_slot() {
        let whole = format!("0x{:064x}", 10);
        for text in ["0xa", "0x0a", "a", &whole] {
            assert_eq!(read(text).unwrap().0.as_b256(), B256::with_last_byte(10), "{text}");
        }
        assert_eq!(read(&whole).unwrap().0, JsonStorageKey::Hash(B256::with_last_byte(10)));
    }

    #[test]
    fn what_is_no_slot_is_refused_in_words() {
        assert!(read(&format!("0x{}", "0".repeat(65))).unwrap_err().to_string().contains("at most 32 bytes"));
        for text in ["0xasdf", "0x", "", "-1"] {
            assert!(read(text).unwrap_err().to_string().contains("invalid hex"), "{text}");
        }
    }
}
