//! What farms tell about themselves: their reward, what they owe, their schedule, and who has staked how much.

use parapet_guest::prelude::*;

/// Tell the reward.
const REWARD: [Bytes4; 9] = [
    Bytes4::from_hex("0xd1af0c7d"), // rewardsToken()
    Bytes4::from_hex("0xf7c618c1"), // rewardToken()
    Bytes4::from_hex("0x99248ea7"), // REWARD_TOKEN()
    Bytes4::from_hex("0x9ec5a894"), // rewards()
    Bytes4::from_hex("0x228cb733"), // reward()
    Bytes4::from_hex("0x0a087903"), // sushi()
    Bytes4::from_hex("0xdce17484"), // cake()
    Bytes4::from_hex("0xfc0c546a"), // token()
    Bytes4::from_hex("0x72f702f3"), // stakingToken()
];

/// Tell what is staked.
const STAKED: [Bytes4; 4] = [
    Bytes4::from_hex("0x72f702f3"), // stakingToken()
    Bytes4::from_hex("0x5fcbd285"), // lpToken()
    Bytes4::from_hex("0xcc7a262e"), // stakedToken()
    Bytes4::from_hex("0x312f6b83"), // STAKED_TOKEN()
];

/// Tell what an account is owed.
const OWED: [Bytes4; 10] = [
    Bytes4::from_hex("0x008cc262"), // earned(address)
    Bytes4::from_hex("0x402914f5"), // claimable(address)
    Bytes4::from_hex("0xe9503425"), // claimableReward(address)
    Bytes4::from_hex("0xdc01f60d"), // claimableRewards(address)
    Bytes4::from_hex("0xf40f0f52"), // pendingReward(address)
    Bytes4::from_hex("0x31d7a262"), // pendingRewards(address)
    Bytes4::from_hex("0x5eebea20"), // pending(address)
    Bytes4::from_hex("0x4df9d6ba"), // getPendingReward(address)
    Bytes4::from_hex("0x505bd3da"), // unclaimed(address)
    Bytes4::from_hex("0xdf18e047"), // owed(address)
];

/// Tell what an account is owed of a pool.
const OWED_OF_POOL: [Bytes4; 6] = [
    Bytes4::from_hex("0x98969e82"), // pendingReward(uint256,address)
    Bytes4::from_hex("0xd18df53c"), // pendingRewards(uint256,address)
    Bytes4::from_hex("0x195426ec"), // pendingSushi(uint256,address)
    Bytes4::from_hex("0x1175a1dd"), // pendingCake(uint256,address)
    Bytes4::from_hex("0xa0c7f71c"), // claimable(uint256,address)
    Bytes4::from_hex("0xe39c08fc"), // earned(uint256,address)
];

/// Tell an account's stake.
const STAKES: [Bytes4; 9] = [
    Bytes4::from_hex("0x70a08231"), // balanceOf(address)
    Bytes4::from_hex("0x98807d84"), // staked(address)
    Bytes4::from_hex("0x42623360"), // stakeOf(address)
    Bytes4::from_hex("0x60217267"), // stakedBalance(address)
    Bytes4::from_hex("0x16934fc4"), // stakes(address)
    Bytes4::from_hex("0xcb13cddb"), // deposited(address)
    Bytes4::from_hex("0xfc7e286d"), // deposits(address)
    Bytes4::from_hex("0x27e235e3"), // balances(address)
    Bytes4::from_hex("0x1959a002"), // userInfo(address)
];

/// Tell an account's stake in a pool.
const STAKES_IN_POOL: [Bytes4; 2] = [
    Bytes4::from_hex("0x93f1a40b"), // userInfo(uint256,address)
    Bytes4::from_hex("0x3656eec2"), // balanceOf(uint256,address)
];

/// Tell how much there is per second.
const PER_SECOND: [Bytes4; 6] = [
    Bytes4::from_hex("0x7b0a47ee"), // rewardRate()
    Bytes4::from_hex("0x8f10369a"), // rewardPerSecond()
    Bytes4::from_hex("0xeacdaabc"), // rewardsPerSecond()
    Bytes4::from_hex("0xd1164400"), // emissionPerSecond()
    Bytes4::from_hex("0x4d8d9e92"), // tokensPerSecond()
    Bytes4::from_hex("0xa06e408b"), // sushiPerSecond()
];

