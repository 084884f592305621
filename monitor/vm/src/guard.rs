//! A vetted module, and its compiled form once someone needs it.

use std::sync::OnceLock;

use alloy_primitives::Bytes;
use parapet_monitor::{Descriptor, Hook, ModuleHash, Subscriptions};
use wasmtime::{InstancePre, Linker, Module};

use crate::{Vetted, host::Host};

/// A guard that may run. Compiling waits until the first session or [`Guard::prepare`], and happens once.
pub struct Guard {
    hash: ModuleHash,
    bytes: Bytes,
    vetted: Vetted,
    linker: Linker<Host>,
    compiled: OnceLock<Result<InstancePre<Host>, String>>,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("hash", &self.hash).field("vetted", &self.vetted).finish_non_exhaustive()
    }
}

impl Guard {
    pub(crate) fn new(hash: ModuleHash, bytes: Bytes, vetted: Vetted, linker: Linker<Host>) -> Self {
        Self { hash, bytes, vetted, linker, compiled: OnceLock::new() }
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
        self.instance().map(|_| ()).map_err(ToOwned::to_owned)
    }

    pub(crate) fn instance(&self) -> Result<&InstancePre<Host>, &str> {
        let compile = || {
            let module = Module::new(self.linker.engine(), &self.bytes)?;
            self.linker.instantiate_pre(&module)
        };
        let compiled = self.compiled.get_or_init(|| compile().map_err(|error| format!("{error:#}")));
        compiled.as_ref().map_err(String::as_str)
    }
}
