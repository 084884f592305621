//! EIP-7702 authorizations as the trace has them: which of a transaction's list took effect.

use std::collections::BTreeMap;

use alloy_eips::eip7702::RecoveredAuthorization;
use alloy_primitives::{Address, U256};
use parapet_abi::AuthorizationRecord;
use revm::{
    context::TxEnv,
    context_interface::either::Either,
    state::{Bytecode, EvmState},
};

/// Recovers the signers of a transaction's authorizations, so that nobody has to do it again.
pub(crate) fn recover(tx: &mut TxEnv) {
    for authorization in &mut tx.authorization_list {
        if let Either::Left(signed) = authorization {
            *authorization = Either::Right(signed.clone().into_recovered());
        }
    }
}

/// The records of a recovered list that has been applied to `state`. Authorizations only ever follow each other, so
/// which of them were valid follows from the nonces that the transaction found (EIP-7702, behaviour, steps 1 to 6).
pub(crate) fn records(tx: &TxEnv, chain_id: u64, state: &EvmState) -> Vec<AuthorizationRecord> {
    let recovered = tx.authorization_list.iter().filter_map(|authorization| match authorization {
        Either::Left(_) => None,
        Either::Right(recovered) => Some(recovered),
    });
    let mut nonces = BTreeMap::new();
    let records = (0..).zip(recovered).map(|(index, authorization)| AuthorizationRecord {
        index,
        applied: u8::from(applies(authorization, tx.caller, chain_id, state, &mut nonces)),
        chain_id: authorization.chain_id.saturating_to(),
        nonce: authorization.nonce,
        authority: authorization.authority().unwrap_or_default().into_array().into(),
        delegate: authorization.address.into_array().into(),
        ..AuthorizationRecord::default()
    });
    records.collect()
}

fn applies(
    authorization: &RecoveredAuthorization,
    sender: Address,
    chain_id: u64,
    state: &EvmState,
    nonces: &mut BTreeMap<Address, u64>,
) -> bool {
    let for_this_chain = authorization.chain_id.is_zero() || authorization.chain_id == U256::from(chain_id);
    let Some(authority) = authorization.authority().filter(|_| for_this_chain && authorization.nonce != u64::MAX)
    else {
        return false;
    };
    let Some(account) = state.get(&authority) else { return false };
    let is_free = account.info.code.as_ref().is_none_or(|code: &Bytecode| code.is_empty() || code.is_eip7702());
    // The sender's own nonce step comes before the list.
    let found = account.original_info().nonce.saturating_add(u64::from(authority == sender));
    let next = nonces.entry(authority).or_insert(found);
    let applies = is_free && authorization.nonce == *next;
    *next += u64::from(applies);
    applies
}
