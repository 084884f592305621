//! Filters that clients poll. Bounded in number; one that nobody polls is dropped.
//!
//! Invariant: each block, and each log, is reported once. What one answer cannot hold is left for the next poll; where a chain went
//! back, only [`Filters::rewind`] takes a filter back with it, since it knows what was reported.

use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc, time::Duration};

use alloy_primitives::{B256, U256};
use alloy_rpc_types_eth::{Filter, FilterId, Log};
use parapet_builder::Chain;
use parapet_state::StoredBlock;
use parking_lot::Mutex;
use tokio::sync::broadcast::{Receiver, error::TryRecvError};

use crate::{
    Limits, RpcError,
    wire::{Removed, block_logs},
};

/// What a filter waits for.
pub(crate) enum Kind {
    Logs(Box<Filter>),
    Blocks,
    /// Transactions as the pool admits them, by their hashes.
    Pending(Receiver<B256>, Form),
}

/// How transactions are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Hashes,
    Whole,
}

struct Installed {
    kind: Kind,
    /// Number of the first block that was not reported.
    next_block: u64,
    /// Logs that were reported and whose blocks have been dropped since the last poll.
    removed: Vec<Log>,
    /// Wall clock, in seconds since 1970.
    polled: u64,
}

/// What is new for a filter.
pub(crate) enum Changes {
    Hashes(Vec<B256>),
    /// Transactions with these hashes.
    Transactions(Vec<B256>),
    /// Blocks with these numbers.
    Blocks(RangeInclusive<u64>),
    /// Logs that are no more, and those of the blocks with these numbers.
    Logs(Box<Filter>, Vec<Log>, RangeInclusive<u64>),
}

pub(crate) struct Filters {
    filters_max: usize,
    logs_max: usize,
    blocks_max: u64,
    idle_max: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    installed: BTreeMap<u64, Installed>,
    made: u64,
}

impl Filters {
    pub(crate) fn new(limits: &Limits) -> Self {
        let Limits { filters_max, logs_max, log_blocks_max: blocks_max, filter_idle_max: idle_max, .. } = *limits;
        Self { filters_max, logs_max, blocks_max, idle_max, state: Mutex::default() }
    }

    /// Installs a filter that reports what comes after the head, and names it.
    pub(crate) fn install(&self, chain: &Chain, kind: Kind) -> Result<FilterId, RpcError> {
        let now = chain.wall_clock();
        let mut state = self.state.lock();
        let next_block = chain.head().block.number() + 1;
        state.drop_idle(now, self.idle_max);
        if state.installed.len() >= self.filters_max {
            return Err(RpcError::TooManyFilters(self.filters_max));
        }
        state.made += 1;
        let id = state.made;
        state.installed.insert(id, Installed { kind, next_block, removed: Vec::new(), polled: now });
        Ok(FilterId::Str(format!("{id:#x}")))
    }

    /// Removes a filter and tells whether it was there.
    pub(crate) fn uninstall(&self, id: &FilterId) -> bool {
        number(id).is_some_and(|number| self.state.lock().installed.remove(&number).is_some())
    }

    /// What is new since the last poll, of as many blocks as one query may span.
    pub(crate) fn poll(&self, chain: &Chain, id: &FilterId) -> Result<Changes, RpcError> {
        let now = chain.wall_clock();
        let mut state = self.state.lock();
        // Whoever went back since has yet to say so, if they did at all.
        let head = chain.head().block.number();
        state.drop_idle(now, self.idle_max);
        let installed = state.find(id)?;
        installed.polled = now;
        let first = installed.next_block;
        let last = head.min(first.saturating_add(self.blocks_max.max(1) - 1));
        installed.next_block = first.max(last + 1);
        let removed = std::mem::take(&mut installed.removed);
        Ok(match &mut installed.kind {
            Kind::Logs(filter) => Changes::Logs(filter.clone(), removed, first..=last),
            Kind::Blocks => Changes::Blocks(first..=last),
            Kind::Pending(hashes, Form::Hashes) => Changes::Hashes(drain(hashes)),
            Kind::Pending(hashes, Form::Whole) => Changes::Transactions(drain(hashes)),
        })
    }

    /// What was polled from a block on was not reported, nor were these logs as removed: the next poll is to do so.
    pub(crate) fn put_back(&self, id: &FilterId, from: u64, mut removed: Vec<Log>) {
        // It may be gone by now.
        if let Ok(installed) = self.state.lock().find(id) {
            installed.next_block = installed.next_block.min(from);
            removed.append(&mut installed.removed);
            installed.removed = removed;
        }
    }

    /// Another chain has come in the place of this one, up to this head.
    pub(crate) fn begin_again(&self, head: u64) {
        for installed in self.state.lock().installed.values_mut() {
            installed.next_block = installed.next_block.min(head + 1);
        }
    }

    /// The filter of logs that has this name.
    pub(crate) fn logs_filter(&self, chain: &Chain, id: &FilterId) -> Result<Box<Filter>, RpcError> {
        let mut state = self.state.lock();
        let installed = state.find(id)?;
        installed.polled = chain.wall_clock();
        match &installed.kind {
            Kind::Logs(filter) => Ok(filter.clone()),
            Kind::Blocks | Kind::Pending(..) => {
                Err(RpcError::params("this filter is not one of logs; use eth_getFilterChanges"))
            }
        }
    }

    /// Blocks were dropped, newest first: those that come in their place are new again, and logs of theirs that were
    /// reported are reported as removed. A filter for which these are too many is dropped, for it would miss some.
    pub(crate) fn rewind(&self, dropped: &[Arc<StoredBlock>]) {
        let Some(first) = dropped.last().map(|block| block.number()) else { return };
        self.state.lock().installed.retain(|_, installed| {
            if let Kind::Logs(filter) = &installed.kind {
                let (from, to) = filter.extract_block_range();
                let wanted = from.unwrap_or(0)..=to.unwrap_or(u64::MAX);
                let reported = |block: &&Arc<StoredBlock>| {
                    block.number() < installed.next_block && wanted.contains(&block.number())
                };
                let blocks = dropped.iter().filter(reported);
                installed.removed.extend(blocks.flat_map(|block| block_logs(block, filter, Removed::Yes)));
            }
            installed.next_block = installed.next_block.min(first);
            installed.removed.len() <= self.logs_max
        });
    }
}

impl State {
    fn find(&mut self, id: &FilterId) -> Result<&mut Installed, RpcError> {
        let found = number(id).and_then(|number| self.installed.get_mut(&number));
        found.ok_or_else(|| {
            RpcError::NoFilter(match id {
                FilterId::Num(number) => format!("{number:#x}"),
                FilterId::Str(text) => text.clone(),
            })
        })
    }

    fn drop_idle(&mut self, now: u64, idle_max: Duration) {
        self.installed.retain(|_, installed| now.saturating_sub(installed.polled) <= idle_max.as_secs());
    }
}

fn number(id: &FilterId) -> Option<u64> {
    match id {
        FilterId::Num(number) => Some(*number),
        FilterId::Str(text) => text.parse::<U256>().ok()?.try_into().ok(),
    }
}

/// Everything that has arrived. What was lost because the client polls too seldom is lost: hashes of pending
/// transactions are a convenience.
fn drain(hashes: &mut Receiver<B256>) -> Vec<B256> {
    let mut drained = Vec::new();
    loop {
        match hashes.try_recv() {
            Ok(hash) => drained.push(hash),
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => return drained,
        }
    }
}
