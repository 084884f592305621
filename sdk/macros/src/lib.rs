//! The `#[guard]` attribute: on a struct it makes the descriptor and the decoding of parameters, on an `impl` the
//! exports. `parapet_guest` re-exports it and documents it by example.
//!
//! Invariant: what a guard declares stands once, in its struct and its `impl`; descriptor, decoding and exports are
//! derived from there and cannot disagree.

mod calls;
mod hooks;
mod json;
mod parameters;
mod signature;
mod triggers;
mod view;
mod words;

use proc_macro::TokenStream;
use syn::{Item, parse_macro_input};

/// Makes a guard of a struct, or exports the hooks of an `impl Guard for …`.
///
/// On a struct: `#[guard(name = "outflow_cap", triggers(flow, frame), subscribes(flows))]`.
/// - `name`: 1 to 64 lower-case letters, digits, `_` or `-`;
/// - `triggers`: what wakes it, one or more of `frame`, `flow`, `call(…)`, `slot(…)`, `log(…)`, `flow(…)`, `code(…)`;
///   the fields are those of `parapet_abi::descriptor`, as in `call(selector = "transfer(address,uint256)", kind = call)`
///   or `slot(mapping = 3, key = owner)`, where `owner` is a parameter of the guard;
/// - `subscribes`: what it reads besides frames, some of `accesses`, `flows`, `preimages`, `fees`.
///
/// Every field is a parameter, in order; its doc comment describes it, and `#[param(default = "…")]` gives the value
/// for attachments that name none. The first paragraph of the struct's own doc comment is the guard's summary, the
/// crate's version its version.
///
/// On `impl Guard for …`, without arguments: the hooks written in it are exported, and always `init`.
#[proc_macro_attribute]
pub fn guard(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = proc_macro2::TokenStream::from(arguments);
    let expanded = match parse_macro_input!(item as Item) {
        Item::Struct(item) => parameters::expand(arguments, item),
        Item::Impl(item) => hooks::expand(&arguments, &item),
        other => Err(syn::Error::new_spanned(other, "#[guard] stands on a struct or on `impl Guard for …`")),
    };
    expanded.unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Stops the transaction with a code and a detail, as in `veto!(1, "{account} lost {} wei", amount)`; does not return.
///
/// Braces hold nothing, and take the next value, or a name; every value implements `Show`. Codes lie below `0xfeff`.
#[proc_macro]
pub fn veto(said: TokenStream) -> TokenStream {
    let said = parse_macro_input!(said as words::Said);
    said.expand(&quote::quote!(veto)).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Records an alert with a code and a detail, written as in `veto!`, and goes on.
#[proc_macro]
pub fn alert(said: TokenStream) -> TokenStream {
    let said = parse_macro_input!(said as words::Said);
    said.expand(&quote::quote!(alert)).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Calls a function of a contract at a fork, without changing anything: `view!(tx, fork, contract,
/// "balanceOf(address)(uint256)", owner)`. The types behind the arguments are those of the answer, whose value is
/// `Some(…)`, a tuple for several; `None` when the call failed or answered something else.
///
/// Types are `address`, `bool`, `bytes4`, `bytes32`, `bytes`, `string`, `uint…`, `int…` and arrays of those. Numbers of the
/// answer are `U256`, signed ones with their 256 bits; `bytes` and `string` are `Vec<u8>`.
#[proc_macro]
pub fn view(call: TokenStream) -> TokenStream {
    let call = parse_macro_input!(call as view::ViewCall);
    call.expand().unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Calldata of a function: `calldata!("transfer(address,uint256)", to, amount)` is the selector and the encoded values, as
/// `Vec<u8>`. Types are those of `view!`.
#[proc_macro]
pub fn calldata(call: TokenStream) -> TokenStream {
    let call = parse_macro_input!(call as view::Calldata);
    call.expand().unwrap_or_else(syn::Error::into_compile_error).into()
}

/// The arguments of one frame: `args!(tx, frame, "transfer(address,uint256)")` is `Some` of a value, or of a tuple for several;
/// `None` when the frame calls something else, or its input is not what the signature says. Types are those of `view!`.
#[proc_macro]
pub fn args(call: TokenStream) -> TokenStream {
    let call = parse_macro_input!(call as calls::One);
    call.expand().unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Calls of a function by any frame so far, in order, those of reverted frames included: `calls!(tx,
/// "transfer(address,uint256)")` goes through `Called`, each with its frame and its decoded arguments. Types are those of
/// `view!`.
#[proc_macro]
pub fn calls(all: TokenStream) -> TokenStream {
    let all = parse_macro_input!(all as calls::All);
    all.calls().unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Logs of an event so far, in order: `logs!(tx, "Transfer(address indexed,address indexed,uint256)")` goes through `Logged`,
/// each with its values. A log with another number of indexed values is another event. Types are those of `view!`.
#[proc_macro]
pub fn logs(all: TokenStream) -> TokenStream {
    let all = parse_macro_input!(all as calls::All);
    all.logs().unwrap_or_else(syn::Error::into_compile_error).into()
}
