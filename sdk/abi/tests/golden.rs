//! The bytes of version 1, pinned: a change here breaks every guard ever built.
#![allow(clippy::unwrap_used, reason = "tests")]

use parapet_abi::region::{Header, Region, RegionError, RegionWriter, Section};
use parapet_abi::{
    AccessKind, AccessRecord, AccountRecord, AuthorizationRecord, CodeChangeRecord, ContextRecord, DelegateRecord,
    FlowReason, FlowRecord, FrameKind, FrameRecord, FrameStatus, Kind, LogRecord, NO_FRAME, PreimageRecord,
    SlotChangeRecord,
};
use zerocopy::IntoBytes as _;

fn frame() -> FrameRecord {
    FrameRecord {
        id: 1,
        parent: NO_FRAME,
        start_seq: 2,
        end_seq: 0x0102_0304,
        depth: 5,
        selector: [0x3c, 0xcf, 0xd6, 0x0b],
        kind: FrameKind::DelegateCall.into(),
        status: FrameStatus::Reverted.into(),
        is_static: 1,
        is_precompile: 0,
        input_len: 6,
        output_len: 7,
        zero: 0,
        gas_limit: 0x1122_3344_5566_7788,
        gas_used: 9,
        caller: [0xaa; 20].into(),
        target: [0xbb; 20].into(),
        code_address: [0xcc; 20].into(),
        code_hash: [0xdd; 32],
        value: [0xee; 32],
    }
}

/// Bytes as hex in groups of eight, one group a line.
fn dump(bytes: &[u8]) -> Vec<String> {
    bytes.chunks(8).map(|chunk| chunk.iter().map(|byte| format!("{byte:02x}")).collect()).collect()
}

#[test]
fn frame_record_has_these_bytes() {
    let expected = [
        "01000000ffffffff",
        "0200000004030201",
        "050000003ccfd60b",
        "0202010006000000",
        "0700000000000000",
        "8877665544332211",
        "0900000000000000",
        "aaaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaaaa",
        "aaaaaaaa00000000",
        "bbbbbbbbbbbbbbbb",
        "bbbbbbbbbbbbbbbb",
        "bbbbbbbb00000000",
        "cccccccccccccccc",
        "cccccccccccccccc",
        "cccccccc00000000",
        "dddddddddddddddd",
        "dddddddddddddddd",
        "dddddddddddddddd",
        "dddddddddddddddd",
        "eeeeeeeeeeeeeeee",
        "eeeeeeeeeeeeeeee",
        "eeeeeeeeeeeeeeee",
        "eeeeeeeeeeeeeeee",
    ];
    assert_eq!(dump(frame().as_bytes()), expected);
}

#[test]
fn access_record_has_these_bytes() {
    let record = AccessRecord {
        seq: 1,
        frame: 2,
        kind: AccessKind::TransientWrite.into(),
        zero: [0; 7],
        address: [0xaa; 20].into(),
        slot: [1; 32],
        old: [2; 32],
        new: [3; 32],
    };
    let lines = dump(record.as_bytes());
    assert_eq!(lines[..2], ["0100000002000000", "0300000000000000"]);
    assert_eq!(lines[4], "aaaaaaaa00000000");
    assert_eq!(
        (&lines[5][..], &lines[9][..], &lines[13][..]),
        ("0101010101010101", "0202020202020202", "0303030303030303")
    );
    assert_eq!(lines.len(), 17);
}

#[test]
fn kinds_and_sizes_are_fixed() {
    let sizes: Vec<_> = Kind::ALL.into_iter().map(|kind| (kind as u32, kind.record_bytes())).collect();
    assert_eq!(sizes[..8], [(1, 320), (2, 24), (3, 192), (4, 136), (5, 152), (6, 168), (7, 104), (8, 120)]);
    assert_eq!(sizes[8..], [(9, 104), (10, 80), (11, 56)]);
    assert_eq!(Kind::from_u32(12), None);
    assert_eq!((size_of::<Header>(), size_of::<Section>()), (24, 24));
}

#[test]
fn fields_stand_at_these_offsets() {
    use core::mem::offset_of;
    let context = [
        offset_of!(ContextRecord, tx_type),
        offset_of!(ContextRecord, beneficiary),
        offset_of!(ContextRecord, sender),
        offset_of!(ContextRecord, target),
        offset_of!(ContextRecord, tx_hash),
        offset_of!(ContextRecord, parent_hash),
    ];
    assert_eq!(context, [48, 56, 80, 104, 128, 288]);
    let flow = [offset_of!(FlowRecord, asset), offset_of!(FlowRecord, token), offset_of!(FlowRecord, amount)];
    assert_eq!(flow, [8, 16, 88]);
    let log = [offset_of!(LogRecord, topic_count), offset_of!(LogRecord, address), offset_of!(LogRecord, topics)];
    assert_eq!(log, [8, 16, 40]);
    assert_eq!([offset_of!(CodeChangeRecord, address), offset_of!(CodeChangeRecord, new)], [16, 72]);
    assert_eq!([offset_of!(SlotChangeRecord, slot), offset_of!(SlotChangeRecord, new)], [24, 88]);
    let preimage =
        [offset_of!(PreimageRecord, key), offset_of!(PreimageRecord, base), offset_of!(PreimageRecord, hash)];
    assert_eq!(preimage, [8, 40, 72]);
    assert_eq!([offset_of!(DelegateRecord, account), offset_of!(DelegateRecord, delegate)], [8, 32]);
}

