//! How vaults tell what a share is worth, and when a change of that is more than rounding. What guards of vaults share, so that
//! they mean the same by it.
//!
//! Invariant: an account that tells nothing is no vault, and nothing is said of it.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::{moved, prelude::*};

/// Shares for which a price is asked: enough of them that rounding does not show.
pub const UNIT: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

/// A gain or loss of so many units of the asset, over all shares, is rounding.
const DUST: U256 = U256::from_limbs([10_000, 0, 0, 0]);

/// What shares are worth at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worth {
    /// Of [`UNIT`] shares, in the smallest unit of the asset.
    pub price: U256,
    /// How many there are.
    pub shares: U256,
}

impl Worth {
    /// Whether the way from here to there is more than rounding: what those gain or lose together who own shares before and
    /// after it. A rise is also the loss of who has just paid for shares.
    #[must_use]
    pub fn is_felt(&self, after: &Self) -> bool {
        let (apart, shares) = if self.price < after.price {
            (after.price - self.price, after.shares)
        } else {
            (self.price - after.price, self.shares.min(after.shares))
        };
        apart.checked_mul(shares).is_none_or(|felt| felt > DUST * UNIT)
    }
}

/// One way of telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// ERC-4626.
    ConvertToAssets,
    /// Of money markets, which count what was lent out.
    ExchangeRate,
    /// Of yield vaults.
    PricePerShare,
    /// Their older form.
    PricePerFullShare,
    /// Of staked ether and rate providers.
    Rate,
    /// What the vault says it has, divided by shares.
    TotalAssets,
    /// What the vault holds of its asset, divided by shares.
    Holdings,
}

/// The first that answers is asked.
const QUOTES: [Quote; 7] = [
    Quote::ConvertToAssets,
    Quote::ExchangeRate,
    Quote::PricePerShare,
    Quote::PricePerFullShare,
    Quote::Rate,
    Quote::TotalAssets,
    Quote::Holdings,
];

impl Quote {
    /// How an account tells what a share is worth, if it does at a fork.
    #[must_use]
    pub fn find(tx: &Tx, fork: Fork, account: Address) -> Option<Self> {
        QUOTES.into_iter().find(|quote| quote.price(tx, fork, account).is_some())
    }

    /// What a share is worth, and how many there are; none where the account does not tell.
    #[must_use]
    pub fn worth(self, tx: &Tx, fork: Fork, account: Address) -> Option<Worth> {
        let price = self.price(tx, fork, account)?;
        // A vault that does not count its shares is never empty, and no move of its price is dust.
        Some(Worth { price, shares: shares(tx, fork, account).unwrap_or(U256::MAX) })
    }

    /// What [`UNIT`] shares are worth; none where the account does not tell, or has no shares to divide by.
    #[must_use]
    pub fn price(self, tx: &Tx, fork: Fork, account: Address) -> Option<U256> {
        let price = match self {
            Self::ConvertToAssets => view!(tx, fork, account, "convertToAssets(uint256)(uint256)", UNIT),
            Self::ExchangeRate => view!(tx, fork, account, "exchangeRateStored()(uint256)"),
            Self::PricePerShare => view!(tx, fork, account, "pricePerShare()(uint256)"),
            Self::PricePerFullShare => view!(tx, fork, account, "getPricePerFullShare()(uint256)"),
            Self::Rate => view!(tx, fork, account, "getRate()(uint256)"),
            Self::TotalAssets => per_share(tx, fork, account, view!(tx, fork, account, "totalAssets()(uint256)")?),
            Self::Holdings => {
                let asset = asset(tx, fork, account)?;
                per_share(tx, fork, account, moved::balance(tx, fork, asset, account))
            }
        };
        price.filter(|price| !price.is_zero())
    }
}

/// How many shares there are.
#[must_use]
pub fn shares(tx: &Tx, fork: Fork, account: Address) -> Option<U256> {
    view!(tx, fork, account, "totalSupply()(uint256)").or_else(|| view!(tx, fork, account, "totalShares()(uint256)"))
}

fn per_share(tx: &Tx, fork: Fork, account: Address, assets: U256) -> Option<U256> {
    let shares = shares(tx, fork, account).filter(|shares| !shares.is_zero())?;
    Some(moved::divide(assets.saturating_mul(UNIT), shares))
}

fn asset(tx: &Tx, fork: Fork, account: Address) -> Option<Address> {
    let asset = view!(tx, fork, account, "asset()(address)")
        .or_else(|| view!(tx, fork, account, "underlying()(address)"))
        .or_else(|| view!(tx, fork, account, "token()(address)"));
    asset.filter(|asset| *asset != Address::ZERO)
}
