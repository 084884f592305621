//! Logs, and filters that clients poll.

use std::{ops::RangeInclusive, sync::Arc};

use alloy_primitives::B256;
use alloy_rpc_types_eth::{Filter, FilterBlockOption, FilterChanges, FilterId, FilterSet, Log};
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_fork::{Fork, ForkError};
use parapet_state::StoredBlock;

use crate::{
    RpcError,
    api::Api,
    filters::{Changes, Form, Kind},
    node::Node,
    wire::{Removed, block_logs},
};

#[rpc(server, namespace = "eth")]
pub(crate) trait EthLogs {
    #[method(name = "getLogs")]
    async fn logs(&self, filter: Filter) -> Result<Vec<Log>, RpcError>;

    #[method(name = "newFilter")]
    fn new_filter(&self, filter: Filter) -> Result<FilterId, RpcError>;

    #[method(name = "newBlockFilter")]
    fn new_block_filter(&self) -> Result<FilterId, RpcError>;

    /// Reports transactions that come into the pool: their hashes, or with `true` all of them.
    #[method(name = "newPendingTransactionFilter")]
    fn new_pending_transaction_filter(&self, full: Option<bool>) -> Result<FilterId, RpcError>;

    #[method(name = "getFilterChanges")]
    async fn filter_changes(&self, id: FilterId) -> Result<FilterChanges, RpcError>;

    #[method(name = "getFilterLogs")]
    async fn filter_logs(&self, id: FilterId) -> Result<Vec<Log>, RpcError>;

    #[method(name = "uninstallFilter")]
    fn uninstall_filter(&self, id: FilterId) -> Result<bool, RpcError>;
}

#[async_trait]
impl EthLogsServer for Api {
    async fn logs(&self, filter: Filter) -> Result<Vec<Log>, RpcError> {
        self.0.check_filter(&filter)?;
        self.0.read(move |node| node.logs(&filter)).await
    }

    fn new_filter(&self, filter: Filter) -> Result<FilterId, RpcError> {
        self.0.check_filter(&filter)?;
        self.0.filters.install(&self.0.chain, Kind::Logs(Box::new(filter)))
    }

    fn new_block_filter(&self) -> Result<FilterId, RpcError> {
        self.0.filters.install(&self.0.chain, Kind::Blocks)
    }

    fn new_pending_transaction_filter(&self, full: Option<bool>) -> Result<FilterId, RpcError> {
        let form = if full.unwrap_or_default() { Form::Whole } else { Form::Hashes };
        self.0.filters.install(&self.0.chain, Kind::Pending(self.0.chain.pending(), form))
    }

    async fn filter_changes(&self, id: FilterId) -> Result<FilterChanges, RpcError> {
        self.0
            .read(move |node| {
                Ok(match node.filters.poll(&node.chain, &id)? {
                    Changes::Hashes(hashes) => FilterChanges::Hashes(hashes),
                    Changes::Blocks(numbers) => FilterChanges::Hashes(node.new_blocks(&id, numbers)?),
                    Changes::Transactions(hashes) => {
                        let found = hashes.into_iter().map(|hash| node.waiting_or_mined(hash));
                        let found = found.collect::<Result<Vec<_>, RpcError>>()?;
                        FilterChanges::Transactions(found.into_iter().flatten().collect())
                    }
                    Changes::Logs(filter, removed, numbers) => {
                        FilterChanges::Logs(node.new_logs(&id, &filter, removed, numbers)?)
                    }
                })
            })
            .await
    }

    async fn filter_logs(&self, id: FilterId) -> Result<Vec<Log>, RpcError> {
        let filter = self.0.filters.logs_filter(&self.0.chain, &id)?;
        self.0.read(move |node| node.logs(&filter)).await
    }

    fn uninstall_filter(&self, id: FilterId) -> Result<bool, RpcError> {
        Ok(self.0.filters.uninstall(&id))
    }
}

impl Node {
    pub(crate) fn logs(&self, filter: &Filter) -> Result<Vec<Log>, RpcError> {
        match filter.block_option {
            FilterBlockOption::AtBlockHash(hash) => match (self.block(hash.into())?, self.chain.fork()) {
                (Some(block), Some(fork)) if block.number() <= fork.header().number => self.logs_there(&fork, filter),
                (None, Some(fork)) => self.logs_there(&fork, filter),
                (Some(block), _) => self.collect(filter, [Ok(block)]),
                (None, None) => Err(RpcError::no_block(hash.into(), self.chain.head().block.number())),
            },
            FilterBlockOption::Range { from_block, to_block } => {
                let (from, to) = self.range(from_block, to_block)?;
                self.logs_between(filter, from, to)
            }
        }
    }

    /// Refuses a filter that names too much: it is kept, or looked through for each log.
    pub(crate) fn check_filter(&self, filter: &Filter) -> Result<(), RpcError> {
        let topics: usize = filter.topics.iter().map(FilterSet::len).sum();
        let (count, max) = (filter.address.len() + topics, self.limits.filter_values_max);
        if count > max {
            return Err(RpcError::TooMuch {
                what: format!("a filter of {count} addresses and topics"),
                max: max as u64,
            });
        }
        Ok(())
    }

    /// Hashes of the blocks that a polled filter has not reported, or of as many as there is time for.
    fn new_blocks(&self, id: &FilterId, numbers: RangeInclusive<u64>) -> Result<Vec<B256>, RpcError> {
        let mut hashes = Vec::new();
        let ended = self.each_new(numbers, |block| {
            hashes.push(block.hash());
            Ok(Counted::Whole)
        });
        self.polled(id, hashes, ended, Vec::new)
    }

