//! `triggers(…)`: what wakes a guard, checked here so that a mistake is an error at its own place, and written as JSON.

use proc_macro2::Span;
use syn::{
    Error, Ident, LitInt, LitStr, Result, Token, bracketed, parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

use crate::json;

/// One trigger: a name, or a name with fields.
pub(crate) struct Trigger {
    on: Ident,
    fields: Option<Vec<Field>>,
}

struct Field {
    name: Ident,
    values: Vec<Value>,
    /// Written with brackets.
    is_list: bool,
}

enum Value {
    Text(LitStr),
    Number(LitInt),
    /// A field of the guard, which is a parameter of it.
    Parameter(Ident),
}

/// What a field takes.
#[derive(Clone, Copy)]
enum Takes {
    /// Some of these words.
    Words(&'static [&'static str]),
    /// Values: literals and parameters.
    Values,
    /// One number.
    Number,
}

const KINDS: &[&str] = &["call", "slot", "log", "flow", "code", "transient"];

/// Fields by the kind of trigger. The same as the host knows; a test of the host's compares them.
pub(crate) const fn fields(on: &str) -> &'static [(&'static str, &'static [&'static str])] {
    match on.as_bytes() {
        b"call" => &[
            ("selector", &[]),
            ("kind", &["call", "callcode", "delegatecall", "staticcall", "create", "create2", "system", "precompile"]),
            ("role", &["target", "code", "payer", "caller"]),
            ("depth_min", &[]),
            ("depth_max", &[]),
            ("outcome", &["succeeded", "reverted", "halted"]),
            ("code_hash", &[]),
        ],
        b"slot" | b"transient" => &[
            ("slot", &[]),
            ("mapping", &[]),
            ("key", &[]),
            ("key2", &[]),
            ("key3", &[]),
            ("key4", &[]),
            ("depth", &[]),
            ("words", &[]),
        ],
        b"log" => &[("topic0", &[]), ("topic1", &[]), ("topic2", &[]), ("topic3", &[])],
        b"flow" => &[
            ("asset", &["ether", "erc20", "erc721", "erc1155"]),
            ("token", &[]),
            ("direction", &["in", "out"]),
            ("reason", &["call", "create", "selfdestruct", "log", "fee", "withdrawal"]),
        ],
        b"code" => &[("change", &["create", "delegation", "selfdestruct"])],
        _ => &[],
    }
}

fn takes(on: &str, field: &Ident) -> Result<Takes> {
    let known = fields(on);
    match known.iter().find(|(name, _)| field == name) {
        Some(("depth_min" | "depth_max" | "depth" | "words", _)) => Ok(Takes::Number),
        Some((_, [])) => Ok(Takes::Values),
        Some((_, words)) => Ok(Takes::Words(words)),
        None => {
            let known: Vec<_> = known.iter().map(|(name, _)| *name).collect();
            Err(Error::new_spanned(field, format!("a trigger on {on} has the fields {}", known.join(", "))))
        }
    }
}

impl Parse for Trigger {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let on: Ident = input.parse()?;
        if !input.peek(syn::token::Paren) {
            return Ok(Self { on, fields: None });
        }
        let content;
        parenthesized!(content in input);
        let fields = Punctuated::<Field, Token![,]>::parse_terminated(&content)?;
        Ok(Self { on, fields: Some(fields.into_iter().collect()) })
    }
}

impl Parse for Field {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        if !input.peek(syn::token::Bracket) {
            return Ok(Self { name, values: vec![input.parse()?], is_list: false });
        }
        let content;
        bracketed!(content in input);
        let values = Punctuated::<Value, Token![,]>::parse_terminated(&content)?;
        Ok(Self { name, values: values.into_iter().collect(), is_list: true })
    }
}

impl Parse for Value {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(LitStr) {
            input.parse().map(Self::Text)
        } else if input.peek(LitInt) {
            input.parse().map(Self::Number)
        } else if input.peek(Ident) {
            input.parse().map(Self::Parameter)
        } else {
            Err(input.error("expected text, a number, or the name of a parameter"))
        }
    }
}

impl Value {
    fn span(&self) -> Span {
        match self {
            Self::Text(text) => text.span(),
            Self::Number(number) => number.span(),
            Self::Parameter(parameter) => parameter.span(),
        }
    }
}

impl Trigger {
    /// Its JSON; `parameters` are the fields of the guard's struct.
    pub(crate) fn json(&self, parameters: &[String]) -> Result<String> {
        let on = self.on.to_string();
        if self.fields.is_none() && (on == "frame" || on == "flow") {
            return Ok(json::quoted(&on));
        }
        if on == "frame" {
            return Err(Error::new_spanned(&self.on, "frame has no fields; write call(…), which has"));
        }
        if !KINDS.contains(&on.as_str()) {
            return Err(Error::new_spanned(&self.on, format!("known are frame, {}", KINDS.join(", "))));
        }
        let mut written = vec![format!("\"on\":{}", json::quoted(&on))];
        let mut seen: Vec<&Ident> = Vec::new();
        for field in self.fields.iter().flatten() {
            if seen.contains(&&field.name) {
                return Err(Error::new_spanned(&field.name, "given twice; several values are written [a, b]"));
            }
            seen.push(&field.name);
            written.push(format!("{}:{}", json::quoted(&field.name.to_string()), field.json(&on, parameters)?));
        }
        Ok(format!("{{{}}}", written.join(",")))
    }
}

