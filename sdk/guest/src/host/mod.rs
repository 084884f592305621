//! Calls to the host, as safe functions: imports on `wasm32`, the scripted host of this thread elsewhere.

#[cfg(not(target_arch = "wasm32"))]
mod scripted;
#[cfg(target_arch = "wasm32")]
mod wasm;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use scripted::{
    alert, config_read, entry_get, entry_remove, entry_seek, entry_set, keccak256, state_balance, state_code_hash,
    state_storage, store_add, store_get, store_max, store_set, trace_count, trace_data, trace_read, veto, view_call,
    view_output, window_add, with_accounts,
};
#[cfg(target_arch = "wasm32")]
pub(crate) use wasm::{
    alert, config_read, entry_get, entry_remove, entry_seek, entry_set, keccak256, state_balance, state_code_hash,
    state_storage, store_add, store_get, store_max, store_set, trace_count, trace_data, trace_read, veto, view_call,
    view_output, window_add, with_accounts,
};
