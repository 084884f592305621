//! The second engine, wasmi, with the host of [`crate::reference`].

mod calls;
mod imports;

use std::fmt;

use parapet_abi::import::{EXPORT_INIT, EXPORT_MEMORY, EXPORT_ON_CALL, EXPORT_ON_CALL_END, EXPORT_ON_TX};
use parapet_monitor::Fuel;
use parapet_vm::HookCall;
use wasmi::{
    Config, Engine, Extern, Instance, Linker, Module, Store, StoreLimits, StoreLimitsBuilder, TrapCode, Val,
    errors::{ErrorKind, HostError},
};

use crate::{
    Case, End, Said, Trap,
    metered::{ALLOWED, Making, SETTLED, SPENT, STOPPED, metered},
    reference::{Host, Meter},
};

pub use calls::{Answers, Calls};

/// Most memory of a guard, in bytes.
const MEMORY_BYTES_MAX: usize = 64 * PAGE_BYTES;
const PAGE_BYTES: usize = 65_536;
/// Most elements of its table.
const TABLE_ELEMENTS_MAX: usize = 4_096;
/// Fuel of one transaction: more than a drawn module can spend.
pub const FUEL: Fuel = Fuel(1_000_000_000);

/// What a store holds.
struct Data {
    host: Host,
    calls: Calls,
    limits: StoreLimits,
    /// Fuel of all hooks together.
    fuel_max: u64,
}

/// A hook's end, on its way through the engine.
#[derive(Debug)]
struct Ended(End);

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl HostError for Ended {}

/// What the second engine makes of a module; `Err` if it cannot be loaded.
///
/// # Errors
/// Why the engine refuses it.
pub fn interpreter(module: &[u8], case: &Case) -> Result<Said, String> {
    interpreter_run(module, case).map(|run| run.said)
}

/// A run on the second engine.
#[derive(Clone, Debug)]
pub struct Run {
    /// What the guard said.
    pub said: Said,
    /// What it spent by the specification's prices; none where that cannot be told, because fuel or stack ran
    /// out.
    pub spent: Option<Fuel>,
    /// How the calls of each import were answered.
    pub calls: Calls,
}

/// The same, with what the run cost and what was called.
///
/// # Errors
/// Why the engine refuses it.
///
/// # Panics
/// When the engine fails in a way that no guard causes.
pub fn interpreter_run(module: &[u8], case: &Case) -> Result<Run, String> {
    interpreter_within(module, case, FUEL)
}

/// The same with so much fuel.
///
/// # Errors
/// Why the engine refuses it.
///
/// # Panics
/// When the engine fails in a way that no guard causes.
pub fn interpreter_within(module: &[u8], case: &Case, fuel_max: Fuel) -> Result<Run, String> {
    let text = |error: wasmi::Error| error.to_string();
    let making = Making::of(module)?;
    let engine = Engine::new(&config());
    Module::new(&engine, module).map_err(text)?;
    let module = Module::new(&engine, metered(module)?).map_err(text)?;
    let limits = StoreLimitsBuilder::new().memory_size(MEMORY_BYTES_MAX).table_elements(TABLE_ELEMENTS_MAX).build();
    let mut store =
        Store::new(&engine, Data { host: Host::new(case.clone()), calls: Calls::new(), limits, fuel_max: fuel_max.0 });
    store.limiter(|data| &mut data.limits);
    let mut linker = Linker::new(&engine);
    imports::link(&mut linker).map_err(|error| error.to_string())?;

    if case.hooks.iter().all(|call| module.get_export(export_of(*call)).is_none()) {
        // No instance is made for hooks that are not there.
        let ends = vec![End::Returned; case.hooks.len()];
        let entries = case.entries.clone().into_iter().collect();
        return Ok(Run { said: Said { ends, entries, ..Said::default() }, spent: Some(Fuel(0)), calls: Calls::new() });
    }
    let meter = &mut store.data_mut().host.meter;
    meter.instance();
    meter.pages(if making.paid { making.pages } else { 0 });
    let affordable = meter.0 <= fuel_max.0;
    let mut said = Said::default();
    let mut spent_in_code = 0;
    match linker.instantiate_and_start(&mut store, &module) {
        _ if !affordable => said.ends.push(End::Exhausted),
        Ok(instance) => {
            if making.elements {
                store.data_mut().host.meter.passive_elements();
            }
            let mut running = Running {
                store: &mut store,
                instance,
                returned: 0,
                first_pages: if making.paid { 0 } else { making.pages },
            };
            for call in case.hooks {
                let end = running.hook(*call);
                said.ends.push(end);
                if said.ends.last() != Some(&End::Returned) {
                    break;
                }
            }
            spent_in_code = running.spent(said.ends.last());
        }
        Err(error) => said.ends.push(end_of(&error)),
    }
    let Data { host, calls, .. } = store.into_data();
    let spent = Fuel(host.meter.0.saturating_add(spent_in_code)).min(fuel_max);
    let left = host.into_left();
    let told = !said.exhausted();
    said.alerts = left.alerts;
    if said.ends.iter().all(|end| *end == End::Returned) {
        said.writes = left.own.writes(case);
        said.entries = left.own.entries.into_iter().collect();
    }
    Ok(Run { said, spent: told.then_some(spent), calls })
}

