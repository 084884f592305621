//! Pools are real markets: prices, ticks and balances agree, and each kind uses as many pools as its name says.

use std::collections::{BTreeMap, BTreeSet};

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, I256, Log};
use alloy_sol_types::{SolCall as _, SolEvent as _};
use parapet_types::Executed;
use parapet_workloads::{Kind, PlainToken, Pool, Router, generate};

use crate::{GAS, execute};

const SWAPS: [Kind; 3] = [Kind::SwapsIndependent, Kind::Swaps16Pools, Kind::SwapsOnePool];

fn swaps(kind: Kind) -> Vec<Executed> {
    let workload = generate(kind, 3 * GAS);
    let swaps: Vec<_> = execute(&workload).included.into_iter().map(|included| included.executed).collect();
    assert!(swaps.len() > 50, "{kind} is too short to show anything");
    swaps
}

/// What the pool reported.
fn swapped(executed: &Executed) -> Log<Pool::Swapped> {
    executed.logs.iter().find_map(|log| Pool::Swapped::decode_log(log).ok()).unwrap()
}

/// What moved of each token into the pool, in the order of movements.
fn moved(executed: &Executed, pool: Address) -> Vec<I256> {
    let transfers = executed.logs.iter().filter_map(|log| PlainToken::Transfer::decode_log(log).ok());
    transfers
        .map(|transfer| {
            let value = I256::try_from(transfer.value).unwrap();
            if transfer.to == pool { value } else { -value }
        })
        .collect()
}

#[test]
fn each_independent_swap_has_a_pool_and_tokens_of_its_own() {
    let swaps = swaps(Kind::SwapsIndependent);
    let contracts: Vec<BTreeSet<Address>> =
        swaps.iter().map(|executed| executed.logs.iter().map(|log| log.address).collect()).collect();
    assert!(contracts.iter().all(|contracts| contracts.len() == 3));
    let all: BTreeSet<Address> = contracts.iter().flatten().copied().collect();
    assert_eq!(all.len(), 3 * swaps.len());
}

#[test]
fn swaps_over_sixteen_pools_use_sixteen_pools_and_swaps_in_one_pool_one() {
    let pools = |kind| swaps(kind).iter().map(|executed| swapped(executed).address).collect::<BTreeSet<_>>();
    assert_eq!(pools(Kind::Swaps16Pools).len(), 16);
    assert_eq!(pools(Kind::SwapsOnePool).len(), 1);
}

#[test]
fn a_swap_uses_the_gas_that_swaps_on_mainnet_use() {
    for kind in SWAPS {
        for executed in swaps(kind) {
            assert!((110_000..=200_000).contains(&executed.gas_used), "{kind}: {}", executed.gas_used);
        }
    }
}

#[test]
fn a_swap_walks_over_initialised_ticks_and_changes_the_liquidity() {
    let reports: Vec<_> = swaps(Kind::SwapsOnePool).iter().map(swapped).collect();
    for pair in reports.windows(2) {
        let ticks = pair[0].tick.as_i32().abs_diff(pair[1].tick.as_i32());
        assert!((61..400).contains(&ticks), "{ticks} ticks");
        assert_ne!(pair[0].liquidity, pair[1].liquidity);
    }
}

#[test]
fn directions_alternate_so_the_price_stays_where_it_was() {
    for kind in SWAPS {
        let mut last = BTreeMap::new();
        for executed in swaps(kind) {
            let report = swapped(&executed);
            let down = report.amount0.is_positive();
            let before = last.insert(if kind == Kind::SwapsIndependent { Address::ZERO } else { report.address }, down);
            assert_ne!(before, Some(down), "{kind}");
            assert!((22_000..24_000).contains(&report.tick.as_i32()), "{kind}: tick {}", report.tick);
        }
    }
}

#[test]
fn the_reported_tick_is_that_of_the_reported_price() {
    for executed in swaps(Kind::SwapsIndependent) {
        let report = swapped(&executed);
        let square_root = f64::from(report.sqrtPriceX96) / 2_f64.powi(96);
        let tick = (square_root.ln() * 2.0 / 1.000_1_f64.ln()).floor();
        assert!((tick - f64::from(report.tick.as_i32())).abs() < 0.5, "{} is not at {tick}", report.tick);
    }
}

#[test]
fn the_pool_moves_the_amounts_it_reports() {
    for kind in SWAPS {
        for executed in swaps(kind) {
            let report = swapped(&executed);
            // It pays out before it is paid.
            let expected = if report.amount0.is_positive() {
                [report.amount1, report.amount0]
            } else {
                [report.amount0, report.amount1]
            };
            assert_eq!(moved(&executed, report.address), expected, "{kind}");
            assert!(expected[0].is_negative() && expected[1].is_positive(), "{kind}");
        }
    }
}

#[test]
fn a_swap_pays_the_price_with_its_fee_between_where_it_was_and_where_it_went() {
    let reports: Vec<_> = swaps(Kind::SwapsOnePool).iter().map(swapped).collect();
    for pair in reports.windows(2) {
        let [before, after] = [&pair[0], &pair[1]].map(|report| f64::from(report.sqrtPriceX96) / 2_f64.powi(96));
        let amount = |amount: I256| f64::from(amount.unsigned_abs());
        let paid = amount(pair[1].amount1) / amount(pair[1].amount0);
        // Between two prices the average is the product of their roots, whatever the liquidity; over several stretches
        // it is between those of the first and the last.
        let without_fee = if pair[1].amount0.is_positive() { paid / 0.997 } else { paid * 0.997 };
        let [low, high] = if before < after { [before, after] } else { [after, before] };
        assert!(low * low < without_fee && without_fee < high * high, "{without_fee} between {low}² and {high}²");
        assert!((without_fee / (before * after) - 1.0).abs() < 1e-3, "{without_fee}, {}", before * after);
    }
}

#[test]
fn an_exact_output_is_what_the_trader_receives() {
    let workload = generate(Kind::Mixed, 10 * GAS);
    let executed = execute(&workload);
    let mut exact = 0;
    for (transaction, included) in workload.transactions.iter().zip(&executed.included) {
        let Ok(call) = Router::exactOutputSingleCall::abi_decode_validate(transaction.input()) else { continue };
        let report = swapped(&included.executed);
        let out = if call.order.zeroForOne { report.amount1 } else { report.amount0 };
        assert_eq!(-out, I256::try_from(call.order.amountOut).unwrap());
        assert_eq!(moved(&included.executed, report.address)[0], out);
        exact += 1;
    }
    assert!(exact > 5, "{exact} exact outputs");
}
