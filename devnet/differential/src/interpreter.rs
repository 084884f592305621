//! wasmi: another engine, by other people, that interprets what the guard VM compiles.

use std::fmt;

use parapet_abi::import::{EXPORT_MEMORY, EXPORT_ON_CALL, EXPORT_ON_CALL_END, EXPORT_ON_TX, MODULE};
use wasmi::{
    Caller, Config, Engine, Error, Instance, Linker, Memory, Module, Store, StoreLimits, StoreLimitsBuilder, TrapCode,
    errors::{ErrorKind, HostError, InstantiationError},
};

use crate::{
    Case, End, Said, Trap,
    reference::{Host, without_frame},
};

/// Most bytes of memory, as the interface has it.
const MEMORY_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// What an instance belongs to.
struct Data {
    host: Host,
    memory: Option<Memory>,
    limits: StoreLimits,
}

/// Carries the end of a hook through the engine.
#[derive(Debug)]
struct Stopped(End);

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl HostError for Stopped {}

/// What the interpreter makes of a module.
///
/// # Errors
/// Why it does not take the module.
pub fn interpreter(module: &[u8], case: &Case) -> Result<Said, String> {
    let mut config = Config::default();
    config.wasm_tail_call(false).wasm_reference_types(false).floats(false);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, module).map_err(|error| error.to_string())?;
    let limits = StoreLimitsBuilder::new().memory_size(MEMORY_BYTES_MAX).build();
    let mut store = Store::new(&engine, Data { host: Host::new(case.clone()), memory: None, limits });
    store.limiter(|data| &mut data.limits);
    let mut linker = Linker::new(&engine);
    link(&mut linker).map_err(|error| error.to_string())?;
    let mut said = Said::default();
    let instance = match linker.instantiate_and_start(&mut store, &module) {
        Ok(instance) => instance,
        Err(error) => {
            said.ends.push(end_of(&error)?);
            return Ok(said);
        }
    };
    store.data_mut().memory = instance.get_memory(&store, EXPORT_MEMORY);
    for hook in [EXPORT_ON_CALL, EXPORT_ON_CALL_END, EXPORT_ON_TX] {
        if instance.get_func(&store, hook).is_none() {
            said.ends.push(End::Returned);
            continue;
        }
        store.data_mut().host.begin();
        let end = call(&mut store, instance, hook).map_or_else(|error| end_of(&error), |()| Ok(End::Returned))?;
        said.ends.push(end);
        if said.ends.last() != Some(&End::Returned) {
            break;
        }
    }
    let host = &store.data().host;
    said.alerts.clone_from(&host.alerts);
    if said.ends.iter().all(|end| *end == End::Returned) {
        said.writes = host.writes();
        said.entries = host.entries();
        said.entries_touched = host.entries_touched();
    }
    Ok(said)
}

fn call(store: &mut Store<Data>, instance: Instance, hook: &str) -> Result<(), Error> {
    if hook == EXPORT_ON_TX {
        return instance.get_typed_func::<(), ()>(&*store, hook)?.call(store, ());
    }
    instance.get_typed_func::<u32, ()>(&*store, hook)?.call(store, 0)
}

/// How a hook ended that did not return.
fn end_of(error: &Error) -> Result<End, String> {
    if let Some(stopped) = error.downcast_ref::<Stopped>() {
        return Ok(stopped.0.clone());
    }
    if let ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit { .. }) = error.kind() {
        return Ok(End::Trapped(Trap::Table));
    }
    let trap = match error.as_trap_code() {
        Some(TrapCode::UnreachableCodeReached) => Trap::Unreachable,
        Some(TrapCode::MemoryOutOfBounds) => Trap::Memory,
        Some(TrapCode::TableOutOfBounds) => Trap::Table,
        Some(TrapCode::IndirectCallToNull) => Trap::Null,
        Some(TrapCode::BadSignature) => Trap::Type,
        Some(TrapCode::IntegerDivisionByZero) => Trap::Zero,
        Some(TrapCode::IntegerOverflow) => Trap::Overflow,
        Some(TrapCode::StackOverflow | TrapCode::OutOfFuel | TrapCode::OutOfSystemMemory) => return Ok(End::Exhausted),
        _ => return Err(error.to_string()),
    };
    Ok(End::Trapped(trap))
}

