//! The scripted host: every call goes to the [`World`](crate::mock::World) of this thread's running scene.

use parapet_abi::{
    AccountRecord, Word,
    import::{NO_ENTRY, VIEW_GAS_MAX, ViewOutcome},
};

use crate::{
    mock::{Found, Look, Stopped, look, stop, with_world},
    tx,
};

pub(crate) fn trace_count(kind: u32) -> u32 {
    with_world(|world| world.count(kind))
}

pub(crate) fn trace_read(kind: u32, first: u32, record_bytes: usize, out: &mut [u8]) -> u32 {
    with_world(|world| world.read(kind, first, record_bytes, out))
}

pub(crate) fn trace_data(data: u32, index: u32, offset: u32, out: &mut [u8]) -> u32 {
    with_world(|world| copy(world.data(data, index), offset as usize, out)) as u32
}

pub(crate) fn config_read(offset: usize, out: &mut [u8]) -> usize {
    with_world(|world| copy(&world.config, offset, out))
}

/// Looks at the guarded accounts. Threads of tests live longer than transactions, so nothing is kept.
pub(crate) fn with_accounts<T>(look: impl FnOnce(&[AccountRecord]) -> T) -> T {
    look(&tx::fetch_accounts())
}

pub(crate) fn state_storage(fork: [u32; 2], address: &[u8; 20], slot: &Word) -> Word {
    word(Look::Storage(fork, *address, *slot))
}

pub(crate) fn state_balance(fork: [u32; 2], address: &[u8; 20]) -> Word {
    word(Look::Balance(fork, *address))
}

pub(crate) fn state_code_hash(fork: [u32; 2], address: &[u8; 20]) -> Word {
    word(Look::CodeHash(fork, *address))
}

fn word(at: Look) -> Word {
    match look(at) {
        Found::Word(word) => word,
        Found::Called(..) => unreachable!("words are found where words are looked for"),
    }
}

pub(crate) fn view_call(fork: [u32; 2], to: &[u8; 20], input: &[u8], gas: u64) -> ViewOutcome {
    assert!(gas <= VIEW_GAS_MAX, "a static call has at most {VIEW_GAS_MAX} gas; the engine treats more as a limit");
    let Found::Called(status, output, gas_used) = look(Look::Call((fork, *to, input.to_vec()), gas)) else {
        unreachable!("a static call finds what it returned");
    };
    let outcome = ViewOutcome { status: u8::from(status).into(), output_len: output.len() as u32, gas_used };
    with_world(|world| world.view_output = output);
    outcome
}

pub(crate) fn view_output(out: &mut [u8]) {
    with_world(|world| copy(&world.view_output, 0, out));
}

pub(crate) fn store_get(key: &[u8]) -> Option<Word> {
    with_world(|world| world.store.get(key))
}

pub(crate) fn store_set(key: &[u8], value: &Word) {
    with_world(|world| world.store.set(key, *value));
}

pub(crate) fn window_add(key: &[u8], amount: &Word, cap: &Word, period_s: u64) -> bool {
    with_world(|world| world.store.window_add(key, amount, cap, period_s, world.context.timestamp))
}

pub(crate) fn store_add(key: &[u8], amount: &Word, cap: &Word) -> bool {
    with_world(|world| world.store.add(key, amount, cap))
}

pub(crate) fn store_max(key: &[u8], value: &Word) {
    with_world(|world| world.store.raise(key, value));
}

pub(crate) fn entry_get(key: &[u8], offset: usize, out: &mut [u8]) -> u32 {
    with_world(|world| {
        let value = world.store.entry(key)?;
        copy(value, offset, out);
        Some(value.len() as u32)
    })
    .unwrap_or(NO_ENTRY)
}

pub(crate) fn entry_set(key: &[u8], value: &[u8]) {
    with_world(|world| world.store.set_entry(key, value));
}

pub(crate) fn entry_remove(key: &[u8]) -> bool {
    with_world(|world| world.store.remove_entry(key))
}

pub(crate) fn entry_seek(seek: u32, key: &[u8], out: &mut [u8]) -> u32 {
    with_world(|world| {
        let found = world.store.seek_entry(seek, key)?;
        copy(found, 0, out);
        Some(found.len() as u32)
    })
    .unwrap_or(NO_ENTRY)
}

pub(crate) fn keccak256(data: &[u8]) -> Word {
    use sha3::Digest as _;
    sha3::Keccak256::digest(data).into()
}

pub(crate) fn alert(code: u16, detail: &[u8]) {
    with_world(|world| world.alerts.push((code, String::from_utf8_lossy(detail).into_owned())));
}

pub(crate) fn veto(code: u16, detail: &[u8]) -> ! {
    stop(Stopped::Vetoed(code, String::from_utf8_lossy(detail).into_owned()))
}

fn copy(from: &[u8], offset: usize, out: &mut [u8]) -> usize {
    let rest = from.get(offset..).unwrap_or_default();
    let copied = rest.len().min(out.len());
    out[..copied].copy_from_slice(&rest[..copied]);
    copied
}
