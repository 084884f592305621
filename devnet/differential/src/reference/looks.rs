//! Looks at the chain's state: at any fork, and by static calls.

use alloy_primitives::{Address, Bytes, U256};
use parapet_abi::{
    FrameStatus,
    import::{
        FORK_AFTER_FRAME, FORK_BEFORE_FRAME, FORK_NOW, FORK_PRE_TX, VIEW_GAS_MAX, VIEW_INPUT_BYTES_MAX, ViewOutcome,
    },
};
use parapet_monitor::{CallRequest, CallStatus, Fork, StateView as _};
use zerocopy::IntoBytes as _;

use super::{Host, TRAP, memory};
use crate::End;

/// Only a node's disk fails, and there is none.
const IN_MEMORY: &str = "state in memory can be read";

impl Host {
    /// `state_storage(fork, address, slot, out)`.
    ///
    /// # Errors
    /// A trap.
    pub fn state_storage(&mut self, memory: &mut [u8], args: [u32; 4]) -> Result<(), End> {
        let [fork, address, slot, out] = args;
        self.storage(memory, transaction_fork(fork)?, [address, slot, out])
    }

    /// `state_balance(fork, address, out)`.
    ///
    /// # Errors
    /// A trap.
    pub fn state_balance(&mut self, memory: &mut [u8], args: [u32; 3]) -> Result<(), End> {
        let [fork, address, out] = args;
        self.balance(memory, transaction_fork(fork)?, [address, out])
    }

    /// `state_code_hash(fork, address, out)`.
    ///
    /// # Errors
    /// A trap.
    pub fn state_code_hash(&mut self, memory: &mut [u8], args: [u32; 3]) -> Result<(), End> {
        let [fork, address, out] = args;
        self.code_hash(memory, transaction_fork(fork)?, [address, out])
    }

    /// `state_storage_at(fork, frame, address, slot, out)`.
    ///
    /// # Errors
    /// A trap.
    pub fn state_storage_at(&mut self, memory: &mut [u8], args: [u32; 5]) -> Result<(), End> {
        let [fork, frame, address, slot, out] = args;
        self.storage(memory, self.any_fork(fork, frame)?, [address, slot, out])
    }

    /// `state_balance_at(fork, frame, address, out)`.
    ///
    /// # Errors
    /// A trap.
    pub fn state_balance_at(&mut self, memory: &mut [u8], args: [u32; 4]) -> Result<(), End> {
        let [fork, frame, address, out] = args;
        self.balance(memory, self.any_fork(fork, frame)?, [address, out])
    }

    /// `state_code_hash_at(fork, frame, address, out)`.
    ///
    /// # Errors
    /// A trap.
    pub fn state_code_hash_at(&mut self, memory: &mut [u8], args: [u32; 4]) -> Result<(), End> {
        let [fork, frame, address, out] = args;
        self.code_hash(memory, self.any_fork(fork, frame)?, [address, out])
    }

    /// `view_call(fork, frame, to, input, len, gas, out) -> output_len`, with the fuel that is left when it is
    /// called.
    ///
    /// # Errors
    /// A limit, a trap, or exhausted fuel.
    pub fn view_call(
        &mut self,
        memory: &mut [u8],
        [fork, frame, to, input, len, out]: [u32; 6],
        gas: u64,
        fuel_left: u64,
    ) -> Result<u32, End> {
        let before = self.meter.0;
        if len > VIEW_INPUT_BYTES_MAX || gas > VIEW_GAS_MAX {
            return Err(End::Limit);
        }
        let fork = self.any_fork(fork, frame)?;
        let to = self.address(memory, to)?;
        let input = Bytes::copy_from_slice(memory::bytes(memory, input, len)?);
        self.meter.copied(u64::from(len));
        let answer = memory::room(memory, out, size_of::<ViewOutcome>() as u64)?;
        self.turn(fork);
        self.meter.static_call();
        let affordable = gas.min(fuel_left.saturating_sub(self.meter.0 - before) / 2);
        let request = CallRequest { to, input, gas: affordable };
        let outcome = self.case.state.call(fork, &request).expect(IN_MEMORY);
        self.meter.static_gas(outcome.gas_used);
        if outcome.status == CallStatus::Halted && affordable < gas {
            return Err(End::Exhausted);
        }
        let status = match outcome.status {
            CallStatus::Succeeded => FrameStatus::Succeeded,
            CallStatus::Reverted => FrameStatus::Reverted,
            CallStatus::Halted => FrameStatus::Halted,
        };
        let output_len = super::count(outcome.output.len());
        let told = ViewOutcome { status: u32::from(status as u8), output_len, gas_used: outcome.gas_used };
        answer.copy_from_slice(told.as_bytes());
        self.meter.copied(answer.len() as u64);
        self.output = outcome.output;
        Ok(output_len)
    }

