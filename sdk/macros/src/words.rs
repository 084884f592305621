//! `veto!` and `alert!`: a code and a detail, whose braces are filled by `Show`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Error, Expr, Ident, LitStr, Result, Token,
    parse::{Parse, ParseStream},
};

/// `code, "text {} {name}", values…`
pub(crate) struct Said {
    code: Expr,
    text: LitStr,
    values: Vec<Expr>,
}

impl Parse for Said {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let code = input.parse()?;
        input.parse::<Token![,]>()?;
        let text = input.parse()?;
        let mut values = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if !input.is_empty() {
                values.push(input.parse()?);
            }
        }
        Ok(Self { code, text, values })
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// `{}`
    Next,
    /// `{name}`
    Named(String),
}

impl Said {
    /// Calls `function` of the speech module with code and detail.
    pub(crate) fn expand(&self, function: &TokenStream) -> Result<TokenStream> {
        let mut values = self.values.iter();
        let mut pushes = Vec::new();
        for piece in pieces(&self.text.value()).map_err(|wrong| Error::new(self.text.span(), wrong))? {
            pushes.push(match piece {
                Piece::Text(text) => quote!(detail.push(#text);),
                Piece::Next => {
                    let value = values.next().ok_or_else(|| Error::new(self.text.span(), "a {} has no value"))?;
                    quote!(detail.push(&(#value));)
                }
                Piece::Named(name) => {
                    let name = Ident::new(&name, self.text.span());
                    quote!(detail.push(&#name);)
                }
            });
        }
        if let Some(left) = values.next() {
            return Err(Error::new_spanned(left, "the text has no {} for this value"));
        }
        let code = &self.code;
        Ok(quote! {{
            let mut detail = ::parapet_guest::speech::Detail::new();
            #(#pushes)*
            ::parapet_guest::speech::#function(#code, &detail)
        }})
    }
}

fn pieces(text: &str) -> std::result::Result<Vec<Piece>, &'static str> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' | '}' if chars.peek() == Some(&c) => {
                chars.next();
                plain.push(c);
            }
            '}' => return Err("a } without its {; write }} for a brace"),
            '{' => {
                let name: String = chars.by_ref().take_while(|c| *c != '}').collect();
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(slot(name)?);
            }
            c => plain.push(c),
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

fn slot(name: String) -> std::result::Result<Piece, &'static str> {
    if name.is_empty() {
        return Ok(Piece::Next);
    }
    syn::parse_str::<Ident>(&name).map(|_| Piece::Named(name)).map_err(|_| "braces hold nothing or the name of a value")
}

#[cfg(test)]
mod tests {
    use super::{Piece, pieces};

    #[test]
    fn splits_text_from_what_is_filled_in() {
        let expected =
            vec![Piece::Text("{a} ".into()), Piece::Next, Piece::Text(" of ".into()), Piece::Named("asset".into())];
        assert_eq!(pieces("{{a}} {} of {asset}"), Ok(expected));
    }

    #[test]
    fn refuses_what_it_cannot_fill_in() {
        assert!(pieces("{0:?}").is_err());
        assert!(pieces("a } b").is_err());
    }
}
