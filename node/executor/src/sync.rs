//! The primitives that the parallel executor's threads meet on. The model checker of `devnet/interleavings` has others by
//! these names, and compiles the files that use them a second time.

pub(crate) use foldhash::fast::RandomState;
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
pub(crate) use std::sync::{
    OnceLock,
    atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

/// Memory that threads share by a protocol of their own.
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    /// For who reads: nobody writes meanwhile.
    pub(crate) fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    /// For who writes: nobody else reads or writes meanwhile.
    pub(crate) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}

/// A number for the calling thread, small and seldom another's.
pub(crate) fn thread_number() -> usize {
    rayon::current_thread_index().map_or(0, |helper| helper + 1)
}
