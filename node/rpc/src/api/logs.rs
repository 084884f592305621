//! Logs, and filters that clients poll.

use std::sync::Arc;

use alloy_rpc_types_eth::{Filter, FilterBlockOption, FilterChanges, FilterId, Log};
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_fork::{Fork, ForkError};

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
        self.0.read_briefly(move |node| node.logs(&filter)).await
    }

    fn new_filter(&self, filter: Filter) -> Result<FilterId, RpcError> {
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
                    Changes::Transactions(hashes) => {
                        let found = hashes.into_iter().map(|hash| node.waiting_or_mined(hash));
                        let found = found.collect::<Result<Vec<_>, RpcError>>()?;
                        FilterChanges::Transactions(found.into_iter().flatten().collect())
                    }
                    Changes::Logs(filter, mut logs, first) => {
                        logs.extend(node.new_logs(&filter, first)?);
                        FilterChanges::Logs(logs)
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
    fn logs(&self, filter: &Filter) -> Result<Vec<Log>, RpcError> {
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

    /// The logs that a polled filter has not reported.
    fn new_logs(&self, filter: &Filter, first: u64) -> Result<Vec<Log>, RpcError> {
        let head = self.chain.head().block.number();
        let (from, to) = filter.extract_block_range();
        let (from, to) = (first.max(from.unwrap_or(0)), head.min(to.unwrap_or(head)));
        if from > to { Ok(Vec::new()) } else { self.logs_between(filter, from, to) }
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
        let max = self.limits.logs_max;
        if logs.len() > max {
            return Err(RpcError::TooMuch { what: format!("more than {max} logs"), max: max as u64 });
        }
        Ok(logs)
    }

    fn collect(
        &self,
        filter: &Filter,
        blocks: impl IntoIterator<Item = Result<Arc<parapet_state::StoredBlock>, RpcError>>,
    ) -> Result<Vec<Log>, RpcError> {
        let mut logs = Vec::new();
        for block in blocks {
            let block = block?;
            logs.extend(block_logs(&block, filter, Removed::No));
            logs = self.check_number(logs)?;
        }
        Ok(logs)
    }
}
