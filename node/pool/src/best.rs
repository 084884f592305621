//! The pending transactions in the order in which a block wants them.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{
    Candidate, Prices,
    lane::{Entry, Lane},
};

/// Which of the transactions that a block could take goes first. Those of one sender go by nonce either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The one with the highest effective tip; where tips are equal, the one that came first.
    #[default]
    Tips,
    /// The one that came first, whatever it pays.
    Arrival,
}

/// Gives the pending transactions that pay what a block asks for, in an [`Order`], and those of one sender by nonce. Those that the node failed to execute time and again come last.
pub struct Best<'a> {
    prices: Prices,
    order: Order,
    /// The next one of each lane.
    heads: BinaryHeap<Head<'a>>,
}

struct Head<'a> {
    rank: (bool, u128, Reverse<u64>),
    lane: &'a Lane,
    nonce: u64,
    entry: &'a Entry,
}

impl<'a> Best<'a> {
    /// Lanes, each with the nonce to begin at.
    pub(crate) fn of(lanes: impl Iterator<Item = (u64, &'a Lane)>, prices: Prices, order: Order) -> Self {
        // A heap that is made of all its items at once takes less than one that they enter one by one.
        let heads = lanes.filter_map(|(nonce, lane)| Head::of(lane, nonce, prices, order)).collect();
        Self { prices, order, heads }
    }
}

impl<'a> Head<'a> {
    /// The transaction of a nonce; `None` where there is none, or it does not pay, and so holds back those behind.
    fn of(lane: &'a Lane, nonce: u64, prices: Prices, order: Order) -> Option<Self> {
        let entry = lane.get(nonce)?;
        let tip = entry.effective_tip(prices)?;
        let worth = match order {
            Order::Tips => tip,
            Order::Arrival => 0,
        };
        Some(Self { rank: (entry.is_promising(), worth, Reverse(entry.arrival)), lane, nonce, entry })
    }
}

impl<'a> Iterator for Best<'a> {
    type Item = &'a Candidate;

    fn next(&mut self) -> Option<&'a Candidate> {
        let Head { lane, nonce, entry, .. } = self.heads.pop()?;
        self.heads.extend(Head::of(lane, nonce + 1, self.prices, self.order));
        Some(&entry.candidate)
    }
}

impl std::fmt::Debug for Best<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Best").field("prices", &self.prices).field("heads", &self.heads.len()).finish_non_exhaustive()
    }
}

impl PartialEq for Head<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Head<'_> {}

impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // Arrivals are distinct, so no two are equal.
        self.rank.cmp(&other.rank)
    }
}
