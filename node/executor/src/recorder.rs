//! Records one transaction for its guards: frames as they start and end, accesses and preimages when asked for, the rest
//! at the end (`closing`).

use std::{mem, sync::Arc};

use alloy_primitives::{Address, Bytes, U256};
use parapet_abi::{
    AccessKind, AccessRecord, AuthorizationRecord, DelegateRecord, FlowRecord, FrameKind, NO_FRAME, PreimageRecord,
    Word,
};
use parapet_monitor::{
    Fault, Judging, Subscriptions, TRACE_DATA_BYTES_MAX, TRACE_PREIMAGES_MAX, Trace, Veto, Watchlist,
};
use parapet_types::JudgedAct;
use revm::{JournalEntry, context::JournalInner, handler::FrameResult, interpreter::InstructionResult};

use crate::{
    closing::JournalClosing,
    forks::{Forks, Span},
    frames::{FrameStart, length, status},
    hashes::Hashes,
    identity::{Identity, SenderRule},
    interrupt::Interrupt,
    lookout::{Lookout, Standing},
    playback::Asked,
    purse::Purse,
};

/// Where a log was emitted. Kept in step with the journal's logs, which forget those of reverted frames.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogMark {
    pub(crate) frame: u32,
    pub(crate) seq: u32,
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
    /// What is recorded while the transaction runs.
    pub(crate) recorded: Subscriptions,
    /// Whether the fee recipient's reward is kept apart in `fee` instead of being paid.
    pub(crate) fee_apart: bool,
    /// What the fee recipient is owed.
    pub(crate) fee: U256,
    /// The transaction tried to create or destroy an account.
    pub(crate) structural: bool,
    /// The judgement may be asked again, and what the sender had when it was asked.
    pub(crate) repeatable: Option<U256>,
    /// What runs is the chain's own: it is seen, and cannot be vetoed.
    pub(crate) is_chains_own: bool,
    /// What was said of what the chain itself did in this block.
    pub(crate) chain_acts: Vec<JudgedAct>,
    /// Whether it runs without a record, and whether that can go on.
    pub(crate) lookout: Lookout,
    /// Whom the monitor waits for, and the word for which that holds. Kept from one transaction to the next.
    pub(crate) watchlist: Option<(U256, Arc<Watchlist>)>,
    /// What the word says that was asked for last.
    pub(crate) standing: Standing,
    /// Hashes that were needed lately. Kept from one transaction to the next.
    pub(crate) hashes: Hashes,
    /// A frame of the transaction worked on the registry.
    pub(crate) entered_registry: bool,
    /// Some transaction brought authorizations, so accounts may delegate whose code nobody asked for (EIP-7702).
    pub(crate) met_authorizations: bool,
    /// A judgement was opened, so there may be something to forget.
    pub(crate) used: bool,
    /// Gas that the transaction's authorizations give back.
    pub(crate) authorization_refund: u64,
    /// Who may send the transaction.
    pub(crate) sender_rule: SenderRule,
    /// The trace's context is not written yet.
    pub(crate) context_owed: Option<Identity>,
    /// Whether the execution may be interrupted. Kept from one transaction to the next.
    pub(crate) interrupt: Option<Interrupt>,
    /// What guards are paid from.
    pub(crate) purse: Purse,
    /// How the judgement was asked, hook by hook.
    pub(crate) asked: Vec<Asked>,
    destructions: Vec<Destruction>,
    log_marks: Vec<LogMark>,
    running: Vec<u32>,
    /// Where each frame lies in the journal, by id.
    pub(crate) spans: Vec<Span>,
    pub(crate) forks: Forks,
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
        self.recorded = Subscriptions::NONE;
        self.fee = U256::ZERO;
        self.structural = false;
        self.entered_registry = false;
        self.is_chains_own = false;
        self.context_owed = None;
        self.repeatable = None;
        self.lookout = Lookout::Off;
        self.purse.reset();
        if mem::take(&mut self.used) {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.judging = None;
        self.authorization_refund = 0;
        self.events = 0;
        self.data_bytes = 0;
        self.destructions.clear();
        self.log_marks.clear();
        self.running.clear();
        self.spans.clear();
        self.forks.clear();
        self.asked.clear();
        self.trace.clear();
    }

    /// Whether the judgement under way may be had once more from the finished trace.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.judging.as_ref().is_some_and(|judging| judging.can_be_asked_again())
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
        let mut record = start.record();
        let FrameStart { data, input_len, depth, delegate, journal_len, .. } = start;
        let id = u32::try_from(self.trace.frames.len()).unwrap_or(NO_FRAME);
        if self.is_chains_own && depth == 0 {
            record.kind = FrameKind::System.into();
        }
        record.id = id;
        record.parent = self.running_frame();
        record.start_seq = self.next_seq();
        record.depth = u32::try_from(depth).unwrap_or(u32::MAX);
        record.input_len = u32::try_from(input_len).unwrap_or(u32::MAX);
        if let Some(delegate) = delegate {
            let (account, delegate) = (record.code_address, delegate.into_array().into());
            self.trace.delegates.push(DelegateRecord { frame: id, zero: 0, account, delegate });
        }
        self.spans.push(Span { start: journal_len, end: usize::MAX });
        self.trace.frames.push(record);
        self.trace.inputs.push(data);
        self.trace.outputs.push(Bytes::new());
        self.running.push(id);
        id
    }

    /// Records the end of the running frame and gives its id.
    pub(crate) fn end_frame(&mut self, result: &FrameResult, journal_len: usize) -> Option<u32> {
        let id = self.running.pop()?;
        self.spans[id as usize].end = journal_len;
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

    /// Records a SELFDESTRUCT of the running frame, or looks out for its heir.
    pub(crate) fn destruction(&mut self, from: Address, to: Address, wei: U256) {
        if self.lookout == Lookout::On && self.watchlist.as_ref().is_some_and(|(_, list)| list.has(&to)) {
            self.lookout = Lookout::Met;
        }
        if self.judging.is_none() {
            return;
        }
        let destruction = Destruction { seq: self.next_seq(), frame: self.running_frame(), from, to, wei };
        self.destructions.push(destruction);
    }

    /// Records 64 bytes that the running frame hashed.
    pub(crate) fn preimage(&mut self, key: Word, base: Word, hash: Word) {
        if self.trace.preimages.len() >= TRACE_PREIMAGES_MAX {
            self.trace.overflowed = true;
            return;
        }
        let record = PreimageRecord { seq: self.next_seq(), frame: self.running_frame(), key, base, hash };
        self.trace.preimages.push(record);
    }

    /// Records an authorization of the transaction.
    pub(crate) fn authorization(&mut self, mut record: AuthorizationRecord) {
        if record.applied == 1 {
            record.seq = self.next_seq();
        }
        self.trace.authorizations.push(record);
    }

    /// Asks the monitor whether anybody has something to say of the executed transaction, and completes the trace if so.
    pub(crate) fn complete(
        &mut self,
        journal: &JournalInner<JournalEntry>,
        result: InstructionResult,
        fees: &[FlowRecord],
    ) -> Stirred {
        self.trace.context.status = status(result).into();
        self.mark_logs(journal.logs.len());
        let Some(judging) = &mut self.judging else { return Stirred::Nobody };
        let mut closing = JournalClosing::new(&self.trace, journal, &self.destructions, &self.log_marks, fees);
        if !judging.stirs(&mut closing) {
            return Stirred::Nobody;
        }
        let whole = closing.whole();
        let trace = &mut self.trace;
        (trace.logs, trace.log_data) = (whole.logs, whole.log_data);
        (trace.flows, trace.fee_flows) = (whole.flows, fees.len());
        (trace.code_changes, trace.slot_changes) = (whole.code_changes, whole.slot_changes);
        Stirred::Somebody
    }
}

/// Whether anybody has something to say of an executed transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stirred {
    Somebody,
    Nobody,
}