    /// The logs that a polled filter has not reported, or as many as there is time and room for; those that are removed first.
    fn new_logs(
        &self,
        id: &FilterId,
        filter: &Filter,
        removed: Vec<Log>,
        numbers: RangeInclusive<u64>,
    ) -> Result<Vec<Log>, RpcError> {
        let (from, to) = filter.extract_block_range();
        let wanted = from.unwrap_or(0)..=to.unwrap_or(u64::MAX);
        let mut logs = removed.clone();
        let ended = self.each_new(numbers, |block| {
            if !wanted.contains(&block.number()) {
                return Ok(Counted::Whole);
            }
            let before = logs.len();
            logs.extend(block_logs(block, filter, Removed::No));
            match self.check_length(&logs) {
                Ok(()) => Ok(Counted::Whole),
                // Of what there was before it there is enough to report.
                Err(_) if before > 0 => {
                    logs.truncate(before);
                    Ok(Counted::NotAtAll)
                }
                Err(error) => Err(error),
            }
        });
        self.polled(id, logs, ended, || removed)
    }

    /// Looks at new blocks until one does not count, fails, or there is no time left.
    fn each_new(
        &self,
        numbers: RangeInclusive<u64>,
        mut look: impl FnMut(&StoredBlock) -> Result<Counted, RpcError>,
    ) -> Ended {
        let first = *numbers.start();
        for number in numbers {
            let looked = parapet_simulate::check_time().map_err(RpcError::from).and_then(|()| {
                // Whoever went back since has taken it.
                self.block(number.into())?.map_or(Ok(Counted::Whole), |block| look(&block))
            });
            match looked {
                Ok(Counted::Whole) => {}
                Ok(Counted::NotAtAll) => return Ended { next: Some(number), error: None },
                Err(RpcError::Late(_)) if number > first => return Ended { next: Some(number), error: None },
                // It is passed over, or the filter would stand before it for ever.
                Err(error @ RpcError::TooMuch { .. }) => return Ended { next: Some(number + 1), error: Some(error) },
                Err(error) => return Ended { next: Some(number), error: Some(error) },
            }
        }
        Ended { next: None, error: None }
    }

    /// What a poll has found; what it has not come to is for the next one.
    fn polled<T>(
        &self,
        id: &FilterId,
        found: T,
        Ended { next, error }: Ended,
        removed: impl FnOnce() -> Vec<Log>,
    ) -> Result<T, RpcError> {
        let removed = if error.is_some() { removed() } else { Vec::new() };
        if let Some(next) = next {
            self.filters.put_back(id, next, removed);
        }
        error.map_or(Ok(found), Err)
    }

    fn logs_between(&self, filter: &Filter, from: u64, to: u64) -> Result<Vec<Log>, RpcError> {
        let Some(fork) = self.chain.fork().filter(|fork| from <= fork.header().number) else {
            return self.collect(filter, self.blocks(from, to)?);
        };
        let last = fork.header().number;
        let mut logs = self.logs_there(&fork, &filter.clone().from_block(from).to_block(to.min(last)))?;
        if to > last {
            logs.extend(self.collect(filter, self.blocks(last + 1, to)?)?);
        }
        self.check_number(logs)
    }

    /// Logs of the chain that was forked, as its endpoint tells them.
    fn logs_there(&self, fork: &Fork, filter: &Filter) -> Result<Vec<Log>, RpcError> {
        let internal = |error: serde_json::Error| RpcError::Internal(error.to_string());
        let params = serde_json::value::to_raw_value(&[filter]).map_err(internal)?;
        let answer = fork.pass_on("eth_getLogs", &params)?;
        let logs = serde_json::from_str(answer.get()).map_err(|error| ForkError::Nonsense {
            endpoint: fork.endpoint(),
            method: "eth_getLogs".to_owned(),
            reason: error.to_string(),
        })?;
        self.check_number(logs)
    }

    fn check_number(&self, logs: Vec<Log>) -> Result<Vec<Log>, RpcError> {
        self.check_length(&logs).map(|()| logs)
    }

    fn check_length(&self, logs: &[Log]) -> Result<(), RpcError> {
        let max = self.limits.logs_max;
        if logs.len() > max {
            return Err(RpcError::TooMuch { what: format!("more than {max} logs"), max: max as u64 });
        }
        Ok(())
    }

    fn collect(
        &self,
        filter: &Filter,
        blocks: impl IntoIterator<Item = Result<Arc<StoredBlock>, RpcError>>,
    ) -> Result<Vec<Log>, RpcError> {
        let bytes_max = self.limits.answer_bytes_max();
        let (mut logs, mut bytes) = (Vec::new(), 0);
        for block in blocks {
            let before = logs.len();
            logs.extend(block_logs(&*block?, filter, Removed::No));
            logs = self.check_number(logs)?;
            bytes += logs[before..].iter().map(|log| log.data().data.len()).sum::<usize>();
            if bytes > bytes_max {
                return Err(RpcError::TooMuch { what: format!("logs of {bytes} bytes"), max: bytes_max as u64 });
            }
        }
        Ok(logs)
    }
}

/// Whether a block was taken into an answer.
enum Counted {
    Whole,
    NotAtAll,
}

/// Where a poll ended before all new blocks were looked at, and why, if that is an error.
struct Ended {
    /// The first block that is for the next poll; `None` where there is none.
    next: Option<u64>,
    error: Option<RpcError>,
}
