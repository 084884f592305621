//! A guard's own state: words, windows, and ordered entries.

use std::ops::Bound;

use alloy_primitives::U256;
use parapet_abi::import::{
    ENTRY_VALUE_BYTES_MAX, ENTRY_WORDS_MAX, MODULE, NO_ENTRY, SEEK_ABOVE, SEEK_AT_OR_ABOVE, SEEK_AT_OR_BELOW,
    SEEK_BELOW, STORE_KEY_BYTES_MAX, STORE_WRITES_MAX,
};
use parapet_monitor::{StateOp, StateUpdate};
use parapet_store::{Entries, Order, Overlay, Stored, Words, state_slot, window_slot};
use wasmtime::{Caller, Linker, Result};

use super::{Host, Limit, Stop, guest::Guest};
use crate::metering::{self, Change};

type Call<'a> = Caller<'a, Host>;

/// What one session did to its attachment's state. Words and entries have limits of their own.
#[derive(Debug, Default)]
pub(crate) struct OwnState {
    words: Overlay,
    entries: Overlay,
}

impl OwnState {
    /// By slot, each once.
    pub(crate) fn into_updates(self) -> Vec<StateUpdate> {
        let mut updates = self.words.into_updates();
        updates.extend(self.entries.into_updates());
        updates.sort_unstable_by_key(|update| update.slot);
        updates
    }
}

/// Gives the imports of guard state their functions.
pub(super) fn link(linker: &mut Linker<Host>) -> Result<()> {
    linker
        .func_wrap(MODULE, "store_get", |call: Call<'_>, key: u32, len: u32, out: u32| {
            Ok(store_get(Guest::enter(call)?, key, len, out)?)
        })?
        .func_wrap(MODULE, "store_set", |call: Call<'_>, key: u32, len: u32, value: u32| {
            Ok(store_set(Guest::enter(call)?, key, len, value)?)
        })?
        .func_wrap(
            MODULE,
            "window_add",
            |call: Call<'_>, key: u32, len: u32, amount: u32, cap: u32, period_s: u64| {
                Ok(window_add(Guest::enter(call)?, [key, len], amount, cap, period_s)?)
            },
        )?;
    link_counters(linker)?;
    link_entries(linker)
}

fn link_counters(linker: &mut Linker<Host>) -> Result<()> {
    linker
        .func_wrap(MODULE, "store_add", |call: Call<'_>, key: u32, len: u32, amount: u32, cap: u32| {
            Ok(store_add(Guest::enter(call)?, [key, len], amount, cap)?)
        })?
        .func_wrap(MODULE, "store_max", |call: Call<'_>, key: u32, len: u32, value: u32| {
            Ok(store_max(Guest::enter(call)?, key, len, value)?)
        })?;
    Ok(())
}

fn link_entries(linker: &mut Linker<Host>) -> Result<()> {
    linker
        .func_wrap(MODULE, "entry_get", |call: Call<'_>, key: u32, len: u32, offset: u32, out: u32, out_len: u32| {
            Ok(entry_get(Guest::enter(call)?, [key, len], offset, [out, out_len])?)
        })?
        .func_wrap(MODULE, "entry_set", |call: Call<'_>, key: u32, len: u32, value: u32, value_len: u32| {
            Ok(entry_set(Guest::enter(call)?, [key, len], [value, value_len])?)
        })?
        .func_wrap(MODULE, "entry_remove", |call: Call<'_>, key: u32, len: u32| {
            Ok(entry_remove(Guest::enter(call)?, key, len)?)
        })?
        .func_wrap(MODULE, "entry_seek", |call: Call<'_>, seek: u32, key: u32, len: u32, out: u32, out_len: u32| {
            Ok(entry_seek(Guest::enter(call)?, seek, [key, len], [out, out_len])?)
        })?;
    Ok(())
}

fn store_get(mut guest: Guest<'_>, key: u32, len: u32, out: u32) -> Result<u32, Stop> {
    let key = read_key(&mut guest, key, len)?;
    guest.range(out, 32)?;
    let slot = state_slot(guest.host().subject.attachment, &key);
    let word = read(&mut guest, slot)?;
    guest.write(out, &word.to_be_bytes::<32>())?;
    Ok(u32::from(!word.is_zero()))
}

