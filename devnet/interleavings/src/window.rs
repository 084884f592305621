//! What a model's block is planned like: in chunks, inside a window, some chunks to be run as one.

use crate::parallel::{
    ahead::{Ahead, Chunks, Shape},
    schedule::Schedule,
};

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

/// The executor's own look ahead, over a plan that is made beforehand.
#[derive(Debug)]
pub(crate) struct Window {
    ahead: Ahead,
    planned: u32,
}

impl Window {
    pub(crate) const fn new(plan: &Plan) -> Self {
        Self { ahead: Ahead::new(plan.window), planned: 0 }
    }

    /// `Some`: transactions up to there are left to the frontier's owner.
    pub(crate) fn look_ahead(&mut self, plan: &Plan, schedule: &Schedule, frontier: u32) -> Option<u32> {
        let mut chunks = Planned { plan, planned: &mut self.planned };
        self.ahead.look(&mut chunks, schedule, frontier).map(|alone| alone.end)
    }
}

struct Planned<'a> {
    plan: &'a Plan,
    planned: &'a mut u32,
}

impl Chunks for Planned<'_> {
    fn total(&self) -> u32 {
        self.plan.len()
    }

    fn planned(&self) -> u32 {
        *self.planned
    }

    fn plan_next(&mut self, schedule: &Schedule) -> (u32, Shape) {
        let (plan, start) = (self.plan, *self.planned);
        let end = plan.len().min(start + plan.chunk);
        for index in start..end {
            if let Some(after) = plan.after[index as usize] {
                schedule.wait_for(index, after);
            }
        }
        *self.planned = end;
        let as_one = plan.as_one.get((start / plan.chunk) as usize).copied().unwrap_or(false);
        (end, if as_one { Shape::Serial } else { Shape::Parallel })
    }

    fn heavy(&self) -> &[(u32, u64)] {
        &[]
    }
}
