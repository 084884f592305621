//! What an executed transaction left, looked up only as far as somebody asks.

use alloy_primitives::Address;
use parapet_abi::{
    AccessKind, AccessRecord, CodeChangeRecord, FlowRecord, FrameStatus, LogRecord, NO_FRAME, PreimageRecord,
    SlotChangeRecord,
};

use crate::Trace;

/// Chooses accounts.
pub type Accounts<'a> = &'a dyn Fn(Address) -> bool;

/// The end of a transaction before anybody woke for it: nothing of this is recorded unless it is asked for.
pub trait Closing {
    /// Flows of frames that were not reverted, fees last.
    fn flows(&mut self) -> &[FlowRecord];

    /// Logs of frames that were not reverted.
    fn logs(&mut self) -> &[LogRecord];

    /// Net storage writes of some accounts.
    fn slot_changes(&mut self, of: Accounts<'_>) -> Vec<SlotChangeRecord>;

    /// Code changes of some accounts.
    fn code_changes(&mut self, of: Accounts<'_>) -> Vec<CodeChangeRecord>;

    /// What was hashed while somebody wanted to know.
    fn preimages(&self) -> &[PreimageRecord];

    /// Transient storage (EIP-1153) of some accounts that frames wrote which were not reverted, while somebody wanted to
    /// know.
    fn transient_writes(&self, of: Accounts<'_>) -> Vec<AccessRecord>;
}

impl Trace {
    /// Which frames, by id, were not reverted, neither themselves nor by an ancestor.
    #[must_use]
    pub fn standing_frames(&self) -> Vec<bool> {
        let mut stands: Vec<bool> = Vec::with_capacity(self.frames.len());
        for frame in &self.frames {
            let parent_stands = frame.parent == NO_FRAME || stands[frame.parent as usize];
            stands.push(parent_stands && frame.status == u8::from(FrameStatus::Succeeded));
        }
        stands
    }

    /// Transient storage of some accounts that frames wrote which stand.
    #[must_use]
    pub fn transient_writes(&self, stands: &[bool], of: Accounts<'_>) -> Vec<AccessRecord> {
        let wanted = |access: &&AccessRecord| {
            access.kind == u8::from(AccessKind::TransientWrite)
                && stands.get(access.frame as usize).copied().unwrap_or(false)
                && of(access.address.bytes.into())
        };
        self.accesses.iter().filter(wanted).copied().collect()
    }
}

/// A trace that is complete.
#[derive(Clone, Copy, Debug)]
pub struct Closed<'a>(pub &'a Trace);

impl Closing for Closed<'_> {
    fn flows(&mut self) -> &[FlowRecord] {
        &self.0.flows
    }

    fn logs(&mut self) -> &[LogRecord] {
        &self.0.logs
    }

    fn slot_changes(&mut self, of: Accounts<'_>) -> Vec<SlotChangeRecord> {
        self.0.slot_changes.iter().filter(|change| of(change.address.bytes.into())).copied().collect()
    }

    fn code_changes(&mut self, of: Accounts<'_>) -> Vec<CodeChangeRecord> {
        self.0.code_changes.iter().filter(|change| of(change.address.bytes.into())).copied().collect()
    }

    fn preimages(&self) -> &[PreimageRecord] {
        &self.0.preimages
    }

    fn transient_writes(&self, of: Accounts<'_>) -> Vec<AccessRecord> {
        self.0.transient_writes(&self.0.standing_frames(), of)
    }
}
