//! `view!`: a static call with typed arguments and a typed answer, from a signature that is text.

use proc_macro2::TokenStream;
use quote::quote;
use sha3::{Digest as _, Keccak256};
use syn::{
    Error, Expr, LitStr, Result, Token,
    parse::{Parse, ParseStream},
};

/// `tx, fork, contract, "function(arguments)(answer)", values…`
pub(crate) struct ViewCall {
    tx: Expr,
    fork: Expr,
    contract: Expr,
    signature: LitStr,
    values: Vec<Expr>,
}

impl Parse for ViewCall {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let tx = input.parse()?;
        input.parse::<Token![,]>()?;
        let fork = input.parse()?;
        input.parse::<Token![,]>()?;
        let contract = input.parse()?;
        input.parse::<Token![,]>()?;
        let signature = input.parse()?;
        let mut values = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if !input.is_empty() {
                values.push(input.parse()?);
            }
        }
        Ok(Self { tx, fork, contract, signature, values })
    }
}

/// A function's name and types.
#[derive(Debug, PartialEq, Eq)]
struct Signature {
    /// As it is hashed.
    function: String,
    arguments: Vec<String>,
    answer: Vec<String>,
}

impl ViewCall {
    pub(crate) fn expand(&self) -> Result<TokenStream> {
        let wrong = |wrong: String| Error::new(self.signature.span(), wrong);
        let signature = parse(&self.signature.value()).map_err(wrong)?;
        if signature.arguments.len() != self.values.len() {
            let (takes, given) = (signature.arguments.len(), self.values.len());
            return Err(wrong(format!("the function takes {takes} values, {given} are given")));
        }
        let hash = Keccak256::digest(signature.function.as_bytes());
        let selector = hash.iter().take(4);
        let (tx, fork, contract, values) = (&self.tx, &self.fork, &self.contract, &self.values);
        let count = values.len();
        let arguments = signature.arguments.iter().map(|ty| rust_type(ty)).collect::<std::result::Result<Vec<_>, _>>();
        let arguments = arguments.map_err(wrong)?;
        let answer = signature.answer.iter().map(|ty| rust_type(ty)).collect::<std::result::Result<Vec<_>, _>>();
        let answer = answer.map_err(wrong)?;
        let read = match answer.as_slice() {
            [one] => quote!(answer.next::<#one>("")),
            several => quote!(::core::result::Result::Ok((#(answer.next::<#several>("")?),*))),
        };
        Ok(quote! {{
            let values = ::parapet_guest::config::Encoder::new(#count)
                #(.push::<#arguments>(&::core::convert::Into::<#arguments>::into(#values)))*
                .finish();
            ::parapet_guest::Tx::view(#tx, #fork, #contract, &::parapet_guest::expansion::calldata([#(#selector),*], &values))
                .decode(|answer| #read)
        }})
    }
}

fn parse(text: &str) -> std::result::Result<Signature, String> {
    let form = || "write function(types)(types of the answer), as in balanceOf(address)(uint256)".to_owned();
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let (name, rest) = text.split_once('(').ok_or_else(form)?;
    let (arguments, rest) = rest.split_once(')').ok_or_else(form)?;
    let answer = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or_else(form)?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    if !is_name || answer.contains(['(', ')']) {
        return Err(form());
    }
    let types = |list: &str| list.split(',').filter(|ty| !ty.is_empty()).map(ToOwned::to_owned).collect::<Vec<_>>();
    Ok(Signature { function: format!("{name}({arguments})"), arguments: types(arguments), answer: types(answer) })
}

fn rust_type(ty: &str) -> std::result::Result<TokenStream, String> {
    if let Some(item) = ty.strip_suffix("[]") {
        let item = rust_type(item)?;
        return Ok(quote!(::parapet_guest::expansion::Vec<#item>));
    }
    match ty {
        "address" => Ok(quote!(::parapet_guest::Address)),
        "bool" => Ok(quote!(bool)),
        "bytes4" => Ok(quote!(::parapet_guest::Bytes4)),
        "bytes32" => Ok(quote!(::parapet_guest::B256)),
        _ if is_uint(ty) => Ok(quote!(::parapet_guest::U256)),
        _ => Err(format!("type {ty} is not known; known are address, bool, bytes4, bytes32, uint… and arrays")),
    }
}

fn is_uint(ty: &str) -> bool {
    let bits = ty.strip_prefix("uint").and_then(|bits| bits.parse::<u16>().ok());
    bits.is_some_and(|bits| (8..=256).contains(&bits) && bits % 8 == 0)
}

#[cfg(test)]
mod tests {
    use super::{parse, rust_type};

    #[test]
    fn a_signature_splits_into_what_is_hashed_and_what_is_answered() {
        let read = parse("convertToAssets( uint256 ) (uint256)").expect("a signature");
        assert_eq!((read.function.as_str(), read.answer.len()), ("convertToAssets(uint256)", 1));
        let read = parse("getReserves()(uint112,uint112,uint32)").expect("a signature");
        assert_eq!((read.function.as_str(), read.arguments.len(), read.answer.len()), ("getReserves()", 0, 3));
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        for text in ["balanceOf", "balanceOf(address)", "(address)(uint256)", "f()((uint256))", "f()(uint256"] {
            assert!(parse(text).is_err(), "{text}");
        }
        for ty in ["uint", "uint7", "string", "int256", "uint256[2]"] {
            assert!(rust_type(ty).is_err(), "{ty}");
        }
    }
}
