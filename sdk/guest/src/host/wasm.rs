//! The imports of `parapet_abi::import`. The only place where a guard calls out.
//!
//! Every wrapper hands over pointers made from references of exactly the length it announces, and the host touches
//! nothing outside of those ranges: that is the whole of what each SAFETY note relies on.
#![allow(unsafe_code, reason = "imports are foreign functions")]

use alloc::vec::Vec;

use parapet_abi::{AccountRecord, Word, import::ViewOutcome};

use crate::{memory::Once, tx};

mod import {
    use parapet_abi::import::ViewOutcome;

    #[link(wasm_import_module = "parapet_v1")]
    unsafe extern "C" {
        pub(super) fn trace_count(kind: u32) -> u32;
        pub(super) fn trace_read(kind: u32, first: u32, count: u32, out: *mut u8, record_len: u32) -> u32;
        pub(super) fn trace_data(data: u32, index: u32, offset: u32, out: *mut u8, len: u32) -> u32;
        pub(super) fn config_read(offset: u32, out: *mut u8, len: u32) -> u32;
        pub(super) fn state_storage_at(kind: u32, frame: u32, address: *const u8, slot: *const u8, out: *mut u8);
        pub(super) fn state_balance_at(kind: u32, frame: u32, address: *const u8, out: *mut u8);
        pub(super) fn state_code_hash_at(kind: u32, frame: u32, address: *const u8, out: *mut u8);
        pub(super) fn view_call(
            kind: u32,
            frame: u32,
            to: *const u8,
            input: *const u8,
            len: u32,
            gas: u64,
            out: *mut ViewOutcome,
        ) -> u32;
        pub(super) fn view_output(offset: u32, out: *mut u8, len: u32) -> u32;
        pub(super) fn store_get(key: *const u8, key_len: u32, out: *mut u8) -> u32;
        pub(super) fn store_set(key: *const u8, key_len: u32, value: *const u8);
        pub(super) fn window_add(key: *const u8, len: u32, amount: *const u8, cap: *const u8, period_s: u64) -> u32;
        pub(super) fn store_add(key: *const u8, len: u32, amount: *const u8, cap: *const u8) -> u32;
        pub(super) fn store_max(key: *const u8, len: u32, value: *const u8);
        pub(super) fn entry_get(key: *const u8, len: u32, offset: u32, out: *mut u8, out_len: u32) -> u32;
        pub(super) fn entry_set(key: *const u8, len: u32, value: *const u8, value_len: u32);
        pub(super) fn entry_remove(key: *const u8, len: u32) -> u32;
        pub(super) fn entry_seek(seek: u32, key: *const u8, len: u32, out: *mut u8, out_len: u32) -> u32;
        pub(super) fn keccak256(data: *const u8, len: u32, out: *mut u8);
        pub(super) fn alert(code: u32, detail: *const u8, len: u32);
        pub(super) fn veto(code: u32, detail: *const u8, len: u32) -> !;
    }
}

/// Lengths are at most 4 GiB: memory has 32-bit addresses.
fn len(bytes: &[u8]) -> u32 {
    bytes.len() as u32
}

pub(crate) fn trace_count(kind: u32) -> u32 {
    // SAFETY: no pointers.
    unsafe { import::trace_count(kind) }
}

pub(crate) fn trace_read(kind: u32, first: u32, record_bytes: usize, out: &mut [u8]) -> u32 {
    let count = out.len() / record_bytes;
    // SAFETY: `count` records of `record_bytes` fit `out`.
    unsafe { import::trace_read(kind, first, count as u32, out.as_mut_ptr(), record_bytes as u32) }
}

pub(crate) fn trace_data(data: u32, index: u32, offset: u32, out: &mut [u8]) -> u32 {
    // SAFETY: `out` has the announced length.
    unsafe { import::trace_data(data, index, offset, out.as_mut_ptr(), len(out)) }
}

pub(crate) fn config_read(offset: usize, out: &mut [u8]) -> usize {
    // SAFETY: `out` has the announced length.
    unsafe { import::config_read(offset as u32, out.as_mut_ptr(), len(out)) as usize }
}

/// Looks at the guarded accounts, which are asked for once: they last for the transaction, as the instance does.
pub(crate) fn with_accounts<T>(look: impl FnOnce(&[AccountRecord]) -> T) -> T {
    static ACCOUNTS: Once<Vec<AccountRecord>> = Once::new();
    look(ACCOUNTS.get(tx::fetch_accounts))
}

pub(crate) fn state_storage([kind, frame]: [u32; 2], address: &[u8; 20], slot: &Word) -> Word {
    let mut out = [0; 32];
    // SAFETY: 20, 32 and 32 bytes, as the import says.
    unsafe { import::state_storage_at(kind, frame, address.as_ptr(), slot.as_ptr(), out.as_mut_ptr()) };
    out
}

