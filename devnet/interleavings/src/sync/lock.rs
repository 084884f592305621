//! Locks on the machine. A lock's word is a place like any other, because `try_lock` begins by reading it without any
//! ordering: it may see a lock that was released long ago as taken.

use std::{
    ops::{Deref, DerefMut},
    sync::{PoisonError, TryLockError, atomic::Ordering},
};

use crate::machine::{self, Place};

const FREE: u64 = 0;
const TAKEN: u64 = 1;

/// As `parking_lot`'s.
#[derive(Debug)]
pub struct Mutex<T> {
    word: Place,
    inner: shuttle::sync::Mutex<T>,
}

/// As `parking_lot`'s.
#[derive(Debug)]
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// `None` only while its owner waits on a condition.
    inner: Option<shuttle::sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    /// A lock of this execution.
    pub fn new(value: T) -> Self {
        Self { word: Place::new(FREE), inner: shuttle::sync::Mutex::new(value) }
    }

    /// Waits for the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        self.taken(inner)
    }

    /// Takes the lock if it looks free.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        machine::pause();
        if self.word.load(Ordering::Relaxed) == TAKEN {
            return None;
        }
        let inner = match self.inner.try_lock() {
            Ok(inner) => inner,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(self.taken(inner))
    }

    /// The value, of a lock that nobody shares any more.
    pub fn into_inner(self) -> T {
        self.inner.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value, while nobody shares the lock.
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn taken<'a>(&'a self, inner: shuttle::sync::MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.word.change(Ordering::Acquire, |_| TAKEN);
        MutexGuard { mutex: self, inner: Some(inner) }
    }

    fn released(&self) {
        self.word.change(Ordering::Release, |_| FREE);
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
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
        if self.inner.is_some() {
            self.mutex.released();
        }
    }
}

/// As the standard one.
#[derive(Debug)]
pub struct OnceLock<T> {
    is_set: Place,
    setting: Place,
    value: std::sync::OnceLock<T>,
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> OnceLock<T> {
    /// A value of this execution, not set.
    pub const fn new() -> Self {
        Self { is_set: Place::new(0), setting: Place::new(0), value: std::sync::OnceLock::new() }
    }

    /// The value, if the caller can see that it is set.
    pub fn get(&self) -> Option<&T> {
        machine::pause();
        if self.is_set.load(Ordering::Acquire) == 1 { self.value.get() } else { None }
    }

    /// The value; of several who would set it, the first does. Setting it lets nobody else run.
    pub fn get_or_init(&self, value: impl FnOnce() -> T) -> &T {
        machine::pause();
        self.setting.change(Ordering::AcqRel, |count| count);
        let value = self.value.get_or_init(value);
        self.is_set.store(1, Ordering::Release);
        value
    }

    /// The value, while nobody shares it.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }
}

/// As `parking_lot`'s: nobody wakes without being woken.
#[derive(Debug, Default)]
pub struct Condvar(shuttle::sync::Condvar);

impl Condvar {
    /// A condition of this execution.
    pub fn new() -> Self {
        Self::default()
    }

    /// Releases the lock until somebody wakes this thread.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let inner = guard.inner.take().expect("a guard that can be used holds its lock");
        guard.mutex.released();
        let inner = self.0.wait(inner).unwrap_or_else(PoisonError::into_inner);
        guard.mutex.word.change(Ordering::Acquire, |_| TAKEN);
        guard.inner = Some(inner);
    }

    /// Wakes one who waits.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all who wait.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}
