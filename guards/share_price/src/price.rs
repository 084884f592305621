//! How vaults tell what a share is worth.

use parapet_guest::{moved, prelude::*};

/// Shares for which a price is asked: enough of them that rounding does not show.
pub(crate) const UNIT: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

/// One way of telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quote {
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
    /// How an account tells what a share is worth, if it does.
    pub(crate) fn find(tx: &Tx, account: Address) -> Option<Self> {
        QUOTES.into_iter().find(|quote| quote.price(tx, Fork::PreTx, account).is_some())
    }

    /// What [`UNIT`] shares are worth; none where the account does not tell, or has no shares to divide by.
    pub(crate) fn price(self, tx: &Tx, fork: Fork, account: Address) -> Option<U256> {
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
pub(crate) fn shares(tx: &Tx, fork: Fork, account: Address) -> Option<U256> {
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
