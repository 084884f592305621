//! What the executor's files take for the primitives that threads meet on: the interface of `parking_lot` and of the
//! standard atomics, as far as the executor uses it. Invariant: nothing that one thread does becomes visible to another
//! except through the [`machine`], and before every use any other thread may run.

mod atomic;
mod lock;

pub use atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, UnsafeCell};
/// Without a seed: an execution can be replayed.
pub use foldhash::fast::FixedState as RandomState;
pub use lock::{Condvar, Mutex, MutexGuard, OnceLock};
pub use std::sync::atomic::Ordering;

use crate::machine;

/// A number for the calling thread.
#[must_use]
pub fn thread_number() -> usize {
    shuttle::current::me().into()
}

/// What one thread does.
pub type Task<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Runs tasks at the same time and waits for all of them.
///
/// # Panics
/// If one of them does.
pub fn side_by_side<'env>(tasks: Vec<Task<'env>>) {
    let start = machine::known();
    let ends: Vec<_> = shuttle::thread::scope(|scope| {
        let spawn = |task: Task<'env>| {
            let start = start.clone();
            scope.spawn(move || {
                machine::learn(&start);
                task();
                machine::known()
            })
        };
        let running: Vec<_> = tasks.into_iter().map(spawn).collect();
        running.into_iter().map(|task| task.join().expect("shuttle ends an execution in which a task panics")).collect()
    });
    for end in &ends {
        machine::learn(end);
    }
}