/// Tell how much there is per block.
const PER_BLOCK: [Bytes4; 5] = [
    Bytes4::from_hex("0x8ae39cac"), // rewardPerBlock()
    Bytes4::from_hex("0x5eeb6710"), // rewardsPerBlock()
    Bytes4::from_hex("0xb0bcf42a"), // sushiPerBlock()
    Bytes4::from_hex("0x0755e0b6"), // cakePerBlock()
    Bytes4::from_hex("0x1a1cb01f"), // tokensPerBlock()
];

/// A function of an account, and of a pool where a farm has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    function: Bytes4,
    pool: Option<U256>,
}

impl Question {
    /// The first by which the farm tells what it owes, or owed, to an account.
    pub(crate) fn owed(tx: &Tx, farm: Address, account: Address, pool: U256) -> Option<Self> {
        Self::find(tx, farm, account, (&OWED, &OWED_OF_POOL), pool)
    }

    /// The first by which the farm tells the account's stake.
    pub(crate) fn stake(tx: &Tx, farm: Address, account: Address, pool: U256) -> Option<Self> {
        Self::find(tx, farm, account, (&STAKES, &STAKES_IN_POOL), pool)
    }

    fn find(tx: &Tx, farm: Address, account: Address, of: (&[Bytes4], &[Bytes4]), pool: U256) -> Option<Self> {
        let plain = of.0.iter().map(|function| Self { function: *function, pool: None });
        let pooled = of.1.iter().map(|function| Self { function: *function, pool: Some(pool) });
        plain.chain(pooled).find(|question| question.ask(tx, Fork::PreTx, farm, account).is_some())
    }

    /// The first word of the answer.
    pub(crate) fn ask(self, tx: &Tx, fork: Fork, farm: Address, account: Address) -> Option<U256> {
        let mut calldata = self.function.0.to_vec();
        if let Some(pool) = self.pool {
            calldata.extend(pool.to_be_bytes::<32>());
        }
        calldata.extend([0; 12]);
        calldata.extend(account.0);
        word(tx, fork, farm, &calldata)
    }
}

/// The unit in which a schedule counts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rate {
    PerSecond,
    PerBlock,
}

impl Rate {
    /// What the farm tells, as the transaction found it; a schedule of nothing is none.
    pub(crate) fn find(tx: &Tx, farm: Address) -> Option<(U256, Self)> {
        let first = |functions: &[Bytes4]| {
            let mut told = functions.iter().filter_map(|function| word(tx, Fork::PreTx, farm, &function.0));
            told.find(|rate| !rate.is_zero())
        };
        let per_second = first(&PER_SECOND).map(|rate| (rate, Self::PerSecond));
        per_second.or_else(|| first(&PER_BLOCK).map(|rate| (rate, Self::PerBlock)))
    }
}

/// The token that a farm pays.
pub(crate) fn reward_token(tx: &Tx, farm: Address) -> Option<Address> {
    token(tx, farm, &REWARD)
}

/// Whether stakes may be in the reward itself: no other token is told.
pub(crate) fn may_stake(tx: &Tx, farm: Address, reward: Address) -> bool {
    token(tx, farm, &STAKED).is_none_or(|staked| staked == reward)
}

fn token(tx: &Tx, farm: Address, functions: &[Bytes4]) -> Option<Address> {
    let mut told = functions.iter().filter_map(|function| word(tx, Fork::PreTx, farm, &function.0));
    let is_address = |word: &U256| word.bit_len() > 96 && word.bit_len() <= 160;
    let word = told.find(is_address)?.to_be_bytes::<32>();
    word.last_chunk().map(|address| Address(*address))
}

fn word(tx: &Tx, fork: Fork, contract: Address, calldata: &[u8]) -> Option<U256> {
    let viewed = tx.view(fork, contract, calldata);
    let word = viewed.output.first_chunk::<32>().copied();
    word.filter(|_| viewed.succeeded()).map(U256::from_be_bytes)
}
