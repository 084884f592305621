//! How fast a block could be at best: its transactions' measured durations, scheduled on so many threads, each after
//! those it truly depends on. List scheduling, longest path to the end first; no overhead, no mistaken speculation.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    num::NonZeroUsize,
};

/// Who must have run before whom. Every dependency points to an earlier transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependencies(Vec<Vec<u32>>);

impl Dependencies {
    /// From the dependencies of each transaction, in any order and with repetitions. What does not point to an earlier
    /// transaction is dropped.
    #[must_use]
    pub fn new(mut on: Vec<Vec<u32>>) -> Self {
        for (index, on) in on.iter_mut().enumerate() {
            on.retain(|earlier| (*earlier as usize) < index);
            on.sort_unstable();
            on.dedup();
        }
        Self(on)
    }

    /// No transaction depends on another.
    #[must_use]
    pub fn none(transactions: usize) -> Self {
        Self(vec![Vec::new(); transactions])
    }

    /// What transaction `index` depends on, in block order.
    #[must_use]
    pub fn of(&self, index: usize) -> &[u32] {
        &self.0[index]
    }

    /// These transactions behind as many pieces of work that depend on nothing: each of them waits for its own, too.
    #[must_use]
    pub fn behind_own(&self, pieces: usize) -> Self {
        let shifted = (0..).zip(&self.0).map(|(index, on)| {
            let own = (index as usize) < pieces;
            let shift = pieces as u32;
            own.then_some(index).into_iter().chain(on.iter().map(|earlier| earlier + shift)).collect()
        });
        Self(vec![Vec::new(); pieces].into_iter().chain(shifted).collect())
    }

    /// How many transactions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many dependencies there are.
    #[must_use]
    pub fn edges(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }
}

/// The longest chain of dependent transactions: the time it takes on endless threads, in the durations' unit.
#[must_use]
pub fn span(durations: &[u64], dependencies: &Dependencies) -> u64 {
    let mut ends = vec![0; durations.len()];
    for (index, duration) in durations.iter().enumerate() {
        let start = dependencies.of(index).iter().map(|earlier| ends[*earlier as usize]).max().unwrap_or_default();
        ends[index] = start + duration;
    }
    ends.into_iter().max().unwrap_or_default()
}

/// The time of the list schedule on that many threads, in the durations' unit.
#[must_use]
pub fn makespan(durations: &[u64], dependencies: &Dependencies, threads: NonZeroUsize) -> u64 {
    let (mut missing, dependents) = forward(dependencies);
    let rank = ranks(durations, &dependents);
    let mut ready: BTreeSet<(Reverse<u64>, usize)> =
        (0..durations.len()).filter(|index| missing[*index] == 0).map(|index| (Reverse(rank[index]), index)).collect();
    let mut running: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let mut now = 0;
    loop {
        while running.len() < threads.get() {
            let Some((_, index)) = ready.pop_first() else { break };
            running.push(Reverse((now + durations[index], index)));
        }
        let Some(Reverse((end, index))) = running.pop() else { return now };
        now = end;
        for dependent in &dependents[index] {
            let dependent = *dependent as usize;
            missing[dependent] -= 1;
            if missing[dependent] == 0 {
                ready.insert((Reverse(rank[dependent]), dependent));
            }
        }
    }
}

/// Work divided by the list schedule's time: the ratio that no schedule of these transactions is expected to pass.
/// One where there is nothing to do.
#[must_use]
pub fn ratio(durations: &[u64], dependencies: &Dependencies, threads: NonZeroUsize) -> f64 {
    quotient(durations.iter().sum(), makespan(durations, dependencies, threads))
}

/// A quotient of two times; one where the divisor is nothing.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "times of a block in nanoseconds stay far below 2^52")]
pub fn quotient(time: u64, by: u64) -> f64 {
    if by == 0 { 1.0 } else { time as f64 / by as f64 }
}

/// How many dependencies each transaction has, and who depends on it.
fn forward(dependencies: &Dependencies) -> (Vec<usize>, Vec<Vec<u32>>) {
    let mut dependents = vec![Vec::new(); dependencies.len()];
    for (index, on) in (0..).zip(&dependencies.0) {
        for earlier in on {
            dependents[*earlier as usize].push(index);
        }
    }
    (dependencies.0.iter().map(Vec::len).collect(), dependents)
}

/// The longest path from each transaction's start to the end of the block.
fn ranks(durations: &[u64], dependents: &[Vec<u32>]) -> Vec<u64> {
    let mut rank = vec![0; durations.len()];
    for index in (0..durations.len()).rev() {
        let behind = dependents[index].iter().map(|later| rank[*later as usize]).max().unwrap_or_default();
        rank[index] = durations[index] + behind;
    }
    rank
}
