//! What development tools do to the block of another chain from which this one goes on.

use std::sync::Arc;

use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_builder::Chain;
use parapet_state::StoredBlock;
use serde::{Deserialize, Serialize};

use crate::{Refork, RpcError, api::Api, node::Node, wire::Quantity};

/// Another chain to go on from, or another block of the same.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ForkingOptions {
    /// Its endpoint.
    json_rpc_url: Option<String>,
    /// Number of the block.
    block_number: Option<Quantity>,
}

/// From where the chain was forked, as `anvil_nodeInfo` tells it.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ForkConfig {
    fork_url: Option<String>,
    fork_block_number: Option<u64>,
    fork_retry_backoff: Option<u64>,
}

impl ForkConfig {
    /// Of a chain. The endpoint is named without what may be a key: whoever may call the node may not have it.
    pub(crate) fn of(chain: &Chain) -> Self {
        let Some(fork) = chain.fork() else { return Self::default() };
        let backoff = fork.settings().backoff.as_millis();
        Self {
            fork_url: Some(fork.endpoint()),
            fork_block_number: Some(fork.header().number),
            fork_retry_backoff: Some(u64::try_from(backoff).unwrap_or(u64::MAX)),
        }
    }
}

#[rpc(server)]
pub(crate) trait Forking {
    /// Asks another endpoint of the same chain from now on.
    #[method(name = "anvil_setRpcUrl")]
    async fn set_rpc_url(&self, url: String) -> Result<(), RpcError>;
}

impl Node {
    /// Begins the chain anew: on the block of another one, or on nothing. Gives the blocks that are gone, newest first.
    pub(crate) fn begin_again(&self, forking: Option<ForkingOptions>) -> Result<Vec<Arc<StoredBlock>>, RpcError> {
        let now = self.chain.fork();
        let kept = || RpcError::params("a chain that is kept in a folder cannot begin anew");
        let beginner = self.beginner.as_ref().ok_or_else(kept)?;
        let refork = forking.map(|ForkingOptions { json_rpc_url, block_number }| Refork {
            url: json_rpc_url,
            number: block_number.map(|number| number.0),
            now: now.map(|fork| fork.settings()),
        });
        if refork.as_ref().is_some_and(|refork| refork.url.is_none() && refork.now.is_none()) {
            return Err(RpcError::params(
                "this chain is not forked: give jsonRpcUrl, the endpoint of the one to go on from",
            ));
        }
        let beginning = beginner.begin(refork)?;
        Ok(self.chain.begin_again(beginning)?)
    }
}

#[async_trait]
impl ForkingServer for Api {
    async fn set_rpc_url(&self, url: String) -> Result<(), RpcError> {
        // As anvil has it: a chain that is not forked asks nobody.
        let Some(fork) = self.0.chain.fork() else { return Ok(()) };
        self.0.read(move |_| Ok(fork.ask_at(url)?)).await
    }
}
