//! `view!`: a static call with typed arguments and a typed answer, from a signature that is text.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Error, Expr, LitStr, Result, Token,
    parse::{Parse, ParseStream},
};

use crate::signature::{self, rust_type};

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

impl ViewCall {
    pub(crate) fn expand(&self) -> Result<TokenStream> {
        let wrong = |wrong: String| Error::new(self.signature.span(), wrong);
        let signature = signature::function_with_answer(&self.signature.value()).map_err(wrong)?;
        if signature.arguments.len() != self.values.len() {
            let (takes, given) = (signature.arguments.len(), self.values.len());
            return Err(wrong(format!("the function takes {takes} values, {given} are given")));
        }
        let hash = signature::hash(&signature.text);
        let selector = hash.iter().take(4);
        let (tx, fork, contract, values) = (&self.tx, &self.fork, &self.contract, &self.values);
        let count = values.len();
        let arguments = signature.arguments.iter().map(|ty| rust_type(ty)).collect::<std::result::Result<Vec<_>, _>>();
        let arguments = arguments.map_err(wrong)?;
        let answer = signature.answer.iter().map(|ty| rust_type(ty)).collect::<std::result::Result<Vec<_>, _>>();
        let answer = answer.map_err(wrong)?;
        let read = signature::read(&answer, &quote!(answer));
        Ok(quote! {{
            let values = ::parapet_guest::config::Encoder::new(#count)
                #(.push::<#arguments>(&::core::convert::Into::<#arguments>::into(#values)))*
                .finish();
            ::parapet_guest::Tx::view(#tx, #fork, #contract, &::parapet_guest::expansion::calldata([#(#selector),*], &values))
                .decode(|answer| #read)
        }})
    }
}
