//! A vetted module, and its compiled form once someone needs it.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use alloy_primitives::Bytes;
use parapet_monitor::{Descriptor, Hook, ModuleHash, Subscriptions};
use wasmtime::{InstancePre, Linker, PoolConcurrencyLimitError, Result};

use crate::{
    Preparable, Vetted,
    compiler::Compiler,
    expose::expose_globals,
    host::Host,
    instance::Instance,
    limits::WARM_PAGES_MAX,
    session::Subject,
    warm::{Everywhere, Reuse, Warm},
};

/// A guard that may run. It is compiled once: ahead, by the engine's own thread, or by the first who needs it.
pub struct Guard {
    hash: ModuleHash,
    bytes: Bytes,
    vetted: Vetted,
    linker: Linker<Host>,
    warm: Arc<Everywhere>,
    compiler: Arc<Compiler>,
    compiled: OnceLock<Result<Compiled, String>>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("hash", &self.hash).field("vetted", &self.vetted).finish_non_exhaustive()
    }
}

impl Guard {
    pub(crate) fn new(
        hash: ModuleHash,
        bytes: Bytes,
        vetted: Vetted,
        (linker, warm, compiler): (Linker<Host>, Arc<Everywhere>, Arc<Compiler>),
    ) -> Self {
        Self { hash, bytes, vetted, linker, warm, compiler, compiled: OnceLock::new() }
    }

    /// Keccak-256 of its bytes.
    #[must_use]
    pub const fn hash(&self) -> ModuleHash {
        self.hash
    }

    /// What it says about itself.
    #[must_use]
    pub const fn descriptor(&self) -> &Descriptor {
        &self.vetted.descriptor
    }

    /// What it reads besides frames.
    #[must_use]
    pub fn subscriptions(&self) -> Subscriptions {
        self.vetted.descriptor.subscriptions()
    }

    /// Whether it exports a hook.
    #[must_use]
    pub const fn has(&self, hook: Hook) -> bool {
        self.vetted.hooks.has(hook)
    }

    /// Compiles it, if that has not happened. The outcome depends on the bytes alone.
    ///
    /// # Errors
    /// What the compiler objects to: a limit of its own that vetting does not know.
    pub fn prepare(&self) -> Result<(), String> {
        self.compiled().map(|_| ()).map_err(ToOwned::to_owned)
    }

    /// Instances that were made for it so far. The fewer, the more often one was used again.
    #[must_use]
    pub fn instances_made(&self) -> u64 {
        self.compiled
            .get()
            .and_then(|compiled| compiled.as_ref().ok())
            .map_or(0, |compiled| compiled.made.load(Relaxed))
    }

    /// What its instances cost in fuel: how many pages they start with, and whether they are used again. It depends on the
    /// module alone.
    pub(crate) const fn memory(&self) -> (u64, Reuse) {
        let pages = self.vetted.pages;
        let reuse = if self.vetted.keeps_segments && pages <= WARM_PAGES_MAX { Reuse::Warm } else { Reuse::Once };
        (pages, reuse)
    }

    pub(crate) fn compiled(&self) -> Result<&Compiled, &str> {
        let compiled = self.compiled.get_or_init(|| self.compile().map_err(|error| format!("{error:#}")));
        compiled.as_ref().map_err(String::as_str)
    }

    fn compile(&self) -> Result<Compiled> {
        let (exposed, globals) = expose_globals(&self.bytes)?;
        let module = self.compiler.compile(self.linker.engine(), &exposed)?;
        let pre = self.linker.instantiate_pre(&module)?;
        let warm = self.vetted.keeps_segments.then(|| self.warm.add());
        Ok(Compiled { pre, globals, warm, everywhere: self.warm.clone(), made: AtomicU64::new(0) })
    }
}

impl Preparable for Guard {
    fn prepare_ahead(&self) {
        let _ = self.prepare();
    }
}

/// A guard's code, and its instances.
pub(crate) struct Compiled {
    pre: InstancePre<Host>,
    /// Its mutable globals.
    globals: Vec<u32>,
    /// `None`: its instances are used once.
    warm: Option<Arc<Warm>>,
    everywhere: Arc<Everywhere>,
    /// Instances made so far.
    made: AtomicU64,
}

impl Compiled {
    /// An instance for so much fuel, and what is left of it, also when there is none.
    pub(crate) fn instance(&self, subject: &Arc<Subject>, fuel: u64) -> (Result<Box<Instance>>, u64) {
        if let Some((mut waiting, left)) = self.warm.as_ref().and_then(|warm| warm.take(fuel)) {
            waiting.begin(Host::new(subject.clone()));
            return (Ok(waiting), left);
        }
        self.made.fetch_add(1, Relaxed);
        let make = || Instance::new(&self.pre, &self.globals, Host::new(subject.clone()), fuel);
        let (mut made, mut left) = make();
        if made.as_ref().is_err_and(|error| error.is::<PoolConcurrencyLimitError>()) {
            // Those that wait have taken the room of this one.
            self.everywhere.clear();
            (made, left) = make();
        }
        if let (Ok(fresh), Some(warm)) = (&made, &self.warm) {
            warm.learn(fresh, fuel - left);
        }
        (made, left)
    }

    /// Takes back an instance that was given out, for another transaction.
    pub(crate) fn give_back(&self, used: Box<Instance>) {
        if let Some(warm) = &self.warm {
            warm.give_back(used);
        }
    }
}
