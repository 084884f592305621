//! How a cost is spread over transactions.

use serde_json::{Value, json};

use crate::report::grouped;

/// Costs, one for each transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Costs(Vec<u64>);

/// Least, median, 99th percentile and greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spread {
    min: u64,
    median: u64,
    p99: u64,
    max: u64,
}

impl Costs {
    pub(crate) fn add(&mut self, cost: u64) {
        self.0.push(cost);
    }

    /// `None` where there is no cost at all.
    pub(crate) fn spread(&self) -> Option<Spread> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        // By the nearest rank: the least cost that so many percent do not exceed.
        let rank = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).max(1) - 1).copied();
        Some(Spread { min: *sorted.first()?, median: rank(50)?, p99: rank(99)?, max: *sorted.last()? })
    }
}

impl Spread {
    /// The same in another unit.
    pub(crate) fn map(self, unit: impl Fn(u64) -> u64) -> Self {
        Self { min: unit(self.min), median: unit(self.median), p99: unit(self.p99), max: unit(self.max) }
    }

    pub(crate) fn text(self) -> String {
        let Self { min, median, p99, max } = self;
        let [min, median, p99, max] = [min, median, p99, max].map(grouped);
        format!("min {min}, median {median}, p99 {p99}, max {max}")
    }

    pub(crate) fn json(self) -> Value {
        json!({ "min": self.min, "median": self.median, "p99": self.p99, "max": self.max })
    }
}

#[cfg(test)]
mod tests {
    use super::{Costs, Spread};

    #[test]
    fn percentiles_are_costs_that_occurred() {
        assert_eq!(Costs::default().spread(), None);
        assert_eq!(Costs(vec![7]).spread(), Some(Spread { min: 7, median: 7, p99: 7, max: 7 }));
        let hundred = Costs((1..=100).rev().collect());
        assert_eq!(hundred.spread(), Some(Spread { min: 1, median: 50, p99: 99, max: 100 }));
        let thousand = Costs((1..=1_000).collect());
        assert_eq!(thousand.spread(), Some(Spread { min: 1, median: 500, p99: 990, max: 1_000 }));
    }
}
