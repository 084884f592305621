//! What counting fuel costs: the shipped guards on wasmtime itself, once with fuel and once without, all else equal. The
//! host is the one that the second engine has (`parapet_differential`), whose prices are not asked.

use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256, Bytes};
use parapet_abi::import::{EXPORT_MEMORY, EXPORT_ON_CALL, EXPORT_ON_TX, MODULE};
use parapet_differential::{Case, Forked, reference::Host};
use parapet_monitor::Subscriptions;
use wasmtime::{Caller, Config, Engine, Instance, Linker, Memory, Module, Store};

use crate::{
    BenchError, guards,
    report::Row,
    scene::{VAULT, trace},
    timing::{ROUNDS, medians},
};

/// Transactions of one run.
const TRANSACTIONS: usize = 300;
/// Frames of each.
const FRAMES: u32 = 10;
/// Fuel of one hook: never exhausted.
const FUEL: u64 = 1 << 40;

/// What an instance belongs to.
struct Data {
    host: Host,
    memory: Option<Memory>,
}

/// A guard on an engine.
struct Guest {
    store: Store<Data>,
    instance: Instance,
    memory: Memory,
    /// What memory held before anything ran.
    fresh: Vec<u8>,
    fuel: bool,
}

/// The figure of each guard, and the worse.
///
/// # Errors
/// [`BenchError`].
pub fn rows() -> Result<Vec<Row>, BenchError> {
    let (mut rows, mut worst) = (Vec::new(), 0.0_f64);
    for (name, module, configuration) in guards::shipped() {
        let mut sides =
            [Guest::new(name, module, &configuration, true)?, Guest::new(name, module, &configuration, false)?];
        let [with, without] = &mut sides;
        let [with, without] = medians(ROUNDS, [&mut || with.run(), &mut || without.run()])?;
        let ratio = with.as_secs_f64() / without.as_secs_f64();
        worst = worst.max(ratio);
        rows.push(Row::new(format!("the shipped guard {name} with fuel, by without"), ratio, "×"));
    }
    rows.push(Row::new("fuel on the shipped guards, the worse", worst, "×").key("fuel_ratio").at_most(2.0));
    Ok(rows)
}

impl Guest {
    fn new(name: &str, module: &[u8], configuration: &Bytes, fuel: bool) -> Result<Self, BenchError> {
        let made = || -> wasmtime::Result<Self> {
            let engine = Engine::new(Config::new().consume_fuel(fuel))?;
            let module = Module::new(&engine, module)?;
            let mut store = Store::new(&engine, Data { host: Host::new(case(configuration.clone())), memory: None });
            let mut linker = Linker::new(&engine);
            link(&mut linker)?;
            linker.define_unknown_imports_as_traps(&module)?;
            let instance = linker.instantiate(&mut store, &module)?;
            let memory = instance.get_memory(&mut store, EXPORT_MEMORY).expect("guards export their memory");
            store.data_mut().memory = Some(memory);
            let fresh = memory.data(&store).to_vec();
            Ok(Self { store, instance, memory, fresh, fuel })
        };
        made().map_err(|error| BenchError::Module { name: name.to_owned(), reason: format!("{error:#}") })
    }

    /// Time of so many transactions; putting memory back is not timed.
    fn run(&mut self) -> Result<Duration, BenchError> {
        let mut all = Duration::ZERO;
        for _ in 0..TRANSACTIONS {
            let start = Instant::now();
            let ended = self.hooks();
            all += start.elapsed();
            ended.map_err(|error| BenchError::Unexpected { what: "a shipped guard", found: format!("{error:#}") })?;
            let memory = self.memory.data_mut(&mut self.store);
            let (first, grown) = memory.split_at_mut(self.fresh.len());
            first.copy_from_slice(&self.fresh);
            grown.fill(0);
        }
        Ok(all)
    }

    fn hooks(&mut self) -> wasmtime::Result<()> {
        if self.fuel {
            self.store.set_fuel(FUEL)?;
        }
        if let Ok(hook) = self.instance.get_typed_func::<u32, ()>(&mut self.store, EXPORT_ON_CALL) {
            for frame in 0..FRAMES {
                hook.call(&mut self.store, frame)?;
            }
        }
        if let Ok(hook) = self.instance.get_typed_func::<(), ()>(&mut self.store, EXPORT_ON_TX) {
            hook.call(&mut self.store, ())?;
        }
        Ok(())
    }
}

fn case(configuration: Bytes) -> Case {
    Case {
        // The benchmark calls them itself.
        hooks: &[],
        trace: trace(&[VAULT; FRAMES as usize]),
        state: Forked::default(),
        attachment: B256::ZERO,
        accounts: vec![parapet_abi::AccountRecord { address: VAULT.into_array().into() }],
        configuration,
        subscriptions: Subscriptions::ACCESSES.union(Subscriptions::FLOWS),
        store: Address::ZERO,
        words: Default::default(),
        windows: Default::default(),
        entries: Default::default(),
    }
}

type Call<'a> = Caller<'a, Data>;

/// Runs a part of the host on the caller's memory.
fn on<R>(
    mut caller: Call<'_>,
    run: impl FnOnce(&mut Host, &mut [u8]) -> Result<R, parapet_differential::End>,
) -> wasmtime::Result<R> {
    let memory = caller.data().memory.expect("set before a hook runs");
    let (memory, data) = memory.data_and_store_mut(&mut caller);
    run(&mut data.host, memory).map_err(|end| wasmtime::Error::msg(format!("{end:?}")))
}

#[rustfmt::skip]
fn link(linker: &mut Linker<Data>) -> wasmtime::Result<()> {
    linker
        .func_wrap(MODULE, "trace_count", |call: Call<'_>, kind: u32| call.data().host.trace_count(kind))?
        .func_wrap(MODULE, "trace_read", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32, e: u32| on(call, |host, memory| host.trace_read(memory, [a, b, c, d, e])))?
        .func_wrap(MODULE, "trace_data", |call: Call<'_>, a: u32, b: u32, c: u32, d: u32, e: u32| on(call, |host, memory| host.trace_data(memory, [a, b, c, d, e])))?
        .func_wrap(MODULE, "config_read", |call: Call<'_>, a: u32, b: u32, c: u32| on(call, |host, memory| host.config_read(memory, [a, b, c])))?
        // Guard state is the host's work, which fuel does not meter: every addition is taken.
        .func_wrap(MODULE, "window_add", |_: Call<'_>, _: u32, _: u32, _: u32, _: u32, _: u64| 1_u32)?;
    Ok(())
}
