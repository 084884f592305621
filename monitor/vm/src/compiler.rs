//! Compiles modules, one at a time. Whoever needs a module that is not compiled yet compiles it, or waits for whoever does.
//!
//! Vetting bounds what one module takes; one at a time is what all of them take together.

use std::{
    io,
    path::Path,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use parking_lot::Mutex;
use wasmtime::{Engine, Module};

use crate::{artefact::Artefacts, kept::Kept};

/// The compiler of one engine.
pub(crate) struct Compiler {
    /// Held while a module is compiled.
    before: Mutex<Before>,
    compilations: AtomicU64,
}

/// Where that is which was compiled before.
enum Before {
    OnDisk(Artefacts),
    InMemory(Kept),
}

impl Compiler {
    /// Keeps what it compiles in a folder, if one is given, else in memory.
    ///
    /// # Errors
    /// What the system says of the folder.
    pub(crate) fn new(folder: Option<&Path>) -> io::Result<Self> {
        let before = match folder {
            Some(folder) => Before::OnDisk(Artefacts::open(folder)?),
            None => Before::InMemory(Kept::default()),
        };
        Ok(Self { before: Mutex::new(before), compilations: AtomicU64::new(0) })
    }

    /// Modules that were compiled so far, and not found.
    pub(crate) fn compilations(&self) -> u64 {
        self.compilations.load(Relaxed)
    }

    /// Compiles a module now, unless that was done before.
    ///
    /// # Errors
    /// What wasmtime objects to.
    pub(crate) fn compile(&self, engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Module> {
        let make = || {
            self.compilations.fetch_add(1, Relaxed);
            Module::new(engine, bytes)
        };
        match &mut *self.before.lock() {
            Before::OnDisk(artefacts) => artefacts.module(engine, bytes, make),
            Before::InMemory(kept) => kept.module(engine, bytes, make),
        }
    }
}
