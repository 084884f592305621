//! A pool's past: deployed, filled with positions and traded with, all by execution, so that its storage is what its
//! contract makes it. Swaps have filled the ring of observations and turned the fees of both tokens over the ticks
//! around the price, so that no measured swap writes where nothing was.

use std::collections::BTreeMap;

use alloy_primitives::{Address, Bytes, U160, U256, aliases::I24, uint};
use alloy_sol_types::{SolCall as _, SolValue as _};
use parapet_executor::{Admission, BlockInput, Listing, Mode, Point, execute_block};
use parapet_monitor::NoMonitor;
use parapet_random::Random;
use parapet_types::{Ancestors, FlatState, StateChanges, Transaction};

use crate::{
    PlainToken, Pool,
    accounts::{Role, address},
    contracts::{Contract, balance_slot},
    ground::{Ground, Order, block, params},
    market::{Direction, Terms, swap},
};

/// Square root of the price at first, as 1/2^96: that of ten token1 for one token0.
const SQRT_PRICE_X96: U160 = uint!(250_541_448_375_047_931_186_413_801_569_U160);
/// Ticks between two that can be initialised (`TICK_SPACING` of the contract).
const TICK_SPACING: i32 = 60;
/// The spacing in which that price lies.
const MIDDLE: i32 = 383;
/// Narrow positions begin at every spacing as far as this from the middle.
const REACH: i32 = 24;
/// Spacings that a narrow position covers.
const NARROW_SPACINGS: i32 = 3;
/// Spacings that the wide position reaches from the middle, both ways.
const WIDE_SPACINGS: i32 = 200;
/// Liquidity of the wide position, and about that of the narrow ones together at any price.
const LIQUIDITY: u128 = 500_000_000_000_000_000_000_000;
/// Narrow positions have up to this more, in percent, so that crossing any tick changes the liquidity.
const LIQUIDITY_SPREAD: u64 = 50;
/// What the deployer has of either token.
const SUPPLY: U256 = uint!(1_000_000_000_000_000_000_000_000_000_000_U256);
/// Directions of the swaps in its past, over and over: to either side of the price it had at first, farther than one
/// swap goes, and back.
const PAST: [Direction; 8] = {
    use Direction::{Down, Up};
    [Down, Down, Up, Up, Up, Up, Down, Down]
};
/// Blocks of one swap each.
const SWAPS: u64 = 24;
/// Gas limit of the transactions that deploy and fill it.
const PREPARATION_GAS_LIMIT: u64 = 8_000_000;
/// Gas limit of a block of them.
const BLOCK_GAS_LIMIT: u64 = 1_000_000_000;
const SEED: u64 = 0x7072_6570;

/// What pools are copied from.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The pool's storage.
    pub(crate) storage: BTreeMap<U256, U256>,
    /// What it holds of either token.
    pub(crate) reserves: [U256; 2],
}

/// Prepares a pool.
pub(crate) fn prepare() -> Prepared {
    let mut random = Random(SEED);
    let deployer = address(Role::Deployer, 0);
    let [token0, token1, pool, router] = [0, 1, 2, 3].map(|nonce| deployer.create(nonce));
    let mut ground = Ground::new();
    let creation =
        |contract: Contract, arguments: Vec<u8>| -> Bytes { [&contract.creation()[..], &arguments].concat().into() };
    for code in [
        creation(Contract::PlainToken, SUPPLY.abi_encode()),
        creation(Contract::PlainToken, SUPPLY.abi_encode()),
        creation(Contract::Pool, (token0, token1, SQRT_PRICE_X96).abi_encode()),
        creation(Contract::Router, Vec::new()),
    ] {
        ground.place(Order::create(deployer, code, PREPARATION_GAS_LIMIT));
    }
    let mut call = |to: Address, input: Vec<u8>| ground.place(Order::call(deployer, to, input, PREPARATION_GAS_LIMIT));
    for token in [token0, token1] {
        for spender in [pool, router] {
            call(token, PlainToken::approveCall { spender, value: U256::MAX }.abi_encode());
        }
    }
    for position in positions(&mut random) {
        call(pool, position.abi_encode());
    }
    let mut state = ground.state();
    let mut past = StateChanges::default();
    run(&mut state, &mut past, SWAPS + 1, &ground.take());
    for number in 0..SWAPS {
        let direction = PAST[number as usize % PAST.len()];
        ground.place(swap(router, pool, deployer, direction, Terms::ExactInput, &mut random));
        run(&mut state, &mut past, SWAPS - number, &ground.take());
    }
    let storage = |account: &Address| &past.accounts[account].storage;
    Prepared {
        storage: storage(&pool).clone(),
        reserves: [token0, token1].map(|token| storage(&token)[&balance_slot(pool)]),
    }
}

/// One that is wide, and narrow ones that overlap.
fn positions(random: &mut Random) -> Vec<Pool::addCall> {
    let between = |low: i32, high: i32, amount: u128| {
        let [low, high] = [low, high].map(|spacing| I24::try_from(spacing * TICK_SPACING).expect("ticks have 24 bits"));
        Pool::addCall { low, high, amount }
    };
    let mut positions = vec![between(MIDDLE - WIDE_SPACINGS, MIDDLE + WIDE_SPACINGS, LIQUIDITY)];
    positions.extend((MIDDLE - REACH..=MIDDLE + REACH).map(|low| {
        let percent = 100 + random.below(LIQUIDITY_SPREAD);
        let amount = LIQUIDITY / NARROW_SPACINGS.unsigned_abs() as u128 / 100 * u128::from(percent);
        between(low, low + NARROW_SPACINGS, amount)
    }));
    positions
}

/// Executes a block and keeps what it did.
fn run(state: &mut FlatState, past: &mut StateChanges, before: u64, transactions: &[Transaction]) {
    let block = block(before, BLOCK_GAS_LIMIT);
    let params = params(BLOCK_GAS_LIMIT);
    let ancestors = Ancestors::new();
    let at = Point { params: &params, world: state, ancestors: &ancestors, block: &block };
    let input =
        BlockInput { at, transactions, admission: Admission::Import, access_list: Listing::Ignore, deadline: None };
    let executed = execute_block(&input, &NoMonitor, Mode::Sequential).expect("the preparation is a valid block");
    for included in &executed.included {
        assert!(included.executed.succeeded(), "the preparation failed: {:?}", included.executed);
    }
    state.apply(&executed.changes);
    for (address, change) in executed.changes.accounts {
        let known = past.accounts.entry(address).or_default();
        known.storage.extend(change.storage);
        known.storage.retain(|_, value| !value.is_zero());
    }
}
