//! wasmtime, set up so that every node computes the same, and the guards that are ready to run on it.
//!
//! Invariant: nothing here depends on the machine. The cache changes how long a guard takes to be ready, never what it
//! does.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::Bytes;
use parapet_monitor::ModuleHash;
use parking_lot::Mutex;
use wasmtime::{Config, InstanceAllocationStrategy, Linker, PoolingAllocationConfig, WasmBacktraceDetails};

use crate::{
    Guard, VetError,
    host::{Host, link},
    limits::{GUARDS_CACHED_MAX, MEMORY_BYTES_MAX, STACK_BYTES_MAX, TABLE_ELEMENTS_MAX},
    metering, vet,
};

/// What a node may choose. Nothing of it changes a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// Most instances at the same time, over all threads. One more is a fault, and its transaction is retried.
    pub instances_max: u32,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self { instances_max: 1_024 }
    }
}

/// wasmtime cannot be set up on this machine: stop the node.
#[derive(Debug, thiserror::Error)]
#[error("the guard VM cannot start: {0:#}")]
pub struct EngineError(wasmtime::Error);

/// The guard VM. One per node; clones share it.
#[derive(Clone)]
pub struct Engine {
    linker: Linker<Host>,
    guards: Arc<Mutex<Guards>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// Sets wasmtime up.
    ///
    /// # Errors
    /// [`EngineError`] when this machine cannot give what the settings ask for.
    pub fn new(settings: EngineSettings) -> Result<Self, EngineError> {
        let engine = wasmtime::Engine::new(&config(settings)).map_err(EngineError)?;
        let mut linker = Linker::new(&engine);
        link(&mut linker).map_err(EngineError)?;
        Ok(Self { linker, guards: Arc::default() })
    }

    /// A guard that was loaded before and is still ready.
    #[must_use]
    pub fn ready(&self, hash: ModuleHash) -> Option<Arc<Guard>> {
        self.guards.lock().get(hash)
    }

    /// Vets a module and keeps it ready. `hash` must be the Keccak-256 of `bytes`: the caller has compared them.
    ///
    /// # Errors
    /// [`VetError`] when the module may not run.
    pub fn load(&self, hash: ModuleHash, bytes: Bytes) -> Result<Arc<Guard>, VetError> {
        if let Some(guard) = self.ready(hash) {
            return Ok(guard);
        }
        let vetted = vet(&bytes)?;
        let guard = Arc::new(Guard::new(hash, bytes, vetted, self.linker.clone()));
        Ok(self.guards.lock().keep(guard))
    }
}

/// Ready guards, the least recently asked for leaving first.
#[derive(Default)]
struct Guards {
    by_hash: BTreeMap<ModuleHash, (u64, Arc<Guard>)>,
    asked: u64,
}

impl Guards {
    fn get(&mut self, hash: ModuleHash) -> Option<Arc<Guard>> {
        self.asked += 1;
        let (last_asked, guard) = self.by_hash.get_mut(&hash)?;
        *last_asked = self.asked;
        Some(guard.clone())
    }

    /// Keeps a guard, or gives the one that another thread has kept meanwhile, which may be compiled already.
    fn keep(&mut self, guard: Arc<Guard>) -> Arc<Guard> {
        if let Some(kept) = self.get(guard.hash()) {
            return kept;
        }
        if self.by_hash.len() >= GUARDS_CACHED_MAX {
            let oldest = self.by_hash.iter().min_by_key(|(_, (asked, _))| *asked).map(|(hash, _)| *hash);
            oldest.map(|hash| self.by_hash.remove(&hash));
        }
        self.by_hash.insert(guard.hash(), (self.asked, guard.clone()));
        guard
    }
}

fn config(settings: EngineSettings) -> Config {
    let memory_bytes = MEMORY_BYTES_MAX as u64;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(settings.instances_max)
        .total_memories(settings.instances_max)
        .total_tables(settings.instances_max)
        .max_memories_per_module(1)
        .max_tables_per_module(1)
        .max_memory_size(MEMORY_BYTES_MAX)
        .table_elements(usize::try_from(TABLE_ELEMENTS_MAX).expect("fits every usize"));
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .consume_fuel(true)
        .operator_cost(metering::operator_costs())
        .max_wasm_stack(STACK_BYTES_MAX)
        // Reserving only what a guard may have keeps a thousand instances within ordinary limits of address space, at
        // the price of bounds checks in code.
        .memory_reservation(memory_bytes)
        .memory_reservation_for_growth(0)
        .memory_guard_size(crate::limits::PAGE_BYTES as u64)
        .memory_may_move(false)
        // All data that fits is initialised by mapping, whatever its shape: how it is done decides what it costs.
        .memory_init_cow(true)
        .memory_guaranteed_dense_image_size(memory_bytes)
        .wasm_backtrace_max_frames(None)
        // Otherwise an environment variable would decide.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .native_unwind_info(false)
        .generate_address_map(false)
        // Vetting refuses all of these first; the compiler refusing them too costs nothing.
        .wasm_relaxed_simd(false)
        .wasm_simd(false)
        .wasm_tail_call(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_extended_const(false);
    config
}
