//! The caller of a host function: its fuel, its memory, and what it was lent.
//!
//! Invariant: every range is checked against the guest's memory before a byte of it is touched, and paid for before
//! the work is done.

use std::ops::Range;

use alloy_primitives::{Address, U256};
use wasmtime::{Caller, Memory};

use super::{Host, Stop};
use crate::{lend::Loan, metering};

pub(super) struct Guest<'a> {
    caller: Caller<'a, Host>,
    memory: Memory,
}

impl<'a> Guest<'a> {
    /// Charges for the call itself.
    pub(super) fn enter(caller: Caller<'a, Host>) -> Result<Self, Stop> {
        let memory = caller.data().memory.expect("set when the instance was made, before anything of it ran");
        let mut guest = Self { caller, memory };
        guest.charge(metering::HOST_CALL)?;
        Ok(guest)
    }

    /// Takes fuel; what is left when it does not suffice is gone too.
    pub(super) fn charge(&mut self, fuel: u64) -> Result<(), Stop> {
        let left = self.caller.get_fuel().expect("the engine meters");
        let rest = left.checked_sub(fuel);
        self.caller.set_fuel(rest.unwrap_or(0)).expect("the engine meters");
        rest.map(|_| ()).ok_or(Stop::OutOfFuel)
    }

    /// Fuel that is left.
    pub(super) fn fuel_left(&self) -> u64 {
        self.caller.get_fuel().expect("the engine meters")
    }

    /// Charges for copying to or from the guest.
    pub(super) fn charge_copy(&mut self, bytes: usize) -> Result<(), Stop> {
        self.charge(metering::copying(bytes as u64))
    }

    pub(super) fn host(&mut self) -> &mut Host {
        self.caller.data_mut()
    }

    /// Looks at what the executor lent.
    pub(super) fn lent<R>(&mut self, look: impl for<'l> FnOnce(&mut Loan<'l>) -> R) -> R {
        self.host().lent.with(look)
    }

    /// A range of the guest's memory, if it is one.
    pub(super) fn range(&self, ptr: u32, len: u64) -> Result<Range<usize>, Stop> {
        const OUTSIDE: Stop = Stop::Trap("a host call was given a range outside of the guard's memory");
        let end = u64::from(ptr).checked_add(len).ok_or(OUTSIDE)?;
        if end > self.memory.data_size(&self.caller) as u64 {
            return Err(OUTSIDE);
        }
        Ok(ptr as usize..usize::try_from(end).map_err(|_| OUTSIDE)?)
    }

    /// The guest's memory and the host's data, which do not overlap.
    pub(super) fn split(&mut self) -> (&mut [u8], &mut Host) {
        self.memory.data_and_store_mut(&mut self.caller)
    }

    /// Copies bytes out of the guest, and charges for it.
    pub(super) fn read(&mut self, ptr: u32, len: u32) -> Result<Vec<u8>, Stop> {
        let range = self.range(ptr, len.into())?;
        self.charge_copy(range.len())?;
        Ok(self.memory.data(&self.caller)[range].to_vec())
    }

    /// Copies bytes into the guest, and charges for it.
    pub(super) fn write(&mut self, ptr: u32, bytes: &[u8]) -> Result<(), Stop> {
        let range = self.range(ptr, bytes.len() as u64)?;
        self.charge_copy(bytes.len())?;
        self.memory.data_mut(&mut self.caller)[range].copy_from_slice(bytes);
        Ok(())
    }

    pub(super) fn word(&mut self, ptr: u32) -> Result<U256, Stop> {
        self.read(ptr, 32).map(|bytes| U256::from_be_slice(&bytes))
    }

    pub(super) fn address(&mut self, ptr: u32) -> Result<Address, Stop> {
        self.read(ptr, 20).map(|bytes| Address::from_slice(&bytes))
    }
}
