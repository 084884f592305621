//! The host's side of the interface, as the specification (`sdk/abi/SPECIFICATION.md`) has it, over plain memory and for
//! any engine.

mod state;
mod store;

use std::ops::Range;

use alloy_primitives::{Address, Bytes, U256, keccak256};
use parapet_abi::{
    FlowReason, Kind,
    import::{
        ALERTS_MAX, DATA_FRAME_INPUT, DATA_FRAME_OUTPUT, DATA_LOG, DETAIL_BYTES_MAX, ENGINE_CODE_MIN, READ_RECORDS_MAX,
    },
};
use parapet_monitor::Subscriptions;
use zerocopy::IntoBytes as _;

pub use state::without_frame;

use crate::{Case, End, Trap};

/// A host for one guard and one transaction.
#[derive(Clone, Debug)]
pub struct Host {
    case: Case,
    /// Alerts so far.
    pub alerts: Vec<(u16, Bytes)>,
    own: store::Own,
    /// What the last static call of this hook returned.
    view_output: Bytes,
}

/// Why a host call does not return.
type Stopped<T> = Result<T, End>;

const OUTSIDE: End = End::Trapped(Trap::Host);

impl Host {
    /// A host that has not been called.
    #[must_use]
    pub fn new(case: Case) -> Self {
        let own = store::Own::of(&case);
        Self { case, alerts: Vec::new(), own, view_output: Bytes::new() }
    }

    /// Another hook begins.
    pub fn begin(&mut self) {
        self.view_output = Bytes::new();
    }

    /// `trace_count`.
    #[must_use]
    pub fn trace_count(&self, kind: u32) -> u32 {
        Kind::from_u32(kind).map_or(0, |kind| (self.records(kind).len() / kind.record_bytes()) as u32)
    }

    /// `trace_read`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn trace_read(&self, memory: &mut [u8], [kind, first, count, out, len]: [u32; 5]) -> Stopped<u32> {
        if count > READ_RECORDS_MAX {
            return Err(End::Limit);
        }
        let out = range(memory, out, u64::from(count) * u64::from(len))?;
        let Some(kind) = Kind::from_u32(kind) else { return Ok(0) };
        let all: Vec<&[u8]> = self.records(kind).chunks_exact(kind.record_bytes()).collect();
        let wanted = all.iter().skip(first as usize).take(count as usize);
        let len = len as usize;
        for (index, record) in wanted.clone().enumerate() {
            let place = &mut memory[out.start + index * len..][..len];
            let known = len.min(record.len());
            place[..known].copy_from_slice(&record[..known]);
            place[known..].fill(0);
        }
        Ok(wanted.count() as u32)
    }

    /// `trace_data`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn trace_data(&self, memory: &mut [u8], [data, index, offset, out, len]: [u32; 5]) -> Stopped<u32> {
        let trace = &self.case.trace;
        let list = match data {
            DATA_FRAME_INPUT => trace.inputs.as_slice(),
            DATA_FRAME_OUTPUT => &trace.outputs,
            DATA_LOG if self.case.subscriptions.contains(Subscriptions::FLOWS) => &trace.log_data,
            _ => &[],
        };
        part(memory, list.get(index as usize).map_or(&[], |bytes| bytes), [offset, out, len])
    }

    /// `config_read`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn config_read(&self, memory: &mut [u8], place: [u32; 3]) -> Stopped<u32> {
        part(memory, &self.case.configuration, place)
    }

    /// `keccak256`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn keccak256(&self, memory: &mut [u8], [data, len, out]: [u32; 3]) -> Stopped<()> {
        let data = range(memory, data, len.into())?;
        range(memory, out, 32)?;
        let hash = keccak256(&memory[data]);
        write(memory, out, hash.as_slice())
    }

    /// `alert`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn alert(&mut self, memory: &[u8], said: [u32; 3]) -> Stopped<()> {
        let said = spoken(memory, said)?;
        if self.alerts.len() >= ALERTS_MAX as usize {
            return Err(End::Limit);
        }
        self.alerts.push(said);
        Ok(())
    }

    /// `veto`.
    #[must_use]
    pub fn veto(&self, memory: &[u8], said: [u32; 3]) -> End {
        spoken(memory, said).map_or_else(|end| end, |(code, detail)| End::Vetoed { code, detail })
    }

    fn records(&self, kind: Kind) -> &[u8] {
        let subscribed = |to| self.case.subscriptions.contains(to);
        match kind {
            Kind::Account => self.case.accounts.as_bytes(),
            Kind::Access if !subscribed(Subscriptions::ACCESSES) => &[],
            Kind::Preimage if !subscribed(Subscriptions::PREIMAGES) => &[],
            Kind::Log if !subscribed(Subscriptions::FLOWS) => &[],
            Kind::Flow if subscribed(Subscriptions::FEES) => self.case.trace.flows.as_bytes(),
            // Fees stand behind all others.
            Kind::Flow if subscribed(Subscriptions::FLOWS) => {
                let flows = &self.case.trace.flows;
                let fees = flows.iter().filter(|flow| flow.reason == u8::from(FlowReason::Fee)).count();
                flows[..flows.len() - fees].as_bytes()
            }
            Kind::Flow => &[],
            other => self.case.trace.recorded(other).bytes,
        }
    }
}

fn range(memory: &[u8], at: u32, len: u64) -> Stopped<Range<usize>> {
    let end = u64::from(at) + len;
    if end > memory.len() as u64 { Err(OUTSIDE) } else { Ok(at as usize..end as usize) }
}

fn part(memory: &mut [u8], bytes: &[u8], [offset, out, len]: [u32; 3]) -> Stopped<u32> {
    let out = range(memory, out, len.into())?;
    let rest = bytes.get(offset as usize..).unwrap_or_default();
    let copied = rest.len().min(out.len());
    memory[out][..copied].copy_from_slice(&rest[..copied]);
    Ok(copied as u32)
}

fn write(memory: &mut [u8], out: u32, bytes: &[u8]) -> Stopped<()> {
    let out = range(memory, out, bytes.len() as u64)?;
    memory[out].copy_from_slice(bytes);
    Ok(())
}

fn word(memory: &[u8], at: u32) -> Stopped<U256> {
    Ok(U256::from_be_slice(&memory[range(memory, at, 32)?]))
}

fn address(memory: &[u8], at: u32) -> Stopped<Address> {
    Ok(Address::from_slice(&memory[range(memory, at, 20)?]))
}

fn spoken(memory: &[u8], [code, detail, len]: [u32; 3]) -> Stopped<(u16, Bytes)> {
    if code >= ENGINE_CODE_MIN.into() || len > DETAIL_BYTES_MAX {
        return Err(End::Limit);
    }
    Ok((code as u16, Bytes::copy_from_slice(&memory[range(memory, detail, len.into())?])))
}
