//! A host for guards, written from `sdk/abi/SPECIFICATION.md` alone: what each import answers, when it traps, which limits
//! it keeps. It knows nothing of how the guard VM does any of that; the two share the trace, the state that is looked at, the
//! names of slots and the layout of ordered entries. When it charges what was fitted to the guard VM by comparing (section 11).
//!
//! Every import takes the guard's memory and its arguments in order. Ranges are checked in the order in which the
//! specification has the arguments, limits before places.

mod looks;
mod memory;
mod own;
mod price;
mod speech;

use alloy_primitives::Bytes;
use parapet_abi::{Kind, import::READ_RECORDS_MAX};
use parapet_monitor::{Fork, Subscriptions};
use zerocopy::IntoBytes as _;

use crate::{Case, End, Trap};

pub use own::{KeptWindows, Own, Window};
pub use price::Meter;

/// What a host call that the specification calls a trap ends with.
const TRAP: End = End::Trapped(Trap::Host);

/// The host of one attachment in one transaction.
#[derive(Clone, Debug)]
pub struct Host {
    case: Case,
    own: own::Own,
    alerts: Vec<(u16, Bytes)>,
    /// What the last static call of this hook returned.
    output: Bytes,
    /// The fork that was looked at last in this hook.
    fork: Option<Fork>,
    /// What was charged so far.
    pub meter: Meter,
}

/// What a guard left behind.
#[derive(Clone, Debug)]
pub struct Left {
    /// Codes and words of alerts.
    pub alerts: Vec<(u16, Bytes)>,
    /// Its own state.
    pub own: own::Own,
}

impl Host {
    /// The host of a case, before anything was called.
    #[must_use]
    pub fn new(case: Case) -> Self {
        let own = own::Own::new(&case);
        Self { case, own, alerts: Vec::new(), output: Bytes::new(), fork: None, meter: Meter::default() }
    }

    /// A hook is about to be called.
    pub fn start_hook(&mut self) {
        self.output = Bytes::new();
        self.fork = None;
    }

    /// All that was said and written.
    #[must_use]
    pub fn into_left(self) -> Left {
        Left { alerts: self.alerts, own: self.own }
    }

    /// `trace_count(kind) -> count`.
    #[must_use]
    pub fn trace_count(&self, kind: u32) -> u32 {
        let (bytes, record_bytes) = self.records(kind);
        count(bytes.len() / record_bytes)
    }

    /// `trace_read(kind, first, count, out, record_len) -> read`.
    ///
    /// # Errors
    /// A limit or a trap.
    pub fn trace_read(&mut self, memory: &mut [u8], args: [u32; 5]) -> Result<u32, End> {
        let [kind, first, asked, out, record_len] = args;
        if asked > READ_RECORDS_MAX {
            return Err(End::Limit);
        }
        let (records, record_bytes) = self.records(kind);
        let room = memory::room(memory, out, u64::from(asked) * u64::from(record_len))?;
        let read: Vec<&[u8]> = records.chunks(record_bytes).skip(first as usize).take(asked as usize).collect();
        let read_count = count(read.len());
        for (index, record) in read.into_iter().enumerate() {
            let place = &mut room[index * record_len as usize..][..record_len as usize];
            let known = record.len().min(place.len());
            place[..known].copy_from_slice(&record[..known]);
            place[known..].fill(0);
        }
        self.meter.records(u64::from(read_count));
        self.meter.copied(u64::from(read_count) * u64::from(record_len));
        Ok(read_count)
    }

    /// `trace_data(data, index, offset, out, len) -> copied`.
    ///
    /// # Errors
    /// A trap.
    pub fn trace_data(&mut self, memory: &mut [u8], args: [u32; 5]) -> Result<u32, End> {
        use parapet_abi::import::{DATA_FRAME_INPUT, DATA_FRAME_OUTPUT, DATA_LOG};
        let [data, index, offset, out, len] = args;
        let room = memory::room(memory, out, u64::from(len))?;
        let trace = &self.case.trace;
        let all = match data {
            DATA_FRAME_INPUT => trace.inputs.as_slice(),
            DATA_FRAME_OUTPUT => trace.outputs.as_slice(),
            DATA_LOG if self.subscribed(Kind::Log) => trace.log_data.as_slice(),
            _ => &[],
        };
        let none = Bytes::new();
        let copied = memory::part(all.get(index as usize).unwrap_or(&none), offset, room);
        self.meter.copied(u64::from(copied));
        Ok(copied)
    }

    /// `config_read(offset, out, len) -> copied`.
    ///
    /// # Errors
    /// A trap.
    pub fn config_read(&mut self, memory: &mut [u8], args: [u32; 3]) -> Result<u32, End> {
        let [offset, out, len] = args;
        let copied = memory::part(&self.case.configuration, offset, memory::room(memory, out, u64::from(len))?);
        self.meter.copied(u64::from(copied));
        Ok(copied)
    }

    /// Whether records of a kind are shown to the attachment.
    fn subscribed(&self, kind: Kind) -> bool {
        let has = |wanted| self.case.subscriptions.contains(wanted);
        match kind {
            Kind::Access => has(Subscriptions::ACCESSES),
            Kind::Flow | Kind::Log => has(Subscriptions::FLOWS) || has(Subscriptions::FEES),
            Kind::Preimage => has(Subscriptions::PREIMAGES),
            _ => true,
        }
    }

    /// The records of a kind that the attachment is shown, and the size of one.
    fn records(&self, kind: u32) -> (&[u8], usize) {
        let trace = &self.case.trace;
        let Some(kind) = Kind::from_u32(kind).filter(|kind| self.subscribed(*kind)) else {
            return (&[], 1);
        };
        let bytes = match kind {
            Kind::Context => trace.context.as_bytes(),
            Kind::Account => self.case.accounts.as_bytes(),
            Kind::Frame => trace.frames.as_bytes(),
            Kind::Access => trace.accesses.as_bytes(),
            Kind::Flow if self.case.subscriptions.contains(Subscriptions::FEES) => trace.flows.as_bytes(),
            Kind::Flow => trace.flows[..trace.flows.len() - trace.fee_flows].as_bytes(),
            Kind::Log => trace.logs.as_bytes(),
            Kind::CodeChange => trace.code_changes.as_bytes(),
            Kind::SlotChange => trace.slot_changes.as_bytes(),
            Kind::Preimage => trace.preimages.as_bytes(),
            Kind::Authorization => trace.authorizations.as_bytes(),
            Kind::Delegate => trace.delegates.as_bytes(),
        };
        (bytes, kind.record_bytes())
    }
}

fn count(many: usize) -> u32 {
    u32::try_from(many).expect("a trace has fewer than 2^32 records")
}