fn store_set(mut guest: Guest<'_>, key: u32, len: u32, value: u32) -> Result<(), Stop> {
    let key = read_key(&mut guest, key, len)?;
    let value = guest.word(value)?;
    let slot = state_slot(guest.host().subject.attachment, &key);
    change(&mut guest, slot, StateOp::Set(value))
}

fn window_add(mut guest: Guest<'_>, [key, len]: [u32; 2], amount: u32, cap: u32, period_s: u64) -> Result<u32, Stop> {
    let key = read_key(&mut guest, key, len)?;
    let (amount, cap) = (guest.word(amount)?, guest.word(cap)?);
    if period_s == 0 {
        return Err(Stop::Limit(Limit::Period));
    }
    let slot = window_slot(guest.host().subject.attachment, &key);
    let now = guest.lent(|loan| loan.trace.context.timestamp);
    try_change(&mut guest, slot, StateOp::Window { amount, cap, period_s, now })
}

fn store_add(mut guest: Guest<'_>, [key, len]: [u32; 2], amount: u32, cap: u32) -> Result<u32, Stop> {
    let key = read_key(&mut guest, key, len)?;
    let (amount, cap) = (guest.word(amount)?, guest.word(cap)?);
    let slot = state_slot(guest.host().subject.attachment, &key);
    try_change(&mut guest, slot, StateOp::Add { amount, cap })
}

fn store_max(mut guest: Guest<'_>, key: u32, len: u32, value: u32) -> Result<(), Stop> {
    let key = read_key(&mut guest, key, len)?;
    let value = guest.word(value)?;
    let slot = state_slot(guest.host().subject.attachment, &key);
    change(&mut guest, slot, StateOp::Max(value))
}

fn entry_get(mut guest: Guest<'_>, [key, len]: [u32; 2], offset: u32, [out, out_len]: [u32; 2]) -> Result<u32, Stop> {
    let key = read_key(&mut guest, key, len)?;
    guest.range(out, out_len.into())?;
    let Some(value) = entries(&mut guest, |entries| entries.get(&key))? else { return Ok(NO_ENTRY) };
    let rest = value.get(offset as usize..).unwrap_or_default();
    guest.write(out, &rest[..rest.len().min(out_len as usize)])?;
    Ok(length(&value))
}

fn entry_set(mut guest: Guest<'_>, [key, len]: [u32; 2], [value, value_len]: [u32; 2]) -> Result<(), Stop> {
    let key = read_key(&mut guest, key, len)?;
    if value_len > ENTRY_VALUE_BYTES_MAX {
        return Err(Stop::Limit(Limit::Value(value_len)));
    }
    let value = guest.read(value, value_len)?;
    entries(&mut guest, |entries| entries.set(&key, &value))
}

fn entry_remove(mut guest: Guest<'_>, key: u32, len: u32) -> Result<u32, Stop> {
    let key = read_key(&mut guest, key, len)?;
    entries(&mut guest, |entries| entries.remove(&key)).map(u32::from)
}

fn entry_seek(mut guest: Guest<'_>, seek: u32, [key, len]: [u32; 2], [out, out_len]: [u32; 2]) -> Result<u32, Stop> {
    let (inclusive, order) = match seek {
        SEEK_AT_OR_ABOVE => (true, Order::Ascending),
        SEEK_ABOVE => (false, Order::Ascending),
        SEEK_AT_OR_BELOW => (true, Order::Descending),
        SEEK_BELOW => (false, Order::Descending),
        _ => return Err(Stop::Trap("entries were sought in a way that does not exist")),
    };
    let key = if len == 0 { Vec::new() } else { read_key(&mut guest, key, len)? };
    guest.range(out, out_len.into())?;
    let from = match inclusive {
        _ if key.is_empty() => Bound::Unbounded,
        true => Bound::Included(&key[..]),
        false => Bound::Excluded(&key[..]),
    };
    let Some(found) = entries(&mut guest, |entries| entries.seek(from, order))? else { return Ok(NO_ENTRY) };
    guest.write(out, &found[..found.len().min(out_len as usize)])?;
    Ok(length(&found))
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("keys and values have limits far below 2^32")
}