/// Runs a part of the host on the caller's memory.
fn on<R>(mut caller: Caller<'_, Data>, run: impl FnOnce(&mut Host, &mut [u8]) -> Result<R, End>) -> Result<R, Error> {
    let memory = caller.data().memory.expect("set before a hook runs");
    let (memory, data) = memory.data_and_store_mut(&mut caller);
    run(&mut data.host, memory).map_err(|end| Error::host(Stopped(end)))
}

type Call<'a> = Caller<'a, Data>;

#[rustfmt::skip]
fn link(linker: &mut Linker<Data>) -> Result<(), wasmi::errors::LinkerError> {
    linker
        .func_wrap(MODULE, "trace_count", |call: Call<'_>, kind: u32| call.data().host.trace_count(kind))?
        .func_wrap(MODULE, "trace_read", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32, e: u32| on(call, |host, memory| host.trace_read(memory, [a, b, c, d, e])))?
        .func_wrap(MODULE, "trace_data", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32, e: u32| on(call, |host, memory| host.trace_data(memory, [a, b, c, d, e])))?
        .func_wrap(MODULE, "config_read", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, |host, memory| host.config_read(memory, [a, b, c])))?
        .func_wrap(MODULE, "state_storage", |call: Call<'_>, fork: u32, a: u32, b: u32, c: u32| on(call, |host, memory| host.state_storage(memory, without_frame(fork)?, [a, b, c])))?
        .func_wrap(MODULE, "state_balance", |call: Call<'_>, fork: u32, a: u32, b: u32| on(call, |host, memory| host.state_balance(memory, without_frame(fork)?, [a, b])))?
        .func_wrap(MODULE, "state_code_hash", |call: Call<'_>, fork: u32, a: u32, b: u32| on(call, |host, memory| host.state_code_hash(memory, without_frame(fork)?, [a, b])))?
        .func_wrap(MODULE, "state_storage_at", |call: Call<'_>, fork: u32, frame: u32, a: u32, b: u32, c: u32| on(call, |host, memory| host.state_storage(memory, [fork, frame], [a, b, c])))?
        .func_wrap(MODULE, "state_balance_at", |call: Call<'_>, fork: u32, frame: u32, a: u32, b: u32| on(call, |host, memory| host.state_balance(memory, [fork, frame], [a, b])))?
        .func_wrap(MODULE, "state_code_hash_at", |call: Call<'_>, fork: u32, frame: u32, a: u32, b: u32| on(call, |host, memory| host.state_code_hash(memory, [fork, frame], [a, b])))?
        .func_wrap(MODULE, "view_call", |call: Call<'_>, fork: u32, frame: u32, a: u32, b: u32, c: u32, gas: u64, out: u32| on(call, |host, memory| host.view_call(memory, [fork, frame], [a, b, c], gas, out)))?
        .func_wrap(MODULE, "view_output", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, |host, memory| host.view_output(memory, [a, b, c])))?
        .func_wrap(MODULE, "store_get", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, |host, memory| host.store_get(memory, [a, b, c])))?
        .func_wrap(MODULE, "store_set", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, |host, memory| host.store_set(memory, [a, b, c])))?
        .func_wrap(MODULE, "store_add", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32| on(call, |host, memory| host.store_add(memory, [a, b, c, d])))?
        .func_wrap(MODULE, "store_max", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, |host, memory| host.store_max(memory, [a, b, c])))?
        .func_wrap(MODULE, "entry_get", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32, e: u32| on(call, |host, memory| host.entry_get(memory, [a, b, c, d, e])))?
        .func_wrap(MODULE, "entry_set", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32| on(call, |host, memory| host.entry_set(memory, [a, b, c, d])))?
        .func_wrap(MODULE, "entry_remove", |call: Call<'_>, a: u32, b: u32| on(call, |host, memory| host.entry_remove(memory, [a, b])))?
        .func_wrap(MODULE, "entry_seek", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32, e: u32| on(call, |host, memory| host.entry_seek(memory, [a, b, c, d, e])))?
        .func_wrap(MODULE, "window_add", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32, period_s: u64| on(call, |host, memory| host.window_add(memory, [a, b, c, d], period_s)))?
        .func_wrap(MODULE, "keccak256", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, |host, memory| host.keccak256(memory, [a, b, c])))?
        .func_wrap(MODULE, "alert", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, |host, memory| host.alert(memory, [a, b, c])))?
        .func_wrap(MODULE, "veto", |call: Call<'_>, a: u32, b: u32, c: u32| on::<()>(call, |host, memory| Err(host.veto(memory, [a, b, c]))))?;
    Ok(())
}
