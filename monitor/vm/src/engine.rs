//! wasmtime, set up so that every node computes the same, and the guards that are ready to run on it.
//!
//! Invariant: nothing here depends on the machine. The cache changes how long a guard takes to be ready, never what it
//! does.

use std::{io, path::PathBuf, sync::Arc};

use alloy_primitives::Bytes;
use parapet_monitor::ModuleHash;
use parking_lot::Mutex;
use wasmtime::{Config, InstanceAllocationStrategy, Linker, OptLevel, PoolingAllocationConfig, WasmBacktraceDetails};

use crate::{
    Ahead, Guard, Ready, Room, VetError,
    compiler::Compiler,
    host::{Host, link},
    limits::{GUARDS_CACHED_MAX, MEMORY_BYTES_MAX, STACK_BYTES_MAX, TABLE_ELEMENTS_MAX},
    metering, vet,
    warm::Everywhere,
};

/// What a node may choose. Nothing of it changes a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// Most instances at the same time, over all threads, those that wait for the next transaction included; they make
    /// room. One more is a fault, and its transaction is retried.
    pub instances_max: u32,
    /// Most instances of one guard that one of its shards, hence about one thread, keeps for later transactions. With 0
    /// every transaction gets an instance of its own making.
    pub warm_max: u32,
    /// Folder for compiled modules; made if it is not there. Without one they are kept in memory, and compiled again after
    /// each start.
    pub compiled: Option<PathBuf>,
    /// How much work the compiler takes.
    pub optimisation: Optimisation,
}

/// How much work the compiler takes. What guards do is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Optimisation {
    /// For code that is fast.
    #[default]
    Speed,
    /// As little as possible.
    None,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self { instances_max: 1_024, warm_max: 8, compiled: None, optimisation: Optimisation::Speed }
    }
}

/// The guard VM cannot be set up on this machine: stop the node.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// By wasmtime.
    #[error("the guard VM cannot start: {0:#}")]
    Wasmtime(wasmtime::Error),
    /// The folder of compiled modules cannot be used.
    #[error("the folder of compiled guards {path} cannot be used: {source}", path = path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// The guard VM. One per node; clones share it.
#[derive(Clone)]
pub struct Engine {
    linker: Linker<Host>,
    guards: Arc<Mutex<Ready<Guard>>>,
    warm: Arc<Everywhere>,
    compiler: Arc<Compiler>,
    ahead: Arc<Ahead>,
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
        let engine =
            config(&settings).and_then(|config| wasmtime::Engine::new(&config)).map_err(EngineError::Wasmtime)?;
        let mut linker = Linker::new(&engine);
        link(&mut linker).map_err(EngineError::Wasmtime)?;
        let compiler = Compiler::new(settings.compiled.as_deref())
            .map_err(|source| EngineError::Folder { path: settings.compiled.unwrap_or_default(), source })?;
        let warm = Arc::new(Everywhere::new(settings.warm_max));
        let guards = Arc::new(Mutex::new(Ready::within(Room { guards_max: GUARDS_CACHED_MAX, bytes_max: usize::MAX })));
        Ok(Self { linker, guards, warm, compiler: Arc::new(compiler), ahead: Arc::default() })
    }

    /// A guard that was loaded before and is still ready.
    #[must_use]
    pub fn ready(&self, hash: ModuleHash) -> Option<Arc<Guard>> {
        self.guards.lock().get(hash)
    }

    /// Modules that were compiled since it started, and not found among those that had been.
    #[must_use]
    pub fn compilations(&self) -> u64 {
        self.compiler.compilations()
    }

    /// Vets a module, keeps it ready, and has it compiled meanwhile. `hash` must be the Keccak-256 of `bytes`: the caller has compared them.
    ///
    /// # Errors
    /// [`VetError`] when the module may not run.
    pub fn load(&self, hash: ModuleHash, bytes: Bytes) -> Result<Arc<Guard>, VetError> {
        if let Some(guard) = self.ready(hash) {
            return Ok(guard);
        }
        let (vetted, size) = (vet(&bytes)?, bytes.len());
        let parts = (self.linker.clone(), self.warm.clone(), self.compiler.clone());
        let guard = self.guards.lock().keep(hash, size, Arc::new(Guard::new(hash, bytes, vetted, parts)));
        let weak = Arc::downgrade(&guard);
        self.ahead.prepare_soon(weak);
        Ok(guard)
    }
}

fn config(settings: &EngineSettings) -> wasmtime::Result<Config> {
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
        .cranelift_opt_level(match settings.optimisation {
            Optimisation::Speed => OptLevel::Speed,
            Optimisation::None => OptLevel::None,
        })
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
        .wasm_extended_const(false)
        // For any processor of this architecture, not for this one: how large a frame is, and so how many calls fit the
        // stack, must not depend on what the processor can do besides.
        .target(&target_lexicon::HOST.to_string())?;
    Ok(config)
}
