//! The host's side of the interface, as `parapet_abi` describes it, over plain memory and for any engine.

use std::{collections::BTreeMap, ops::Range};

use alloy_primitives::{Address, Bytes, U256, U512, keccak256};
use parapet_abi::{
    Kind,
    import::{
        ALERTS_MAX, DATA_FRAME_INPUT, DATA_FRAME_OUTPUT, DATA_LOG, DETAIL_BYTES_MAX, ENGINE_CODE_MIN, FORK_NOW,
        FORK_PRE_TX, READ_RECORDS_MAX, STORE_KEY_BYTES_MAX, STORE_WRITES_MAX,
    },
};
use parapet_monitor::{Fork, StateView as _, Subscriptions};
use zerocopy::IntoBytes as _;

use crate::{Case, End, Trap};

/// A host for one guard and one transaction.
#[derive(Clone, Debug)]
pub struct Host {
    case: Case,
    /// Alerts so far.
    pub alerts: Vec<(u16, Bytes)>,
    /// Words and windows as they are now, by whether they are windows, and key.
    kept: BTreeMap<(bool, Vec<u8>), Kept>,
}

/// A word of guard state, or a window.
#[derive(Clone, Copy, Debug, Default)]
struct Kept {
    word: U256,
    timestamp: u64,
}

/// Why a host call does not return.
type Stopped<T> = Result<T, End>;

const OUTSIDE: End = End::Trapped(Trap::Host);

impl Host {
    /// A host that has not been called.
    #[must_use]
    pub const fn new(case: Case) -> Self {
        Self { case, alerts: Vec::new(), kept: BTreeMap::new() }
    }

    /// What was written, by the slots that the guard VM keeps it in.
    #[must_use]
    pub fn writes(&self) -> Vec<(U256, U256)> {
        let slot = |(window, key): &(bool, Vec<u8>)| match window {
            true => parapet_store::window_slot(self.case.attachment, key),
            false => parapet_store::state_slot(self.case.attachment, key),
        };
        let mut writes: Vec<_> = self.kept.iter().map(|(key, kept)| (slot(key), kept.packed(key.0))).collect();
        writes.sort_unstable();
        writes
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

    /// `state_storage`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn state_storage(&mut self, memory: &mut [u8], [fork_, account, slot, out]: [u32; 4]) -> Stopped<()> {
        let (fork, account, slot) = (fork(fork_)?, address(memory, account)?, word(memory, slot)?);
        let word = self.case.state.storage(fork, account, slot).map_err(|_| OUTSIDE)?;
        write(memory, out, &word.to_be_bytes::<32>())
    }

    /// `state_balance`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn state_balance(&mut self, memory: &mut [u8], [fork_, account, out]: [u32; 3]) -> Stopped<()> {
        let (fork, account) = (fork(fork_)?, address(memory, account)?);
        let balance = self.case.state.balance(fork, account).map_err(|_| OUTSIDE)?;
        write(memory, out, &balance.to_be_bytes::<32>())
    }

    /// `state_code_hash`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn state_code_hash(&mut self, memory: &mut [u8], [fork_, account, out]: [u32; 3]) -> Stopped<()> {
        let (fork, account) = (fork(fork_)?, address(memory, account)?);
        let hash = self.case.state.code_hash(fork, account).map_err(|_| OUTSIDE)?;
        write(memory, out, hash.as_slice())
    }

    /// `store_get`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn store_get(&self, memory: &mut [u8], [at, len, out]: [u32; 3]) -> Stopped<u32> {
        let key = key(memory, at, len)?;
        let word = self.kept.get(&(false, key)).copied().unwrap_or_default().word;
        write(memory, out, &word.to_be_bytes::<32>())?;
        Ok(u32::from(!word.is_zero()))
    }

    /// `store_set`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn store_set(&mut self, memory: &mut [u8], [at, len, value]: [u32; 3]) -> Stopped<()> {
        let key = key(memory, at, len)?;
        let word = word(memory, value)?;
        self.keep(false, key, Kept { word, timestamp: 0 })
    }

    /// `window_add`.
    ///
    /// # Errors
    /// How the hook ends.
    pub fn window_add(&mut self, memory: &mut [u8], [at, len, amount, cap]: [u32; 4], period_s: u64) -> Stopped<u32> {
        let key = key(memory, at, len)?;
        let (amount, cap) = (word(memory, amount)?, word(memory, cap)?);
        if period_s == 0 {
            return Err(End::Limit);
        }
        let window = self.kept.get(&(true, key.clone())).copied().unwrap_or_default();
        let window = window.decayed(cap, period_s, self.case.trace.context.timestamp);
        match window.word.checked_add(amount).filter(|level| *level <= cap) {
            None => Ok(0),
            Some(word) => self.keep(true, key, Kept { word, ..window }).map(|()| 1),
        }
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
            Kind::Flow | Kind::Log if !subscribed(Subscriptions::FLOWS) => &[],
            other => self.case.trace.recorded(other).bytes,
        }
    }

    fn keep(&mut self, window: bool, key: Vec<u8>, kept: Kept) -> Stopped<()> {
        if !self.kept.contains_key(&(window, key.clone())) && self.kept.len() >= STORE_WRITES_MAX as usize {
            return Err(End::Limit);
        }
        self.kept.insert((window, key), kept);
        Ok(())
    }
}

impl Kept {
    /// Falls by `cap` in each period, in whole units; time that was too short for one is kept.
    fn decayed(self, cap: U256, period_s: u64, now: u64) -> Self {
        let (wide_cap, period) = (U512::from(cap), U512::from(period_s));
        let fallen = wide_cap * U512::from(now.saturating_sub(self.timestamp)) / period;
        if fallen >= U512::from(self.word) {
            return Self { word: U256::ZERO, timestamp: now };
        }
        let used_s = if cap.is_zero() { U512::ZERO } else { (fallen * period).div_ceil(wide_cap) };
        Self { word: self.word - U256::from(fallen), timestamp: self.timestamp + used_s.to::<u64>() }
    }

    /// As storage holds it.
    fn packed(self, window: bool) -> U256 {
        if window { self.word.min(U256::MAX >> 64) << 64 | U256::from(self.timestamp) } else { self.word }
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

fn key(memory: &[u8], at: u32, len: u32) -> Stopped<Vec<u8>> {
    if len == 0 || len > STORE_KEY_BYTES_MAX {
        return Err(End::Limit);
    }
    Ok(memory[range(memory, at, len.into())?].to_vec())
}

fn spoken(memory: &[u8], [code, detail, len]: [u32; 3]) -> Stopped<(u16, Bytes)> {
    if code >= ENGINE_CODE_MIN.into() || len > DETAIL_BYTES_MAX {
        return Err(End::Limit);
    }
    Ok((code as u16, Bytes::copy_from_slice(&memory[range(memory, detail, len.into())?])))
}

fn fork(fork: u32) -> Stopped<Fork> {
    match fork {
        FORK_PRE_TX => Ok(Fork::PreTx),
        FORK_NOW => Ok(Fork::Now),
        _ => Err(OUTSIDE),
    }
}
