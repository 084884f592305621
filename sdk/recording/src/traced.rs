//! The trace in a file: records as one region of `parapet-abi`, and the variable parts beside it.
//!
//! Invariant: a [`Trace`] that comes out of a file has no index that leads nowhere.

use alloy_primitives::Bytes;
use parapet_abi::{
    AccessRecord, AuthorizationRecord, CodeChangeRecord, ContextRecord, DelegateRecord, FlowRecord, FrameRecord,
    LogRecord, NO_FRAME, PreimageRecord, SlotChangeRecord, region::Region,
};
use parapet_monitor::{TRACE_DATA_BYTES_MAX, TRACE_PREIMAGES_MAX, Trace};
use serde::{Deserialize, Serialize};

use crate::RecordingError;

/// Topics that a log has at most.
const TOPICS_MAX: u32 = 4;

/// A finished trace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Traced {
    /// All records, as `parapet-abi` lays them out, in a region without accounts: those are an attachment's.
    pub region: Bytes,
    /// Input of each frame, by id.
    pub inputs: Vec<Bytes>,
    /// Output of each frame, by id.
    pub outputs: Vec<Bytes>,
    /// Data of each log, by index.
    pub log_data: Vec<Bytes>,
    /// How many of the last flows are fees.
    pub fee_flows: usize,
    /// Whether not all that guards must see was kept.
    pub overflowed: bool,
}

impl From<&Trace> for Traced {
    fn from(trace: &Trace) -> Self {
        Self {
            region: trace.to_region(&[]).into(),
            inputs: trace.inputs.clone(),
            outputs: trace.outputs.clone(),
            log_data: trace.log_data.clone(),
            fee_flows: trace.fee_flows,
            overflowed: trace.overflowed,
        }
    }
}

impl Traced {
    /// The records, for whoever judges.
    ///
    /// # Errors
    /// [`RecordingError::Trace`]; never after [`Recording::read`](crate::Recording::read).
    pub fn trace(&self) -> Result<Trace, RecordingError> {
        let region = Region::open(&self.region).map_err(|error| wrong(error.to_string()))?;
        let contexts = region.records::<ContextRecord>();
        let [context] = contexts.as_slice() else {
            return Err(wrong(format!("it has {} contexts, and one is needed", contexts.len())));
        };
        let trace = Trace {
            context: *context,
            frames: region.records::<FrameRecord>(),
            inputs: self.inputs.clone(),
            outputs: self.outputs.clone(),
            accesses: region.records::<AccessRecord>(),
            flows: region.records::<FlowRecord>(),
            fee_flows: self.fee_flows,
            logs: region.records::<LogRecord>(),
            log_data: self.log_data.clone(),
            code_changes: region.records::<CodeChangeRecord>(),
            slot_changes: region.records::<SlotChangeRecord>(),
            preimages: region.records::<PreimageRecord>(),
            authorizations: region.records::<AuthorizationRecord>(),
            delegates: region.records::<DelegateRecord>(),
            overflowed: self.overflowed,
        };
        check(&trace)?;
        Ok(trace)
    }
}

fn wrong(what: String) -> RecordingError {
    RecordingError::Trace(what)
}

fn check(trace: &Trace) -> Result<(), RecordingError> {
    let frames = trace.frames.len();
    for (count, what) in [(trace.inputs.len(), "inputs"), (trace.outputs.len(), "outputs")] {
        if count != frames {
            return Err(wrong(format!("{frames} frames have {count} {what}")));
        }
    }
    if trace.log_data.len() != trace.logs.len() {
        return Err(wrong(format!("{} logs have the data of {}", trace.logs.len(), trace.log_data.len())));
    }
    if trace.fee_flows > trace.flows.len() {
        return Err(wrong(format!("{} of {} flows are fees", trace.fee_flows, trace.flows.len())));
    }
    let data_bytes: usize = trace.inputs.iter().chain(&trace.outputs).map(|data| data.len()).sum();
    if data_bytes > TRACE_DATA_BYTES_MAX {
        return Err(RecordingError::TooMany { what: "bytes of inputs and outputs", max: TRACE_DATA_BYTES_MAX });
    }
    if trace.preimages.len() > TRACE_PREIMAGES_MAX {
        return Err(RecordingError::TooMany { what: "preimages", max: TRACE_PREIMAGES_MAX });
    }
    for (index, frame) in trace.frames.iter().enumerate() {
        let is_root = index == 0 && frame.parent == NO_FRAME;
        if frame.id as usize != index || !(is_root || (frame.parent as usize) < index) {
            return Err(wrong(format!("frame {index} is named {} and comes from {}", frame.id, frame.parent)));
        }
    }
    if let Some(log) = trace.logs.iter().find(|log| log.topic_count > TOPICS_MAX) {
        return Err(wrong(format!("a log has {} topics", log.topic_count)));
    }
    if !trace.delegates.is_sorted_by_key(|delegate| delegate.frame) {
        return Err(wrong("delegates are not in the order of their frames".to_owned()));
    }
    let named = trace.accesses.iter().map(|access| access.frame);
    let named = named.chain(trace.flows.iter().map(|flow| flow.frame)).chain(trace.logs.iter().map(|log| log.frame));
    let named = named.chain(trace.preimages.iter().map(|preimage| preimage.frame));
    let mut named = named.chain(trace.delegates.iter().map(|delegate| delegate.frame));
    match named.find(|frame| *frame != NO_FRAME && *frame as usize >= frames) {
        Some(frame) => Err(wrong(format!("a record belongs to frame {frame} of {frames}"))),
        None => Ok(()),
    }
}
