//! The imports, by name, with the types that the specification gives them.

use parapet_abi::import::{EXPORT_MEMORY, MODULE};
use wasmi::{Caller, Error, Extern, Linker, errors::LinkerError};

use super::{ALLOWED, Data, Ended, SPENT, allow, spent_in_code};
use crate::{End, reference::Host};

type Call<'a> = Caller<'a, Data>;

/// What an import answers, as a number.
trait Answer {
    fn number(&self) -> u32;
}

impl Answer for () {
    fn number(&self) -> u32 {
        0
    }
}

impl Answer for u32 {
    fn number(&self) -> u32 {
        *self
    }
}

/// Runs a part of the host on the caller's memory, and tells it what fuel is left.
fn on<R: Answer>(
    mut call: Call<'_>,
    name: &'static str,
    run: impl FnOnce(&mut Host, &mut [u8], u64) -> Result<R, End>,
) -> Result<R, Error> {
    let memory = call.get_export(EXPORT_MEMORY).and_then(Extern::into_memory).expect("guards export their memory");
    let in_code = spent_in_code(call.get_export(SPENT), &call);
    let (memory, data) = memory.data_and_store_mut(&mut call);
    let (host, fuel_max) = (&mut data.host, data.fuel_max);
    host.meter.call();
    let left = |host: &Host| fuel_max.checked_sub(host.meter.0.saturating_add(in_code));
    let Some(fuel_left) = left(host) else {
        return Err(Error::host(Ended(End::Exhausted)));
    };
    let answer = run(host, memory, fuel_left);
    data.calls.entry(name).or_default().note(&answer.as_ref().map(Answer::number).map_err(Clone::clone));
    // Whatever comes of it: what came before must have been paid.
    if left(host).is_none() {
        return Err(Error::host(Ended(End::Exhausted)));
    }
    allow(call.get_export(ALLOWED), &mut call);
    answer.map_err(|end| Error::host(Ended(end)))
}

/// Everything that a guard may import.
#[rustfmt::skip]
pub(super) fn link(linker: &mut Linker<Data>) -> Result<(), LinkerError> {
    linker
        .func_wrap(MODULE, "trace_count", |call: Call<'_>, kind: u32| on(call, "trace_count", |host, _, _| Ok(host.trace_count(kind))))?
        .func_wrap(MODULE, "trace_read", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32, e: u32| on(call, "trace_read", |host, memory, _| host.trace_read(memory, [a, b, c, d, e])))?
        .func_wrap(MODULE, "trace_data", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32, e: u32| on(call, "trace_data", |host, memory, _| host.trace_data(memory, [a, b, c, d, e])))?
        .func_wrap(MODULE, "config_read", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, "config_read", |host, memory, _| host.config_read(memory, [a, b, c])))?
        .func_wrap(MODULE, "state_storage", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32| on(call, "state_storage", |host, memory, _| host.state_storage(memory, [a, b, c, d])))?
        .func_wrap(MODULE, "state_balance", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, "state_balance", |host, memory, _| host.state_balance(memory, [a, b, c])))?
        .func_wrap(MODULE, "state_code_hash", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, "state_code_hash", |host, memory, _| host.state_code_hash(memory, [a, b, c])))?
        .func_wrap(MODULE, "state_storage_at", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32, e: u32| on(call, "state_storage_at", |host, memory, _| host.state_storage_at(memory, [a, b, c, d, e])))?
        .func_wrap(MODULE, "state_balance_at", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32| on(call, "state_balance_at", |host, memory, _| host.state_balance_at(memory, [a, b, c, d])))?
        .func_wrap(MODULE, "state_code_hash_at", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32| on(call, "state_code_hash_at", |host, memory, _| host.state_code_hash_at(memory, [a, b, c, d])))?
        .func_wrap(MODULE, "view_output", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, "view_output", |host, memory, _| host.view_output(memory, [a, b, c])))?
        .func_wrap(MODULE, "store_get", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, "store_get", |host, memory, _| host.store_get(memory, [a, b, c])))?
        .func_wrap(MODULE, "store_set", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, "store_set", |host, memory, _| host.store_set(memory, [a, b, c])))?
        .func_wrap(MODULE, "store_add", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32| on(call, "store_add", |host, memory, _| host.store_add(memory, [a, b, c, d])))?
        .func_wrap(MODULE, "store_max", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, "store_max", |host, memory, _| host.store_max(memory, [a, b, c])))?
        .func_wrap(MODULE, "entry_get", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32, e: u32| on(call, "entry_get", |host, memory, _| host.entry_get(memory, [a, b, c, d, e])))?
        .func_wrap(MODULE, "entry_set", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32| on(call, "entry_set", |host, memory, _| host.entry_set(memory, [a, b, c, d])))?
        .func_wrap(MODULE, "entry_remove", |call: Call<'_>, a: u32, b: u32| on(call, "entry_remove", |host, memory, _| host.entry_remove(memory, [a, b])))?
        .func_wrap(MODULE, "entry_seek", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32, e: u32| on(call, "entry_seek", |host, memory, _| host.entry_seek(memory, [a, b, c, d, e])))?
        .func_wrap(MODULE, "keccak256", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, "keccak256", |host, memory, _| host.keccak256(memory, [a, b, c])))?
        .func_wrap(MODULE, "alert", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, "alert", |host, memory, _| host.alert(memory, [a, b, c])))?
        .func_wrap(MODULE, "view_call", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32, e: u32, gas: u64, f: u32| on(call, "view_call", |host, memory, left| host.view_call(memory, [a, b, c, d, e, f], gas, left)))?
        .func_wrap(MODULE, "window_add", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32, period: u64| on(call, "window_add", |host, memory, _| host.window_add(memory, [a, b, c, d], period)))?
        .func_wrap(MODULE, "veto", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, "veto", |host, memory, _| Err::<(), _>(host.veto(memory, [a, b, c]))))?;
    Ok(())
}
