//! Filters that clients poll. Bounded in number; one that nobody polls is dropped.

use std::{collections::BTreeMap, time::Duration};

use alloy_primitives::{B256, U256};
use alloy_rpc_types_eth::{Filter, FilterId};
use parapet_builder::Chain;
use parking_lot::Mutex;
use tokio::sync::broadcast::{Receiver, error::TryRecvError};

use crate::{Limits, RpcError};

/// What a filter waits for.
pub(crate) enum Kind {
    Logs(Box<Filter>),
    Blocks,
    /// Hashes of transactions as the pool admits them.
    Pending(Receiver<B256>),
}

struct Installed {
    kind: Kind,
    /// Number of the first block that was not reported.
    next_block: u64,
    /// Wall clock, in seconds since 1970.
    polled: u64,
}

/// What is new for a filter.
pub(crate) enum Changes {
    Hashes(Vec<B256>),
    /// Logs of the blocks from the first number on.
    LogsFrom(Box<Filter>, u64),
}

pub(crate) struct Filters {
    filters_max: usize,
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
        Self { filters_max: limits.filters_max, idle_max: limits.filter_idle_max, state: Mutex::default() }
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
        state.installed.insert(id, Installed { kind, next_block, polled: now });
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
        Ok(match &mut installed.kind {
            Kind::Logs(filter) => Changes::LogsFrom(filter.clone(), first),
            Kind::Blocks => {
                let blocks = (first..=head).filter_map(|number| chain.block(number).transpose());
                Changes::Hashes(blocks.map(|block| Ok(block?.hash())).collect::<Result<_, RpcError>>()?)
            }
            Kind::Pending(hashes) => Changes::Hashes(drain(hashes)),
        })
    }

    /// The filter of logs that has this name.
    pub(crate) fn logs_filter(&self, chain: &Chain, id: &FilterId) -> Result<Box<Filter>, RpcError> {
        let mut state = self.state.lock();
        let installed = state.find(id)?;
        installed.polled = chain.wall_clock();
        match &installed.kind {
            Kind::Logs(filter) => Ok(filter.clone()),
            Kind::Blocks | Kind::Pending(_) => {
                Err(RpcError::params("this filter is not one of logs; use eth_getFilterChanges"))
            }
        }
    }

    /// Blocks after a number were dropped: those that come in their place are new again.
    pub(crate) fn rewind(&self, number: u64) {
        for installed in self.state.lock().installed.values_mut() {
            installed.next_block = installed.next_block.min(number + 1);
        }
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
