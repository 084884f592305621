//! The second engine, wasmi, with the host of [`crate::reference`].

mod calls;
mod imports;

use std::fmt;

use parapet_abi::import::{EXPORT_MEMORY, EXPORT_ON_CALL, EXPORT_ON_CALL_END, EXPORT_ON_TX};
use parapet_monitor::Fuel;
use wasmi::{
    Config, Engine, Extern, Instance, Linker, Module, Store, StoreLimits, StoreLimitsBuilder, TrapCode,
    errors::{ErrorKind, HostError},
};

use crate::{
    Case, End, Said, Trap,
    metered::{Making, SETTLED, SPENT, metered},
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
    /// out, or because ordered entries were used, whose words are not counted.
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
    let text = |error: wasmi::Error| error.to_string();
    let making = Making::of(module)?;
    let engine = Engine::new(&config());
    Module::new(&engine, module).map_err(text)?;
    let module = Module::new(&engine, metered(module, FUEL.0)?).map_err(text)?;
    let limits = StoreLimitsBuilder::new().memory_size(MEMORY_BYTES_MAX).table_elements(TABLE_ELEMENTS_MAX).build();
    let mut store = Store::new(&engine, Data { host: Host::new(case.clone()), calls: Calls::new(), limits });
    store.limiter(|data| &mut data.limits);
    let mut linker = Linker::new(&engine);
    imports::link(&mut linker).map_err(|error| error.to_string())?;

    let meter = &mut store.data_mut().host.meter;
    meter.instance();
    meter.pages(if making.paid { making.pages } else { 0 });
    let mut said = Said::default();
    let mut spent_in_code = 0;
    match linker.instantiate_and_start(&mut store, &module) {
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
            for (hook, frame) in [(EXPORT_ON_CALL, Some(0)), (EXPORT_ON_CALL_END, Some(0)), (EXPORT_ON_TX, None)] {
                let end = running.hook(hook, frame);
                said.ends.push(end);
                if said.ends.last() != Some(&End::Returned) {
                    break;
                }
            }
            spent_in_code = match said.ends.last() {
                // A trap costs what was counted when a function was called last, or returned.
                Some(End::Trapped(_)) => running.sum(SETTLED).max(running.returned),
                _ => running.sum(SPENT),
            };
        }
        Err(error) => said.ends.push(end_of(&error)),
    }
    let Data { host, calls, .. } = store.into_data();
    let spent = Fuel(host.meter.0.saturating_add(spent_in_code));
    let left = host.into_left();
    let told = !said.exhausted() && !left.own.entries_used;
    said.alerts = left.alerts;
    said.entries_touched = left.own.entries_touched;
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
    fn hook(&mut self, name: &str, frame: Option<u32>) -> End {
        let Some(hook) = self.instance.get_func(&*self.store, name) else {
            return End::Returned;
        };
        self.store.data_mut().host.start_hook();
        let pages_before = self.pages();
        let called = match frame {
            Some(frame) => hook.typed::<u32, ()>(&*self.store).and_then(|hook| hook.call(&mut *self.store, frame)),
            None => hook.typed::<(), ()>(&*self.store).and_then(|hook| hook.call(&mut *self.store, ())),
        };
        let end = called.map_or_else(|error| end_of(&error), |()| End::Returned);
        self.pay_for_growth(pages_before);
        if end == End::Returned {
            self.returned = self.sum(SPENT);
        }
        let spent = self.store.data().host.meter.0.saturating_add(self.sum(SPENT));
        if spent > FUEL.0 { End::Exhausted } else { end }
    }

    fn pay_for_growth(&mut self, pages_before: u64) {
        let grown = self.pages() - pages_before;
        if grown > 0 {
            let meter: &mut Meter = &mut self.store.data_mut().host.meter;
            meter.pages(grown + self.first_pages);
        }
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
