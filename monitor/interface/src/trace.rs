//! The record of one transaction that guards read.

use alloy_primitives::Bytes;
use parapet_abi::{
    AccessRecord, AccountRecord, AuthorizationRecord, CodeChangeRecord, ContextRecord, DelegateRecord, FlowRecord,
    FrameRecord, Kind, LogRecord, PreimageRecord, SlotChangeRecord, region::RegionWriter,
};

/// Most events (frame starts and ends, accesses, flows, logs) a trace numbers. Gas keeps transactions far below it.
pub const TRACE_EVENTS_MAX: u32 = 16_000_000;

/// Most bytes of inputs and outputs that are kept of one transaction. Gas does not bound them: a call whose input is a
/// megabyte of its caller's memory costs no more than an empty one.
pub const TRACE_DATA_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Most preimages that are kept of one transaction.
pub const TRACE_PREIMAGES_MAX: usize = 65_536;

/// What is recorded besides frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subscriptions(u8);

impl Subscriptions {
    /// Nothing but frames.
    pub const NONE: Self = Self(0);
    /// Ordered storage accesses.
    pub const ACCESSES: Self = Self(1);
    /// Logs and flows.
    pub const FLOWS: Self = Self(2);
    /// What is hashed to find entries of mappings.
    pub const PREIMAGES: Self = Self(4);
    /// Fees among the flows.
    pub const FEES: Self = Self(8);

    /// All of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What of it must be recorded while the transaction runs; the rest can be told at its end.
    #[must_use]
    pub const fn recorded_live(self) -> Self {
        Self(self.0 & (Self::ACCESSES.0 | Self::PREIMAGES.0))
    }

    /// Whether all of `other` is included.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Records in the ABI's own layout, so that what a guard reads is what was recorded.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The block and the transaction.
    pub context: ContextRecord,
    /// By id.
    pub frames: Vec<FrameRecord>,
    /// Input of each frame, by id.
    pub inputs: Vec<Bytes>,
    /// Output of each frame, by id; empty while it runs.
    pub outputs: Vec<Bytes>,
    /// In order.
    pub accesses: Vec<AccessRecord>,
    /// In order; the last `fee_flows` of them are fees.
    pub flows: Vec<FlowRecord>,
    /// How many of the flows are fees. They stand behind all others, so that who did not ask for them is shown the rest.
    pub fee_flows: usize,
    /// In order.
    pub logs: Vec<LogRecord>,
    /// Data of each log, by index.
    pub log_data: Vec<Bytes>,
    /// In order.
    pub code_changes: Vec<CodeChangeRecord>,
    /// By address and slot.
    pub slot_changes: Vec<SlotChangeRecord>,
    /// In order.
    pub preimages: Vec<PreimageRecord>,
    /// In order.
    pub authorizations: Vec<AuthorizationRecord>,
    /// By frame.
    pub delegates: Vec<DelegateRecord>,
    /// Whether inputs or outputs beyond [`TRACE_DATA_BYTES_MAX`], or preimages beyond [`TRACE_PREIMAGES_MAX`], were not kept. Guards cannot judge what they cannot see,
    /// so a transaction that wakes one and overflows is vetoed.
    pub overflowed: bool,
}

/// The records of one kind, as bytes.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// Records one behind the other.
    pub bytes: &'a [u8],
    /// Size of each.
    pub record_bytes: usize,
}

impl Recorded<'_> {
    /// Number of records.
    #[must_use]
    pub fn count(&self) -> usize {
        self.bytes.len() / self.record_bytes
    }
}

impl Trace {
    /// The flows without the fees.
    #[must_use]
    pub fn flows_but_fees(&self) -> &[FlowRecord] {
        &self.flows[..self.flows.len() - self.fee_flows]
    }

    /// The account whose code a frame ran, if it did so by a delegation (EIP-7702).
    #[must_use]
    pub fn delegate_of(&self, frame: u32) -> Option<&DelegateRecord> {
        let place = self.delegates.binary_search_by_key(&frame, |record| record.frame).ok()?;
        self.delegates.get(place)
    }

    /// The records of one kind. [`Kind::Account`] belongs to an attachment, not to the trace, and is empty here.
    #[must_use]
    pub fn recorded(&self, kind: Kind) -> Recorded<'_> {
        use zerocopy::IntoBytes as _;
        let bytes = match kind {
            Kind::Context => self.context.as_bytes(),
            Kind::Account => &[],
            Kind::Frame => self.frames.as_bytes(),
            Kind::Access => self.accesses.as_bytes(),
            Kind::Flow => self.flows.as_bytes(),
            Kind::Log => self.logs.as_bytes(),
            Kind::CodeChange => self.code_changes.as_bytes(),
            Kind::SlotChange => self.slot_changes.as_bytes(),
            Kind::Preimage => self.preimages.as_bytes(),
            Kind::Authorization => self.authorizations.as_bytes(),
            Kind::Delegate => self.delegates.as_bytes(),
        };
        Recorded { bytes, record_bytes: kind.record_bytes() }
    }

    /// Forgets everything but the context, keeps the memory.
    pub fn clear(&mut self) {
        self.frames.clear();
        self.inputs.clear();
        self.outputs.clear();
        self.accesses.clear();
        self.flows.clear();
        self.logs.clear();
        self.log_data.clear();
        self.code_changes.clear();
        self.slot_changes.clear();
        self.preimages.clear();
        self.authorizations.clear();
        self.delegates.clear();
        self.fee_flows = 0;
        self.overflowed = false;
    }

    /// The frame that runs now: the last one that has not ended.
    #[must_use]
    pub fn running(&self) -> Option<&FrameRecord> {
        self.frames.iter().rev().find(|frame| frame.end_seq == 0)
    }

    /// Writes the trace as a flat region, with the accounts of the attachment that is to read it.
    #[must_use]
    pub fn to_region(&self, accounts: &[AccountRecord]) -> Vec<u8> {
        let mut writer = RegionWriter::default();
        writer.section(std::slice::from_ref(&self.context));
        writer.section(accounts);
        writer.section(&self.frames);
        writer.section(&self.accesses);
        writer.section(&self.flows);
        writer.section(&self.logs);
        writer.section(&self.code_changes);
        writer.section(&self.slot_changes);
        writer.section(&self.preimages);
        writer.section(&self.authorizations);
        writer.section(&self.delegates);
        writer.finish()
    }
}
