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
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use parking_lot::Mutex;
use wasmtime::{Engine, Module};

use crate::{Guard, artefact::Artefacts};

/// Most modules that wait to be compiled ahead. What finds no place is compiled when it is needed.
const AHEAD_MAX: usize = 64;

/// The compiler of one engine.
pub(crate) struct Compiler {
    artefacts: Option<Artefacts>,
    /// Held while a module is compiled.
    turn: Mutex<()>,
    ahead: Mutex<Option<SyncSender<Weak<Guard>>>>,
}

impl Compiler {
    /// Keeps what it compiles in a folder, if one is given.
    ///
    /// # Errors
    /// What the system says of the folder.
    pub(crate) fn new(folder: Option<&Path>) -> io::Result<Self> {
        let artefacts = folder.map(Artefacts::open).transpose()?;
        Ok(Self { artefacts, turn: Mutex::default(), ahead: Mutex::default() })
    }

    /// Compiles a module now.
    ///
    /// # Errors
    /// What wasmtime objects to.
    pub(crate) fn compile(&self, engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Module> {
        let _turn = self.turn.lock();
        match &self.artefacts {
            Some(artefacts) => artefacts.module(engine, bytes),
            None => Module::new(engine, bytes),
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
