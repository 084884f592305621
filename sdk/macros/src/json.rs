//! JSON strings, and what doc comments say.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// A JSON string with its quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The first paragraph of a doc comment, on one line.
pub(crate) fn summary(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(doc_line);
    let lines = lines.skip_while(String::is_empty).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

fn doc_line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &pair.value else { return None };
    attribute.path().is_ident("doc").then(|| line.value().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{quoted, summary};

    #[test]
    fn quotes_what_json_forbids_in_a_string() {
        assert_eq!(quoted("a \"b\" \\ \n"), r#""a \"b\" \\ \u000a""#);
    }

    #[test]
    fn takes_the_first_paragraph_of_a_doc_comment() {
        let item: syn::ItemStruct = syn::parse_quote! {
            /// At most so much
            /// leaves.
            ///
            /// Not this.
            struct Cap;
        };
        assert_eq!(summary(&item.attrs), "At most so much leaves.");
    }
}
