//! Has guards compiled before somebody needs them, away from where transactions are executed.
//!
//! Invariant: when a guard is compiled decides only how long somebody waits, never what it says.

use std::{
    fmt,
    sync::{
        Arc, Weak,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use parking_lot::Mutex;

/// Most guards that wait to be compiled ahead. What finds no place is compiled when it is needed.
const AHEAD_MAX: usize = 64;

/// What is compiled once: by the first who needs it, or before.
pub trait Preparable: Send + Sync {
    /// Compiles it, if that has not happened. What the compiler objects to is kept, and told to whoever needs it.
    fn prepare_ahead(&self);
}

/// A thread that compiles what comes, one after the other. It is started for the first.
#[derive(Default)]
pub struct Ahead(Mutex<Option<SyncSender<Weak<dyn Preparable>>>>);

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ahead")
    }
}

impl Ahead {
    /// Has a guard compiled soon, unless nobody wants it any more by then.
    pub fn prepare_soon(&self, guard: Weak<dyn Preparable>) {
        let mut ahead = self.0.lock();
        let sent = match &*ahead {
            Some(sender) => sender.try_send(guard),
            None => {
                let (sender, waiting) = sync_channel(AHEAD_MAX);
                let sent = sender.try_send(guard);
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

/// Until the engine is gone.
fn work(waiting: &Receiver<Weak<dyn Preparable>>) {
    waiting
        .iter()
        .filter_map(|guard| Weak::upgrade(&guard))
        .for_each(|guard: Arc<dyn Preparable>| guard.prepare_ahead());
}
