//! Pools that have been traded with for a while: copies of one that was [prepared](crate::preparation), with tokens of
//! their own.
//!
//! Two swaps of exact inputs in opposite directions leave a pool's price about where it was, and where it is not, the
//! next two bring it nearer: so a pool stands any number of them, as long as their directions alternate.

use alloy_primitives::{Address, B256, U160, U256, uint};
use alloy_sol_types::SolCall as _;
use parapet_random::Random;

use crate::{
    Router,
    accounts::{Role, address},
    contracts::{Contract, POOL_TOKEN_SLOTS},
    ground::{Ground, Order},
    preparation::{Prepared, prepare},
};

/// Gas that a swap uses, on average.
pub(crate) const SWAP_GAS: u64 = 144_000;
/// What a wallet allows it.
const SWAP_GAS_LIMIT: u64 = 400_000;
/// What a swap puts in or takes out, of either token: at the price of ten and the liquidity that pools have, it moves the price by
/// one percent, which is more than one and a half times the distance between initialised ticks.
const SWAP_AMOUNTS: [u128; 2] = [1_600_000_000_000_000_000_000, 16_000_000_000_000_000_000_000];
/// Amounts differ by as much as this, in thousandths, up and down.
const AMOUNT_SPREAD: u64 = 100;
/// What each trader begins with of either token, and more than any swap could give.
pub(crate) const PURSE: U256 = uint!(1_000_000_000_000_000_000_000_000_000_U256);
/// Every order's deadline, in seconds since 1970: late.
const DEADLINE: U256 = uint!(4_000_000_000_U256);
/// The lowest and the highest square root of a price that a pool takes as a limit, as 1/2^96 (`SQRT_PRICE_MIN`, and one
/// below `SQRT_PRICE_MAX`, of `contracts/TickMath.sol`).
const LIMITS_X96: [U160; 2] = [U160::from_limbs([1 << 54, 1, 0]), U160::from_limbs([u64::MAX, u64::MAX, 0])];

/// Which token is put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Token0, so the price falls.
    Down,
    /// Token1, so the price rises.
    Up,
}

impl Direction {
    /// Of a pool's swap by its number: directions alternate.
    pub(crate) const fn of(number: usize) -> Self {
        if number.is_multiple_of(2) { Self::Down } else { Self::Up }
    }

    /// The side that is put in, and the one that comes out.
    const fn sides(self) -> (usize, usize) {
        match self {
            Self::Down => (0, 1),
            Self::Up => (1, 0),
        }
    }
}

/// What an order insists on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Terms {
    /// That so much is put in, whatever comes out.
    ExactInput,
    /// That so much comes out, whatever is put in.
    ExactOutput,
    /// More than there is: it swaps, and then reverts.
    Impossible,
}

/// The router, and what pools are copied from.
#[derive(Debug)]
pub(crate) struct Market {
    router: Address,
    prepared: Prepared,
    token_code: B256,
    pool_code: B256,
}

/// A pool on the ground.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) pool: Address,
    pub(crate) tokens: [Address; 2],
}

impl Market {
    /// Puts the router on the ground and prepares what pools are copied from.
    pub(crate) fn open(ground: &mut Ground) -> Self {
        let router = address(Role::Router, 0);
        let code = ground.learn(Contract::Router.runtime());
        ground.put(router, code);
        Self {
            router,
            prepared: prepare(),
            token_code: ground.learn(Contract::PlainToken.runtime()),
            pool_code: ground.learn(Contract::Pool.runtime()),
        }
    }

    /// Puts a pool on the ground, with tokens of its own.
    pub(crate) fn put(&self, ground: &mut Ground, index: usize) -> Place {
        let pool = address(Role::Pool, index);
        let tokens = [0, 1].map(|side| address(Role::Token, 2 * index + side));
        let mut storage = self.prepared.storage.clone();
        for side in [0, 1] {
            storage.insert(POOL_TOKEN_SLOTS[side], tokens[side].into_word().into());
            ground.put(tokens[side], self.token_code);
            ground.give(tokens[side], pool, self.prepared.reserves[side]);
        }
        ground.put(pool, self.pool_code).storage = storage;
        Place { pool, tokens }
    }

    /// A swap ordered by somebody who has what it takes, and some of what comes out.
    pub(crate) fn order(
        &self,
        ground: &mut Ground,
        place: &Place,
        from: Address,
        direction: Direction,
        terms: Terms,
        random: &mut Random,
    ) -> Order {
        for token in place.tokens {
            ground.give(token, from, PURSE);
            ground.allow(token, from, self.router);
        }
        swap(self.router, place.pool, from, direction, terms, random)
    }
}

/// A swap through a router.
pub(crate) fn swap(
    router: Address,
    pool: Address,
    from: Address,
    direction: Direction,
    terms: Terms,
    random: &mut Random,
) -> Order {
    let (side_in, side_out) = direction.sides();
    let zero_for_one = direction == Direction::Down;
    let limit = LIMITS_X96[side_in];
    let input = if terms == Terms::ExactOutput {
        let order = Router::ExactOutput {
            pool,
            zeroForOne: zero_for_one,
            recipient: from,
            deadline: DEADLINE,
            amountOut: amount(side_out, random),
            amountInMaximum: PURSE,
            sqrtPriceLimitX96: limit,
        };
        Router::exactOutputSingleCall { order }.abi_encode()
    } else {
        let order = Router::ExactInput {
            pool,
            zeroForOne: zero_for_one,
            recipient: from,
            deadline: DEADLINE,
            amountIn: amount(side_in, random),
            amountOutMinimum: if terms == Terms::Impossible { PURSE } else { U256::ZERO },
            sqrtPriceLimitX96: limit,
        };
        Router::exactInputSingleCall { order }.abi_encode()
    };
    Order::call(from, router, input, SWAP_GAS_LIMIT)
}

/// What a swap puts in or takes out of a token.
fn amount(side: usize, random: &mut Random) -> U256 {
    let thousandths = 1_000 - AMOUNT_SPREAD + random.below(2 * AMOUNT_SPREAD + 1);
    U256::from(SWAP_AMOUNTS[side] / 1_000 * u128::from(thousandths))
}
