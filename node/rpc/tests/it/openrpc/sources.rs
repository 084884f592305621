//! Methods as the traits in `src/api` declare them.

use std::{fs, path::Path};

use quote::ToTokens as _;
use syn::{
    Attribute, Expr, ExprLit, FnArg, Item, ItemTrait, Lit, LitStr, Meta, Pat, ReturnType, Token, TraitItem,
    TraitItemFn,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

/// A method.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) doc: String,
    /// Names and Rust types.
    pub(crate) params: Vec<(String, String)>,
    /// Rust type.
    pub(crate) result: String,
}

/// `name = value` and other arguments of `rpc`, `method` and `subscription`.
struct Arguments(Vec<(String, Expr)>);

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut found = Vec::new();
        while !input.is_empty() {
            let name: syn::Ident = input.parse()?;
            if input.peek(Token![=]) {
                input.parse::<Token![=]>()?;
                found.push((name.to_string(), input.parse()?));
                // A subscription names its notifications behind an arrow.
                if input.peek(Token![=>]) {
                    input.parse::<Token![=>]>()?;
                    input.parse::<LitStr>()?;
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(Self(found))
    }
}

impl Arguments {
    fn of(attributes: &[Attribute], name: &str) -> Option<Self> {
        let attribute = attributes.iter().find(|attribute| attribute.path().is_ident(name))?;
        Some(attribute.parse_args().unwrap())
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let text = |expr: &Expr| match expr {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
            other => panic!("{name}: no text: {}", other.to_token_stream()),
        };
        let values = self.0.iter().filter(|(key, _)| key == name);
        values
            .flat_map(|(_, value)| match value {
                Expr::Array(array) => array.elems.iter().map(text).collect(),
                one => vec![text(one)],
            })
            .collect()
    }
}

/// Every method of every trait in a folder, in the order of their names.
pub(crate) fn methods(folder: &Path) -> Vec<Declared> {
    let mut methods = Vec::new();
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        if file.is_dir() {
            methods.extend(self::methods(&file));
        } else if file.extension().is_some_and(|extension| extension == "rs") {
            let parsed = syn::parse_file(&fs::read_to_string(&file).unwrap()).unwrap();
            let traits =
                parsed.items.iter().filter_map(|item| if let Item::Trait(item) = item { Some(item) } else { None });
            methods.extend(traits.flat_map(of_trait));
        }
    }
    methods.sort_by(|one, other| one.name.cmp(&other.name));
    methods
}

fn of_trait(item: &ItemTrait) -> Vec<Declared> {
    let Some(rpc) = Arguments::of(&item.attrs, "rpc") else { return Vec::new() };
    let namespace = rpc.texts("namespace").pop();
    let functions = item.items.iter().filter_map(|item| if let TraitItem::Fn(item) = item { Some(item) } else { None });
    functions.flat_map(|function| of_function(namespace.as_deref(), function)).collect()
}

fn of_function(namespace: Option<&str>, function: &TraitItemFn) -> Vec<Declared> {
    let full = |name: String| namespace.map_or(name.clone(), |namespace| format!("{namespace}_{name}"));
    let declared = |name: String, params: Vec<(String, String)>, result: String| Declared {
        name,
        doc: doc(&function.attrs),
        params,
        result,
    };
    if let Some(method) = Arguments::of(&function.attrs, "method") {
        let names = method.texts("name").into_iter().map(full).chain(method.texts("aliases"));
        return names.map(|name| declared(name, params(function), result(function))).collect();
    }
    let Some(subscription) = Arguments::of(&function.attrs, "subscription") else { return Vec::new() };
    let begin = subscription.texts("name").into_iter().map(full);
    let end = subscription.texts("unsubscribe").into_iter().map(full);
    let mut declared: Vec<_> = begin.map(|name| declared(name, params(function), "SubscriptionId".into())).collect();
    declared.extend(end.map(|name| Declared {
        name,
        doc: "Ends a subscription, and tells whether there was one.".into(),
        params: vec![("subscription".into(), "SubscriptionId".into())],
        result: "bool".into(),
    }));
    declared
}

fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join(" ").trim().to_owned()
}

fn params(function: &TraitItemFn) -> Vec<(String, String)> {
    let inputs: &Punctuated<FnArg, Token![,]> = &function.sig.inputs;
    let typed = inputs.iter().filter_map(|input| if let FnArg::Typed(input) = input { Some(input) } else { None });
    typed
        .map(|input| {
            let Pat::Ident(name) = &*input.pat else { panic!("a parameter without a name") };
            (camel(&name.ident.to_string()), plain(&input.ty.to_token_stream().to_string()))
        })
        .collect()
}

/// `T` of `Result<T, RpcError>`.
fn result(function: &TraitItemFn) -> String {
    let ReturnType::Type(_, result) = &function.sig.output else { return "()".into() };
    let result = plain(&result.to_token_stream().to_string());
    let inner = result.strip_prefix("Result<").and_then(|rest| rest.strip_suffix(",RpcError>"));
    inner.unwrap_or(&result).to_owned()
}

fn plain(tokens: &str) -> String {
    tokens.replace("& 'static str", "String").split_whitespace().collect()
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |whole, word| whole + &word[..1].to_uppercase() + &word[1..])
}
