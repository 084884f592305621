//! Simulated blocks on the wire (`eth_simulateV1`).

use alloy_consensus::{SignableTransaction as _, TxEip4844Variant, TypedTransaction};
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Bytes, Signature, TxKind, U64, U256};
use alloy_rpc_types_eth::{Block, BlockOverrides, Log, TransactionRequest, state::StateOverride};
use parapet_simulate::RanCall;
use parapet_types::{Destiny, Executed, Transaction};
use serde::{Deserialize, Serialize};

use crate::{
    RpcError,
    revert::{GuardVetoView, revert_message},
};

/// A call reverted.
const REVERTED_CODE: i32 = 3;
/// A call ended exceptionally.
const HALTED_CODE: i32 = -32_015;

/// What is to be simulated.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SimulatePayload {
    #[serde(default)]
    pub(crate) block_state_calls: Vec<BlockStateCall>,
    #[serde(default)]
    pub(crate) trace_transfers: bool,
    #[serde(default)]
    pub(crate) validation: bool,
    #[serde(default)]
    pub(crate) return_full_transactions: bool,
}

/// One block of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlockStateCall {
    #[serde(default)]
    pub(crate) block_overrides: Option<SimulatedHeader>,
    #[serde(default)]
    pub(crate) state_overrides: Option<StateOverride>,
    #[serde(default)]
    pub(crate) calls: Option<Vec<TransactionRequest>>,
}

/// What is fixed of a simulated block.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct SimulatedHeader {
    #[serde(flatten)]
    pub(crate) header: BlockOverrides,
    #[serde(default)]
    pub(crate) withdrawals: Option<Vec<Withdrawal>>,
}

/// A block with what its calls did.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SimulatedBlock {
    #[serde(flatten)]
    pub(crate) block: Block,
    pub(crate) calls: Vec<SimulatedCall>,
}

/// What a call did.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SimulatedCall {
    return_data: Bytes,
    logs: Vec<Log>,
    gas_used: U64,
    max_used_gas: U64,
    status: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<CallFailure>,
}

/// Why a call failed.
#[derive(Clone, Debug, Serialize)]
struct CallFailure {
    message: String,
    code: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Bytes>,
}

impl SimulatedCall {
    /// What a call did, its logs as they stand in the block.
    pub(crate) fn of(call: &RanCall, logs: Vec<Log>) -> Self {
        let executed = &call.executed;
        Self {
            return_data: if executed.succeeded() { executed.output.clone() } else { Bytes::new() },
            logs,
            gas_used: U64::from(executed.gas_used),
            max_used_gas: U64::from(call.gas_used_max),
            status: U64::from(u8::from(executed.succeeded())),
            error: CallFailure::of(executed, call.capped),
        }
    }
}

impl CallFailure {
    fn of(executed: &Executed, capped: bool) -> Option<Self> {
        let reverted = |message| Self { message, code: REVERTED_CODE, data: Some(executed.output.clone()) };
        match &executed.destiny {
            Destiny::Succeeded => None,
            Destiny::Reverted => Some(reverted(revert_message(&executed.output))),
            Destiny::Vetoed { .. } => GuardVetoView::of(executed).map(|veto| reverted(veto.message())),
            Destiny::Halted { reason } => {
                let bound = if capped { " (its gas limit was bounded by what one request may use)" } else { "" };
                Some(Self { message: format!("{reason}{bound}"), code: HALTED_CODE, data: None })
            }
        }
    }
}

/// A call as a transaction that nobody signed: its signature is all zeros.
pub(crate) fn unsigned(request: &TransactionRequest, call: &RanCall, chain_id: u64) -> Result<Transaction, RpcError> {
    let to = request.to.unwrap_or(TxKind::Create);
    let has_blobs = request.blob_versioned_hashes.is_some();
    if to.is_create() && (has_blobs || request.authorization_list.is_some()) {
        return Err(RpcError::params("'to' is missing: such a transaction cannot create (EIP-4844, EIP-7702)"));
    }
    let mut complete = TransactionRequest {
        chain_id: Some(chain_id),
        nonce: Some(call.nonce),
        gas: Some(call.gas_limit),
        to: Some(to),
        ..request.clone()
    };
    if has_blobs || request.authorization_list.is_some() || request.gas_price.is_none() {
        let highest = request.max_fee_per_gas.or(complete.gas_price.take());
        complete.max_fee_per_gas = Some(highest.unwrap_or_default());
        complete.max_priority_fee_per_gas.get_or_insert_default();
    }
    let typed = if has_blobs && request.authorization_list.is_none() {
        complete.max_fee_per_blob_gas.get_or_insert_default();
        let blobs = complete.build_4844_without_sidecar().ok();
        blobs.map(|blobs| TypedTransaction::Eip4844(TxEip4844Variant::from(blobs)))
    } else {
        complete.build_typed_tx().ok()
    };
    let typed = typed.ok_or_else(|| RpcError::params("a call contradicts itself: it is no kind of transaction"))?;
    let signature = Signature::new(U256::ZERO, U256::ZERO, false);
    Ok(Transaction::new_unchecked(typed.into_signed(signature).into(), request.from.unwrap_or_default()))
}
