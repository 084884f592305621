//! A vetted contract, and its compiled form once someone needs it.

use std::sync::{Arc, OnceLock};

use alloy_primitives::Bytes;
use cosmwasm_vm::{Size, internals::compile_module};
use parapet_monitor::{Descriptor, ModuleHash, Subscriptions};
use parking_lot::Mutex;

use crate::{
    Answers, Vetted, idle,
    instance::{Code, Instance, NoInstance},
    limits::{MEMORY_PAGES_MAX, PAGE_BYTES},
    memory::Image,
};

/// A contract that may run. It is compiled once: ahead, by the engine's own thread, or by the first who needs it.
pub struct Contract {
    hash: ModuleHash,
    bytes: Bytes,
    vetted: Vetted,
    compiler: Arc<Mutex<()>>,
    ready: OnceLock<Result<Ready, String>>,
}

/// What is there once it is compiled.
struct Ready {
    code: Code,
    image: Arc<Image>,
}

impl std::fmt::Debug for Contract {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contract").field("hash", &self.hash).field("vetted", &self.vetted).finish_non_exhaustive()
    }
}

impl Contract {
    pub(crate) fn new(hash: ModuleHash, bytes: Bytes, vetted: Vetted, compiler: Arc<Mutex<()>>) -> Self {
        Self { hash, bytes, vetted, compiler, ready: OnceLock::new() }
    }

    /// Keccak-256 of its bytes.
    #[must_use]
    pub const fn hash(&self) -> ModuleHash {
        self.hash
    }

    /// What it says about itself, or what holds for one that says nothing.
    #[must_use]
    pub const fn descriptor(&self) -> &Descriptor {
        &self.vetted.descriptor
    }

    /// What it reads besides frames.
    #[must_use]
    pub fn subscriptions(&self) -> Subscriptions {
        self.vetted.descriptor.subscriptions()
    }

    /// Whether readers can query it.
    #[must_use]
    pub const fn answers(&self) -> Answers {
        self.vetted.answers
    }

    /// Pages that its memory starts with.
    pub(crate) const fn pages(&self) -> u32 {
        self.vetted.pages
    }

    /// Compiles it, if that has not happened. The outcome depends on the bytes alone.
    ///
    /// # Errors
    /// What the compiler or the first instance objects to.
    pub fn prepare(&self) -> Result<(), String> {
        self.ready().map(|_| ()).map_err(ToOwned::to_owned)
    }

    fn ready(&self) -> Result<&Ready, &str> {
        let compile = || {
            let _one_at_a_time = self.compiler.lock();
            let memory = Size::new(MEMORY_PAGES_MAX as usize * PAGE_BYTES);
            let (module, engine) = compile_module(&self.bytes, Some(memory)).map_err(|error| error.to_string())?;
            let code = Code { module, engine };
            let first = Instance::new(&code, None).map_err(|error| match error {
                NoInstance::Engine(reason) | NoInstance::Contract(reason) => reason,
            })?;
            Ok(Ready { code, image: first.image() })
        };
        self.ready.get_or_init(compile).as_ref().map_err(String::as_str)
    }

    /// An instance that is as new.
    pub(crate) fn instance(&self) -> Result<Instance, NoInstance> {
        let ready = self.ready().map_err(|reason| NoInstance::Contract(reason.to_owned()))?;
        let idle = idle::take(self.hash);
        idle.map_or_else(|| Instance::new(&ready.code, Some(ready.image.clone())), Ok)
    }

    /// Takes back an instance whose call returned.
    pub(crate) fn take_back(&self, instance: Instance) {
        if let Some(instance) = instance.renewed() {
            idle::put(self.hash, instance);
        }
    }
}
