//! Records one transaction for its guards: frames as they start and end, accesses when asked for, the rest at the end.

use std::mem;

use alloy_primitives::{Address, B256, Bytes, Log, U256};
use parapet_abi::{
    AccessKind, AccessRecord, CodeChangeKind, CodeChangeRecord, FlowReason, FrameKind, FrameRecord, FrameStatus,
    LogRecord, NO_FRAME, SlotChangeRecord,
};
use parapet_monitor::{Fault, Judging, TRACE_DATA_BYTES_MAX, Trace, Veto};
use revm::{
    JournalEntry,
    context::{CreateScheme, JournalInner},
    handler::FrameResult,
    interpreter::{CallInputs, CallScheme, CreateInputs, FrameInput, InstructionResult},
};

use crate::{flows, purse::Purse, session::Identity};

/// What is known of a frame as it starts.
pub(crate) struct FrameStart<'a> {
    pub(crate) input: &'a FrameInput,
    /// Calldata or init code; empty when there is no more room.
    pub(crate) data: Bytes,
    /// Its whole length.
    pub(crate) input_len: usize,
    /// Its first four bytes, zero-filled.
    pub(crate) selector: [u8; 4],
    pub(crate) depth: usize,
    /// Nonce of the account that creates.
    pub(crate) creator_nonce: u64,
}

/// Where a log was emitted. Kept in step with the journal's logs, which forget those of reverted frames.
#[derive(Clone, Copy, Debug)]
struct LogMark {
    frame: u32,
    seq: u32,
}

/// Ether moved by SELFDESTRUCT.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destruction {
    pub(crate) seq: u32,
    pub(crate) frame: u32,
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) wei: U256,
}

/// The EVM context's own data: the judgement under way and what it reads.
#[derive(Default)]
pub struct Recorder<'m> {
    pub(crate) judging: Option<Box<dyn Judging + 'm>>,
    pub(crate) trace: Trace,
    /// Set by the first veto; from then on every frame ends at once.
    pub(crate) veto: Option<Veto>,
    /// Set by the first fault, which ends the execution with an error.
    pub(crate) fault: Option<Fault>,
    /// Whether storage accesses are recorded.
    pub(crate) accesses: bool,
    /// Whether the fee recipient's reward is kept apart in `fee` instead of being paid.
    pub(crate) fee_apart: bool,
    /// What the fee recipient is owed.
    pub(crate) fee: U256,
    /// The transaction tried to create or destroy an account.
    pub(crate) structural: bool,
    /// A judgement was opened, so there may be something to forget.
    pub(crate) used: bool,
    /// The trace's context is not written yet.
    pub(crate) context_owed: Option<Identity>,
    /// What guards are paid from.
    pub(crate) purse: Purse,
    destructions: Vec<Destruction>,
    log_marks: Vec<LogMark>,
    running: Vec<u32>,
    events: u32,
    data_bytes: usize,
}

impl std::fmt::Debug for Recorder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("frames", &self.trace.frames.len()).field("veto", &self.veto).finish()
    }
}

