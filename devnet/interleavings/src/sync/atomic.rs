//! Atomics on the machine, and memory that only they protect.

use std::{fmt, marker::PhantomData, sync::atomic::Ordering};

use crate::machine::{self, Place};

/// A value that fits into a word of the machine.
pub trait Word: Copy {
    /// As the machine has it.
    fn into_word(self) -> u64;
    /// As the program has it.
    fn from_word(word: u64) -> Self;
}

macro_rules! words {
    ($($word:ty),*) => {
        $(impl Word for $word {
            fn into_word(self) -> u64 {
                self as u64
            }

            fn from_word(word: u64) -> Self {
                word as Self
            }
        }

        impl Atomic<$word> {
            /// An atomic of this execution.
            pub const fn new(value: $word) -> Self {
                Self { place: Place::new(value as u64), value: PhantomData }
            }
        })*
    };
}

words!(u8, u32, u64, usize);

impl Word for bool {
    fn into_word(self) -> u64 {
        u64::from(self)
    }

    fn from_word(word: u64) -> Self {
        word != 0
    }
}

impl Atomic<bool> {
    /// An atomic of this execution.
    pub const fn new(value: bool) -> Self {
        Self { place: Place::new(value as u64), value: PhantomData }
    }
}

/// An atomic.
pub struct Atomic<T> {
    place: Place,
    value: PhantomData<T>,
}

/// Memory that threads share by a protocol of their own. Whoever reads or writes it must be certain to see the last write:
/// else it would be a race. (Writes that no reader waits for are not looked for.)
#[derive(Debug)]
pub struct UnsafeCell<T> {
    writes: Place,
    value: std::cell::UnsafeCell<T>,
}

impl<T> UnsafeCell<T> {
    /// Memory of this execution.
    pub const fn new(value: T) -> Self {
        Self { writes: Place::new(0), value: std::cell::UnsafeCell::new(value) }
    }

    /// Reads.
    ///
    /// # Panics
    /// If somebody may write meanwhile, or has written without having told.
    pub fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        machine::pause();
        assert!(self.writes.is_certain(), "a cell is read of which the reader does not know that it was written");
        read(self.value.get())
    }

    /// Writes.
    ///
    /// # Panics
    /// If somebody else has written without having told.
    pub fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        machine::pause();
        assert!(self.writes.is_certain(), "a cell is written of which the writer does not know that it was written");
        self.writes.change(Ordering::Relaxed, |writes| writes + 1);
        write(self.value.get())
    }
}

/// As the standard one.
pub type AtomicBool = Atomic<bool>;
/// As the standard one.
pub type AtomicU8 = Atomic<u8>;
/// As the standard one.
pub type AtomicU32 = Atomic<u32>;
/// As the standard one.
pub type AtomicU64 = Atomic<u64>;
/// As the standard one.
pub type AtomicUsize = Atomic<usize>;

impl<T> fmt::Debug for Atomic<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.place)
    }
}

impl<T: Word> Atomic<T> {
    /// Loads.
    pub fn load(&self, ordering: Ordering) -> T {
        machine::pause();
        T::from_word(self.place.load(ordering))
    }

    /// Stores.
    pub fn store(&self, value: T, ordering: Ordering) {
        machine::pause();
        self.place.store(value.into_word(), ordering);
    }

    /// Stores, and gives what was there.
    pub fn swap(&self, value: T, ordering: Ordering) -> T {
        self.change(ordering, |_| value.into_word())
    }

    /// Stores if the value is `current`.
    ///
    /// # Errors
    /// The value that it has instead.
    pub fn compare_exchange(&self, current: T, new: T, success: Ordering, failure: Ordering) -> Result<T, T> {
        machine::pause();
        let exchanged = self.place.exchange(current.into_word(), new.into_word(), success, failure);
        exchanged.map(T::from_word).map_err(T::from_word)
    }

    /// The greater of both.
    pub fn fetch_max(&self, value: T, ordering: Ordering) -> T {
        self.change(ordering, |old| old.max(value.into_word()))
    }

    /// Adds, and wraps around.
    pub fn fetch_add(&self, value: T, ordering: Ordering) -> T {
        self.change(ordering, |old| T::from_word(old.wrapping_add(value.into_word())).into_word())
    }

    /// Subtracts, and wraps around.
    pub fn fetch_sub(&self, value: T, ordering: Ordering) -> T {
        self.change(ordering, |old| T::from_word(old.wrapping_sub(value.into_word())).into_word())
    }

    fn change(&self, ordering: Ordering, change: impl FnOnce(u64) -> u64) -> T {
        machine::pause();
        T::from_word(self.place.change(ordering, change))
    }
}