/// Works on the attachment's entries.
fn entries<'a, R>(
    guest: &mut Guest<'a>,
    work: impl FnOnce(&mut Entries<'_, EntryWords<'_, 'a>>) -> Result<R, Stop>,
) -> Result<R, Stop> {
    let attachment = guest.host().subject.attachment;
    work(&mut Entries::new(attachment, &mut EntryWords(guest)))
}

/// The words of entries, each paid for before it is looked at or changed.
struct EntryWords<'g, 'a>(&'g mut Guest<'a>);

impl Words for EntryWords<'_, '_> {
    type Error = Stop;

    fn read(&mut self, slot: U256) -> Result<U256, Stop> {
        if let Some(known) = self.0.host().store.entries.known(slot) {
            self.0.charge(metering::ENTRY_WORD_KNOWN)?;
            return Ok(known);
        }
        self.0.charge(metering::STATE_READ)?;
        let host = self.0.host();
        let (overlay, account) = (&mut host.store.entries, host.subject.store_account);
        Ok(host.lent.with(|loan| overlay.read(loan.view, account, slot))?)
    }

    fn write(&mut self, slot: U256, word: U256) -> Result<(), Stop> {
        let change = Change::of(&self.0.host().store.entries, slot);
        self.0.charge(metering::writing(change))?;
        let host = self.0.host();
        if host.store.entries.changed_with(slot) > ENTRY_WORDS_MAX as usize {
            return Err(Stop::Limit(Limit::EntryWords));
        }
        let (overlay, account) = (&mut host.store.entries, host.subject.store_account);
        host.lent.with(|loan| overlay.apply(loan.view, account, slot, StateOp::Set(word)).map(drop))?;
        Ok(())
    }
}

fn read_key(guest: &mut Guest<'_>, key: u32, len: u32) -> Result<Vec<u8>, Stop> {
    if len == 0 || len > STORE_KEY_BYTES_MAX {
        return Err(Stop::Limit(Limit::Key(len)));
    }
    guest.charge(metering::hashing(len.into()) + 2 * metering::KECCAK_BLOCK)?;
    guest.read(key, len)
}

/// Reads a word of the attachment's own state.
fn read(guest: &mut Guest<'_>, slot: U256) -> Result<U256, Stop> {
    guest.charge(metering::STATE_READ)?;
    let host = guest.host();
    let (overlay, account) = (&mut host.store.words, host.subject.store_account);
    Ok(host.lent.with(|loan| overlay.read(loan.view, account, slot))?)
}

/// Changes a word of the attachment's own state, if it accepts. Asking costs as much as looking.
fn try_change(guest: &mut Guest<'_>, slot: U256, op: StateOp) -> Result<u32, Stop> {
    guest.charge(metering::STATE_READ)?;
    let change = Change::of(&guest.host().store.words, slot);
    match apply(guest, slot, op)? {
        Stored::Accepted => changed(guest, slot, change).map(|()| 1),
        Stored::Refused => Ok(0),
    }
}

/// Changes a word of the attachment's own state by what it cannot refuse.
fn change(guest: &mut Guest<'_>, slot: U256, op: StateOp) -> Result<(), Stop> {
    debug_assert!(!op.may_refuse(), "a refusal would go unheard");
    let change = Change::of(&guest.host().store.words, slot);
    changed(guest, slot, change)?;
    apply(guest, slot, op).map(|_| ())
}

fn apply(guest: &mut Guest<'_>, slot: U256, op: StateOp) -> Result<Stored, Stop> {
    let host = guest.host();
    let (overlay, account) = (&mut host.store.words, host.subject.store_account);
    Ok(host.lent.with(|loan| overlay.apply(loan.view, account, slot, op))?)
}

/// Takes what a change of a word costs, if there is room for it. A session that stops here leaves nothing.
fn changed(guest: &mut Guest<'_>, slot: U256, change: Change) -> Result<(), Stop> {
    guest.charge(metering::writing(change))?;
    if guest.host().store.words.changed_with(slot) > STORE_WRITES_MAX as usize {
        return Err(Stop::Limit(Limit::StoreWrites));
    }
    Ok(())
}
