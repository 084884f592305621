//! Records as JSON objects.

use alloy_primitives::{U256, hex};
use parapet_abi::{
    AccessKind, AccessRecord, Address, Asset, CodeChangeKind, CodeChangeRecord, ContextRecord, FlowReason, FlowRecord,
    FrameKind, FrameRecord, FrameStatus, LogRecord, NO_FRAME, SlotChangeRecord, Word,
};
use serde::{Serialize, Serializer, ser::SerializeSeq as _};

/// Records, each as what a function makes of it.
pub(super) struct Each<'a, R, F>(pub(super) &'a [R], pub(super) F);

impl<R, T: Serialize, F: Fn(&R) -> T> Serialize for Each<'_, R, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for record in self.0 {
            list.serialize_element(&self.1(record))?;
        }
        list.end()
    }
}

/// Bytes in hex.
pub(super) struct Hex<const N: usize>(pub(super) [u8; N]);

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The longest is a word.
        let mut text = [0; 2 + 2 * 32];
        let text = &mut text[..2 + 2 * N];
        text[..2].copy_from_slice(b"0x");
        hex::encode_to_slice(self.0, &mut text[2..]).expect("twice as many digits as bytes");
        serializer.serialize_str(std::str::from_utf8(text).expect("hex digits"))
    }
}

/// A number as a decimal string.
struct Decimal<T>(T);

impl<T: std::fmt::Display> Serialize for Decimal<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

fn amount(word: Word) -> Decimal<U256> {
    Decimal(U256::from_be_bytes(word))
}

fn frame_or_none(frame: u32) -> Option<u32> {
    (frame != NO_FRAME).then_some(frame)
}

fn unless_zero(address: Address) -> Option<Hex<20>> {
    (address.bytes != [0; 20]).then_some(Hex(address.bytes))
}

#[derive(Serialize)]
pub(super) struct Transaction {
    hash: Hex<32>,
    simulation: bool,
    status: &'static str,
    tx_type: u8,
    sender: Hex<20>,
    target: Option<Hex<20>>,
    value: Decimal<U256>,
    nonce: Decimal<u64>,
    gas_limit: Decimal<u64>,
    gas_price: Decimal<U256>,
    chain_id: Decimal<u64>,
    block_number: Decimal<u64>,
    timestamp: Decimal<u64>,
    block_gas_limit: Decimal<u64>,
    base_fee: Decimal<U256>,
    beneficiary: Hex<20>,
    prev_randao: Hex<32>,
    parent_hash: Hex<32>,
}

pub(super) fn transaction(context: &ContextRecord) -> Transaction {
    Transaction {
        hash: Hex(context.tx_hash),
        simulation: context.simulation != 0,
        status: status(context.status),
        tx_type: context.tx_type,
        sender: Hex(context.sender.bytes),
        target: unless_zero(context.target),
        value: amount(context.value),
        nonce: Decimal(context.nonce),
        gas_limit: Decimal(context.gas_limit),
        gas_price: amount(context.gas_price),
        chain_id: Decimal(context.chain_id),
        block_number: Decimal(context.block_number),
        timestamp: Decimal(context.timestamp),
        block_gas_limit: Decimal(context.block_gas_limit),
        base_fee: amount(context.base_fee),
        beneficiary: Hex(context.beneficiary.bytes),
        prev_randao: Hex(context.prev_randao),
        parent_hash: Hex(context.parent_hash),
    }
}

fn status(status: u8) -> &'static str {
    match FrameStatus::from_u8(status) {
        Some(FrameStatus::Running) => "running",
        Some(FrameStatus::Succeeded) => "succeeded",
        Some(FrameStatus::Reverted) => "reverted",
        Some(FrameStatus::Halted) => "halted",
        None => "unknown",
    }
}

#[derive(Serialize)]
pub(super) struct Frame {
    id: u32,
    parent: Option<u32>,
    depth: u32,
    kind: &'static str,
    status: &'static str,
    is_static: bool,
    is_precompile: bool,
    start_seq: u32,
    end_seq: u32,
    caller: Hex<20>,
    target: Hex<20>,
    code_address: Hex<20>,
    code_hash: Hex<32>,
    selector: Hex<4>,
    value: Decimal<U256>,
    input_len: u32,
    output_len: u32,
    gas_limit: Decimal<u64>,
    gas_used: Decimal<u64>,
}

