//! What the executor's files take for the primitives that threads meet on, here on virtual [`cores`](crate::cores): who
//! would wait for a lock, or until it is woken, lets virtual time go on without it.
//!
//! Cores take turns, so atomics are the standard ones: each turn happens before the next.

use std::{
    collections::VecDeque,
    mem,
    ops::{Deref, DerefMut},
    sync::{self, PoisonError, TryLockError},
};

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicUsize, Ordering};

use crate::cores;

/// Cores that wait, the first to be woken first.
#[derive(Debug, Default)]
struct Waiting(sync::Mutex<VecDeque<usize>>);

impl Waiting {
    fn line(&self) -> sync::MutexGuard<'_, VecDeque<usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calling core stands in line. It sleeps once it has let go of what it holds.
    fn join(&self) {
        self.line().push_back(cores::own());
    }

    fn wake_one(&self) {
        let first = self.line().pop_front();
        first.into_iter().for_each(cores::wake);
    }

    fn wake_all(&self) {
        let all = mem::take(&mut *self.line());
        all.into_iter().for_each(cores::wake);
    }
}

/// As `parking_lot`'s.
#[derive(Debug)]
pub(crate) struct Mutex<T> {
    inner: sync::Mutex<T>,
    waiting: Waiting,
}

/// As `parking_lot`'s.
#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// `None` only while its owner waits on a condition, and as it is dropped.
    inner: Option<sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { inner: sync::Mutex::new(value), waiting: Waiting::default() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        loop {
            if let Some(guard) = self.try_lock() {
                return guard;
            }
            self.waiting.join();
            cores::sleep();
        }
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let inner = match self.inner.try_lock() {
            Ok(inner) => inner,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(MutexGuard { mutex: self, inner: Some(inner) })
    }

    pub(crate) fn into_inner(self) -> T {
        self.inner.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.inner.as_ref().expect("a guard that can be used holds its lock")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("a guard that can be used holds its lock")
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        if self.inner.take().is_some() {
            self.mutex.waiting.wake_one();
        }
    }
}

/// As `parking_lot`'s: nobody wakes without being woken.
#[derive(Debug, Default)]
pub(crate) struct Condvar(Waiting);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        self.0.join();
        guard.inner = None;
        guard.mutex.waiting.wake_one();
        cores::sleep();
        let mut again = guard.mutex.lock();
        guard.inner = again.inner.take();
    }

    pub(crate) fn notify_one(&self) {
        self.0.wake_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.wake_all();
    }
}
