//! Plain transfers, signed by their senders.

use alloy_primitives::{Address, Bytes, TxKind, U256};
use alloy_signer_local::PrivateKeySigner;

use crate::{
    Kind, Workload,
    accounts::{Role, address, signers},
    ground::{Ground, Order},
};

/// Gas of a plain transfer (the protocol's).
pub(crate) const TRANSFER_GAS: u64 = 21_000;
/// What the first transfer moves, in wei; each next one moves one more.
const VALUE_WEI: u64 = 1_000_000_000;

pub(crate) fn generate(kind: Kind, gas: u64) -> Workload {
    let count = (gas / TRANSFER_GAS).max(1) as usize;
    let signers = signers(if kind == Kind::TransfersOneSender { 1 } else { count });
    let sender = |index: usize| signers[if kind == Kind::TransfersOneSender { 0 } else { index }].address();
    let recipient = |index: usize| match kind {
        Kind::TransfersOneRecipient => address(Role::Recipient, 0),
        Kind::TransfersChain => {
            signers.get(index + 1).map_or_else(|| address(Role::Recipient, index), PrivateKeySigner::address)
        }
        _ => address(Role::Recipient, index),
    };
    let mut ground = Ground::new();
    for index in 0..count {
        ground.fund(recipient(index));
        ground.place(transfer(sender(index), recipient(index), index));
    }
    ground.sign(kind, &signers)
}

/// A transfer of an amount that tells it from others.
pub(crate) fn transfer(from: Address, to: Address, index: usize) -> Order {
    let value = U256::from(VALUE_WEI + index as u64);
    Order { from, to: TxKind::Call(to), value, input: Bytes::new(), gas_limit: TRANSFER_GAS }
}
