//! State at forks, and static calls (section 4).

use alloy_primitives::{Address, Bytes};
use parapet_abi::{
    FrameStatus,
    import::{
        FORK_AFTER_FRAME, FORK_BEFORE_FRAME, FORK_NOW, FORK_PRE_TX, VIEW_GAS_MAX, VIEW_INPUT_BYTES_MAX, ViewOutcome,
    },
};
use parapet_monitor::{CallRequest, CallStatus, Fork, StateView as _};
use zerocopy::IntoBytes as _;

use super::{Host, OUTSIDE, Stopped, address, part, range, word, write};
use crate::End;

impl Host {
    /// `state_storage_at`, and `state_storage` with no frame.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn state_storage(&mut self, memory: &mut [u8], at: [u32; 2], [account, slot, out]: [u32; 3]) -> Stopped<()> {
        let (fork, account, slot) = (self.fork(at)?, address(memory, account)?, word(memory, slot)?);
        let word = self.case.state.storage(fork, account, slot).map_err(|_| OUTSIDE)?;
        write(memory, out, &word.to_be_bytes::<32>())
    }

    /// `state_balance_at`, and `state_balance` with no frame.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn state_balance(&mut self, memory: &mut [u8], at: [u32; 2], [account, out]: [u32; 2]) -> Stopped<()> {
        let (fork, account) = (self.fork(at)?, address(memory, account)?);
        let balance = self.case.state.balance(fork, account).map_err(|_| OUTSIDE)?;
        write(memory, out, &balance.to_be_bytes::<32>())
    }

    /// `state_code_hash_at`, and `state_code_hash` with no frame.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn state_code_hash(&mut self, memory: &mut [u8], at: [u32; 2], [account, out]: [u32; 2]) -> Stopped<()> {
        let (fork, account) = (self.fork(at)?, address(memory, account)?);
        let hash = self.case.state.code_hash(fork, account).map_err(|_| OUTSIDE)?;
        write(memory, out, hash.as_slice())
    }

    /// `view_call`. Fuel is what this host does not count, so all gas that is asked for is there.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn view_call(
        &mut self,
        memory: &mut [u8],
        at: [u32; 2],
        [to, input, len]: [u32; 3],
        gas: u64,
        out: u32,
    ) -> Stopped<u32> {
        if len > VIEW_INPUT_BYTES_MAX || gas > VIEW_GAS_MAX {
            return Err(End::Limit);
        }
        let (fork, to): (Fork, Address) = (self.fork(at)?, address(memory, to)?);
        let input = Bytes::copy_from_slice(&memory[range(memory, input, len.into())?]);
        range(memory, out, size_of::<ViewOutcome>() as u64)?;
        let outcome = self.case.state.call(fork, &CallRequest { to, input, gas }).map_err(|_| OUTSIDE)?;
        let status = match outcome.status {
            CallStatus::Succeeded => FrameStatus::Succeeded,
            CallStatus::Reverted => FrameStatus::Reverted,
            CallStatus::Halted => FrameStatus::Halted,
        };
        let output_len = outcome.output.len() as u32;
        let told = ViewOutcome { status: u8::from(status).into(), output_len, gas_used: outcome.gas_used };
        self.view_output = outcome.output;
        write(memory, out, told.as_bytes())?;
        Ok(output_len)
    }

    /// `view_output`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn view_output(&self, memory: &mut [u8], place: [u32; 3]) -> Stopped<u32> {
        part(memory, &self.view_output, place)
    }

    /// The frame must have started, or ended.
    fn fork(&self, [fork, frame]: [u32; 2]) -> Stopped<Fork> {
        let status = self.case.trace.frames.get(frame as usize).map(|frame| frame.status);
        match (fork, status) {
            (FORK_PRE_TX, _) => Ok(Fork::PreTx),
            (FORK_NOW, _) => Ok(Fork::Now),
            (FORK_BEFORE_FRAME, Some(_)) => Ok(Fork::BeforeFrame(frame)),
            (FORK_AFTER_FRAME, Some(status)) if status != u8::from(FrameStatus::Running) => Ok(Fork::AfterFrame(frame)),
            _ => Err(OUTSIDE),
        }
    }
}

/// What the imports without a frame may name: fork 0 or 1.
///
/// # Errors
/// A trap for any other fork.
pub fn without_frame(fork: u32) -> Stopped<[u32; 2]> {
    if fork == FORK_PRE_TX || fork == FORK_NOW { Ok([fork, u32::MAX]) } else { Err(OUTSIDE) }
}
