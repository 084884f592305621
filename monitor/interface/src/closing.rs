//! What an executed transaction left, looked up only as far as somebody asks.

use alloy_primitives::Address;
use parapet_abi::{CodeChangeRecord, FlowRecord, LogRecord, PreimageRecord, SlotChangeRecord};

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
}