impl Field {
    fn json(&self, on: &str, parameters: &[String]) -> Result<String> {
        if self.values.is_empty() {
            return Err(Error::new_spanned(&self.name, "an empty list; leave the field out"));
        }
        let takes = takes(on, &self.name)?;
        if let (Takes::Number, true) = (takes, self.is_list) {
            return Err(Error::new_spanned(&self.name, "takes one number"));
        }
        let values = self.values.iter().map(|value| value.json(takes, parameters)).collect::<Result<Vec<_>>>()?;
        Ok(if self.is_list { format!("[{}]", values.join(",")) } else { values.concat() })
    }
}

impl Value {
    fn json(&self, takes: Takes, parameters: &[String]) -> Result<String> {
        match (takes, self) {
            (Takes::Words(words), Self::Text(text)) if words.contains(&text.value().as_str()) => {
                Ok(json::quoted(&text.value()))
            }
            (Takes::Words(words), Self::Parameter(name)) if words.iter().any(|word| name == word) => {
                Ok(json::quoted(&name.to_string()))
            }
            (Takes::Words(words), _) => Err(Error::new(self.span(), format!("known are {}", words.join(", ")))),
            (Takes::Number | Takes::Values, Self::Number(number)) => {
                number.base10_parse::<u64>().map(|number| number.to_string())
            }
            (Takes::Number, _) => Err(Error::new(self.span(), "takes one number")),
            (Takes::Values, Self::Text(text)) => {
                let value = text.value();
                if let Some(name) = value.strip_prefix('$') {
                    check_parameter(name, text.span(), parameters)?;
                }
                Ok(json::quoted(&value))
            }
            (Takes::Values, Self::Parameter(name)) => {
                check_parameter(&name.to_string(), name.span(), parameters)?;
                Ok(json::quoted(&format!("${name}")))
            }
        }
    }
}

fn check_parameter(name: &str, span: Span, parameters: &[String]) -> Result<()> {
    if parameters.iter().any(|parameter| parameter == name) {
        return Ok(());
    }
    let known = if parameters.is_empty() { "none".to_owned() } else { parameters.join(", ") };
    Err(Error::new(span, format!("the guard has no parameter {name}; it has {known}")))
}

#[cfg(test)]
mod tests {
    use super::Trigger;

    fn json(trigger: &str) -> Result<String, String> {
        let parameters = ["slot".to_owned(), "owner".to_owned()];
        let trigger: Trigger = syn::parse_str(trigger).map_err(|error| error.to_string())?;
        trigger.json(&parameters).map_err(|error| error.to_string())
    }

    #[test]
    fn names_and_fields_become_json() {
        for (written, expected) in [
            ("frame", r#""frame""#),
            ("flow", r#""flow""#),
            ("code", r#"{"on":"code"}"#),
            (
                "call(selector = \"f()\", kind = [call, \"create2\"])",
                r#"{"on":"call","selector":"f()","kind":["call","create2"]}"#,
            ),
            ("call(depth_max = 3)", r#"{"on":"call","depth_max":3}"#),
            ("slot(slot = slot)", r#"{"on":"slot","slot":"$slot"}"#),
            ("slot(mapping = 3, key = [owner, \"0x01\"])", r#"{"on":"slot","mapping":3,"key":["$owner","0x01"]}"#),
            ("slot(mapping = 3, key2 = owner, depth = 3)", r#"{"on":"slot","mapping":3,"key2":"$owner","depth":3}"#),
            ("transient(slot = slot)", r#"{"on":"transient","slot":"$slot"}"#),
            ("call(kind = precompile, role = caller)", r#"{"on":"call","kind":"precompile","role":"caller"}"#),
            ("flow(asset = ether, direction = \"out\")", r#"{"on":"flow","asset":"ether","direction":"out"}"#),
        ] {
            assert_eq!(json(written).as_deref(), Ok(expected), "{written}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (written, says) in [
            ("block", "known are frame, call"),
            ("frame(kind = call)", "write call"),
            ("call(selektor = \"f()\")", "selector"),
            ("call(kind = jump)", "known are call, callcode"),
            ("call(depth_max = [1])", "one number"),
            ("slot(slot = other)", "no parameter other; it has slot, owner"),
            ("slot(slot = \"$other\")", "no parameter other"),
            ("slot(slot = [])", "leave the field out"),
            ("log(topic0 = 1, topic0 = 2)", "given twice"),
            ("log(topic0 = 1.5)", "expected"),
        ] {
            let error = json(written).expect_err(written);
            assert!(error.contains(says), "{written}: {error}");
        }
    }
}