    /// `view_output(offset, out, len) -> copied`.
    ///
    /// # Errors
    /// A trap.
    pub fn view_output(&mut self, memory: &mut [u8], args: [u32; 3]) -> Result<u32, End> {
        let [offset, out, len] = args;
        let copied = memory::part(&self.output, offset, memory::room(memory, out, u64::from(len))?);
        self.meter.copied(u64::from(copied));
        Ok(copied)
    }

    fn storage(&mut self, memory: &mut [u8], fork: Fork, [address, slot, out]: [u32; 3]) -> Result<(), End> {
        let address = self.address(memory, address)?;
        let slot = U256::from_be_bytes(self.word(memory, slot)?);
        self.answer(memory, fork, out, |host| {
            host.case.state.storage(fork, address, slot).expect(IN_MEMORY).to_be_bytes()
        })
    }

    fn balance(&mut self, memory: &mut [u8], fork: Fork, [address, out]: [u32; 2]) -> Result<(), End> {
        let address = self.address(memory, address)?;
        self.answer(memory, fork, out, |host| host.case.state.balance(fork, address).expect(IN_MEMORY).to_be_bytes())
    }

    fn code_hash(&mut self, memory: &mut [u8], fork: Fork, [address, out]: [u32; 2]) -> Result<(), End> {
        let address = self.address(memory, address)?;
        self.answer(memory, fork, out, |host| host.case.state.code_hash(fork, address).expect(IN_MEMORY).0)
    }

    /// Answers a look with a word.
    fn answer(
        &mut self,
        memory: &mut [u8],
        fork: Fork,
        out: u32,
        look: impl FnOnce(&mut Self) -> [u8; 32],
    ) -> Result<(), End> {
        let room = memory::room(memory, out, 32)?;
        self.turn(fork);
        self.meter.look();
        room.copy_from_slice(&look(self));
        self.meter.copied(32);
        Ok(())
    }

    fn address(&mut self, memory: &[u8], place: u32) -> Result<Address, End> {
        let bytes: [u8; 20] = memory::array(memory, place)?;
        self.meter.copied(20);
        Ok(bytes.into())
    }

    pub(super) fn word(&mut self, memory: &[u8], place: u32) -> Result<[u8; 32], End> {
        let bytes = memory::array(memory, place)?;
        self.meter.copied(32);
        Ok(bytes)
    }

    /// Turns to a fork: what that undoes is paid once, until the hook looks at another.
    fn turn(&mut self, fork: Fork) {
        if self.fork.replace(fork) != Some(fork) {
            let distance = self.case.state.distance(fork);
            self.meter.undone(distance);
        }
    }

    /// A fork of `state_storage_at` and its like.
    fn any_fork(&self, fork: u32, frame: u32) -> Result<Fork, End> {
        let known = self.case.trace.frames.get(frame as usize);
        match fork {
            FORK_BEFORE_FRAME => known.map(|_| Fork::BeforeFrame(frame)).ok_or(TRAP),
            FORK_AFTER_FRAME => known
                .filter(|record| record.status != FrameStatus::Running as u8)
                .map(|_| Fork::AfterFrame(frame))
                .ok_or(TRAP),
            _ => transaction_fork(fork),
        }
    }
}

/// A fork that needs no frame.
fn transaction_fork(fork: u32) -> Result<Fork, End> {
    match fork {
        FORK_PRE_TX => Ok(Fork::PreTx),
        FORK_NOW => Ok(Fork::Now),
        _ => Err(TRAP),
    }
}
