//! Swaps, each by a trader of its own. All that swaps in different pools share is the router's code, those of pools and
//! tokens, and the fee recipient.
use parapet_random::Random;

use crate::{
    Kind, Workload,
    accounts::{Role, address},
    ground::Ground,
    market::{Direction, Market, SWAP_GAS, Terms},
};

/// Pools of [`Kind::Swaps16Pools`].
pub(crate) const POOLS: usize = 16;
const SEED: u64 = 0x7377_6170;

pub(crate) fn generate(kind: Kind, gas: u64) -> Workload {
    let count = (gas / SWAP_GAS).max(1) as usize;
    let mut random = Random(SEED);
    let mut ground = Ground::new();
    let market = Market::open(&mut ground);
    let pools = match kind {
        Kind::SwapsIndependent => count,
        Kind::SwapsOnePool => 1,
        _ => POOLS,
    };
    let places: Vec<_> = (0..pools).map(|index| market.put(&mut ground, index)).collect();
    let mut swaps = vec![0; pools];
    for index in 0..count {
        let pool = match kind {
            Kind::SwapsIndependent => index,
            Kind::SwapsOnePool => 0,
            _ => random.index(pools),
        };
        // A pool that is used once is used in either direction.
        let number = if kind == Kind::SwapsIndependent { index } else { swaps[pool] };
        swaps[pool] += 1;
        let trader = address(Role::Sender, index);
        let order =
            market.order(&mut ground, &places[pool], trader, Direction::of(number), Terms::ExactInput, &mut random);
        ground.place(order);
    }
    ground.seal(kind)
}
