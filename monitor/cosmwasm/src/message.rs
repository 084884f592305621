//! The messages that contracts get, as `sdk/cosmwasm/schema` describes them.
//!
//! Numbers of 64 bits and more are decimal strings, hashes and addresses lower-case hex, names snake case. A value that
//! this version has no name for is `"unknown"`.

use std::io;

use alloy_primitives::{U256, hex};
use parapet_abi::{
    AccessKind, AccessRecord, AccountRecord, Address, Asset, CodeChangeKind, CodeChangeRecord, ContextRecord,
    FlowReason, FlowRecord, FrameKind, FrameRecord, FrameStatus, LogRecord, NO_FRAME, SlotChangeRecord, Word,
};
use parapet_monitor::{Subscriptions, Trace};
use parapet_vm::Subject;
use serde::{Serialize, Serializer, ser::SerializeSeq as _, ser::SerializeStruct as _};

use crate::limits::MESSAGE_BYTES_MAX;

/// Nanoseconds of a second, the unit of CosmWasm's timestamps.
const NANOS: u64 = 1_000_000_000;

/// A transaction cannot be shown to a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the transaction's record has more than {MESSAGE_BYTES_MAX} bytes as a message, which no contract can be shown"
)]
pub struct TooLong;

/// The `env` argument of every entry point.
pub(crate) fn env(context: &ContextRecord, subject: &Subject) -> Vec<u8> {
    let contract = hex::encode_prefixed(subject.attachment);
    let time_ns = context.timestamp.saturating_mul(NANOS);
    let (height, chain) = (context.block_number, context.chain_id);
    format!(
        r#"{{"block":{{"height":{height},"time":"{time_ns}","chain_id":"{chain}"}},"transaction":null,"contract":{{"address":"{contract}"}}}}"#
    )
    .into_bytes()
}

/// The `info` argument of `instantiate`: the account that keeps guard state, which is the registry, and no funds.
pub(crate) fn info(subject: &Subject) -> Vec<u8> {
    format!(r#"{{"sender":"{}","funds":[]}}"#, hex::encode_prefixed(subject.store_account)).into_bytes()
}

/// The `instantiate` message: the attachment's configuration.
pub(crate) fn configuration(subject: &Subject) -> &[u8] {
    if subject.configuration.is_empty() { b"{}" } else { &subject.configuration }
}

/// The `sudo` message: what an attachment's contract is shown of a transaction.
///
/// # Errors
/// [`TooLong`].
pub fn judge(trace: &Trace, subject: &Subject) -> Result<Vec<u8>, TooLong> {
    let mut out = Bounded(Vec::with_capacity(4_096));
    let written = serde_json::to_writer(&mut out, &Sudo { judge: Judge { trace, subject } });
    // Writing to memory fails for one reason.
    written.map(|()| out.0).map_err(|_| TooLong)
}

struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MESSAGE_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Serialize)]
struct Sudo<'a> {
    judge: Judge<'a>,
}

struct Judge<'a> {
    trace: &'a Trace,
    subject: &'a Subject,
}

impl Serialize for Judge<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { trace, subject } = self;
        let subscribed = |to: Subscriptions| subject.subscriptions.contains(to);
        let accesses: &[AccessRecord] = if subscribed(Subscriptions::ACCESSES) { &trace.accesses } else { &[] };
        let (flows, logs): (&[FlowRecord], &[LogRecord]) =
            if subscribed(Subscriptions::FLOWS) { (trace.flows_but_fees(), &trace.logs) } else { (&[], &[]) };
        let mut judge = serializer.serialize_struct("Judge", 8)?;
        judge.serialize_field("transaction", &transaction(&trace.context))?;
        judge.serialize_field(
            "accounts",
            &Each(&subject.accounts, |account: &AccountRecord| Hex(account.address.bytes)),
        )?;
        judge.serialize_field("frames", &Each(&trace.frames, frame))?;
        if !accesses.is_empty() {
            judge.serialize_field("accesses", &Each(accesses, access))?;
        }
        judge.serialize_field("flows", &Each(flows, flow))?;
        judge.serialize_field("logs", &Each(logs, log))?;
        judge.serialize_field("slot_changes", &Each(&trace.slot_changes, slot_change))?;
        judge.serialize_field("code_changes", &Each(&trace.code_changes, code_change))?;
        judge.end()
    }
}

/// Records, each as what a function makes of it.
struct Each<'a, R, F>(&'a [R], F);

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
struct Hex<const N: usize>([u8; N]);

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
struct Transaction {
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

fn transaction(context: &ContextRecord) -> Transaction {
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
struct Frame {
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

fn frame(frame: &FrameRecord) -> Frame {
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
struct Access {
    seq: u32,
    frame: u32,
    kind: &'static str,
    address: Hex<20>,
    slot: Hex<32>,
    old: Hex<32>,
    new: Hex<32>,
}

fn access(access: &AccessRecord) -> Access {
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
struct Flow {
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

fn flow(flow: &FlowRecord) -> Flow {
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
struct Log {
    seq: u32,
    frame: u32,
    address: Hex<20>,
    topics: Vec<Hex<32>>,
    data_len: u32,
}

fn log(log: &LogRecord) -> Log {
    Log {
        seq: log.seq,
        frame: log.frame,
        address: Hex(log.address.bytes),
        topics: log.topics.iter().take(log.topic_count as usize).map(|topic| Hex(*topic)).collect(),
        data_len: log.data_len,
    }
}

#[derive(Serialize)]
struct SlotChange {
    address: Hex<20>,
    slot: Hex<32>,
    old: Hex<32>,
    new: Hex<32>,
}

fn slot_change(change: &SlotChangeRecord) -> SlotChange {
    SlotChange {
        address: Hex(change.address.bytes),
        slot: Hex(change.slot),
        old: Hex(change.old),
        new: Hex(change.new),
    }
}

#[derive(Serialize)]
struct CodeChange {
    seq: u32,
    frame: Option<u32>,
    kind: &'static str,
    address: Hex<20>,
    old: Hex<32>,
    new: Hex<32>,
}

fn code_change(change: &CodeChangeRecord) -> CodeChange {
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
