//! From what a script writes to the bytes that contracts take.

use std::collections::BTreeMap;

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Address, Bytes, U256, keccak256};
use toml::Value;

use crate::ProofError;

/// What names stand for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) accounts: BTreeMap<String, Address>,
    /// What was drawn, as a literal.
    pub(crate) drawn: BTreeMap<String, String>,
}

impl Names {
    /// The account that `name`, `@name` or `$drawn` stands for.
    pub(crate) fn account(&self, written: &str) -> Result<Address, ProofError> {
        let unknown = || ProofError::Name { name: written.to_owned() };
        if let Some(drawn) = written.strip_prefix('$') {
            let text = self.drawn.get(drawn).ok_or_else(unknown)?;
            return text.parse().or_else(|_| self.account(text));
        }
        let name = written.strip_prefix('@').unwrap_or(written);
        self.accounts.get(name).copied().or_else(|| name.parse().ok()).ok_or_else(unknown)
    }

    /// The name that `name`, `@name` or `$drawn` stands for.
    pub(crate) fn resolved(&self, written: &str) -> Result<String, ProofError> {
        let unknown = || ProofError::Name { name: written.to_owned() };
        match written.strip_prefix('$') {
            Some(drawn) => self.drawn.get(drawn).cloned().ok_or_else(unknown),
            None => Ok(written.strip_prefix('@').unwrap_or(written).to_owned()),
        }
    }

    /// A number: `12`, `1.5 ether`, `5e18`, `0x…`, `max`, `$drawn`.
    pub(crate) fn number(&self, written: &str) -> Result<U256, ProofError> {
        if let Some(drawn) = written.strip_prefix('$') {
            let text = self.drawn.get(drawn).ok_or_else(|| ProofError::Name { name: written.to_owned() })?;
            return number(text);
        }
        number(written)
    }

    /// Selector and arguments.
    pub(crate) fn calldata(&self, signature: &str, args: &[Value]) -> Result<Bytes, ProofError> {
        let mut data = keccak256(signature)[..4].to_vec();
        data.extend(self.arguments(signature, args)?);
        Ok(data.into())
    }

    /// The arguments alone, as constructors take them.
    pub(crate) fn arguments(&self, signature: &str, args: &[Value]) -> Result<Vec<u8>, ProofError> {
        let types = &signature[signature.find('(').unwrap_or(signature.len())..];
        let invalid =
            |reason: String| ProofError::Value { value: signature.to_owned(), ty: "signature".to_owned(), reason };
        let parsed = if types == "()" { Ok(DynSolType::Tuple(Vec::new())) } else { DynSolType::parse(types) };
        let parsed = parsed.map_err(|error| invalid(error.to_string()))?;
        let DynSolType::Tuple(types) = parsed else { return Err(invalid("it takes no list".to_owned())) };
        if types.len() != args.len() {
            return Err(invalid(format!("{} arguments are given", args.len())));
        }
        let values: Result<Vec<_>, _> = types.iter().zip(args).map(|(ty, arg)| self.value(ty, arg)).collect();
        Ok(if args.is_empty() { Vec::new() } else { DynSolValue::Tuple(values?).abi_encode_params() })
    }

