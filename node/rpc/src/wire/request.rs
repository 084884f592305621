//! Calls, as clients ask for them.

use alloy_primitives::TxKind;
use alloy_rpc_types_eth::TransactionRequest;
use parapet_simulate::{CallRequest, Overrides};

use crate::RpcError;

/// What to simulate for a request.
pub(crate) fn call_request(request: TransactionRequest) -> Result<CallRequest, RpcError> {
    if request.gas_price.is_some() && (request.max_fee_per_gas.is_some() || request.max_priority_fee_per_gas.is_some())
    {
        return Err(RpcError::params("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified: give one"));
    }
    if request.blob_versioned_hashes.as_ref().is_some_and(Vec::is_empty) {
        return Err(RpcError::params("blobVersionedHashes is empty: name at least one, or leave it out (EIP-4844)"));
    }
    let Ok(input) = request.input.try_into_unique_input() else {
        return Err(RpcError::params(r#"both "data" and "input" are set and not equal: give one"#));
    };
    Ok(CallRequest {
        from: request.from,
        to: match request.to {
            Some(TxKind::Call(to)) => Some(to),
            Some(TxKind::Create) | None => None,
        },
        gas: request.gas,
        gas_price: request.gas_price.or(request.max_fee_per_gas),
        // Who names a highest price alone pays the base fee, and no tip (EIP-1559).
        max_priority_fee_per_gas: request.max_priority_fee_per_gas.or(request.max_fee_per_gas.map(|_| 0)),
        value: request.value.unwrap_or_default(),
        input: input.unwrap_or_default(),
        nonce: request.nonce,
        access_list: request.access_list.unwrap_or_default(),
        authorizations: request.authorization_list.unwrap_or_default(),
        blob_hashes: request.blob_versioned_hashes.unwrap_or_default(),
        max_fee_per_blob_gas: request.max_fee_per_blob_gas,
        overrides: Overrides::default(),
    })
}
