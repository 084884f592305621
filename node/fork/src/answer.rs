//! Answers as values: what is not of the form that was asked for is nonsense.

use alloy_consensus::{Header, Sealed};
use alloy_primitives::{B256, Bytes, U64, U256};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

/// Most bytes of an account's code. Ethereum allows 24,576; some chains allow more.
const CODE_BYTES_MAX: usize = 1_024 * 1_024;

/// A result as a value.
pub(crate) fn parse<T: DeserializeOwned>(result: &RawValue) -> Result<T, String> {
    serde_json::from_str(result.get()).map_err(|error| error.to_string())
}

pub(crate) fn number(result: &RawValue) -> Result<u64, String> {
    hexadecimal::<U64>(result).map(|number| number.to())
}

/// A quantity, or a word of storage, which has its leading zeros.
pub(crate) fn word(result: &RawValue) -> Result<U256, String> {
    hexadecimal(result)
}

/// What is read by a parser that would take other forms, too, the empty one included.
fn hexadecimal<T: DeserializeOwned>(result: &RawValue) -> Result<T, String> {
    if result.get().starts_with("\"0x") { parse(result) } else { Err("no hexadecimal number".to_owned()) }
}

pub(crate) fn code(result: &RawValue) -> Result<Bytes, String> {
    let code: Bytes = parse(result)?;
    if code.len() > CODE_BYTES_MAX {
        return Err(format!("{} bytes of code", code.len()));
    }
    Ok(code)
}

/// The header of a block.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) header: Sealed<Header>,
    /// Whether its fields hash to its hash. Other chains' headers may have fields of their own.
    pub(crate) hash_is_proved: bool,
    /// As it was answered.
    pub(crate) raw: Box<RawValue>,
}

#[derive(Deserialize)]
struct WireBlock {
    hash: B256,
    #[serde(flatten)]
    header: Header,
}

/// A block; `None` where there is none.
pub(crate) fn block(result: &RawValue) -> Result<Option<Block>, String> {
    let Some(WireBlock { hash, header }) = parse::<Option<WireBlock>>(result)? else { return Ok(None) };
    let hash_is_proved = header.hash_slow() == hash;
    Ok(Some(Block { header: Sealed::new_unchecked(header, hash), hash_is_proved, raw: result.to_owned() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).expect("JSON")
    }

    #[test]
    fn quantities_and_words_are_read_as_endpoints_write_them() {
        assert_eq!(number(&raw("\"0x10\"")), Ok(16));
        assert_eq!(word(&raw("\"0x0\"")), Ok(U256::ZERO));
        assert_eq!(word(&raw(&format!("\"0x{}1\"", "0".repeat(63)))), Ok(U256::from(1)));
        for nonsense in ["null", "{}", "\"\"", "\"latest\"", "[]", "true", "\"-1\""] {
            assert!(number(&raw(nonsense)).is_err() && word(&raw(nonsense)).is_err(), "{nonsense}");
        }
        assert!(word(&raw(&format!("\"0x1{}\"", "0".repeat(64)))).is_err(), "more than a word");
        assert!(number(&raw("\"0x10000000000000000\"")).is_err());
    }

    #[test]
    fn code_is_bytes_and_bounded() {
        assert_eq!(code(&raw("\"0x\"")), Ok(Bytes::new()));
        assert!(code(&raw("null")).is_err() && code(&raw("\"0x1\"")).is_err());
        assert!(code(&raw(&format!("\"0x{}\"", "00".repeat(CODE_BYTES_MAX + 1)))).is_err());
    }

    #[test]
    fn a_header_that_does_not_hash_to_its_hash_is_known_for_it() {
        let header = Header { base_fee_per_gas: Some(7), number: 5, ..Header::default() };
        let mut wire = serde_json::to_value(&header).expect("JSON");
        for (hash, proved) in [(header.hash_slow(), true), (B256::ZERO, false)] {
            wire["hash"] = serde_json::json!(hash);
            wire["transactions"] = serde_json::json!([]);
            let found = block(&raw(&wire.to_string())).expect("a block").expect("there");
            assert_eq!((found.header.inner(), found.hash_is_proved), (&header, proved));
            assert_eq!(found.header.hash(), hash);
        }
        assert!(matches!(block(&raw("null")), Ok(None)));
        assert!(block(&raw("{\"number\":\"0x1\"}")).is_err());
    }
}