    fn value(&self, ty: &DynSolType, written: &Value) -> Result<DynSolValue, ProofError> {
        match (ty, written) {
            (DynSolType::Array(inner), Value::Array(items)) => {
                items.iter().map(|item| self.value(inner, item)).collect::<Result<_, _>>().map(DynSolValue::Array)
            }
            (DynSolType::FixedArray(inner, count), Value::Array(items)) if items.len() == *count => {
                let items = items.iter().map(|item| self.value(inner, item));
                items.collect::<Result<_, _>>().map(DynSolValue::FixedArray)
            }
            (DynSolType::Tuple(types), Value::Array(items)) if types.len() == items.len() => {
                let items = types.iter().zip(items);
                items.map(|(ty, item)| self.value(ty, item)).collect::<Result<_, _>>().map(DynSolValue::Tuple)
            }
            (DynSolType::Bytes, Value::Table(inner)) => {
                let Some(Value::String(signature)) = inner.get("call") else {
                    return Err(unfit(ty, written, "no call"));
                };
                let args = inner.get("args").and_then(Value::as_array).cloned().unwrap_or_default();
                Ok(DynSolValue::Bytes(self.calldata(signature, &args)?.to_vec()))
            }
            (DynSolType::Address, Value::String(text)) => self.account(text).map(DynSolValue::Address),
            (DynSolType::Uint(bits), Value::String(text)) => Ok(DynSolValue::Uint(self.number(text)?, *bits)),
            (DynSolType::Uint(bits), Value::Integer(small)) => {
                let small = u64::try_from(*small).map_err(|error| unfit(ty, written, error))?;
                Ok(DynSolValue::Uint(U256::from(small), *bits))
            }
            (DynSolType::Bool, Value::Boolean(yes)) => Ok(DynSolValue::Bool(*yes)),
            // What was drawn is a number in decimal.
            (DynSolType::FixedBytes(32), Value::String(text)) => {
                Ok(DynSolValue::FixedBytes(self.number(text)?.into(), 32))
            }
            (_, Value::String(text)) => {
                let text = text.strip_prefix('$').and_then(|name| self.drawn.get(name)).unwrap_or(text);
                ty.coerce_str(text).map_err(|error| unfit(ty, written, error))
            }
            _ => Err(unfit(ty, written, "another kind of value is needed")),
        }
    }
}

fn unfit(ty: &DynSolType, written: &Value, reason: impl std::fmt::Display) -> ProofError {
    ProofError::Value { value: format!("{written:?}"), ty: ty.to_string(), reason: reason.to_string() }
}

fn number(text: &str) -> Result<U256, ProofError> {
    let unfit = || ProofError::Value {
        value: text.to_owned(),
        ty: "number".to_owned(),
        reason: "write 12, 1.5 ether, 5e18, 0x… or max".to_owned(),
    };
    if text == "max" {
        return Ok(U256::MAX);
    }
    let (digits, decimals) = match (text.strip_suffix(" ether"), text.split_once('e')) {
        (Some(digits), _) => (digits, 18),
        (None, Some((digits, power))) if !text.starts_with("0x") => (digits, power.parse().map_err(|_| unfit())?),
        (None, _) => return text.parse().map_err(|_| unfit()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let zeros = usize::checked_sub(decimals, fraction.len()).ok_or_else(unfit)?;
    format!("{whole}{fraction}{}", "0".repeat(zeros)).parse().map_err(|_| unfit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_with_their_units() {
        let read = |text: &str| number(text).unwrap_or_default();
        assert_eq!(read("1.5 ether"), U256::from(1_500_000_000_000_000_000_u64));
        assert_eq!(read("5e18"), U256::from(5_000_000_000_000_000_000_u64));
        assert_eq!(read("0x10"), U256::from(16));
        assert_eq!(read("7"), U256::from(7));
        assert_eq!(read("max"), U256::MAX);
        assert!(number("1.23e1").is_err());
        assert!(number("many").is_err());
    }

    #[test]
    fn a_call_inside_a_call_becomes_bytes() {
        let mut names = Names::default();
        names.accounts.insert("vault".to_owned(), Address::repeat_byte(7));
        let args: toml::Table =
            toml::from_str(r#"a = [["@vault"], [{ call = "f(uint256)", args = [9] }]]"#).unwrap_or_default();
        let args = args["a"].as_array().cloned().unwrap_or_default();
        let data = names.calldata("batch(address[],bytes[])", &args).unwrap_or_default();
        assert!(data.windows(4).any(|window| window == &keccak256("f(uint256)")[..4]));
        assert!(data.windows(20).any(|window| window == [7; 20]));
    }
}
