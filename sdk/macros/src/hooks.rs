//! `#[guard]` on `impl Guard for …`: exports for the hooks written there.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, ImplItem, ItemImpl, Result, Type};

pub(crate) fn expand(arguments: &TokenStream, item: &ItemImpl) -> Result<TokenStream> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(arguments, "on an impl, #[guard] has no arguments; they stand on the struct"));
    }
    let is_guard = |path: &syn::Path| path.segments.last().is_some_and(|segment| segment.ident == "Guard");
    if !item.trait_.as_ref().is_some_and(|(_, path, _)| is_guard(path)) {
        return Err(Error::new_spanned(&item.self_ty, "#[guard] stands on `impl Guard for …`"));
    }
    let guard = &item.self_ty;
    let hooks = item.items.iter().filter_map(|item| match item {
        ImplItem::Fn(function) => Some(function.sig.ident.to_string()),
        _ => None,
    });
    let exports = hooks.filter_map(|hook| export(&hook, guard));
    Ok(quote! {
        #item
        impl ::parapet_guest::Hooks for #guard {}

        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "exports are named by an unsafe attribute; nothing unsafe is done")]
        const _: () = {
            use ::parapet_guest::{Guard as _, expansion};

            static GUARD: expansion::Once<#guard> = expansion::Once::new();

            fn guard() -> &'static #guard {
                GUARD.get(expansion::load)
            }

            #[unsafe(no_mangle)]
            extern "C" fn init() {
                guard().init(&expansion::Tx::current());
            }
            #(#exports)*
        };
    })
}

fn export(hook: &str, guard: &Type) -> Option<TokenStream> {
    let on_frame = |call: TokenStream, hook: TokenStream| {
        quote! {
            #[unsafe(no_mangle)]
            extern "C" fn #hook(frame: u32) {
                let tx = expansion::Tx::current();
                #call(guard(), &tx, &expansion::woken(&tx, frame));
            }
        }
    };
    match hook {
        "on_call" => Some(on_frame(quote!(<#guard>::on_call), quote!(on_call))),
        "on_call_end" => Some(on_frame(quote!(<#guard>::on_call_end), quote!(on_call_end))),
        "on_tx" => Some(quote! {
            #[unsafe(no_mangle)]
            extern "C" fn on_tx() {
                guard().on_tx(&expansion::Tx::current());
            }
        }),
        // `init` is always exported, and the trait refuses every other name.
        _ => None,
    }
}
