//! Transfers of one ERC-20 token. All that they share is the token's code and the fee recipient, and the holders that
//! their kind names.

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall as _;

use crate::{
    Kind, PlainToken, Workload,
    accounts::{Role, address},
    contracts::Contract,
    ground::{Ground, Order},
};

/// Gas that a transfer between holders uses, give or take some hundreds for its calldata.
pub(crate) const TOKEN_TRANSFER_GAS: u64 = 34_500;
/// What a wallet allows it.
const TOKEN_TRANSFER_GAS_LIMIT: u64 = 60_000;
/// What holders begin with.
pub(crate) const HOLDING: u128 = 1_000_000 * 1_000_000_000_000_000_000;
/// What the first transfer moves; each next one moves one more.
const VALUE: u64 = 1_000_000_000;

pub(crate) fn generate(kind: Kind, gas: u64) -> Workload {
    let count = (gas / TOKEN_TRANSFER_GAS).max(1) as usize;
    let token = address(Role::Token, 0);
    let recipient = |index: usize| match kind {
        Kind::Erc20OneRecipient => address(Role::Recipient, 0),
        Kind::Erc20Chain => address(Role::Sender, index + 1),
        _ => address(Role::Recipient, index),
    };
    let mut ground = Ground::new();
    let code = ground.learn(Contract::PlainToken.runtime());
    ground.put(token, code);
    for index in 0..count {
        let (from, to) = (address(Role::Sender, index), recipient(index));
        ground.give(token, from, U256::from(HOLDING));
        ground.give(token, to, U256::from(HOLDING));
        ground.place(transfer(token, from, to, U256::from(VALUE + index as u64)));
    }
    ground.seal(kind)
}

/// A transfer of a token.
pub(crate) fn transfer(token: Address, from: Address, to: Address, value: U256) -> Order {
    let input = PlainToken::transferCall { to, value }.abi_encode();
    Order::call(from, token, input, TOKEN_TRANSFER_GAS_LIMIT)
}
