//! Compiles modules, one at a time, away from where transactions are executed.
//!
//! Invariant: when a module is compiled decides only how long somebody waits, never what a guard says. Whoever needs a
//! module that is not compiled yet compiles it, or waits for whoever does.
//!
//! Vetting bounds what one module takes; one at a time is what all of them take together.

use std::{
    io,
    path::Path,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use parking_lot::Mutex;
use wasmtime::{Engine, Module};

use crate::{Guard, artefact::Artefacts, kept::Kept};

/// Most modules that wait to be compiled ahead. What finds no place is compiled when it is needed.
const AHEAD_MAX: usize = 64;

/// The compiler of one engine.
pub(crate) struct Compiler {
    /// Held while a module is compiled.
    before: Mutex<Before>,
    compilations: AtomicU64,
    ahead: Mutex<Option<SyncSender<Weak<Guard>>>>,
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
        Ok(Self { before: Mutex::new(before), compilations: AtomicU64::new(0), ahead: Mutex::default() })
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

    /// Has a guard compiled soon, on a thread of its own.
    pub(crate) fn ahead(&self, guard: &Arc<Guard>) {
        let mut ahead = self.ahead.lock();
        let sent = match &*ahead {
            Some(sender) => sender.try_send(Arc::downgrade(guard)),
            None => {
                let (sender, waiting) = sync_channel(AHEAD_MAX);
                let sent = sender.try_send(Arc::downgrade(guard));
                let thread = thread::Builder::new().name("guard-compiler".to_owned());
                if let Err(error) = thread.spawn(move || work(&waiting)) {
                    tracing::warn!("guards are compiled when they are needed: {error}");
                }
                *ahead = Some(sender);
                sent
            }
        };
        if let Err(TrySendError::Full(_)) = sent {
            tracing::debug!("more than {AHEAD_MAX} guards wait to be compiled");
        }
    }
}

/// Compiles what comes, until the engine is gone. Guards that nobody wants any more are left out.
fn work(waiting: &Receiver<Weak<Guard>>) {
    for guard in waiting {
        if let Some(guard) = guard.upgrade() {
            // What the compiler objects to is kept by the guard, and told to whoever needs it.
            let _ = guard.prepare();
        }
    }
}