impl Recorder<'_> {
    /// Forgets everything, keeps the memory.
    pub(crate) fn reset(&mut self) {
        self.veto = None;
        self.fault = None;
        self.accesses = false;
        self.fee = U256::ZERO;
        self.structural = false;
        self.context_owed = None;
        self.purse.reset();
        if mem::take(&mut self.used) {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.judging = None;
        self.events = 0;
        self.data_bytes = 0;
        self.destructions.clear();
        self.log_marks.clear();
        self.running.clear();
        let trace = &mut self.trace;
        trace.frames.clear();
        trace.inputs.clear();
        trace.outputs.clear();
        trace.accesses.clear();
        trace.flows.clear();
        trace.logs.clear();
        trace.log_data.clear();
        trace.code_changes.clear();
        trace.slot_changes.clear();
        trace.overflowed = false;
    }

    /// Keeps a frame's input or output while there is room; the copy is made only then.
    pub(crate) fn keep(&mut self, length: usize, data: impl FnOnce() -> Bytes) -> Bytes {
        let kept = self.data_bytes.saturating_add(length);
        if kept > TRACE_DATA_BYTES_MAX {
            self.trace.overflowed = true;
            return Bytes::new();
        }
        self.data_bytes = kept;
        data()
    }

    /// Events are numbered from 1; 0 means "has not happened".
    fn next_seq(&mut self) -> u32 {
        self.events = self.events.saturating_add(1);
        self.events
    }

    /// Whether no frame runs.
    pub(crate) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    fn running_frame(&self) -> u32 {
        self.running.last().copied().unwrap_or(NO_FRAME)
    }

    /// Between two calls of this only one frame ran, so new logs are that frame's.
    pub(crate) fn mark_logs(&mut self, log_count: usize) {
        self.log_marks.truncate(log_count);
        while self.log_marks.len() < log_count {
            let mark = LogMark { frame: self.running_frame(), seq: self.next_seq() };
            self.log_marks.push(mark);
        }
    }

    /// Records the start of a frame and gives its id.
    pub(crate) fn start_frame(&mut self, start: FrameStart<'_>) -> u32 {
        let FrameStart { input, data, input_len, selector, depth, creator_nonce } = start;
        let id = u32::try_from(self.trace.frames.len()).unwrap_or(NO_FRAME);
        let mut record = match input {
            FrameInput::Call(inputs) => call_record(inputs, selector),
            FrameInput::Create(inputs) => create_record(inputs, creator_nonce),
            FrameInput::Empty => FrameRecord::default(),
        };
        record.id = id;
        record.parent = self.running_frame();
        record.start_seq = self.next_seq();
        record.depth = u32::try_from(depth).unwrap_or(u32::MAX);
        record.input_len = u32::try_from(input_len).unwrap_or(u32::MAX);
        self.trace.frames.push(record);
        self.trace.inputs.push(data);
        self.trace.outputs.push(Bytes::new());
        self.running.push(id);
        id
    }

    /// Records the end of the running frame and gives its id.
    pub(crate) fn end_frame(&mut self, result: &FrameResult) -> Option<u32> {
        let id = self.running.pop()?;
        let seq = self.next_seq();
        let outcome = result.interpreter_result();
        let record = &mut self.trace.frames[id as usize];
        record.end_seq = seq;
        record.status = status(outcome.result).into();
        record.gas_used = outcome.gas.limit().saturating_sub(outcome.gas.remaining());
        record.output_len = length(&outcome.output);
        match result {
            FrameResult::Call(call) => record.is_precompile = u8::from(call.was_precompile_called),
            FrameResult::Create(create) => {
                if let Some(address) = create.address {
                    record.target = address.into_array().into();
                }
            }
        }
        self.trace.outputs[id as usize] = self.keep(outcome.output.len(), || outcome.output.clone());
        Some(id)
    }

    /// Records a storage access of the running frame.
    pub(crate) fn access(&mut self, kind: AccessKind, address: Address, slot: U256, old: U256, new: U256) {
        let record = AccessRecord {
            seq: self.next_seq(),
            frame: self.running_frame(),
            kind: kind.into(),
            zero: [0; 7],
            address: address.into_array().into(),
            slot: slot.to_be_bytes(),
            old: old.to_be_bytes(),
            new: new.to_be_bytes(),
        };
        self.trace.accesses.push(record);
    }

    /// Records a SELFDESTRUCT of the running frame.
    pub(crate) fn destruction(&mut self, from: Address, to: Address, wei: U256) {
        let destruction = Destruction { seq: self.next_seq(), frame: self.running_frame(), from, to, wei };
        self.destructions.push(destruction);
    }

    /// Completes the trace when the transaction has executed: logs, flows, code and slot changes, all of them of frames
    /// that were not reverted.
    pub(crate) fn complete(&mut self, journal: &JournalInner<JournalEntry>, result: InstructionResult) {
        self.trace.context.status = status(result).into();
        self.mark_logs(journal.logs.len());
        let stands = flows::standing_frames(&self.trace.frames);
        for (log, mark) in journal.logs.iter().zip(&self.log_marks) {
            self.trace.logs.push(log_record(log, *mark));
            self.trace.log_data.push(log.data.data.clone());
        }
        self.trace.flows = flows::collect(&self.trace, &self.destructions, &stands);
        self.changes(journal, &stands);
    }

    fn changes(&mut self, journal: &JournalInner<JournalEntry>, stands: &[bool]) {
        let seq = self.next_seq();
        let stands_in = |frame: u32| stands.get(frame as usize).copied().unwrap_or(false);
        for destruction in self.destructions.iter().filter(|d| stands_in(d.frame)) {
            let hash = journal.state.get(&destruction.from).map_or(B256::ZERO, |account| account.info.code_hash);
            self.trace.code_changes.push(CodeChangeRecord {
                seq: destruction.seq,
                frame: destruction.frame,
                kind: CodeChangeKind::SelfDestruct.into(),
                zero: [0; 7],
                address: destruction.from.into_array().into(),
                old: hash.0,
                new: B256::ZERO.0,
            });
        }
        for (address, account) in &journal.state {
            let original = account.original_info();
            if account.info.code_hash != original.code_hash {
                let creator =
                    self.trace.frames.iter().find(|frame| {
                        is_creation(frame.kind) && frame.target.bytes == address.0 && stands_in(frame.id)
                    });
                self.trace.code_changes.push(CodeChangeRecord {
                    seq: creator.map_or(seq, |frame| frame.end_seq),
                    frame: creator.map_or(NO_FRAME, |frame| frame.id),
                    kind: creator.map_or(CodeChangeKind::Delegation, |_| CodeChangeKind::Create).into(),
                    zero: [0; 7],
                    address: address.into_array().into(),
                    old: original.code_hash.0,
                    new: account.info.code_hash.0,
                });
            }
            for (slot, value) in account.changed_storage_slots() {
                self.trace.slot_changes.push(SlotChangeRecord {
                    address: address.into_array().into(),
                    slot: slot.to_be_bytes(),
                    old: value.original_value.to_be_bytes(),
                    new: value.present_value.to_be_bytes(),
                });
            }
        }
        self.trace.code_changes.sort_by_key(|change| (change.seq, change.address));
        self.trace.slot_changes.sort_by_key(|change| (change.address, change.slot));
    }
}

