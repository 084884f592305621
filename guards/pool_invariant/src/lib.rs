//! What stands behind a share of a pool never falls: trades, mints and syncs leave the invariant per share as it was, or
//! higher.
//!
//! Each guarded account that answers as a pool is judged by itself, after the transaction against before it: pools of two
//! tokens by the product of what they record *and* hold, others by the price of a share that they report.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::{U512, moved, prelude::*};

#[cfg(test)]
mod tests;

/// Veto: the product of what the pool has fell, per share squared.
pub const CODE_PRODUCT: u16 = 1;
/// Veto: the price that the pool reports for a share fell.
pub const CODE_SHARE_PRICE: u16 = 2;

/// Amounts are compared in so many bits, so that the product of four fits 512.
const AMOUNT_BITS: usize = 120;
/// One whole, in millionths.
const WHOLE_PPM: u64 = 1_000_000;

/// What stands behind a share of a guarded pool never falls.
#[guard(name = "pool_invariant", triggers(frame, flow), subscribes(flows))]
pub struct PoolInvariant {
    /// How much of the invariant may be lost to rounding and to shares minted as the protocol's fee, in millionths.
    #[param(default = "20000")]
    tolerance_ppm: u64,
}

#[guard]
impl Guard for PoolInvariant {
    fn on_tx(&self, tx: &Tx) {
        if tx.succeeded() {
            for account in tx.accounts() {
                self.judge(tx, account);
            }
        }
    }
}

/// What a pool of two tokens has at a fork.
struct Pool {
    amounts: [U256; 2],
    /// None for a pool that keeps no count of shares.
    shares: Option<U256>,
}

impl PoolInvariant {
    fn judge(&self, tx: &Tx, pool: Address) {
        if let (Some(before), Some(after)) = (has(tx, Fork::PreTx, pool), has(tx, Fork::Now, pool)) {
            self.compare(pool, &before, &after);
        }
        if let (Some(before), Some(after)) = (share_price(tx, Fork::PreTx, pool), share_price(tx, Fork::Now, pool)) {
            let tolerated =
                moved::divide(before, U256::from(WHOLE_PPM)) * U256::from(self.tolerance_ppm.min(WHOLE_PPM));
            // A pool that nobody owns a part of any more has no price.
            if after < before - tolerated && !after.is_zero() {
                veto!(CODE_SHARE_PRICE, "a share of {pool} was worth {before} and is worth {after}");
            }
        }
    }

    fn compare(&self, pool: Address, before: &Pool, after: &Pool) {
        let ([a, b], [c, d]) = (before.amounts, after.amounts);
        let (shares, now) = match (before.shares, after.shares) {
            (Some(shares), Some(now)) => (shares, now),
            // Whoever takes out both alike may own a part of a pool that does not say so.
            _ if c < a && d < b => return,
            _ => (U256::from(1), U256::from(1)),
        };
        if before.amounts.contains(&U256::ZERO) || shares.is_zero() || now.is_zero() {
            return;
        }
        // k' / s'² against k / s², without dividing.
        let has = wide(c) * wide(d) * wide(shares) * wide(shares);
        let had = wide(a) * wide(b) * wide(now) * wide(now);
        let whole = U512::from(WHOLE_PPM);
        if has * whole < had * (whole - U512::from(self.tolerance_ppm.min(WHOLE_PPM))) {
            veto!(CODE_PRODUCT, "{pool} had {a} and {b} behind {shares} shares, and has {c} and {d} behind {now}");
        }
    }
}

/// An amount as far as it is compared: what no token has is cut off.
fn wide(amount: U256) -> U512 {
    U512::from(amount.min(U256::MAX >> (256 - AMOUNT_BITS)))
}

/// What a pool of two tokens can count on: what it records, as far as it holds it. None for what is no such pool.
fn has(tx: &Tx, fork: Fork, pool: Address) -> Option<Pool> {
    let recorded = view!(tx, fork, pool, "getReserves()(uint112,uint112)");
    let held = tokens(tx, fork, pool).map(|tokens| tokens.map(|token| moved::balance(tx, fork, token, pool)));
    let shares = view!(tx, fork, pool, "totalSupply()(uint256)");
    let amounts = match (recorded, held) {
        (Some((one, other)), Some(held)) => [one.min(held[0]), other.min(held[1])],
        (Some((one, other)), None) => [one, other],
        // Without shares and reserves it may be a pool of ranges, whose holdings have no such product.
        (None, Some(held)) if shares.is_some() => held,
        (None, _) => return None,
    };
    let is_other_curve = view!(tx, fork, pool, "stable()(bool)").unwrap_or(false);
    (!is_other_curve).then_some(Pool { amounts, shares })
}

fn tokens(tx: &Tx, fork: Fork, pool: Address) -> Option<[Address; 2]> {
    let one = view!(tx, fork, pool, "token0()(address)").or_else(|| view!(tx, fork, pool, "tokenA()(address)"));
    let other = view!(tx, fork, pool, "token1()(address)").or_else(|| view!(tx, fork, pool, "tokenB()(address)"));
    Some([one?, other?])
}

/// What a pool of any number of tokens says a share is worth.
fn share_price(tx: &Tx, fork: Fork, pool: Address) -> Option<U256> {
    view!(tx, fork, pool, "get_virtual_price()(uint256)")
        .or_else(|| view!(tx, fork, pool, "getVirtualPrice()(uint256)"))
        .or_else(|| view!(tx, fork, pool, "getRate()(uint256)"))
}
