//! A hash as geth takes it, with its prefix: alloy's own is content without.

use alloy_primitives::B256;
use serde::{Deserialize, Deserializer, de::Error as _};

/// A hash in hexadecimal that begins with `0x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hash(pub(crate) B256);

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if !text.starts_with("0x") && !text.starts_with("0X") {
            return Err(D::Error::custom(format!("a hash begins with 0x: {text:?}")));
        }
        text.parse().map(Self).map_err(|error| D::Error::custom(format!("{text:?} is no hash: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_its_prefix_and_32_bytes() {
        let read = |text: &str| serde_json::from_value::<Hash>(serde_json::json!(text)).ok();
        let hash = B256::repeat_byte(0xab);
        assert_eq!(read(&hash.to_string()), Some(Hash(hash)));
        for text in [hash.to_string().trim_start_matches("0x"), "0x", "0xab", "", &format!("{hash}00")] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
