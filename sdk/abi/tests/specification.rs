//! The document says what the code does: every table of offsets in it is compared with the records.
#![allow(clippy::unwrap_used, reason = "tests")]

use parapet_abi::{Field, Kind};

const SPECIFICATION: &str = include_str!("../SPECIFICATION.md");

/// A table of fields as it is written: kind, record size, and rows of offset, size and name.
struct Table {
    kind: u32,
    bytes: usize,
    rows: Vec<(usize, usize, String)>,
}

/// The tables below headings like `### FrameRecord (kind 3, 192 bytes)`.
fn tables() -> Vec<Table> {
    let mut tables = Vec::new();
    for section in SPECIFICATION.split("\n### ").skip(1) {
        let (heading, body) = section.split_once('\n').unwrap();
        let Some((_, numbers)) = heading.split_once(" (kind ") else { continue };
        let (kind, bytes) = numbers.strip_suffix(" bytes)").unwrap().split_once(", ").unwrap();
        let rows = body.lines().skip_while(|line| line.is_empty()).take_while(|line| line.starts_with('|')).skip(2);
        let rows = rows.map(|row| {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            (cells[1].parse().unwrap(), cells[2].parse().unwrap(), cells[3].to_owned())
        });
        tables.push(Table { kind: kind.parse().unwrap(), bytes: bytes.parse().unwrap(), rows: rows.collect() });
    }
    tables
}

#[test]
fn every_record_is_written_down_as_it_is() {
    let tables = tables();
    let written: Vec<_> = tables.iter().map(|table| table.kind).collect();
    assert_eq!(written, Kind::ALL.map(|kind| kind as u32), "one table for each kind, in order");
    for table in tables {
        let kind = Kind::from_u32(table.kind).unwrap();
        assert_eq!(table.bytes, kind.record_bytes(), "{kind:?}");
        let fields: Vec<_> =
            kind.fields().iter().map(|Field { name, offset, bytes }| (*offset, *bytes, (*name).to_owned())).collect();
        assert_eq!(table.rows, fields, "{kind:?}");
        let end = fields.last().map(|(offset, bytes, _)| offset + bytes);
        assert_eq!(end, Some(kind.record_bytes()), "{kind:?} has no byte without a name");
    }
}

#[test]
fn limits_are_written_down_as_they_are() {
    use parapet_abi::import::{
        ALERTS_MAX, DETAIL_BYTES_MAX, ENGINE_CODE_MIN, READ_RECORDS_MAX, STORE_KEY_BYTES_MAX, STORE_WRITES_MAX,
        VIEW_GAS_MAX, VIEW_INPUT_BYTES_MAX,
    };
    let rows = [
        format!("| key of own state | 1 to {STORE_KEY_BYTES_MAX} bytes |"),
        format!("| words of own state written in one transaction | {STORE_WRITES_MAX} |"),
        format!("| detail of a veto or an alert | {DETAIL_BYTES_MAX} bytes |"),
        format!("| alerts in one transaction | {ALERTS_MAX} |"),
        format!("| records in one `trace_read` | {READ_RECORDS_MAX} |"),
        format!("| gas and calldata of a static call | {VIEW_GAS_MAX}, {VIEW_INPUT_BYTES_MAX} bytes |"),
        format!("| 0 to {} | the guard's own |", ENGINE_CODE_MIN - 1),
        format!("at most {} bytes, in the custom section", parapet_abi::descriptor::DESCRIPTOR_BYTES_MAX),
    ];
    for row in rows {
        assert!(SPECIFICATION.contains(&row), "{row}");
    }
}

#[test]
fn codes_of_the_engine_are_written_down_as_they_are() {
    use parapet_abi::import::{
        CODE_LIMIT, CODE_OUT_OF_FUEL, CODE_OUT_OF_GAS, CODE_OVERLOAD, CODE_TRAP, CODE_UNUSABLE, ENGINE_CODE_MIN,
    };
    let table = SPECIFICATION.split("| code | meaning |").nth(1).unwrap();
    let written: Vec<(u16, &str)> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .filter_map(|row| {
            let (code, meaning) = row.trim_matches('|').split_once('|').unwrap();
            let (decimal, hex) = code.trim().split_once(" (`0x")?;
            let decimal: u16 = decimal.parse().unwrap();
            assert_eq!(u16::from_str_radix(hex.trim_end_matches("`)"), 16), Ok(decimal), "{row}");
            (decimal >= ENGINE_CODE_MIN).then_some((decimal, meaning.trim()))
        })
        .collect();
    let starts = [
        (CODE_TRAP, "trap"),
        (CODE_OUT_OF_FUEL, "out of fuel"),
        (CODE_LIMIT, "limit exceeded"),
        (CODE_UNUSABLE, "the module cannot run"),
        (CODE_OVERLOAD, "the transaction wakes more than limits allow"),
        (CODE_OUT_OF_GAS, "the transaction's gas does not pay"),
    ];
    assert_eq!(written.len(), starts.len(), "{written:?}");
    for ((code, meaning), (engine, start)) in written.into_iter().zip(starts) {
        assert_eq!(code, engine);
        assert!(meaning.starts_with(start), "{code}: {meaning}");
    }
}

#[test]
fn enumerations_are_written_down_as_they_are() {
    use parapet_abi::{AccessKind, Asset, CodeChangeKind, FlowReason, FrameKind, FrameStatus};
    let row = |name: &str| {
        let start = format!("| {name} | ");
        let line = SPECIFICATION.lines().find_map(|line| line.strip_prefix(start.as_str())).unwrap();
        let numbers = line.split(", ").filter_map(|item| item.split(' ').next()?.parse::<u8>().ok());
        let numbers: Vec<u8> = numbers.collect();
        assert_eq!(numbers, (0..numbers.len() as u8).collect::<Vec<_>>(), "{name}");
        numbers.len() as u8
    };
    let known = |from: fn(u8) -> bool| (0..=u8::MAX).take_while(|number| from(*number)).count() as u8;
    for (name, count) in [
        ("Frame kinds", known(|number| FrameKind::from_u8(number).is_some())),
        ("Statuses", known(|number| FrameStatus::from_u8(number).is_some())),
        ("Access kinds", known(|number| AccessKind::from_u8(number).is_some())),
        ("Assets", known(|number| Asset::from_u8(number).is_some())),
        ("Reasons", known(|number| FlowReason::from_u8(number).is_some())),
        ("Code changes", known(|number| CodeChangeKind::from_u8(number).is_some())),
    ] {
        assert_eq!(row(name), count, "{name}");
    }
}
