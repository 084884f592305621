//! How far a model's frontier owner plans ahead, as the executor's does: in chunks, inside a window, some chunks to be
//! run as one.

use crate::parallel::schedule::Schedule;

/// What a block is planned like.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Gas limits, by transaction.
    pub gas: Vec<u64>,
    /// What a transaction is made to wait for, by transaction.
    pub after: Vec<Option<u32>>,
    /// Whether a chunk is run as one, by chunk; those beyond the end are not.
    pub as_one: Vec<bool>,
    /// Transactions planned at once.
    pub chunk: u32,
    /// Transactions ahead of the frontier that may be claimed.
    pub window: u32,
    /// While less than this is done and not settled, it is left to the one who ran it.
    pub lag: u32,
}

impl Plan {
    /// Transactions without hints, each heavy enough to wake somebody for.
    #[must_use]
    pub fn plain(transactions: u32) -> Self {
        Self {
            gas: vec![300_000; transactions as usize],
            after: vec![None; transactions as usize],
            as_one: Vec::new(),
            chunk: 2,
            window: 4,
            lag: 2,
        }
    }

    /// How many transactions there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        u32::try_from(self.gas.len()).expect("a model is small")
    }

    /// Whether there is no transaction.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gas.is_empty()
    }

    /// No transaction that is claimed is this far ahead of the frontier.
    pub(crate) fn ahead_max(&self) -> u32 {
        self.window + self.chunk * (u32::try_from(self.as_one.len()).expect("a model is small") + 2)
    }
}

/// The state of planning, kept by the frontier's owner.
#[derive(Debug, Default)]
pub(crate) struct Window {
    planned: u32,
    as_one: Option<(u32, u32)>,
    held_limit: Option<u32>,
}

impl Window {
    /// As `Frontier::look_ahead` of the executor.
    pub(crate) fn look_ahead(&mut self, plan: &Plan, schedule: &Schedule, frontier: u32) -> Option<u32> {
        if let Some(limit) = self.held_limit.take() {
            schedule.raise_limit(limit);
        }
        while self.as_one.is_none() && self.planned < plan.len().min(frontier + plan.window) {
            let start = self.planned;
            match self.chunk(plan, schedule) {
                (end, false) => schedule.raise_limit(end),
                (end, true) => self.as_one = Some((start, end)),
            }
        }
        let (_, mut end) = self.as_one.filter(|(start, _)| *start == frontier)?;
        self.as_one = None;
        while self.held_limit.is_none() && end < plan.len() {
            match self.chunk(plan, schedule) {
                (next, false) => self.held_limit = Some(next),
                (next, true) => end = next,
            }
        }
        Some(end)
    }

    fn chunk(&mut self, plan: &Plan, schedule: &Schedule) -> (u32, bool) {
        let start = self.planned;
        let end = plan.len().min(start + plan.chunk);
        for index in start..end {
            if let Some(after) = plan.after[index as usize] {
                schedule.wait_for(index, after);
            }
        }
        self.planned = end;
        (end, plan.as_one.get((start / plan.chunk) as usize).copied().unwrap_or(false))
    }
}