pub(crate) fn state_balance([kind, frame]: [u32; 2], address: &[u8; 20]) -> Word {
    let mut out = [0; 32];
    // SAFETY: 20 and 32 bytes, as the import says.
    unsafe { import::state_balance_at(kind, frame, address.as_ptr(), out.as_mut_ptr()) };
    out
}

pub(crate) fn state_code_hash([kind, frame]: [u32; 2], address: &[u8; 20]) -> Word {
    let mut out = [0; 32];
    // SAFETY: 20 and 32 bytes, as the import says.
    unsafe { import::state_code_hash_at(kind, frame, address.as_ptr(), out.as_mut_ptr()) };
    out
}

pub(crate) fn view_call([kind, frame]: [u32; 2], to: &[u8; 20], input: &[u8], gas: u64) -> ViewOutcome {
    let mut out = ViewOutcome::default();
    // SAFETY: 20 bytes, `input` with the announced length, and one outcome.
    unsafe { import::view_call(kind, frame, to.as_ptr(), input.as_ptr(), len(input), gas, &raw mut out) };
    out
}

pub(crate) fn view_output(out: &mut [u8]) {
    // SAFETY: `out` has the announced length.
    unsafe { import::view_output(0, out.as_mut_ptr(), len(out)) };
}

pub(crate) fn store_get(key: &[u8]) -> Option<Word> {
    let mut out = [0; 32];
    // SAFETY: `key` has the announced length, `out` 32 bytes.
    let found = unsafe { import::store_get(key.as_ptr(), len(key), out.as_mut_ptr()) };
    (found == 1).then_some(out)
}

pub(crate) fn store_set(key: &[u8], value: &Word) {
    // SAFETY: `key` has the announced length, `value` 32 bytes.
    unsafe { import::store_set(key.as_ptr(), len(key), value.as_ptr()) };
}

pub(crate) fn window_add(key: &[u8], amount: &Word, cap: &Word, period_s: u64) -> bool {
    // SAFETY: `key` has the announced length, `amount` and `cap` 32 bytes.
    unsafe { import::window_add(key.as_ptr(), len(key), amount.as_ptr(), cap.as_ptr(), period_s) == 1 }
}

pub(crate) fn store_add(key: &[u8], amount: &Word, cap: &Word) -> bool {
    // SAFETY: `key` has the announced length, `amount` and `cap` 32 bytes.
    unsafe { import::store_add(key.as_ptr(), len(key), amount.as_ptr(), cap.as_ptr()) == 1 }
}

pub(crate) fn store_max(key: &[u8], value: &Word) {
    // SAFETY: `key` has the announced length, `value` 32 bytes.
    unsafe { import::store_max(key.as_ptr(), len(key), value.as_ptr()) };
}

pub(crate) fn entry_get(key: &[u8], offset: usize, out: &mut [u8]) -> u32 {
    // SAFETY: `key` and `out` have the announced lengths.
    unsafe { import::entry_get(key.as_ptr(), len(key), offset as u32, out.as_mut_ptr(), len(out)) }
}

pub(crate) fn entry_set(key: &[u8], value: &[u8]) {
    // SAFETY: `key` and `value` have the announced lengths.
    unsafe { import::entry_set(key.as_ptr(), len(key), value.as_ptr(), len(value)) };
}

pub(crate) fn entry_remove(key: &[u8]) -> bool {
    // SAFETY: `key` has the announced length.
    unsafe { import::entry_remove(key.as_ptr(), len(key)) == 1 }
}

pub(crate) fn entry_seek(seek: u32, key: &[u8], out: &mut [u8]) -> u32 {
    // SAFETY: `key` and `out` have the announced lengths.
    unsafe { import::entry_seek(seek, key.as_ptr(), len(key), out.as_mut_ptr(), len(out)) }
}

pub(crate) fn keccak256(data: &[u8]) -> Word {
    let mut out = [0; 32];
    // SAFETY: `data` has the announced length, `out` 32 bytes.
    unsafe { import::keccak256(data.as_ptr(), len(data), out.as_mut_ptr()) };
    out
}

pub(crate) fn alert(code: u16, detail: &[u8]) {
    // SAFETY: `detail` has the announced length.
    unsafe { import::alert(u32::from(code), detail.as_ptr(), len(detail)) };
}

pub(crate) fn veto(code: u16, detail: &[u8]) -> ! {
    // SAFETY: `detail` has the announced length; the import does not return.
    unsafe { import::veto(u32::from(code), detail.as_ptr(), len(detail)) }
}
