//! Blocks as Otterscan names them: by JSON numbers, besides what everybody sends.

use alloy_eips::BlockId;
use serde::{Deserialize, Deserializer};

/// A block's number, hash or tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockRef(pub(crate) BlockId);

impl<'de> Deserialize<'de> for BlockRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "expected a block's number or hash, or earliest, finalized, safe, latest, pending"
        )]
        enum Form {
            Number(u64),
            Usual(BlockId),
        }
        Ok(Self(match Form::deserialize(deserializer)? {
            Form::Number(number) => number.into(),
            Form::Usual(usual) => usual,
        }))
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::*;

    #[test]
    fn numbers_are_read_in_both_forms_and_everything_else_as_it_is() {
        let read = |json: &str| serde_json::from_str::<BlockRef>(json).ok().map(|block| block.0);
        assert_eq!(read("10"), Some(BlockId::from(10)));
        assert_eq!(read("\"0xa\""), Some(BlockId::from(10)));
        assert_eq!(read("\"latest\""), Some(BlockId::latest()));
        assert_eq!(read(&format!("\"{}\"", B256::ZERO)), Some(BlockId::from(B256::ZERO)));
        for json in ["-1", "1.5", "\"last\"", "null"] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