fn is_creation(kind: u8) -> bool {
    matches!(FrameKind::from_u8(kind), Some(FrameKind::Create | FrameKind::Create2))
}

fn length(bytes: &Bytes) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

pub(crate) fn status(result: InstructionResult) -> FrameStatus {
    if result.is_ok() {
        FrameStatus::Succeeded
    } else if result.is_revert() {
        FrameStatus::Reverted
    } else {
        FrameStatus::Halted
    }
}

fn call_record(inputs: &CallInputs, selector: [u8; 4]) -> FrameRecord {
    let kind = match inputs.scheme {
        CallScheme::Call => FrameKind::Call,
        CallScheme::CallCode => FrameKind::CallCode,
        CallScheme::DelegateCall => FrameKind::DelegateCall,
        CallScheme::StaticCall => FrameKind::StaticCall,
    };
    FrameRecord {
        kind: kind.into(),
        selector,
        is_static: u8::from(inputs.is_static),
        gas_limit: inputs.gas_limit,
        caller: inputs.caller.into_array().into(),
        target: inputs.target_address.into_array().into(),
        code_address: inputs.bytecode_address.into_array().into(),
        code_hash: inputs.known_bytecode.0.0,
        value: inputs.value.get().to_be_bytes(),
        ..FrameRecord::default()
    }
}

fn create_record(inputs: &CreateInputs, creator_nonce: u64) -> FrameRecord {
    let kind = match inputs.scheme() {
        CreateScheme::Create | CreateScheme::Custom { .. } => FrameKind::Create,
        CreateScheme::Create2 { .. } => FrameKind::Create2,
    };
    let created = inputs.created_address(creator_nonce).into_array().into();
    FrameRecord {
        kind: kind.into(),
        gas_limit: inputs.gas_limit(),
        caller: inputs.caller().into_array().into(),
        target: created,
        code_address: created,
        value: inputs.value().to_be_bytes(),
        ..FrameRecord::default()
    }
}

fn log_record(log: &Log, mark: LogMark) -> LogRecord {
    let mut topics = [[0; 32]; 4];
    for (to, from) in topics.iter_mut().zip(log.topics()) {
        *to = from.0;
    }
    LogRecord {
        seq: mark.seq,
        frame: mark.frame,
        topic_count: u32::try_from(log.topics().len()).unwrap_or(0),
        data_len: length(&log.data.data),
        address: log.address.into_array().into(),
        topics,
    }
}

/// Why ether moves in a frame of this kind; `None` where no ether moves.
pub(crate) fn flow_reason(kind: u8) -> Option<FlowReason> {
    match FrameKind::from_u8(kind)? {
        FrameKind::Call => Some(FlowReason::Call),
        FrameKind::Create | FrameKind::Create2 => Some(FlowReason::Create),
        FrameKind::CallCode | FrameKind::DelegateCall | FrameKind::StaticCall | FrameKind::System => None,
    }
}
