//! Transactions that are sent to a node one by one: signed by keys, many of each sender's, over a state that a genesis
//! file can hold.

use alloy_primitives::{Address, U256};
use alloy_signer_local::PrivateKeySigner;
use parapet_random::Random;
use parapet_types::{StateChanges, Transaction};

use crate::{
    accounts::{Role, address, signers},
    contracts::Contract,
    ground::Ground,
    market::{Direction, Market, Terms},
    tokens::{self, HOLDING},
    transfers,
};

/// Accounts that are paid, in turn.
const RECIPIENTS: usize = 1_000;
/// Pools in which is traded, in turn.
const POOLS: usize = 16;
/// What is transferred of a token.
const TOKEN_VALUE: u64 = 1_000_000_000;
const SEED: u64 = 0x6c6f_6164;

/// What kind of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Traffic {
    /// Plain transfers.
    Transfers,
    /// Transfers of one ERC-20 token.
    Tokens,
    /// Swaps in sixteen pools.
    Swaps,
}

impl Traffic {
    /// Every kind, in the order in which they are reported.
    pub const ALL: [Self; 3] = [Self::Transfers, Self::Tokens, Self::Swaps];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transfers => "transfers",
            Self::Tokens => "erc20",
            Self::Swaps => "swaps",
        }
    }
}

/// Transactions, and the state that they begin on.
#[derive(Clone, Debug)]
pub struct Load {
    /// Accounts and code.
    pub state: StateChanges,
    /// Signed for [`CHAIN_ID`](crate::CHAIN_ID); in this order, each sender's nonces count up from 0.
    pub transactions: Vec<Transaction>,
}

/// Transactions of a kind by so many senders in turn. The same arguments give the same ones on every machine.
///
/// # Panics
/// When there is no sender, or the committed contracts are not those this crate was written for.
#[must_use]
pub fn load(traffic: Traffic, transactions: usize, senders: usize) -> Load {
    assert!(senders > 0, "somebody must send");
    let signers = signers(senders);
    let sender = |index: usize| signers[index % senders].address();
    let recipient = |index: usize| address(Role::Recipient, index % RECIPIENTS);
    let mut ground = Ground::new();
    match traffic {
        Traffic::Transfers => {
            for index in 0..transactions {
                ground.fund(recipient(index));
                ground.place(transfers::transfer(sender(index), recipient(index), index));
            }
        }
        Traffic::Tokens => {
            let token = address(Role::Token, 0);
            let code = ground.learn(Contract::PlainToken.runtime());
            ground.put(token, code);
            for index in 0..transactions {
                give(&mut ground, token, &[sender(index), recipient(index)]);
                let value = U256::from(TOKEN_VALUE + index as u64);
                ground.place(tokens::transfer(token, sender(index), recipient(index), value));
            }
        }
        Traffic::Swaps => place_swaps(&mut ground, &signers, transactions),
    }
    ground.into_load(&signers)
}

fn give(ground: &mut Ground, token: Address, holders: &[Address]) {
    for holder in holders {
        ground.give(token, *holder, U256::from(HOLDING));
    }
}

/// Each sender trades in one pool. A pool's trades alternate in direction, so its price stays about where it is, in whatever
/// order they come.
fn place_swaps(ground: &mut Ground, signers: &[PrivateKeySigner], transactions: usize) {
    let mut random = Random(SEED);
    let market = Market::open(ground);
    let places: Vec<_> = (0..POOLS).map(|index| market.put(ground, index)).collect();
    for index in 0..transactions {
        let (turn, sender) = (index / signers.len(), index % signers.len());
        let direction = Direction::of(turn + sender / POOLS);
        let place = &places[sender % POOLS];
        let order = market.order(ground, place, signers[sender].address(), direction, Terms::ExactInput, &mut random);
        ground.place(order);
    }
}
