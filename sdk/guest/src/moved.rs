//! What a transaction comes to for the guarded group, asset by asset, and how amounts compare.
//!
//! Flows between members of the group are neither gain nor loss. Fees are none either: they pay for gas, not for value.
//!
//! ```
//! use parapet_guest::{moved, prelude::*};
//!
//! /// No asset leaves in larger parts than half of what the account that pays most of it held.
//! #[guard(name = "half", triggers(flow))]
//! pub struct Half;
//!
//! #[guard]
//! impl Guard for Half {
//!     fn on_tx(&self, tx: &Tx) {
//!         for asset in moved::by_asset(tx) {
//!             let held = moved::held(tx, Fork::PreTx, asset.token);
//!             if moved::exceeds_bps(asset.net_out(), held, 5_000) {
//!                 veto!(1, "{} of {} left", asset.net_out(), asset.token);
//!             }
//!             if asset.net_in() > moved::balance(tx, Fork::PreTx, asset.token, tx.context().sender()) {
//!                 alert!(2, "{} came from elsewhere", asset.back);
//!             }
//!         }
//!         if let Some(lost) = moved::heavy_loss(tx, moved::WHOLE_BPS / 4) {
//!             let lost: moved::Moved = lost;
//!             alert!(3, "a quarter of {} left in {} flows", lost.token, tx.flows().filter(moved::is_fungible).count());
//!         }
//!     }
//! }
//! let (hundred, third) = (U256::from(100), U256::from(33));
//! assert_eq!(moved::divide(hundred, U256::from(3)), third);
//! assert_eq!(moved::share(hundred, 3_399), third);
//! assert!(moved::differ_by_bps(hundred, third, 20_000) && !moved::differ_by_bps(hundred, third, 20_304));
//! # let mut scene = parapet_guest::mock::Scene::new(&Half, &[Address([1; 20])]);
//! # scene.enter(parapet_guest::mock::Enter::call(Address([1; 20])));
//! # assert_eq!(scene.finish().vetoed(), None);
//! ```

use alloc::vec::Vec;

use parapet_abi::{Asset, FlowReason};

use crate::{Address, Flow, Fork, Tx, U256, view};

/// One whole, in basis points.
pub const WHOLE_BPS: u64 = 10_000;

/// Bits that are given up where a product with basis points would not fit: far below one basis point of such amounts.
const HEADROOM_BITS: usize = 64;

/// What came and went of one asset, over the border of the guarded group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The ERC-20 token; zero is ether.
    pub token: Address,
    /// What flowed out of the group, in wei or the token's smallest unit.
    pub out: U256,
    /// What flowed into it.
    pub back: U256,
}

impl Moved {
    /// What left and did not come back.
    #[must_use]
    pub fn net_out(&self) -> U256 {
        self.out.saturating_sub(self.back)
    }

    /// What came and did not leave.
    #[must_use]
    pub fn net_in(&self) -> U256 {
        self.back.saturating_sub(self.out)
    }
}

/// Whether a flow is ether or an ERC-20 token that changes hands; fees are not.
#[must_use]
pub fn is_fungible(flow: &Flow) -> bool {
    matches!(flow.asset(), Some(Asset::Ether | Asset::Erc20)) && flow.reason() != Some(FlowReason::Fee)
}

/// Ether and ERC-20 tokens that crossed the border of the group, in the order in which each did first. In `on_tx`; needs
/// flows.
#[must_use]
pub fn by_asset(tx: &Tx) -> Vec<Moved> {
    let mut assets: Vec<Moved> = Vec::new();
    for flow in tx.flows().filter(is_fungible) {
        let leaves = tx.is_guarded(flow.from());
        if leaves == tx.is_guarded(flow.to()) {
            continue;
        }
        let token = flow.token();
        let at = assets.iter().position(|asset| asset.token == token).unwrap_or_else(|| {
            assets.push(Moved { token, out: U256::ZERO, back: U256::ZERO });
            assets.len() - 1
        });
        let sum = if leaves { &mut assets[at].out } else { &mut assets[at].back };
        *sum = sum.saturating_add(flow.amount());
    }
    assets
}

/// What an account holds of a token, or of ether for the zero address; zero when the token does not answer.
#[must_use]
pub fn balance(tx: &Tx, fork: Fork, token: Address, account: Address) -> U256 {
    if token == Address::ZERO {
        return tx.balance(fork, account);
    }
    view!(tx, fork, token, "balanceOf(address)(uint256)", account).unwrap_or_default()
}

/// What the group holds of a token, or of ether for the zero address.
#[must_use]
pub fn held(tx: &Tx, fork: Fork, token: Address) -> U256 {
    tx.accounts().into_iter().fold(U256::ZERO, |sum, account| sum.saturating_add(balance(tx, fork, token, account)))
}

