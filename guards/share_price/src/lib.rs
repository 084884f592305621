//! The price of a vault's share stays near what the transaction found: no donation lifts it, no withdrawal lowers it.
//!
//! Judged after execution, for each guarded account that tells what a share is worth: in the end against the beginning, and
//! at each entry from outside against the beginning, so that nobody deals at a price that he has bent for the moment.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::{moved, prelude::*};

#[cfg(test)]
mod tests;

use worth::{Quote, Worth};

/// Veto: the price of a share rose by more than `rise_bps`.
pub const CODE_ROSE: u16 = 1;
/// Veto: the price of a share fell by more than `fall_bps`.
pub const CODE_FELL: u16 = 2;
/// Veto: the vault was entered at a price that the transaction had moved by more than that.
pub const CODE_ENTERED: u16 = 3;
/// Veto: the vault was entered more often than the guard can look at.
pub const CODE_TOO_MANY: u16 = 4;

/// Most entries of one transaction.
pub const ENTRIES_MAX: usize = 32;
/// The price of a vault's share moves only a little within a transaction.
#[guard(name = "share_price", triggers(frame, flow), subscribes(flows))]
pub struct SharePrice {
    /// Most that the price of a share may rise in one transaction, in basis points.
    #[param(default = "1000")]
    rise_bps: u64,
    /// Most that it may fall, in basis points of the lower price.
    #[param(default = "500")]
    fall_bps: u64,
}

#[guard]
impl Guard for SharePrice {
    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        let quotes: Vec<Vault> = tx.accounts().into_iter().filter_map(|account| Vault::find(tx, account)).collect();
        for vault in &quotes {
            let after = vault.state(tx, Fork::Now);
            if after.shares.is_zero() {
                // Nobody owns a share any more: the price starts anew.
                continue;
            }
            if self.rose(&vault.before, &after) {
                veto!(
                    CODE_ROSE,
                    "a share of {} was worth {} and is worth {}",
                    vault.account,
                    vault.before.price,
                    after.price
                );
            }
            if self.fell(&vault.before, &after) {
                veto!(
                    CODE_FELL,
                    "a share of {} was worth {} and is worth {}",
                    vault.account,
                    vault.before.price,
                    after.price
                );
            }
        }
        self.judge_entries(tx, &quotes);
    }
}

impl SharePrice {
    fn rose(&self, from: &Worth, to: &Worth) -> bool {
        self.rise_bps != u64::MAX
            && to.price > from.price
            && moved::differ_by_bps(from.price, to.price, self.rise_bps)
            && from.is_felt(to)
    }

    fn fell(&self, from: &Worth, to: &Worth) -> bool {
        self.fall_bps != u64::MAX
            && to.price < from.price
            && moved::differ_by_bps(from.price, to.price, self.fall_bps)
            && from.is_felt(to)
    }

    /// Entries from outside, but for the transaction's own, before which nothing has happened.
    fn judge_entries(&self, tx: &Tx, vaults: &[Vault]) {
        let mut entries = 0;
        for entry in tx.frames().filter(|frame| !frame.is_static() && tx.is_guarded(frame.target())) {
            let Some(vault) = vaults.iter().find(|vault| vault.account == entry.target()) else { continue };
            if tx.parent(&entry).is_none_or(|parent| tx.is_guarded(parent.target())) {
                continue;
            }
            entries += 1;
            if entries > ENTRIES_MAX {
                veto!(CODE_TOO_MANY, "{} was entered more than {ENTRIES_MAX} times", vault.account);
            }
            let there = vault.state(tx, Fork::before(&entry));
            if !there.shares.is_zero() && (self.rose(&vault.before, &there) || self.fell(&vault.before, &there)) {
                let (account, price, before) = (vault.account, there.price, vault.before.price);
                veto!(
                    CODE_ENTERED,
                    "{account} was entered while a share was worth {price}, before the transaction {before}"
                );
            }
        }
    }
}

/// A guarded account that tells what a share is worth.
struct Vault {
    account: Address,
    quote: Quote,
    before: Worth,
}

impl Vault {
    /// None for what is no vault, or was none before the transaction.
    fn find(tx: &Tx, account: Address) -> Option<Self> {
        let quote = Quote::find(tx, Fork::PreTx, account)?;
        let before = quote.worth(tx, Fork::PreTx, account)?;
        Some(Self { account, quote, before })
    }

    /// What does not answer any more is taken to be worth what it was.
    fn state(&self, tx: &Tx, fork: Fork) -> Worth {
        self.quote.worth(tx, fork, self.account).unwrap_or_else(|| Worth {
            price: self.before.price,
            shares: worth::shares(tx, fork, self.account).unwrap_or(U256::MAX),
        })
    }
}
