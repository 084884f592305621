//! Signatures of functions and events as text: what is hashed, and the Rust types of what they carry.

use proc_macro2::TokenStream;
use quote::quote;
use sha3::{Digest as _, Keccak256};

/// A function's name and types.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// As it is hashed.
    pub(crate) text: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) answer: Vec<String>,
}

/// An event's name and values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// As it is hashed.
    pub(crate) text: String,
    pub(crate) values: Vec<Value>,
}

/// A value of an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) ty: String,
    pub(crate) indexed: bool,
}

/// What a text is not, in words.
type Parsed<T> = std::result::Result<T, String>;

/// Keccak-256 of a signature.
pub(crate) fn hash(text: &str) -> [u8; 32] {
    Keccak256::digest(text.as_bytes()).into()
}

/// `balanceOf(address)(uint256)`
pub(crate) fn function_with_answer(text: &str) -> Parsed<Function> {
    let form = || "write function(types)(types of the answer), as in balanceOf(address)(uint256)".to_owned();
    let text = without_spaces(text);
    let (name, rest) = text.split_once('(').ok_or_else(form)?;
    let (arguments, rest) = rest.split_once(')').ok_or_else(form)?;
    let answer = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or_else(form)?;
    if !is_name(name) || answer.contains(['(', ')']) {
        return Err(form());
    }
    Ok(Function { text: format!("{name}({arguments})"), arguments: list(arguments), answer: list(answer) })
}

/// `transfer(address,uint256)`
pub(crate) fn function(text: &str) -> Parsed<Function> {
    let form = || "write function(types), as in transfer(address,uint256)".to_owned();
    let text = without_spaces(text);
    let (name, rest) = text.split_once('(').ok_or_else(form)?;
    let arguments = rest.strip_suffix(')').ok_or_else(form)?;
    if !is_name(name) || arguments.contains(['(', ')']) {
        return Err(form());
    }
    Ok(Function { arguments: list(arguments), text, answer: Vec::new() })
}

/// `Transfer(address indexed,address indexed,uint256)`
pub(crate) fn event(text: &str) -> Parsed<Event> {
    let form = || "write Event(types), as in Transfer(address indexed,address indexed,uint256)".to_owned();
    let (name, rest) = text.trim().split_once('(').ok_or_else(form)?;
    let values = rest.strip_suffix(')').ok_or_else(form)?;
    if !is_name(name) || values.contains(['(', ')']) {
        return Err(form());
    }
    let values = values.split(',').map(str::trim).filter(|value| !value.is_empty());
    let values = values.map(value).collect::<Parsed<Vec<_>>>()?;
    if values.iter().filter(|value| value.indexed).count() > INDEXED_MAX {
        return Err(format!("an event has at most {INDEXED_MAX} indexed values"));
    }
    let types: Vec<&str> = values.iter().map(|value| value.ty.as_str()).collect();
    Ok(Event { text: format!("{name}({})", types.join(",")), values })
}

/// Indexed values of an event that is not anonymous.
const INDEXED_MAX: usize = 3;

fn value(text: &str) -> Parsed<Value> {
    let mut words = text.split_whitespace();
    let ty = words.next().unwrap_or_default().to_owned();
    let indexed = match words.next() {
        None => false,
        Some("indexed") => true,
        Some(other) => return Err(format!("{other:?} behind a type; only indexed may stand there")),
    };
    if let Some(more) = words.next() {
        return Err(format!("{more:?} behind indexed; names are left out"));
    }
    if indexed && (ty.ends_with("[]") || ty == "bytes" || ty == "string") {
        return Err(format!(
            "an indexed {ty} is a hash in the log: write bytes32 and the hash of the signature differs, so read it with tx.logs()"
        ));
    }
    Ok(Value { ty, indexed })
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
}

fn list(types: &str) -> Vec<String> {
    types.split(',').filter(|ty| !ty.is_empty()).map(ToOwned::to_owned).collect()
}

/// The Rust type of a Solidity type. Signed numbers are their 256 bits.
pub(crate) fn rust_type(ty: &str) -> Parsed<TokenStream> {
    if let Some(item) = ty.strip_suffix("[]") {
        let item = rust_type(item)?;
        return Ok(quote!(::parapet_guest::expansion::Vec<#item>));
    }
    match ty {
        "address" => Ok(quote!(::parapet_guest::Address)),
        "bool" => Ok(quote!(bool)),
        "bytes4" => Ok(quote!(::parapet_guest::Bytes4)),
        "bytes32" => Ok(quote!(::parapet_guest::B256)),
        "bytes" | "string" => Ok(quote!(::parapet_guest::expansion::Vec<u8>)),
        _ if is_number(ty) => Ok(quote!(::parapet_guest::U256)),
        _ => Err(format!(
            "type {ty} is not known; known are address, bool, bytes4, bytes32, bytes, string, uint…, int… and arrays"
        )),
    }
}

fn is_number(ty: &str) -> bool {
    let bits = ty.strip_prefix("uint").or_else(|| ty.strip_prefix("int")).and_then(|bits| bits.parse::<u16>().ok());
    bits.is_some_and(|bits| (8..=256).contains(&bits) && bits % 8 == 0)
}

/// Reads values of these types from `decoder`: one, or a tuple.
pub(crate) fn read(types: &[TokenStream], decoder: &TokenStream) -> TokenStream {
    match types {
        [one] => quote!(#decoder.next::<#one>("")),
        several => quote!(::core::result::Result::Ok((#(#decoder.next::<#several>("")?),*))),
    }
}

#[cfg(test)]
mod tests {
    use super::{event, function, function_with_answer, rust_type};

    #[test]
    fn a_signature_splits_into_what_is_hashed_and_what_is_answered() {
        let read = function_with_answer("convertToAssets( uint256 ) (uint256)").expect("a signature");
        assert_eq!((read.text.as_str(), read.answer.len()), ("convertToAssets(uint256)", 1));
        let read = function_with_answer("getReserves()(uint112,uint112,uint32)").expect("a signature");
        assert_eq!((read.text.as_str(), read.arguments.len(), read.answer.len()), ("getReserves()", 0, 3));
        let read = function("transfer(address, uint256)").expect("a signature");
        assert_eq!((read.text.as_str(), read.arguments.len()), ("transfer(address,uint256)", 2));
    }

    #[test]
    fn an_event_knows_what_is_indexed() {
        let read = event("Transfer(address indexed, address indexed,uint256)").expect("a signature");
        assert_eq!(read.text, "Transfer(address,address,uint256)");
        assert_eq!(read.values.iter().filter(|value| value.indexed).count(), 2);
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        for text in ["balanceOf", "balanceOf(address)", "(address)(uint256)", "f()((uint256))", "f()(uint256"] {
            assert!(function_with_answer(text).is_err(), "{text}");
        }
        for text in ["transfer", "f(uint256)(uint256)", "f((uint256))", "(uint256)"] {
            assert!(function(text).is_err(), "{text}");
        }
        let four = "E(bool indexed,bool indexed,bool indexed,bool indexed)";
        for text in ["Transfer", "E(address from)", "E(address indexed from)", "E(string indexed)", four] {
            assert!(event(text).is_err(), "{text}");
        }
        for ty in ["uint", "uint7", "uint256[2]", "(uint256)"] {
            assert!(rust_type(ty).is_err(), "{ty}");
        }
    }
}
