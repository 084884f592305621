//! A block as they are: a few hot accounts and contracts, many cold ones, senders with several transactions, payments
//! to the fee recipient from within the EVM, contract creations, and transactions that revert.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall as _;
use parapet_random::Random;

use crate::{
    Kind, Tally, Workload,
    accounts::{Role, address},
    contracts::Contract,
    ground::{Ground, Order},
    market::{Direction, Market, Place, SWAP_GAS, Terms},
    swaps::POOLS,
    tokens::{self, HOLDING, TOKEN_TRANSFER_GAS},
    transfers::{self, TRANSFER_GAS},
};

/// One transaction in this many reverts: one in twenty.
const REVERTING_EVERY: usize = 20;
/// Gas by transaction, on average: for choosing the number of accounts.
const AVERAGE_GAS: u64 = 52_000;
/// Transactions by sender, on average.
const TRANSACTIONS_PER_SENDER: u64 = 2;
/// Fewest accounts.
const ACCOUNTS_MIN: u64 = 16;
/// Tokens that are no pool's.
const TOKENS: usize = 8;
/// The first of them by index; those of the pools come before.
const TOKENS_FROM: usize = 2 * POOLS;
/// How often the hot one is meant where there are hot and cold ones, in percent.
const HOT_PERCENT: u64 = 40;
/// Swaps that ask for an exact output, in percent; few enough for prices to stay where they are.
const EXACT_OUTPUT_PERCENT: u64 = 25;
/// Gas that counting uses.
const COUNT_GAS: u64 = 48_000;
/// Gas that tipping uses.
const TIP_GAS: u64 = 55_000;
/// What wallets allow either.
const TALLY_GAS_LIMIT: u64 = 100_000;
/// What a tip pays the fee recipient, in wei.
const TIP_WEI: u64 = 1_000_000_000_000_000;
/// Gas that creating a tally uses.
const CREATE_GAS: u64 = 160_000;
/// What a wallet allows it.
const CREATE_GAS_LIMIT: u64 = 1_000_000;
/// Gas that a token transfer uses that fails for want of balance.
const OVERDRAFT_GAS: u64 = 25_000;
const SEED: u64 = 0x6d69_7865;

pub(crate) fn generate(gas: u64) -> Workload {
    let mut mix = Mix::new(gas);
    let mut spent = 0;
    while spent < gas || mix.ground.len() == 0 {
        spent += if (mix.ground.len() + 1).is_multiple_of(REVERTING_EVERY) { mix.reverting() } else { mix.ordinary() };
    }
    mix.ground.seal(Kind::Mixed)
}

/// What the transactions are drawn from. Methods that place one answer the gas it will use, about.
struct Mix {
    ground: Ground,
    random: Random,
    accounts: Vec<Address>,
    market: Market,
    places: Vec<Place>,
    /// Swaps that succeed so far, by pool.
    swaps: Vec<usize>,
    tokens: Vec<Address>,
    tally: Address,
    /// Code that creates another tally.
    creation: Bytes,
    /// Where many transfers go, as to an exchange.
    exchange: Address,
}

impl Mix {
    fn new(gas: u64) -> Self {
        let mut ground = Ground::new();
        let market = Market::open(&mut ground);
        let places: Vec<_> = (0..POOLS).map(|index| market.put(&mut ground, index)).collect();
        let token_code = ground.learn(Contract::PlainToken.runtime());
        let tokens: Vec<_> = (TOKENS_FROM..TOKENS_FROM + TOKENS).map(|index| address(Role::Token, index)).collect();
        for token in &tokens {
            ground.put(*token, token_code);
        }
        let tally = address(Role::Tally, 0);
        let tally_code = ground.learn(Contract::Tally.runtime());
        ground.put(tally, tally_code);
        let exchange = address(Role::Recipient, 0);
        ground.fund(exchange);
        let accounts = (gas / AVERAGE_GAS / TRANSACTIONS_PER_SENDER).max(ACCOUNTS_MIN) as usize;
        let accounts = (0..accounts).map(|index| address(Role::Sender, index)).collect();
        Self {
            ground,
            random: Random(SEED),
            accounts,
            market,
            places,
            swaps: vec![0; POOLS],
            tokens,
            tally,
            creation: Contract::Tally.creation(),
            exchange,
        }
    }