/// Whether `part` is more than so many basis points of `whole`. No division, and no product that overflows.
#[must_use]
pub fn exceeds_bps(part: U256, whole: U256, bps: u64) -> bool {
    let scaled = |part: U256, whole: U256| {
        let part = part.checked_mul(U256::from(WHOLE_BPS))?;
        whole.checked_mul(U256::from(bps)).map(|most| part > most)
    };
    scaled(part, whole).or_else(|| scaled(part >> HEADROOM_BITS, whole >> HEADROOM_BITS)).unwrap_or(part > whole)
}

/// So many basis points of an amount, rounded down. What would not fit is the whole.
#[must_use]
pub fn share(whole: U256, bps: u64) -> U256 {
    let scaled = |whole: U256| whole.checked_mul(U256::from(bps)).map(|product| divide(product, U256::from(WHOLE_BPS)));
    scaled(whole)
        .or_else(|| scaled(whole >> HEADROOM_BITS).and_then(|share| share.checked_shl(HEADROOM_BITS)))
        .unwrap_or(whole)
}

/// The first asset of which the group lost, net, at least so many basis points of what it held before the transaction.
#[must_use]
pub fn heavy_loss(tx: &Tx, bps: u64) -> Option<Moved> {
    let is_heavy = |asset: &Moved| {
        let lost = asset.net_out();
        !lost.is_zero() && lost >= share(held(tx, Fork::PreTx, asset.token), bps)
    };
    by_asset(tx).into_iter().find(is_heavy)
}

/// Whether two amounts lie further apart than so many basis points of the smaller one.
#[must_use]
pub fn differ_by_bps(one: U256, other: U256, bps: u64) -> bool {
    let (low, high) = if one < other { (one, other) } else { (other, one) };
    exceeds_bps(high - low, low, bps)
}

/// `dividend / divisor`, rounded down; zero for a divisor of zero. Bit by bit: a fast division is larger than most guards,
/// and this one costs no more fuel than a static call.
#[must_use]
#[inline(never)]
pub fn divide(dividend: U256, divisor: U256) -> U256 {
    if divisor.is_zero() {
        return U256::ZERO;
    }
    let (mut quotient, mut rest) = (U256::ZERO, U256::ZERO);
    for at in (0..dividend.bit_len()).rev() {
        let is_out = rest.bit(255);
        rest <<= 1;
        if dividend.bit(at) {
            rest |= U256::ONE;
        }
        // What was shifted out is more than any divisor.
        if is_out || rest >= divisor {
            rest = rest.wrapping_sub(divisor);
            quotient.set_bit(at, true);
        }
    }
    quotient
}

#[cfg(test)]
mod tests {
    use super::{differ_by_bps, divide, exceeds_bps};
    use crate::U256;

    #[test]
    fn a_part_of_exactly_the_share_does_not_exceed_it() {
        let whole = U256::from(1_000);
        assert!(!exceeds_bps(U256::from(500), whole, 5_000));
        assert!(exceeds_bps(U256::from(501), whole, 5_000));
        assert!(exceeds_bps(U256::from(1), U256::ZERO, 5_000));
    }

    #[test]
    fn amounts_of_all_256_bits_compare() {
        let half = U256::MAX >> 1;
        assert!(!exceeds_bps(half, U256::MAX, 5_000));
        assert!(exceeds_bps(U256::MAX, U256::MAX, 9_999));
        assert!(!exceeds_bps(U256::from(7), U256::MAX, 1));
        assert!(exceeds_bps(U256::MAX, U256::from(7), u64::MAX));
    }

    #[test]
    fn division_by_bits_is_division() {
        let numbers = [0_u64, 1, 2, 3, 10_000, u64::MAX].map(U256::from);
        let large = [U256::MAX, U256::MAX - U256::from(1), U256::MAX >> 1, U256::from(1) << 128, U256::from(7) << 253];
        for dividend in numbers.iter().chain(&large) {
            for divisor in numbers.iter().chain(&large) {
                let expected = dividend.checked_div(*divisor).unwrap_or_default();
                assert_eq!(divide(*dividend, *divisor), expected, "{dividend} / {divisor}");
            }
        }
    }

    #[test]
    fn a_difference_is_measured_from_the_smaller_one() {
        let (low, high) = (U256::from(1_000), U256::from(1_100));
        assert!(!differ_by_bps(low, high, 1_000) && !differ_by_bps(high, low, 1_000));
        assert!(differ_by_bps(low, high, 999) && differ_by_bps(high, low, 999));
    }
}
