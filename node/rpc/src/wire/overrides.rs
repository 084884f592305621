//! States and blocks as clients want a call to see them.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, U256, keccak256};
use alloy_rpc_types_eth::{
    BlockOverrides,
    state::{AccountOverride, StateOverride},
};
use parapet_simulate::{Overrides, PrecompileMoves};
use parapet_state::WorldState;
use parapet_types::{AccountChange, Ancestors, BlockContext, StateChanges};

use crate::RpcError;

/// A state as a call is to see it. Whatever is put in the place of a precompile silences it; one can be moved first. Accounts
/// go in the order of their addresses, so that of several faults always the same one is told.
pub(crate) fn override_state(
    world: &WorldState,
    overrides: StateOverride,
    precompiles: &mut PrecompileMoves,
) -> Result<WorldState, RpcError> {
    let overrides: BTreeMap<Address, AccountOverride> = overrides.into_iter().collect();
    move_precompiles(&overrides, precompiles)?;
    let mut changes = StateChanges::default();
    for (address, account) in overrides {
        // Of what is only moved nothing comes to be.
        let is_kept = account.balance.is_none() && account.nonce.is_none() && account.code.is_none();
        if is_kept && account.state.is_none() && account.state_diff.is_none() {
            continue;
        }
        let change = override_account(world, address, account, &mut changes)?;
        changes.accounts.insert(address, change);
    }
    Ok(world.apply(&changes)?)
}

fn move_precompiles(
    overrides: &BTreeMap<Address, AccountOverride>,
    precompiles: &mut PrecompileMoves,
) -> Result<(), RpcError> {
    let mut taken = BTreeSet::new();
    for (address, account) in overrides {
        if taken.contains(address) {
            return Err(RpcError::OverriddenTwice(*address));
        }
        let is_precompile = precompiles.answering(*address).is_some();
        if let Some(to) = account.move_precompile_to {
            if !is_precompile {
                return Err(RpcError::NoPrecompile(*address));
            }
            if overrides.contains_key(&to) {
                return Err(RpcError::OverriddenTwice(to));
            }
            precompiles.copy(*address, to);
            taken.insert(to);
        }
        if is_precompile {
            precompiles.silence(*address);
        }
    }
    Ok(())
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

/// A block as a call is to see it; what the EVM's header does not hold goes into `apart`.
pub(crate) fn override_block(
    context: &mut BlockContext,
    ancestors: &mut Ancestors,
    apart: &mut Overrides,
    overrides: BlockOverrides,
) -> Result<(), RpcError> {
    if overrides.beacon_root.is_some() {
        return Err(RpcError::params("beaconRoot can be overridden in eth_simulateV1 alone; leave it out"));
    }
    if let Some(number) = overrides.number {
        context.number = narrow("number", number)?;
    }
    if let Some(base_fee) = overrides.base_fee {
        context.base_fee = narrow("baseFeePerGas", base_fee)?;
    }
    if let Some(price) = overrides.blob_base_fee {
        apart.blob_base_fee = Some(narrow("blobBaseFee", price)?);
    }
    context.timestamp = overrides.time.unwrap_or(context.timestamp);
    context.gas_limit = overrides.gas_limit.unwrap_or(context.gas_limit);
    context.beneficiary = overrides.coinbase.unwrap_or(context.beneficiary);
    context.prev_randao = overrides.random.unwrap_or(context.prev_randao);
    ancestors.extend(overrides.block_hash.unwrap_or_default());
    Ok(())
}

/// A number that does not fit is refused by its name.
pub(crate) fn narrow<T: TryFrom<U256>>(name: &str, value: U256) -> Result<T, RpcError> {
    let bits = 8 * size_of::<T>();
    T::try_from(value).map_err(|_| RpcError::params(format!("{name} {value} does not fit in {bits} bits")))
}

#[cfg(test)]
mod tests {
    use parapet_types::Hardfork;

    use super::*;

    fn moved(moves: &[(u8, Option<u8>)]) -> Result<PrecompileMoves, RpcError> {
        let address = Address::with_last_byte;
        let account = |to: Option<u8>| AccountOverride { move_precompile_to: to.map(address), ..Default::default() };
        let overrides = moves.iter().map(|(from, to)| (address(*from), account(*to))).collect();
        let mut precompiles = PrecompileMoves::none(Hardfork::Osaka);
        move_precompiles(&overrides, &mut precompiles).map(|()| precompiles)
    }

    #[test]
    fn what_stands_in_the_place_of_a_precompile_silences_it() {
        let moves = moved(&[(4, None), (200, None)]).ok();
        assert_eq!(moves.as_ref().and_then(|moves| moves.answering(Address::with_last_byte(4))), None);
        let still = moves.and_then(|moves| moves.answering(Address::with_last_byte(1)));
        assert_eq!(still, Some(Address::with_last_byte(1)));
    }

    #[test]
    fn a_move_to_where_something_else_is_to_be_is_refused() {
        for moves in [&[(1, Some(1))][..], &[(1, Some(2)), (2, None)], &[(2, Some(1)), (1, None)]] {
            assert!(matches!(moved(moves), Err(RpcError::OverriddenTwice(_))), "{moves:?}");
        }
        assert!(matches!(moved(&[(200, Some(201))]), Err(RpcError::NoPrecompile(_))));
    }
}
