//! Who goes first where the pool is full: the last transaction of some lane.
//!
//! Invariant: for the prices it was made for, `order` holds each lane's last transaction once, the one to go first in front. It
//! is made when it is needed, kept up while prices stay, and forgotten when they change.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};

use alloy_primitives::Address;

use crate::{Prices, lane::Lane};

/// What decides who goes: who waits behind a gap before who could be included, then who pays less, then who came later.
type Rank = (bool, Option<u128>, Reverse<u64>);

/// The last transactions of all lanes.
#[derive(Debug, Default)]
pub(crate) struct Tails {
    prices: Prices,
    order: BTreeSet<(Rank, Address)>,
    ranks: HashMap<Address, Rank>,
}

impl Tails {
    pub(crate) fn of<'a>(lanes: impl Iterator<Item = (&'a Address, &'a Lane)>, prices: Prices) -> Self {
        let mut tails = Self { prices, ..Self::default() };
        lanes.for_each(|(sender, lane)| tails.note(*sender, Some(lane)));
        tails
    }

    pub(crate) const fn prices(&self) -> Prices {
        self.prices
    }

    /// A lane has changed; `None`: it is gone.
    pub(crate) fn note(&mut self, sender: Address, lane: Option<&Lane>) {
        if let Some(rank) = self.ranks.remove(&sender) {
            self.order.remove(&(rank, sender));
        }
        let tail = lane.and_then(|lane| Some((lane, lane.last()?.1)));
        if let Some((lane, tail)) = tail {
            let rank = (lane.is_without_gap(), tail.effective_tip(self.prices), Reverse(tail.arrival));
            self.ranks.insert(sender, rank);
            self.order.insert((rank, sender));
        }
    }

    /// The lane whose last transaction goes first.
    pub(crate) fn first(&self) -> Option<Address> {
        self.order.first().map(|(_, sender)| *sender)
    }
}
