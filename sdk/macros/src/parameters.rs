//! `#[guard(…)]` on a struct: descriptor and decoding of parameters.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Error, Field, Fields, Ident, ItemStruct, LitStr, Result, Type, parse::Parser as _, punctuated::Punctuated};

use crate::{json, triggers::Trigger};

/// What a guard can subscribe to.
const SUBSCRIPTIONS: [&str; 4] = ["accesses", "flows", "preimages", "fees"];

/// Longest name of a guard or a parameter, in bytes; hosts accept no longer one.
const NAME_BYTES_MAX: usize = 64;

#[derive(Default)]
struct Declared {
    name: Option<LitStr>,
    triggers: Vec<Trigger>,
    subscribes: Vec<Ident>,
}

struct Parameter {
    field: Ident,
    ty: Type,
    default: Option<LitStr>,
    doc: String,
}

pub(crate) fn expand(arguments: TokenStream, mut item: ItemStruct) -> Result<TokenStream> {
    if let Some(generic) = item.generics.params.first() {
        return Err(Error::new_spanned(generic, "a guard has no generic parameters: its configuration has one form"));
    }
    let declared = parse_arguments(arguments, &item.ident)?;
    let parameters = take_parameters(&mut item.fields)?;
    let described = describe(&item, &declared, &parameters)?;
    let config = config(&item.ident, &parameters);
    let name = &item.ident;
    Ok(quote! {
        #item
        #described
        #config
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            const fn exported<G: ::parapet_guest::Hooks>() {}
            exported::<#name>();
        };
    })
}

fn parse_arguments(arguments: TokenStream, guard: &Ident) -> Result<Declared> {
    let mut declared = Declared::default();
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("name") {
            let name: LitStr = meta.value()?.parse()?;
            check_name(&name)?;
            declared.name = Some(name);
            return Ok(());
        }
        let content;
        if meta.path.is_ident("triggers") {
            syn::parenthesized!(content in meta.input);
            declared.triggers.extend(Punctuated::<Trigger, syn::Token![,]>::parse_terminated(&content)?);
            return Ok(());
        }
        if !meta.path.is_ident("subscribes") {
            return Err(meta.error("unknown argument; known are name, triggers and subscribes"));
        }
        syn::parenthesized!(content in meta.input);
        for word in Punctuated::<Ident, syn::Token![,]>::parse_terminated(&content)? {
            if !SUBSCRIPTIONS.iter().any(|known| word == known) {
                return Err(Error::new_spanned(word, format!("known are {}", SUBSCRIPTIONS.join(", "))));
            }
            declared.subscribes.push(word);
        }
        Ok(())
    });
    parser.parse2(arguments)?;
    if declared.name.is_none() {
        return Err(Error::new_spanned(guard, "the guard has no name: write #[guard(name = \"…\", triggers(…))]"));
    }
    if declared.triggers.is_empty() {
        return Err(Error::new_spanned(
            guard,
            "nothing would wake the guard: write triggers(frame), triggers(flow), or others that the SDK documents",
        ));
    }
    Ok(declared)
}

fn check_name(name: &LitStr) -> Result<()> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let text = name.value();
    if text.is_empty() || text.len() > NAME_BYTES_MAX || !text.chars().all(fits) {
        return Err(Error::new_spanned(name, "a name has 1 to 64 lower-case letters, digits, '_' or '-'"));
    }
    Ok(())
}

/// Reads the fields and takes the `#[param]` attributes off them.
fn take_parameters(fields: &mut Fields) -> Result<Vec<Parameter>> {
    let fields = match fields {
        Fields::Named(fields) => &mut fields.named,
        Fields::Unit => return Ok(Vec::new()),
        Fields::Unnamed(fields) => return Err(Error::new_spanned(fields, "parameters have names: use named fields")),
    };
    fields.iter_mut().map(take_parameter).collect()
}

