//! The functions of `parapet_abi::import`, as the host gives them.

use alloy_primitives::{Bytes, keccak256};
use parapet_abi::{
    Kind,
    import::{
        ALERTS_MAX, DATA_FRAME_INPUT, DATA_FRAME_OUTPUT, DATA_LOG, DETAIL_BYTES_MAX, ENGINE_CODE_MIN, MODULE,
        READ_RECORDS_MAX,
    },
};
use parapet_monitor::{Recorded, Subscriptions, Trace};
use wasmtime::{Caller, Linker, Result};

use super::{Alert, Host, Limit, Stop, guest::Guest, state, store};
use crate::{metering, session::Subject};

type Call<'a> = Caller<'a, Host>;

/// Gives every import its function, those about state in `state`. Names and types are those that vetting checks.
pub(crate) fn link(linker: &mut Linker<Host>) -> Result<()> {
    state::link(linker)?;
    linker
        .func_wrap(MODULE, "trace_count", |call: Call<'_>, kind: u32| Ok(trace_count(&mut Guest::enter(call)?, kind)))?
        .func_wrap(MODULE, "trace_read", |call: Call<'_>, kind: u32, first: u32, count: u32, out: u32, len: u32| {
            Ok(trace_read(Guest::enter(call)?, kind, [first, count], out, len)?)
        })?
        .func_wrap(MODULE, "trace_data", |call: Call<'_>, data: u32, index: u32, offset: u32, out: u32, len: u32| {
            Ok(trace_data(Guest::enter(call)?, [data, index], offset, out, len)?)
        })?
        .func_wrap(MODULE, "config_read", |call: Call<'_>, offset: u32, out: u32, len: u32| {
            Ok(config_read(Guest::enter(call)?, offset, out, len)?)
        })?
        .func_wrap(MODULE, "keccak256", |call: Call<'_>, data: u32, len: u32, out: u32| {
            Ok(hash(Guest::enter(call)?, data, len, out)?)
        })?
        .func_wrap(MODULE, "alert", |call: Call<'_>, code: u32, detail: u32, len: u32| {
            Ok(alert(Guest::enter(call)?, code, detail, len)?)
        })?
        .func_wrap(MODULE, "veto", |call: Call<'_>, code: u32, detail: u32, len: u32| {
            Ok(veto(Guest::enter(call)?, code, detail, len)?)
        })?;
    store::link(linker)
}

/// The records of a kind that this version knows.
fn records<'a>(trace: &'a Trace, subject: &'a Subject, kind: u32) -> Option<Recorded<'a>> {
    Kind::from_u32(kind).and_then(|kind| subject.recorded(trace, kind))
}

fn trace_count(guest: &mut Guest<'_>, kind: u32) -> u32 {
    let host = guest.host();
    let subject = host.subject.clone();
    let count = host.lent.with(|loan| records(loan.trace, &subject, kind).map_or(0, |records| records.count()));
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn trace_read(mut guest: Guest<'_>, kind: u32, [first, count]: [u32; 2], out: u32, len: u32) -> Result<u32, Stop> {
    if count > READ_RECORDS_MAX {
        return Err(Stop::Limit(Limit::Records(count)));
    }
    let range = guest.range(out, u64::from(count) * u64::from(len))?;
    let read = trace_count(&mut guest, kind).saturating_sub(first).min(count);
    guest.charge(metering::RECORD * u64::from(read))?;
    guest.charge_copy(read as usize * len as usize)?;
    if len == 0 {
        return Ok(read);
    }
    let (memory, host) = guest.split();
    let subject = host.subject.clone();
    host.lent.with(|loan| {
        let Some(records) = records(loan.trace, &subject, kind) else { return };
        let records = records.bytes.chunks_exact(records.record_bytes).skip(first as usize).take(read as usize);
        for (record, out) in records.zip(memory[range].chunks_exact_mut(len as usize)) {
            let known = record.len().min(out.len());
            out[..known].copy_from_slice(&record[..known]);
            out[known..].fill(0);
        }
    });
    Ok(read)
}

fn trace_data(mut guest: Guest<'_>, [data, index]: [u32; 2], offset: u32, out: u32, len: u32) -> Result<u32, Stop> {
    let range = guest.range(out, len.into())?;
    let logs = guest.host().subject.subscriptions.contains(Subscriptions::FLOWS);
    // A clone of `Bytes` is a count, not a copy.
    let bytes = guest.lent(|loan| {
        let list = match data {
            DATA_FRAME_INPUT => &loan.trace.inputs,
            DATA_FRAME_OUTPUT => &loan.trace.outputs,
            DATA_LOG if logs => &loan.trace.log_data,
            _ => return Bytes::new(),
        };
        list.get(index as usize).cloned().unwrap_or_default()
    });
    copy_part(&mut guest, &bytes, offset, range)
}

fn config_read(mut guest: Guest<'_>, offset: u32, out: u32, len: u32) -> Result<u32, Stop> {
    let range = guest.range(out, len.into())?;
    let configuration = guest.host().subject.configuration.clone();
    copy_part(&mut guest, &configuration, offset, range)
}

/// Copies from `offset` what fits `range`.
pub(super) fn copy_part(
    guest: &mut Guest<'_>,
    bytes: &[u8],
    offset: u32,
    range: std::ops::Range<usize>,
) -> Result<u32, Stop> {
    let rest = bytes.get(offset as usize..).unwrap_or_default();
    let copied = &rest[..rest.len().min(range.len())];
    guest.charge_copy(copied.len())?;
    guest.split().0[range.start..range.start + copied.len()].copy_from_slice(copied);
    Ok(u32::try_from(copied.len()).expect("at most a u32 was asked for"))
}

fn hash(mut guest: Guest<'_>, data: u32, len: u32, out: u32) -> Result<(), Stop> {
    let range = guest.range(data, len.into())?;
    guest.range(out, 32)?;
    guest.charge(metering::hashing(len.into()))?;
    let hash = keccak256(&guest.split().0[range]);
    guest.write(out, hash.as_slice())
}

fn alert(mut guest: Guest<'_>, code: u32, detail: u32, len: u32) -> Result<(), Stop> {
    guest.charge(metering::ALERT)?;
    let (code, detail) = spoken(&mut guest, code, detail, len)?;
    let host = guest.host();
    if host.alert_count >= ALERTS_MAX {
        return Err(Stop::Limit(Limit::Alerts));
    }
    host.alert_count += 1;
    host.alerts.push(Alert { hook: host.hook, frame: host.frame, code, detail });
    Ok(())
}

fn veto(mut guest: Guest<'_>, code: u32, detail: u32, len: u32) -> Result<(), Stop> {
    let (code, detail) = spoken(&mut guest, code, detail, len)?;
    Err(Stop::Veto { code, detail })
}

fn spoken(guest: &mut Guest<'_>, code: u32, detail: u32, len: u32) -> Result<(u16, Bytes), Stop> {
    let code = match u16::try_from(code) {
        Ok(code) if code < ENGINE_CODE_MIN => code,
        _ => return Err(Stop::Limit(Limit::Code(code))),
    };
    if len > DETAIL_BYTES_MAX {
        return Err(Stop::Limit(Limit::Detail(len)));
    }
    Ok((code, guest.read(detail, len)?.into()))
}