/// Wasm as the specification allows it.
fn config() -> Config {
    let mut config = Config::default();
    config
        .wasm_mutable_global(true)
        .wasm_sign_extension(true)
        .wasm_multi_value(true)
        .wasm_bulk_memory(true)
        .wasm_saturating_float_to_int(false)
        .wasm_reference_types(false)
        .wasm_tail_call(false)
        .wasm_extended_const(false)
        .floats(false);
    config
}

/// An instance between its hooks.
struct Running<'a> {
    store: &'a mut Store<Data>,
    instance: Instance,
    /// What the code of hooks that returned has cost.
    returned: u64,
    /// Pages that memory starts with, if the instance did not pay for them: each hook that grows it does.
    first_pages: u64,
}

impl Running<'_> {
    /// Calls a hook; one that there is not returns.
    fn hook(&mut self, call: HookCall) -> End {
        let Some(hook) = self.instance.get_func(&*self.store, export_of(call)) else {
            return End::Returned;
        };
        self.store.data_mut().host.start_hook();
        if self.store.data().host.meter.0 > self.store.data().fuel_max {
            return End::Exhausted;
        }
        allow(self.instance.get_export(&*self.store, ALLOWED), &mut *self.store);
        let pages_before = self.pages();
        let called = match call.frame() {
            Some(frame) => hook.typed::<u32, ()>(&*self.store).and_then(|hook| hook.call(&mut *self.store, frame)),
            None => hook.typed::<(), ()>(&*self.store).and_then(|hook| hook.call(&mut *self.store, ())),
        };
        let end = called.map_or_else(|error| end_of(&error), |()| End::Returned);
        let grown = self.pay_for_growth(pages_before);
        if end == End::Returned {
            self.returned = self.sum(SPENT);
        }
        let Data { host, fuel_max, .. } = self.store.data();
        let overdrawn = host.meter.0.saturating_add(self.spent(Some(&end))) > *fuel_max;
        // However a hook ended, it is not asked after its last call and the last round of its loops whether it has overdrawn.
        let asked = grown || self.sum(SETTLED) == STOPPED.cast_unsigned();
        if overdrawn && asked { End::Exhausted } else { end }
    }

    /// What code has cost, by how the last hook ended.
    fn spent(&self, end: Option<&End>) -> u64 {
        match end {
            // A trap costs what was counted when a function was called last, or returned.
            Some(End::Trapped(_)) => self.sum(SETTLED).max(self.returned),
            _ => self.sum(SPENT),
        }
    }

    /// Whether memory grew.
    fn pay_for_growth(&mut self, pages_before: u64) -> bool {
        let grown = self.pages() - pages_before;
        if grown > 0 {
            let meter: &mut Meter = &mut self.store.data_mut().host.meter;
            meter.pages(grown + self.first_pages);
        }
        grown > 0
    }

    fn pages(&self) -> u64 {
        self.instance.get_memory(&*self.store, EXPORT_MEMORY).expect("guards export their memory").size(&*self.store)
    }

    fn sum(&self, name: &str) -> u64 {
        spent_in_code(self.instance.get_export(&*self.store, name), &*self.store)
    }
}

/// What a module's operators have cost so far.
fn spent_in_code(sum: Option<Extern>, store: impl wasmi::AsContext) -> u64 {
    let sum = sum.and_then(Extern::into_global).and_then(|global| global.get(store).i64());
    sum.expect("every metered module exports its sum").cast_unsigned()
}

/// What a hook is exported as.
const fn export_of(call: HookCall) -> &'static str {
    match call {
        HookCall::Init => EXPORT_INIT,
        HookCall::OnCall(_) => EXPORT_ON_CALL,
        HookCall::OnCallEnd(_) => EXPORT_ON_CALL_END,
        HookCall::OnTx => EXPORT_ON_TX,
    }
}

/// Tells code how much of all fuel the host has left to it.
fn allow(allowed: Option<Extern>, mut store: impl wasmi::AsContextMut<Data = Data>) {
    let context = store.as_context();
    let left = context.data().fuel_max.saturating_sub(context.data().host.meter.0).cast_signed();
    let allowed = allowed.and_then(Extern::into_global).expect("every metered module exports what it may spend");
    allowed.set(&mut store, Val::I64(left)).expect("it is a mutable number");
}

/// How a hook ended, from what the engine says.
fn end_of(error: &wasmi::Error) -> End {
    if let Some(Ended(end)) = error.downcast_ref() {
        return end.clone();
    }
    let code = match error.kind() {
        ErrorKind::Instantiation(wasmi::errors::InstantiationError::ElementSegmentDoesNotFit { .. }) => {
            Some(TrapCode::TableOutOfBounds)
        }
        kind => kind.as_trap_code(),
    };
    End::Trapped(match code.unwrap_or_else(|| panic!("not a trap: {error}")) {
        TrapCode::UnreachableCodeReached => Trap::Unreachable,
        TrapCode::MemoryOutOfBounds => Trap::Memory,
        TrapCode::TableOutOfBounds => Trap::Table,
        TrapCode::IndirectCallToNull => Trap::Null,
        TrapCode::BadSignature => Trap::Type,
        TrapCode::IntegerDivisionByZero => Trap::Zero,
        TrapCode::IntegerOverflow => Trap::Overflow,
        TrapCode::StackOverflow | TrapCode::OutOfFuel => return End::Exhausted,
        other => panic!("no guard can cause it: {other:?}"),
    })
}