    fn ordinary(&mut self) -> u64 {
        match self.random.below(100) {
            0..40 => self.transfer(),
            40..72 => self.token_transfer(),
            72..85 => self.swap(),
            85..92 => self.count(),
            92..97 => self.tip(),
            _ => self.create(),
        }
    }

    fn reverting(&mut self) -> u64 {
        let from = self.account();
        if self.random.percent(50) {
            let token = self.token();
            self.ground.give(token, from, U256::from(HOLDING));
            let to = self.account();
            self.ground.place_reverting(tokens::transfer(token, from, to, U256::from(HOLDING) * U256::from(HOLDING)));
            return OVERDRAFT_GAS;
        }
        let pool = self.hot_or_cold(POOLS);
        let direction = Direction::of(self.swaps[pool]);
        let order = self.market.order(
            &mut self.ground,
            &self.places[pool],
            from,
            direction,
            Terms::Impossible,
            &mut self.random,
        );
        self.ground.place_reverting(order);
        SWAP_GAS
    }

    fn transfer(&mut self) -> u64 {
        let (from, to) = (self.account(), self.recipient());
        self.ground.fund(to);
        let order = transfers::transfer(from, to, self.ground.len());
        self.ground.place(order);
        TRANSFER_GAS
    }

    fn token_transfer(&mut self) -> u64 {
        let (token, from, to) = (self.token(), self.account(), self.recipient());
        for holder in [from, to] {
            self.ground.give(token, holder, U256::from(HOLDING));
        }
        let value = U256::from(1 + self.random.below(1_000_000));
        self.ground.place(tokens::transfer(token, from, to, value));
        TOKEN_TRANSFER_GAS
    }

    fn swap(&mut self) -> u64 {
        let (pool, from) = (self.hot_or_cold(POOLS), self.account());
        let direction = Direction::of(self.swaps[pool]);
        self.swaps[pool] += 1;
        let terms = if self.random.percent(EXACT_OUTPUT_PERCENT) { Terms::ExactOutput } else { Terms::ExactInput };
        let order = self.market.order(&mut self.ground, &self.places[pool], from, direction, terms, &mut self.random);
        self.ground.place(order);
        SWAP_GAS
    }

    fn count(&mut self) -> u64 {
        let order = Order::call(self.account(), self.tally, Tally::countCall {}.abi_encode(), TALLY_GAS_LIMIT);
        self.ground.place(order);
        COUNT_GAS
    }

    fn tip(&mut self) -> u64 {
        let order = Order::call(self.account(), self.tally, Tally::tipCall {}.abi_encode(), TALLY_GAS_LIMIT);
        self.ground.place(Order { value: U256::from(TIP_WEI), ..order });
        TIP_GAS
    }

    fn create(&mut self) -> u64 {
        let order = Order::create(self.account(), self.creation.clone(), CREATE_GAS_LIMIT);
        self.ground.place(order);
        CREATE_GAS
    }

    fn account(&mut self) -> Address {
        let index = self.random.index(self.accounts.len());
        self.accounts[index]
    }

    fn recipient(&mut self) -> Address {
        if self.random.percent(HOT_PERCENT) { self.exchange } else { self.account() }
    }

    fn token(&mut self) -> Address {
        let index = self.hot_or_cold(TOKENS);
        self.tokens[index]
    }

    /// An index below `length`: often the first, otherwise any.
    fn hot_or_cold(&mut self, length: usize) -> usize {
        if self.random.percent(HOT_PERCENT) { 0 } else { self.random.index(length) }
    }
}
