//! Readers that disturb: one that hesitates, so that schedules vary, one that makes sure of an order, and one that breaks.

use std::{
    sync::Arc,
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    thread,
};

use alloy_primitives::{Address, B256, Bytes, U256};
use parapet_types::{AccountInfo, ReadError, StateReader};

use crate::Random;

/// Longest pause, in turns of a loop that does nothing.
const TURNS_MAX: u64 = 3_000;

/// Pauses of pseudo-random length, by the number of those before: seeded, though which thread draws which is not.
#[derive(Clone, Debug)]
pub struct Hesitation {
    seed: u64,
    drawn: Arc<AtomicU64>,
}

impl Hesitation {
    /// A series of pauses.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: Arc::default() }
    }

    /// Pauses, or not: one time in four it spins, one in sixteen it lets others run.
    pub fn hesitate(&self) {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut random = Random(self.seed ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d));
        match random.below(16) {
            0..=3 => (0..random.below(TURNS_MAX)).for_each(|_| std::hint::spin_loop()),
            4 => thread::yield_now(),
            _ => {}
        }
    }
}

/// A reader that hesitates before it answers.
#[derive(Debug)]
pub struct Hesitant<R> {
    /// What it reads.
    pub below: R,
    /// Its pauses.
    pub hesitation: Hesitation,
}

impl<R: StateReader> StateReader for Hesitant<R> {
    fn account(&self, address: &Address) -> Result<Option<AccountInfo>, ReadError> {
        self.hesitation.hesitate();
        self.below.account(address)
    }

    fn storage(&self, address: &Address, slot: U256) -> Result<U256, ReadError> {
        self.hesitation.hesitate();
        self.below.storage(address, slot)
    }

    fn has_storage(&self, address: &Address) -> Result<bool, ReadError> {
        self.hesitation.hesitate();
        self.below.has_storage(address)
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, ReadError> {
        self.hesitation.hesitate();
        self.below.code(code_hash)
    }
}

/// A reader that keeps whoever asks for one account waiting until somebody has asked for another: what runs ahead does
/// so for certain. Where nobody can run ahead, it answers after a while.
#[derive(Debug)]
pub struct Overtaken<R> {
    /// What it reads.
    pub below: R,
    /// The account whose readers wait.
    pub late: Address,
    /// The account that has to be asked for before.
    pub early: Address,
    /// Whether it has been.
    pub asked: AtomicBool,
    /// Most turns that are given to others before it answers all the same.
    pub turns_max: u32,
}

impl<R: StateReader> StateReader for Overtaken<R> {
    fn account(&self, address: &Address) -> Result<Option<AccountInfo>, ReadError> {
        if *address == self.early {
            self.asked.store(true, Ordering::Release);
        }
        if *address == self.late {
            let waiting = |_: &u32| !self.asked.load(Ordering::Acquire);
            (0..self.turns_max).take_while(waiting).for_each(|_| thread::yield_now());
        }
        self.below.account(address)
    }

    fn storage(&self, address: &Address, slot: U256) -> Result<U256, ReadError> {
        self.below.storage(address, slot)
    }

    fn has_storage(&self, address: &Address) -> Result<bool, ReadError> {
        self.below.has_storage(address)
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, ReadError> {
        self.below.code(code_hash)
    }
}

/// What cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breakage {
    /// This account.
    Account(Address),
    /// Storage of this account.
    Storage(Address),
    /// This code.
    Code(B256),
}

/// How it shows.
#[derive(Clone, Debug)]
pub enum Failure {
    /// As an error.
    Error,
    /// As an error, once: after so many reads that succeed, before others that do.
    Once(Arc<AtomicU32>),
    /// As a panic.
    Panic,
}

/// A reader of which a part is broken.
#[derive(Debug)]
pub struct Broken<R> {
    /// What it reads.
    pub below: R,
    /// Where it is broken.
    pub breakage: Breakage,
    /// How that shows.
    pub failure: Failure,
}

impl<R> Broken<R> {
    fn check(&self, read: Breakage) -> Result<(), ReadError> {
        if read != self.breakage {
            return Ok(());
        }
        match &self.failure {
            Failure::Once(left) if left.fetch_sub(1, Ordering::Relaxed) != 0 => Ok(()),
            Failure::Error | Failure::Once(_) => Err(ReadError(format!("the disk is broken at {read:?}").into())),
            Failure::Panic => panic!("the reader is broken at {read:?}"),
        }
    }
}

impl<R: StateReader> StateReader for Broken<R> {
    fn account(&self, address: &Address) -> Result<Option<AccountInfo>, ReadError> {
        self.check(Breakage::Account(*address))?;
        self.below.account(address)
    }

    fn storage(&self, address: &Address, slot: U256) -> Result<U256, ReadError> {
        self.check(Breakage::Storage(*address))?;
        self.below.storage(address, slot)
    }

    fn has_storage(&self, address: &Address) -> Result<bool, ReadError> {
        self.check(Breakage::Storage(*address))?;
        self.below.has_storage(address)
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, ReadError> {
        self.check(Breakage::Code(code_hash))?;
        self.below.code(code_hash)
    }
}