pub(super) fn frame(frame: &FrameRecord) -> Frame {
    Frame {
        id: frame.id,
        parent: frame_or_none(frame.parent),
        depth: frame.depth,
        kind: match FrameKind::from_u8(frame.kind) {
            Some(FrameKind::Call) => "call",
            Some(FrameKind::CallCode) => "call_code",
            Some(FrameKind::DelegateCall) => "delegate_call",
            Some(FrameKind::StaticCall) => "static_call",
            Some(FrameKind::Create) => "create",
            Some(FrameKind::Create2) => "create2",
            Some(FrameKind::System) => "system",
            None => "unknown",
        },
        status: status(frame.status),
        is_static: frame.is_static != 0,
        is_precompile: frame.is_precompile != 0,
        start_seq: frame.start_seq,
        end_seq: frame.end_seq,
        caller: Hex(frame.caller.bytes),
        target: Hex(frame.target.bytes),
        code_address: Hex(frame.code_address.bytes),
        code_hash: Hex(frame.code_hash),
        selector: Hex(frame.selector),
        value: amount(frame.value),
        input_len: frame.input_len,
        output_len: frame.output_len,
        gas_limit: Decimal(frame.gas_limit),
        gas_used: Decimal(frame.gas_used),
    }
}

#[derive(Serialize)]
pub(super) struct Access {
    seq: u32,
    frame: u32,
    kind: &'static str,
    address: Hex<20>,
    slot: Hex<32>,
    old: Hex<32>,
    new: Hex<32>,
}

pub(super) fn access(access: &AccessRecord) -> Access {
    Access {
        seq: access.seq,
        frame: access.frame,
        kind: match AccessKind::from_u8(access.kind) {
            Some(AccessKind::StorageRead) => "storage_read",
            Some(AccessKind::StorageWrite) => "storage_write",
            Some(AccessKind::TransientRead) => "transient_read",
            Some(AccessKind::TransientWrite) => "transient_write",
            None => "unknown",
        },
        address: Hex(access.address.bytes),
        slot: Hex(access.slot),
        old: Hex(access.old),
        new: Hex(access.new),
    }
}

#[derive(Serialize)]
pub(super) struct Flow {
    seq: u32,
    frame: Option<u32>,
    asset: &'static str,
    reason: &'static str,
    token: Option<Hex<20>>,
    from: Hex<20>,
    to: Hex<20>,
    amount: Decimal<U256>,
    token_id: Option<Decimal<U256>>,
}

pub(super) fn flow(flow: &FlowRecord) -> Flow {
    let asset = Asset::from_u8(flow.asset);
    Flow {
        seq: flow.seq,
        frame: frame_or_none(flow.frame),
        asset: match asset {
            Some(Asset::Ether) => "ether",
            Some(Asset::Erc20) => "erc20",
            Some(Asset::Erc721) => "erc721",
            Some(Asset::Erc1155) => "erc1155",
            None => "unknown",
        },
        reason: match FlowReason::from_u8(flow.reason) {
            Some(FlowReason::Call) => "call",
            Some(FlowReason::Create) => "create",
            Some(FlowReason::SelfDestruct) => "self_destruct",
            Some(FlowReason::Log) => "log",
            Some(FlowReason::Fee) => "fee",
            Some(FlowReason::Withdrawal) => "withdrawal",
            None => "unknown",
        },
        token: unless_zero(flow.token),
        from: Hex(flow.from.bytes),
        to: Hex(flow.to.bytes),
        amount: amount(flow.amount),
        token_id: match asset {
            Some(Asset::Ether | Asset::Erc20) => None,
            Some(Asset::Erc721 | Asset::Erc1155) | None => Some(amount(flow.token_id)),
        },
    }
}

#[derive(Serialize)]
pub(super) struct Log {
    seq: u32,
    frame: u32,
    address: Hex<20>,
    topics: Vec<Hex<32>>,
    data_len: u32,
}

pub(super) fn log(log: &LogRecord) -> Log {
    Log {
        seq: log.seq,
        frame: log.frame,
        address: Hex(log.address.bytes),
        topics: log.topics.iter().take(log.topic_count as usize).map(|topic| Hex(*topic)).collect(),
        data_len: log.data_len,
    }
}

#[derive(Serialize)]
pub(super) struct SlotChange {
    address: Hex<20>,
    slot: Hex<32>,
    old: Hex<32>,
    new: Hex<32>,
}

pub(super) fn slot_change(change: &SlotChangeRecord) -> SlotChange {
    SlotChange {
        address: Hex(change.address.bytes),
        slot: Hex(change.slot),
        old: Hex(change.old),
        new: Hex(change.new),
    }
}

#[derive(Serialize)]
pub(super) struct CodeChange {
    seq: u32,
    frame: Option<u32>,
    kind: &'static str,
    address: Hex<20>,
    old: Hex<32>,
    new: Hex<32>,
}

pub(super) fn code_change(change: &CodeChangeRecord) -> CodeChange {
    CodeChange {
        seq: change.seq,
        frame: frame_or_none(change.frame),
        kind: match CodeChangeKind::from_u8(change.kind) {
            Some(CodeChangeKind::Create) => "create",
            Some(CodeChangeKind::Delegation) => "delegation",
            Some(CodeChangeKind::SelfDestruct) => "self_destruct",
            None => "unknown",
        },
        address: Hex(change.address.bytes),
        old: Hex(change.old),
        new: Hex(change.new),
    }
}