fn take_parameter(field: &mut Field) -> Result<Parameter> {
    let mut default = None;
    for attribute in field.attrs.extract_if(.., |attribute| attribute.path().is_ident("param")) {
        if matches!(attribute.meta, syn::Meta::Path(_)) {
            continue;
        }
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("default") {
                return Err(meta.error("known is default = \"…\""));
            }
            default = Some(meta.value()?.parse()?);
            Ok(())
        })?;
    }
    Ok(Parameter {
        field: field.ident.clone().ok_or_else(|| Error::new_spanned(&*field, "parameters have names"))?,
        ty: field.ty.clone(),
        default,
        doc: json::summary(&field.attrs),
    })
}

/// The descriptor is joined at compile time, because only the compiler knows the types behind the names.
fn describe(item: &ItemStruct, declared: &Declared, parameters: &[Parameter]) -> Result<TokenStream> {
    let guard = &item.ident;
    let name = declared.name.as_ref().map(LitStr::value).unwrap_or_default();
    let list = |words: &[Ident]| words.iter().map(|word| json::quoted(&word.to_string())).collect::<Vec<_>>().join(",");
    let names: Vec<String> = parameters.iter().map(|parameter| parameter.field.to_string()).collect();
    let triggers = declared.triggers.iter().map(|trigger| trigger.json(&names)).collect::<Result<Vec<_>>>()?;
    let before_version = format!("{{\"abi\":1,\"name\":{},\"version\":\"", json::quoted(&name));
    let before_parameters = format!(
        "\",\"summary\":{},\"triggers\":[{}],\"subscribes\":[{}],\"parameters\":[",
        json::quoted(&json::summary(&item.attrs)),
        triggers.join(","),
        list(&declared.subscribes),
    );
    let mut parts = Vec::new();
    for (index, Parameter { field, ty, default, doc }) in parameters.iter().enumerate() {
        let name = field.to_string();
        check_name(&LitStr::new(&name, field.span()))?;
        let comma = if index == 0 { "" } else { "," };
        let before = format!("{comma}{{\"name\":{},\"type\":\"", json::quoted(&name));
        let default = default.as_ref().map(|default| format!(",\"default\":{}", json::quoted(&default.value())));
        let after = format!("\"{},\"doc\":{}}}", default.unwrap_or_default(), json::quoted(doc));
        let parameter = quote!(<#ty as ::parapet_guest::config::Parameter>);
        parts.push(quote!(
            #before, #parameter::TYPE, descriptor::before_unit(#parameter::UNIT), #parameter::UNIT, #after
        ));
    }
    Ok(quote! {
        const _: () = {
            use ::parapet_guest::expansion::descriptor;
            const PARTS: &[&str] = &[
                #before_version, ::core::env!("CARGO_PKG_VERSION"), #before_parameters, #(#parts,)* "]}",
            ];
            const BYTES: usize = descriptor::len(PARTS);

            #[cfg_attr(
                target_arch = "wasm32",
                allow(unsafe_code, reason = "a custom section is named by an unsafe attribute; it is only data"),
                used,
                unsafe(link_section = "parapet.guard")
            )]
            static DESCRIPTOR: [u8; BYTES] = descriptor::join(PARTS);

            impl descriptor::Described for #guard {
                const DESCRIPTOR: &'static str = descriptor::text(&const { descriptor::join::<BYTES>(PARTS) });
            }
            #[cfg(not(target_arch = "wasm32"))]
            const _: &[u8; BYTES] = &DESCRIPTOR;
        };
    })
}

fn config(guard: &Ident, parameters: &[Parameter]) -> TokenStream {
    let fields: Vec<_> = parameters.iter().map(|parameter| &parameter.field).collect();
    let locals: Vec<_> = fields.iter().map(|field| format_ident!("parameter_{}", field)).collect();
    let names = fields.iter().map(ToString::to_string);
    let count = parameters.len();
    quote! {
        impl ::parapet_guest::config::Config for #guard {
            fn decode(bytes: &[u8]) -> ::core::result::Result<Self, ::parapet_guest::config::ConfigError> {
                let mut decoder = ::parapet_guest::config::Decoder::new(bytes);
                #(let #locals = decoder.next(#names)?;)*
                decoder.end()?;
                ::core::result::Result::Ok(Self { #(#fields: #locals),* })
            }

            fn encode(&self) -> ::parapet_guest::config::Bytes {
                ::parapet_guest::config::Encoder::new(#count)#(.push(&self.#fields))*.finish()
            }
        }
    }
}
