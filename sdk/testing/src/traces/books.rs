//! Who has what.
//!
//! Invariant: what one loses another gains.

use std::collections::BTreeMap;

use parapet_guest::{Address, Fork, Guard, U256, descriptor::Described};

use crate::Scene;

/// What accounts had before a transaction, and have now. Ether is the zero address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// By asset and account.
    before: BTreeMap<(Address, Address), U256>,
    now: BTreeMap<(Address, Address), U256>,
}

impl Books {
    /// What an account has of an asset now.
    #[must_use]
    pub fn has(&self, asset: Address, account: Address) -> U256 {
        self.now.get(&(asset, account)).copied().unwrap_or_default()
    }

    /// What it had before the transaction.
    #[must_use]
    pub fn had(&self, asset: Address, account: Address) -> U256 {
        self.before.get(&(asset, account)).copied().unwrap_or_default()
    }

    /// Assets of which an account has less than before, and how much less.
    pub fn lost(&self, account: Address) -> impl Iterator<Item = (Address, U256)> {
        let of_account = self.before.iter().filter(move |((_, holder), _)| *holder == account);
        of_account.filter_map(|((asset, holder), had)| {
            let lost = had.saturating_sub(self.has(*asset, *holder));
            (!lost.is_zero()).then_some((*asset, lost))
        })
    }

    pub(super) fn give(&mut self, asset: Address, account: Address, amount: U256) {
        self.before.insert((asset, account), amount);
        self.now.insert((asset, account), amount);
    }

    pub(super) fn pay(&mut self, asset: Address, from: Address, to: Address, amount: U256) {
        *self.now.entry((asset, from)).or_default() -= amount;
        *self.now.entry((asset, to)).or_default() += amount;
    }

    /// What happened since these books is undone.
    pub(super) fn return_to(&mut self, earlier: Self) {
        *self = earlier;
    }

    /// Makes the state of a scene at a fork say the same.
    pub(super) fn show<G: Guard + Described>(&self, scene: &mut Scene<G>, fork: Fork) {
        for ((asset, account), amount) in &self.now {
            if *asset == Address::ZERO {
                scene.balance(fork, *account, *amount);
            } else {
                scene.holds(fork, *asset, *account, *amount);
            }
        }
    }
}
