//! Filters that clients poll. Bounded in number; one that nobody polls is dropped.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

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
    /// Logs that are no more, and those of the blocks from the first number on.
    Logs(Box<Filter>, Vec<Log>, u64),
}

pub(crate) struct Filters {
    filters_max: usize,
    logs_max: usize,
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
        let Limits { filters_max, logs_max, filter_idle_max: idle_max, .. } = *limits;
        Self { filters_max, logs_max, idle_max, state: Mutex::default() }
    }

    /// Installs a filter that reports what comes after the head, and names it.
    pub(crate) fn install(&self, chain: &Chain, kind: Kind) -> Result<FilterId, RpcError> {
        let now = chain.wall_clock();
        let next_block = chain.head().block.number() + 1;
        let mut state = self.state.lock();
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

    /// What is new since the last poll.
    pub(crate) fn poll(&self, chain: &Chain, id: &FilterId) -> Result<Changes, RpcError> {
        let now = chain.wall_clock();
        let head = chain.head().block.number();
        let mut state = self.state.lock();
        state.drop_idle(now, self.idle_max);
        let installed = state.find(id)?;
        installed.polled = now;
        let first = installed.next_block.min(head + 1);
        installed.next_block = head + 1;
        let removed = std::mem::take(&mut installed.removed);
        Ok(match &mut installed.kind {
            Kind::Logs(filter) => Changes::Logs(filter.clone(), removed, first),
            Kind::Blocks => {
                let blocks = (first..=head).filter_map(|number| chain.block(number).transpose());
                Changes::Hashes(blocks.map(|block| Ok(block?.hash())).collect::<Result<_, RpcError>>()?)
            }
            Kind::Pending(hashes, Form::Hashes) => Changes::Hashes(drain(hashes)),
            Kind::Pending(hashes, Form::Whole) => Changes::Transactions(drain(hashes)),
        })
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
