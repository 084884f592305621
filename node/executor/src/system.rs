//! What the chain itself does in a block: EIP-4788 and EIP-2935 before its transactions, EIP-7685 requests and
//! EIP-4895 withdrawals after them. Guards do not judge these (I5).

use alloy_consensus::ReceiptEnvelope;
use alloy_eips::{
    eip2935::HISTORY_STORAGE_ADDRESS, eip4788::BEACON_ROOTS_ADDRESS, eip6110::MAINNET_DEPOSIT_CONTRACT_ADDRESS,
    eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, eip7685::Requests,
};
use alloy_primitives::{Address, B256, Bytes, Log, U256, b256};
use parapet_types::{BlockContext, Hardfork};
use revm::{
    context::{JournalTr as _, TxEnv, result::ExecutionResult},
    handler::{Handler as _, MainnetHandler, SystemCallTx as _},
};

use crate::{BlockError, Overlay, Session, evm::MonitoredEvm};

/// `DepositEvent(bytes,bytes,bytes,bytes,bytes)` of the deposit contract (EIP-6110).
const DEPOSIT_EVENT: B256 = b256!("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");
/// Data of a deposit event: five offsets, and five byte strings with their lengths, padded to words.
const DEPOSIT_DATA_BYTES: usize = 576;
/// Where each field's bytes start in the data, and how many there are: public key, withdrawal credentials, amount,
/// signature, index (EIP-6110).
const DEPOSIT_FIELDS: [(usize, usize); 5] = [(192, 48), (288, 32), (352, 8), (416, 96), (544, 8)];
/// Gwei in wei.
const GWEI: u64 = 1_000_000_000;

/// What the chain does before a block's first transaction: the beacon root (EIP-4788) and the parent's hash (EIP-2935)
/// go into state.
///
/// # Errors
/// [`BlockError::SystemCall`].
pub fn begin_block(
    session: &mut Session<'_, Overlay<'_>>,
    hardfork: Hardfork,
    block: &BlockContext,
) -> Result<(), BlockError> {
    if let (true, Some(root)) = (hardfork >= Hardfork::Cancun, block.parent_beacon_block_root) {
        call(session, BEACON_ROOTS_ADDRESS, root.0.into())?;
    }
    if hardfork >= Hardfork::Prague {
        call(session, HISTORY_STORAGE_ADDRESS, block.parent_hash.0.into())?;
    }
    Ok(())
}

/// After the last transaction.
pub(crate) fn after<'r>(
    session: &mut Session<'_, Overlay<'_>>,
    hardfork: Hardfork,
    block: &BlockContext,
    receipts: impl Iterator<Item = &'r ReceiptEnvelope<Log>>,
) -> Result<Requests, BlockError> {
    let mut requests = Requests::default();
    if hardfork >= Hardfork::Prague {
        let mut deposits = Vec::new();
        for log in receipts.flat_map(ReceiptEnvelope::logs) {
            if log.address == MAINNET_DEPOSIT_CONTRACT_ADDRESS && log.topics().first() == Some(&DEPOSIT_EVENT) {
                deposits.extend(deposit(&log.data.data)?);
            }
        }
        requests.push_request_with_type(0, deposits);
        for (kind, address) in [(1, WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS), (2, CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS)]
        {
            requests.push_request_with_type(kind, call(session, address, Bytes::new())?);
        }
    }
    for withdrawal in &block.withdrawals {
        let wei = U256::from(withdrawal.amount) * U256::from(GWEI);
        session.evm_mut().db_mut().credit(withdrawal.address, wei)?;
    }
    Ok(requests)
}

/// The request bytes of a deposit: its fields one behind the other.
fn deposit(data: &[u8]) -> Result<Vec<u8>, BlockError> {
    if data.len() != DEPOSIT_DATA_BYTES {
        return Err(BlockError::Deposit("its data is not 576 bytes long"));
    }
    let mut out = Vec::new();
    for (start, length) in DEPOSIT_FIELDS {
        let announced = U256::from_be_slice(&data[start - 32..start]);
        if announced != U256::from(length) {
            return Err(BlockError::Deposit("a field has another length than EIP-6110 gives it"));
        }
        out.extend_from_slice(&data[start..start + length]);
    }
    Ok(out)
}

fn call(session: &mut Session<'_, Overlay<'_>>, address: Address, data: Bytes) -> Result<Bytes, BlockError> {
    let failed = |reason: String| BlockError::SystemCall { address, reason };
    let evm = session.evm_mut();
    let ctx = &mut evm.inner.ctx;
    ctx.chain.reset();
    ctx.tx = TxEnv::new_system_tx(address, data);
    let result = MainnetHandler::<MonitoredEvm<'_, Overlay<'_>>, revm::context::result::EVMError<_>, _>::default()
        .run_system_call(evm)
        .map_err(|error| failed(error.to_string()))?;
    let state = evm.inner.ctx.journaled_state.finalize();
    match result {
        ExecutionResult::Success { output, .. } => {
            evm.db_mut().commit(&state)?;
            Ok(output.into_data())
        }
        ExecutionResult::Revert { output, .. } => Err(failed(format!("reverted with {output}"))),
        ExecutionResult::Halt { reason, .. } => Err(failed(format!("halted: {reason:?}"))),
    }
}
