//! The trace's records, read like entries of guard state: the bytes themselves, with nothing to parse.
//!
//! Invariant: no entry of guard state has a key below [`RECORDS`]; such keys name parts of the trace and are read-only.

use cosmwasm_vm::{BackendResult, GasInfo};
use parapet_abi::Kind;
use parapet_monitor::Recorded;
use parapet_vm::metering as fuel;

use crate::{lend::Loan, limits::RECORDS_BYTES_MAX, metering};

/// What keys begin with that name records: then comes the kind's number, one byte, and the index of the first record, four
/// bytes, big-endian.
pub(crate) const RECORDS: &[u8] = b"\0parapet.records";

/// Size of one record, and how many there are behind the first that was asked for, four bytes each, little-endian; then
/// as many records as [`RECORDS_BYTES_MAX`] has room for.
pub(crate) fn read(loan: &Loan<'_>, place: &[u8]) -> BackendResult<Option<Vec<u8>>> {
    let part = part(loan, place);
    let (given, records) = part.as_ref().map_or((0, 0), |(bytes, records)| (bytes.len(), *records));
    let spent = fuel::RECORD.saturating_mul(records).saturating_add(fuel::copying(given as u64));
    (Ok(part.map(|(bytes, _)| bytes)), GasInfo::with_cost(metering::gas(fuel::HOST_CALL.saturating_add(spent))))
}

/// The bytes, and how many records are among them; nothing for a kind that is unknown or not subscribed to.
fn part(loan: &Loan<'_>, place: &[u8]) -> Option<(Vec<u8>, u64)> {
    let (kind, first) = place.split_first_chunk::<1>()?;
    let first = u32::from_be_bytes(first.try_into().ok()?) as usize;
    let Recorded { bytes, record_bytes } = loan.subject.recorded(loan.trace, Kind::from_u32(kind[0].into())?)?;
    let rest = bytes.get(first.saturating_mul(record_bytes)..).unwrap_or_default();
    let given = (rest.len() / record_bytes).min(RECORDS_BYTES_MAX / record_bytes);
    let word = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    let header = [word(record_bytes), word(rest.len() / record_bytes)].concat();
    Some(([&header, &rest[..given * record_bytes]].concat(), given as u64))
}
