//! `args!`, `calls!` and `logs!`: decoding of calls and logs, from a signature that is text.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Error, Expr, LitStr, Result, Token,
    parse::{Parse, ParseStream},
};

use crate::signature::{self, hash, read, rust_type};

/// `tx, "function(arguments)"`
pub(crate) struct All {
    tx: Expr,
    signature: LitStr,
}

/// `tx, frame, "function(arguments)"`
pub(crate) struct One {
    tx: Expr,
    frame: Expr,
    signature: LitStr,
}

impl Parse for All {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let tx = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok(Self { tx, signature: last(input)? })
    }
}

impl Parse for One {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let tx = input.parse()?;
        input.parse::<Token![,]>()?;
        let frame = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok(Self { tx, frame, signature: last(input)? })
    }
}

fn last(input: ParseStream<'_>) -> Result<LitStr> {
    let signature = input.parse()?;
    input.parse::<Option<Token![,]>>()?;
    Ok(signature)
}

/// The selector, and a function that reads the arguments.
fn function(signature: &LitStr) -> Result<(TokenStream, TokenStream)> {
    let wrong = |wrong: String| Error::new(signature.span(), wrong);
    let parsed = signature::function(&signature.value()).map_err(wrong)?;
    let types = parsed.arguments.iter().map(|ty| rust_type(ty)).collect::<std::result::Result<Vec<_>, _>>();
    let read = read(&types.map_err(wrong)?, &quote!(values));
    let hash = hash(&parsed.text);
    let selector = hash.iter().take(4);
    Ok((quote!([#(#selector),*]), quote!(|values| #read)))
}

impl All {
    pub(crate) fn calls(&self) -> Result<TokenStream> {
        let (selector, decode) = function(&self.signature)?;
        let tx = &self.tx;
        Ok(quote!(::parapet_guest::expansion::calls_of(#tx, #selector, #decode)))
    }

    pub(crate) fn logs(&self) -> Result<TokenStream> {
        let wrong = |wrong: String| Error::new(self.signature.span(), wrong);
        let event = signature::event(&self.signature.value()).map_err(wrong)?;
        let mut reads = Vec::new();
        for value in &event.values {
            let ty = rust_type(&value.ty).map_err(wrong)?;
            let from = if value.indexed { quote!(indexed) } else { quote!(data) };
            reads.push(quote!(#from.next::<#ty>("")?));
        }
        let values = match reads.as_slice() {
            [one] => quote!(#one),
            several => quote!((#(#several),*)),
        };
        let hash = hash(&event.text);
        let topics = 1 + event.values.iter().filter(|value| value.indexed).count() as u32;
        let tx = &self.tx;
        Ok(quote! {
            ::parapet_guest::expansion::logged(#tx, [#(#hash),*], #topics, |indexed, data| {
                let _ = (&indexed, &data);
                ::core::result::Result::Ok(#values)
            })
        })
    }
}

impl One {
    pub(crate) fn expand(&self) -> Result<TokenStream> {
        let (selector, decode) = function(&self.signature)?;
        let (tx, frame) = (&self.tx, &self.frame);
        Ok(quote!(::parapet_guest::expansion::arguments(#tx, #frame, #selector, #decode)))
    }
}