#[test]
fn authorization_record_has_these_bytes() {
    let record = AuthorizationRecord {
        seq: 1,
        index: 2,
        applied: 1,
        zero: [0; 7],
        chain_id: 0x0102,
        nonce: 3,
        authority: [0xaa; 20].into(),
        delegate: [0xbb; 20].into(),
    };
    let lines = dump(record.as_bytes());
    let head = ["0100000002000000", "0100000000000000", "0201000000000000", "0300000000000000", "aaaaaaaaaaaaaaaa"];
    assert_eq!(lines[..5], head);
    assert_eq!((&lines[6][..], &lines[9][..]), ("aaaaaaaa00000000", "bbbbbbbb00000000"));
}

#[test]
fn numbers_of_words_are_fixed() {
    let reasons = [FlowReason::Call, FlowReason::Create, FlowReason::SelfDestruct, FlowReason::Log, FlowReason::Fee];
    assert_eq!(reasons.map(u8::from), [0, 1, 2, 3, 4]);
    assert_eq!(u8::from(FlowReason::Withdrawal), 5);
    assert_eq!((FlowReason::from_u8(6), FrameKind::from_u8(7)), (None, None));
    let kinds = [FrameKind::Call, FrameKind::CallCode, FrameKind::DelegateCall, FrameKind::StaticCall];
    assert_eq!(kinds.map(u8::from), [0, 1, 2, 3]);
    assert_eq!([FrameKind::Create, FrameKind::Create2, FrameKind::System].map(u8::from), [4, 5, 6]);
}

fn region() -> Vec<u8> {
    let mut writer = RegionWriter::default();
    writer.section(&[ContextRecord { chain_id: 31_337, ..ContextRecord::default() }]);
    writer.section(&[AccountRecord { address: [7; 20].into() }]);
    writer.section(&[frame(), frame()]);
    writer.section::<LogRecord>(&[]);
    writer.finish()
}

#[test]
fn region_opens_with_header_and_table() {
    let bytes = region();
    let expected = [
        "5041524150455400", // "PARAPET\0"
        "0100000004000000", // version 1, 4 sections
        "5803000000000000", // 24 + 4 * 24 + 320 + 24 + 2 * 192 bytes
        "0100000040010000", // context, 320 bytes each
        "0100000000000000", // one record
        "7800000000000000", // from byte 120
        "0200000018000000",
        "0100000000000000",
        "b801000000000000",
        "03000000c0000000",
        "0200000000000000",
        "d001000000000000",
        "06000000a8000000",
        "0000000000000000",
        "5003000000000000",
    ];
    let lines = dump(&bytes);
    assert_eq!(bytes.len(), 24 + 4 * 24 + 320 + 24 + 2 * 192);
    assert_eq!(lines[2], format!("{:02x}{:02x}000000000000", bytes.len() & 0xff, bytes.len() >> 8));
    assert_eq!(lines[..2], expected[..2]);
    assert_eq!(lines[3..15], expected[3..15]);
}

#[test]
fn region_reads_back_what_was_written() {
    let bytes = region();
    let region = Region::open(&bytes).unwrap();
    assert_eq!(region.records::<FrameRecord>(), [frame(), frame()]);
    assert_eq!(region.records::<ContextRecord>()[0].chain_id, 31_337);
    assert!(region.records::<LogRecord>().is_empty());
    assert!(region.records::<FlowRecord>().is_empty());
}

#[test]
fn unknown_kinds_are_skipped_and_longer_records_are_cut() {
    let mut bytes = region();
    // The account section becomes a kind of some later version.
    bytes[48] = 99;
    let region = Region::open(&bytes).unwrap();
    assert!(region.records::<AccountRecord>().is_empty());
    assert_eq!(region.records::<FrameRecord>().len(), 2);
    // Two frames of 192 bytes read as one record of 384, whose tail is not known.
    let mut bytes = self::region();
    bytes[76..80].copy_from_slice(&384_u32.to_le_bytes());
    bytes[80..84].copy_from_slice(&1_u32.to_le_bytes());
    assert_eq!(Region::open(&bytes).unwrap().records::<FrameRecord>(), [frame()]);
}

#[test]
fn hostile_regions_are_refused() {
    let good = region();
    for length in 0..good.len() {
        assert!(Region::open(&good[..length]).is_err(), "cut at {length}");
    }
    let with = |offset: usize, value: u32| {
        let mut bytes = good.clone();
        bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
        Region::open(&bytes).map(|_| ())
    };
    assert_eq!(with(0, 0), Err(RegionError::Magic));
    assert_eq!(with(12, 65), Err(RegionError::Sections(65)));
    assert!(with(12, 64).is_err(), "the table would run into the records");
    assert_eq!(with(28, 0), Err(RegionError::RecordSize(1)));
    assert_eq!(with(28, 321), Err(RegionError::RecordSize(1)));
    assert_eq!(with(32, u32::MAX), Err(RegionError::Truncated));
    assert_eq!(with(44, u32::MAX), Err(RegionError::Truncated));
}
