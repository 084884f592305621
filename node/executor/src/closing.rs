//! What an executed transaction left, drawn from its journal: as far as the monitor asks, or whole for the trace.
//!
//! Invariant: everything here stands. What a reverted frame did is in none of it.

use alloy_primitives::{Address, B256, Bytes, Log};
use parapet_abi::{
    AccessRecord, CodeChangeKind, CodeChangeRecord, FlowRecord, FrameKind, LogRecord, NO_FRAME, PreimageRecord,
    SlotChangeRecord,
};
use parapet_monitor::{Accounts, Closing, Trace};
use revm::{JournalEntry, context::JournalInner, state::Account};

use crate::{
    flows,
    recorder::{Destruction, LogMark},
};

/// The end of a transaction, over its journal.
pub(crate) struct JournalClosing<'a> {
    trace: &'a Trace,
    journal: &'a JournalInner<JournalEntry>,
    destructions: &'a [Destruction],
    log_marks: &'a [LogMark],
    fees: &'a [FlowRecord],
    stands: Vec<bool>,
    logs: Option<(Vec<LogRecord>, Vec<Bytes>)>,
    flows: Option<Vec<FlowRecord>>,
}

impl<'a> JournalClosing<'a> {
    /// Of a trace whose frames have all ended.
    pub(crate) fn new(
        trace: &'a Trace,
        journal: &'a JournalInner<JournalEntry>,
        destructions: &'a [Destruction],
        log_marks: &'a [LogMark],
        fees: &'a [FlowRecord],
    ) -> Self {
        let stands = trace.standing_frames();
        Self { trace, journal, destructions, log_marks, fees, stands, logs: None, flows: None }
    }

    fn stands_in(&self, frame: u32) -> bool {
        self.stands.get(frame as usize).copied().unwrap_or(false)
    }

    fn collect_logs(&mut self) -> &(Vec<LogRecord>, Vec<Bytes>) {
        self.logs.get_or_insert_with(|| {
            let logs = self.journal.logs.iter().zip(self.log_marks);
            logs.map(|(log, mark)| (log_record(log, *mark), log.data.data.clone())).unzip()
        })
    }

    fn collect_flows(&mut self) -> &Vec<FlowRecord> {
        if self.flows.is_none() {
            self.collect_logs();
            let (logs, data) = self.logs.as_ref().map(|(logs, data)| (&logs[..], &data[..])).unwrap_or_default();
            let mut flows = flows::collect(&self.trace.frames, logs, data, self.destructions, &self.stands);
            flows.extend_from_slice(self.fees);
            self.flows = Some(flows);
        }
        self.flows.as_ref().expect("collected above")
    }

    /// Everything, in the order in which the trace has it.
    pub(crate) fn whole(mut self) -> Whole {
        self.collect_flows();
        let mut code_changes = self.code_changes(&|_| true);
        code_changes.sort_by_key(|change| (change.seq, change.address));
        let mut slot_changes = self.slot_changes(&|_| true);
        slot_changes.sort_by_key(|change| (change.address, change.slot));
        let (logs, log_data) = self.logs.unwrap_or_default();
        Whole { logs, log_data, flows: self.flows.unwrap_or_default(), code_changes, slot_changes }
    }

    /// How the code of an account differs from what the transaction found; without its self-destructs.
    fn code_change(&self, address: Address, account: &Account) -> Option<CodeChangeRecord> {
        let original = account.original_info();
        if account.info.code_hash == original.code_hash {
            return None;
        }
        let creator = self
            .trace
            .frames
            .iter()
            .find(|frame| is_creation(frame.kind) && frame.target.bytes == address.0 && self.stands_in(frame.id));
        let authorized = || {
            let of_account = self.trace.authorizations.iter().rev().filter(|a| a.applied == 1);
            of_account.into_iter().find(|a| a.authority.bytes == address.0).map_or(0, |a| a.seq)
        };
        Some(CodeChangeRecord {
            seq: creator.map_or_else(authorized, |frame| frame.end_seq),
            frame: creator.map_or(NO_FRAME, |frame| frame.id),
            kind: creator.map_or(CodeChangeKind::Delegation, |_| CodeChangeKind::Create).into(),
            zero: [0; 7],
            address: address.into_array().into(),
            old: original.code_hash.0,
            new: account.info.code_hash.0,
        })
    }
}

/// The part of a trace that is known at the end only.
pub(crate) struct Whole {
    pub(crate) logs: Vec<LogRecord>,
    pub(crate) log_data: Vec<Bytes>,
    pub(crate) flows: Vec<FlowRecord>,
    pub(crate) code_changes: Vec<CodeChangeRecord>,
    pub(crate) slot_changes: Vec<SlotChangeRecord>,
}

impl Closing for JournalClosing<'_> {
    fn flows(&mut self) -> &[FlowRecord] {
        self.collect_flows()
    }

    fn logs(&mut self) -> &[LogRecord] {
        &self.collect_logs().0
    }

    fn slot_changes(&mut self, of: Accounts<'_>) -> Vec<SlotChangeRecord> {
        let mut changes = Vec::new();
        for (address, account) in &self.journal.state {
            let mut slots = account.changed_storage_slots().peekable();
            if slots.peek().is_none() || !of(*address) {
                continue;
            }
            changes.extend(slots.map(|(slot, value)| SlotChangeRecord {
                address: address.into_array().into(),
                slot: slot.to_be_bytes(),
                old: value.original_value.to_be_bytes(),
                new: value.present_value.to_be_bytes(),
            }));
        }
        changes
    }

    fn code_changes(&mut self, of: Accounts<'_>) -> Vec<CodeChangeRecord> {
        let mut changes = Vec::new();
        for destruction in self.destructions.iter().filter(|d| self.stands_in(d.frame) && of(d.from)) {
            let account = self.journal.state.get(&destruction.from);
            let hash = account.map_or(B256::ZERO, |account| account.info.code_hash);
            // EIP-6780: code goes only with an account that was created in this transaction.
            let goes = account.is_none_or(Account::is_selfdestructed);
            changes.push(CodeChangeRecord {
                seq: destruction.seq,
                frame: destruction.frame,
                kind: CodeChangeKind::SelfDestruct.into(),
                zero: [0; 7],
                address: destruction.from.into_array().into(),
                old: hash.0,
                new: if goes { B256::ZERO.0 } else { hash.0 },
            });
        }
        let changed = self.journal.state.iter().filter_map(|(address, account)| self.code_change(*address, account));
        changes.extend(changed.filter(|change| of(change.address.bytes.into())));
        changes
    }

    fn preimages(&self) -> &[PreimageRecord] {
        &self.trace.preimages
    }

    fn transient_writes(&self, of: Accounts<'_>) -> Vec<AccessRecord> {
        self.trace.transient_writes(&self.stands, of)
    }
}

fn is_creation(kind: u8) -> bool {
    matches!(FrameKind::from_u8(kind), Some(FrameKind::Create | FrameKind::Create2))
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
        data_len: crate::frames::length(&log.data.data),
        address: log.address.into_array().into(),
        topics,
    }
}
