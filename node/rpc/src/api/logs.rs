//! Logs, and filters that clients poll.

use std::sync::Arc;

use alloy_rpc_types_eth::{Filter, FilterBlockOption, FilterChanges, FilterId, Log};
use jsonrpsee::{core::async_trait, proc_macros::rpc};

use crate::{
    RpcError,
    api::Api,
    filters::{Changes, Kind},
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

    #[method(name = "newPendingTransactionFilter")]
    fn new_pending_transaction_filter(&self) -> Result<FilterId, RpcError>;

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
        self.0.read(move |node| node.logs(&filter)).await
    }

    fn new_filter(&self, filter: Filter) -> Result<FilterId, RpcError> {
        self.0.filters.install(&self.0.chain, Kind::Logs(Box::new(filter)))
    }

    fn new_block_filter(&self) -> Result<FilterId, RpcError> {
        self.0.filters.install(&self.0.chain, Kind::Blocks)
    }

    fn new_pending_transaction_filter(&self) -> Result<FilterId, RpcError> {
        self.0.filters.install(&self.0.chain, Kind::Pending(self.0.chain.pending()))
    }

    async fn filter_changes(&self, id: FilterId) -> Result<FilterChanges, RpcError> {
        self.0
            .read(move |node| {
                Ok(match node.filters.poll(&node.chain, &id)? {
                    Changes::Hashes(hashes) => FilterChanges::Hashes(hashes),
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
            FilterBlockOption::AtBlockHash(hash) => {
                let block = self.known_block(hash.into())?;
                self.collect(filter, [Ok(block)])
            }
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
        self.collect(filter, self.blocks(from, to)?)
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
            if logs.len() > self.limits.logs_max {
                let what = format!("more than {} logs", self.limits.logs_max);
                return Err(RpcError::TooMuch { what, max: self.limits.logs_max as u64 });
            }
        }
        Ok(logs)
    }
}
