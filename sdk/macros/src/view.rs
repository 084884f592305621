//! `view!`: a static call with typed arguments and a typed answer, from a signature that is text; and `calldata!`, its first
//! half.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Error, Expr, LitStr, Result, Token,
    parse::{Parse, ParseStream},
};

use crate::signature::{self, Function, rust_type};

/// `tx, fork, contract, "function(arguments)(answer)", values…`
pub(crate) struct ViewCall {
    tx: Expr,
    fork: Expr,
    contract: Expr,
    call: Calldata,
}

/// `"function(arguments)", values…`
pub(crate) struct Calldata {
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
        Ok(Self { tx, fork, contract, call: input.parse()? })
    }
}

impl Parse for Calldata {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let signature = input.parse()?;
        let mut values = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if !input.is_empty() {
                values.push(input.parse()?);
            }
        }
        Ok(Self { signature, values })
    }
}

impl Calldata {
    pub(crate) fn expand(&self) -> Result<TokenStream> {
        self.encode(&signature::function(&self.signature.value()).map_err(|wrong| self.wrong(wrong))?)
    }

    /// The calldata of a function with these values.
    fn encode(&self, function: &Function) -> Result<TokenStream> {
        if function.arguments.len() != self.values.len() {
            let (takes, given) = (function.arguments.len(), self.values.len());
            return Err(self.wrong(format!("the function takes {takes} values, {given} are given")));
        }
        let hash = signature::hash(&function.text);
        let selector = hash.iter().take(4);
        let (count, values) = (self.values.len(), &self.values);
        let arguments = self.types(&function.arguments)?;
        Ok(quote! {{
            let values = ::parapet_guest::config::Encoder::new(#count)
                #(.push::<#arguments>(&::core::convert::Into::<#arguments>::into(#values)))*
                .finish();
            ::parapet_guest::expansion::calldata([#(#selector),*], &values)
        }})
    }

    fn types(&self, types: &[String]) -> Result<Vec<TokenStream>> {
        types.iter().map(|ty| rust_type(ty).map_err(|wrong| self.wrong(wrong))).collect()
    }

    fn wrong(&self, wrong: String) -> Error {
        Error::new(self.signature.span(), wrong)
    }
}

impl ViewCall {
    pub(crate) fn expand(&self) -> Result<TokenStream> {
        let Self { tx, fork, contract, call } = self;
        let function = signature::function_with_answer(&call.signature.value()).map_err(|wrong| call.wrong(wrong))?;
        let calldata = call.encode(&function)?;
        let read = signature::read(&call.types(&function.answer)?, &quote!(answer));
        Ok(quote! {
            ::parapet_guest::Tx::view(#tx, #fork, #contract, &#calldata).decode(|answer| #read)
        })
    }
}
