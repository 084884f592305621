//! Which transactions cannot wait beside each other.
//!
//! An account that is delegated (EIP-7702), or is about to be, can be emptied by a call that anybody makes. So what it sends may
//! become worthless at any time, and all of it at once: it gets one place. And blobs are dear to pass on, so a sender waits with
//! blobs or without, and never behind a gap with them.

use std::collections::HashMap;

use alloy_consensus::Transaction as _;
use alloy_primitives::Address;

use crate::{Account, BLOB_TRANSACTIONS_MAX, PoolError, candidate::Candidate, lane::Lane, rules::Code};

/// Most transactions of an account that a waiting transaction is to delegate: the one it may have of its own.
const IN_FLIGHT_OF_AUTHORITY_MAX: usize = 1;

/// Checks a candidate against those that wait. `authorities` counts, by account, the waiting transactions that are to delegate it.
pub(crate) fn check(
    candidate: &Candidate,
    account: &Account,
    lanes: &HashMap<Address, Lane>,
    authorities: &HashMap<Address, usize>,
) -> Result<(), PoolError> {
    let (sender, nonce) = (candidate.transaction.signer(), candidate.transaction.nonce());
    let lane = lanes.get(&sender);
    if let Some(lane) = lane
        && lane.has_blobs() != candidate.has_blobs()
    {
        return Err(PoolError::Reserved { sender });
    }
    if candidate.has_blobs() {
        check_blobs(sender, nonce, account, lane)?;
    }
    if account.code == Code::Delegation || authorities.contains_key(&sender) {
        check_delegated(sender, nonce, account, lane)?;
    }
    let conflicts = |authority: &&Address| {
        lanes.get(*authority).is_some_and(|lane| lane.len() > IN_FLIGHT_OF_AUTHORITY_MAX || lane.has_blobs())
    };
    match candidate.authorities.iter().find(conflicts) {
        Some(authority) => Err(PoolError::AuthorityReserved { authority: *authority }),
        None => Ok(()),
    }
}

fn check_blobs(sender: Address, nonce: u64, account: &Account, lane: Option<&Lane>) -> Result<(), PoolError> {
    let next = lane.map_or(account.info.nonce, Lane::next_nonce);
    if nonce > next {
        return Err(PoolError::BlobGap { sender, nonce, next });
    }
    match lane {
        Some(lane) if lane.len() >= BLOB_TRANSACTIONS_MAX && nonce == next => {
            Err(PoolError::SenderLimit { sender, max: BLOB_TRANSACTIONS_MAX })
        }
        _ => Ok(()),
    }
}

fn check_delegated(sender: Address, nonce: u64, account: &Account, lane: Option<&Lane>) -> Result<(), PoolError> {
    match lane {
        Some(lane) if lane.get(nonce).is_some() => Ok(()),
        Some(_) => Err(PoolError::InFlight { sender }),
        None if nonce != account.info.nonce => Err(PoolError::DelegatedGap { sender, nonce }),
        None => Ok(()),
    }
}
