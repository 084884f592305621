//! Calls and their overrides, as clients ask for them.

use alloy_primitives::{Address, TxKind, U256, keccak256};
use alloy_rpc_types_eth::{
    BlockOverrides, TransactionRequest,
    state::{AccountOverride, StateOverride},
};
use parapet_simulate::CallRequest;
use parapet_state::WorldState;
use parapet_types::{AccountChange, Ancestors, BlockContext, StateChanges};

use crate::RpcError;

/// What to simulate for a request.
pub(crate) fn call_request(request: TransactionRequest) -> Result<CallRequest, RpcError> {
    if request.gas_price.is_some() && (request.max_fee_per_gas.is_some() || request.max_priority_fee_per_gas.is_some())
    {
        return Err(RpcError::params("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified: give one"));
    }
    if request.has_eip4844_fields() {
        return Err(RpcError::params("blob transactions are not supported here; leave out the blob fields"));
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
        max_priority_fee_per_gas: request.max_priority_fee_per_gas,
        value: request.value.unwrap_or_default(),
        input: input.unwrap_or_default(),
        nonce: request.nonce,
        access_list: request.access_list.unwrap_or_default(),
        authorizations: request.authorization_list.unwrap_or_default(),
    })
}

/// A state as a call is to see it.
pub(crate) fn override_state(world: &WorldState, overrides: StateOverride) -> Result<WorldState, RpcError> {
    let mut changes = StateChanges::default();
    for (address, account) in overrides {
        let change = override_account(world, address, account, &mut changes)?;
        changes.accounts.insert(address, change);
    }
    Ok(world.apply(&changes)?)
}

fn override_account(
    world: &WorldState,
    address: Address,
    wanted: AccountOverride,
    changes: &mut StateChanges,
) -> Result<AccountChange, RpcError> {
    if wanted.state.is_some() && wanted.state_diff.is_some() {
        return Err(RpcError::params(format!("account {address} has both 'state' and 'stateDiff': give one")));
    }
    if wanted.move_precompile_to.is_some() {
        return Err(RpcError::params("movePrecompileToAddress is not supported; leave it out"));
    }
    let mut info = world.account(&address)?.unwrap_or_default();
    info.balance = wanted.balance.unwrap_or(info.balance);
    info.nonce = wanted.nonce.unwrap_or(info.nonce);
    if let Some(code) = wanted.code {
        info.code_hash = keccak256(&code);
        changes.code.insert(info.code_hash, code);
    }
    let wipe_storage = wanted.state.is_some();
    let slots = wanted.state.or(wanted.state_diff).unwrap_or_default();
    let storage = slots.into_iter().map(|(slot, value)| (slot.into(), value.into())).collect();
    Ok(AccountChange { info: Some(info), wipe_storage, storage })
}

/// A block as a call is to see it.
pub(crate) fn override_block(
    context: &mut BlockContext,
    ancestors: &mut Ancestors,
    overrides: BlockOverrides,
) -> Result<(), RpcError> {
    let narrow = |name: &str, value: U256| {
        u64::try_from(value).map_err(|_| RpcError::params(format!("{name} {value} does not fit in 64 bits")))
    };
    if overrides.blob_base_fee.is_some() {
        return Err(RpcError::params("blobBaseFee cannot be overridden; leave it out"));
    }
    if let Some(number) = overrides.number {
        context.number = narrow("number", number)?;
    }
    if let Some(base_fee) = overrides.base_fee {
        context.base_fee = narrow("baseFeePerGas", base_fee)?;
    }
    context.timestamp = overrides.time.unwrap_or(context.timestamp);
    context.gas_limit = overrides.gas_limit.unwrap_or(context.gas_limit);
    context.beneficiary = overrides.coinbase.unwrap_or(context.beneficiary);
    context.prev_randao = overrides.random.unwrap_or(context.prev_randao);
    ancestors.extend(overrides.block_hash.unwrap_or_default());
    Ok(())
}
