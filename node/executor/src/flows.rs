//! Ether and token flows of a transaction, from its frames, its self-destructs and its logs.

use alloy_primitives::{Address as EvmAddress, B256, Bytes, Log, U256, b256};
use parapet_abi::{Address, Asset, FlowReason, FlowRecord, FrameRecord, LogRecord, NO_FRAME, Word};

use crate::{frames::flow_reason, recorder::Destruction};

/// `Transfer(address,address,uint256)` of ERC-20 (value in the data) and ERC-721 (token id as third topic).
const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// `TransferSingle(address,address,address,uint256,uint256)` of ERC-1155.
const TRANSFER_SINGLE: B256 = b256!("c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62");
/// `TransferBatch(address,address,address,uint256[],uint256[])` of ERC-1155.
const TRANSFER_BATCH: B256 = b256!("4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb");
/// Most items of one ERC-1155 batch that are decoded; a longer one is not a flow that anyone can act on.
const BATCH_ITEMS_MAX: usize = 4_096;

/// All flows in order of their events.
pub(crate) fn collect(
    frames: &[FrameRecord],
    logs: &[LogRecord],
    log_data: &[Bytes],
    destructions: &[Destruction],
    stands: &[bool],
) -> Vec<FlowRecord> {
    let mut flows = Vec::new();
    for frame in frames.iter().filter(|frame| stands[frame.id as usize] && frame.value != Word::default()) {
        if let Some(reason) = flow_reason(frame.kind) {
            flows.push(ether(frame.start_seq, frame.id, reason, frame.caller, frame.target, frame.value));
        }
    }
    for d in destructions.iter().filter(|d| !d.wei.is_zero() && stands.get(d.frame as usize) == Some(&true)) {
        let (from, to) = (d.from.into_array().into(), d.to.into_array().into());
        flows.push(ether(d.seq, d.frame, FlowReason::SelfDestruct, from, to, d.wei.to_be_bytes()));
    }
    for (log, data) in logs.iter().zip(log_data) {
        tokens(log, data, &mut flows);
    }
    flows.sort_by_key(|flow| flow.seq);
    flows
}

/// A withdrawal from the beacon chain (EIP-4895).
pub(crate) fn withdrawal(seq: u32, to: EvmAddress, wei: U256) -> FlowRecord {
    let to = to.into_array().into();
    ether(seq, NO_FRAME, FlowReason::Withdrawal, Address::default(), to, wei.to_be_bytes())
}

/// What a transaction costs its sender: the fee recipient's part, and what is burned.
pub(crate) fn fees(sender: EvmAddress, beneficiary: EvmAddress, tip: U256, burned: U256) -> Vec<FlowRecord> {
    let parts = [(beneficiary, tip), (EvmAddress::ZERO, burned)];
    let parts = parts.into_iter().filter(|(_, wei)| !wei.is_zero());
    let fee = |(to, wei): (EvmAddress, U256)| {
        let (from, to) = (sender.into_array().into(), to.into_array().into());
        ether(u32::MAX, NO_FRAME, FlowReason::Fee, from, to, wei.to_be_bytes())
    };
    parts.map(fee).collect()
}

fn ether(seq: u32, frame: u32, reason: FlowReason, from: Address, to: Address, amount: Word) -> FlowRecord {
    FlowRecord {
        seq,
        frame,
        asset: Asset::Ether.into(),
        reason: reason.into(),
        from,
        to,
        amount,
        ..FlowRecord::default()
    }
}

/// Decodes the transfers a log announces. A log that only looks like one is left out.
fn tokens(log: &LogRecord, data: &[u8], flows: &mut Vec<FlowRecord>) {
    let flow = |asset: Asset, from: Word, to: Word, amount: Word, token_id: Word| FlowRecord {
        seq: log.seq,
        frame: log.frame,
        asset: asset.into(),
        reason: FlowReason::Log.into(),
        token: log.address,
        from: address(from),
        to: address(to),
        amount,
        token_id,
        ..FlowRecord::default()
    };
    let [signature, first, second, third] = log.topics;
    match (B256::from(signature), log.topic_count) {
        (TRANSFER, 3) => {
            if let Some(amount) = word(data, 0) {
                flows.push(flow(Asset::Erc20, first, second, amount, Word::default()));
            }
        }
        (TRANSFER, 4) => {
            flows.push(flow(Asset::Erc721, first, second, U256::ONE.to_be_bytes(), third));
        }
        (TRANSFER_SINGLE, 4) => {
            if let (Some(id), Some(amount)) = (word(data, 0), word(data, 1)) {
                flows.push(flow(Asset::Erc1155, second, third, amount, id));
            }
        }
        (TRANSFER_BATCH, 4) => {
            let (Some(ids), Some(amounts)) = (array(data, 0), array(data, 1)) else { return };
            for (id, amount) in ids.into_iter().zip(amounts) {
                flows.push(flow(Asset::Erc1155, second, third, amount, id));
            }
        }
        _ => {}
    }
}

/// Who may be party of a flow that a log announces: what [`tokens`] would decode, and perhaps more.
pub(crate) fn parties(log: &Log) -> impl Iterator<Item = EvmAddress> {
    let topics = log.topics();
    let flows = topics.first().is_some_and(|topic| [TRANSFER, TRANSFER_SINGLE, TRANSFER_BATCH].contains(topic));
    topics.iter().skip(if flows { 1 } else { topics.len() }).map(|topic| EvmAddress::from_word(*topic))
}

fn address(word: Word) -> Address {
    EvmAddress::from_word(word.into()).into_array().into()
}

/// The ABI word at an index of the data.
fn word(data: &[u8], index: usize) -> Option<Word> {
    let start = index.checked_mul(32)?;
    data.get(start..start.checked_add(32)?)?.try_into().ok()
}

fn small(word: Word) -> Option<usize> {
    usize::try_from(U256::from_be_bytes(word)).ok()
}

/// The ABI array whose offset stands at an index of the data.
fn array(data: &[u8], index: usize) -> Option<Vec<Word>> {
    let body = data.get(small(word(data, index)?)?..)?;
    let length = small(word(body, 0)?)?;
    if length > BATCH_ITEMS_MAX {
        return None;
    }
    (1..=length).map(|item| word(body, item)).collect()
}
