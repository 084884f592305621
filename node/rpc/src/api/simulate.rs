//! Blocks that are never built.

use alloy_eips::BlockId;
use jsonrpsee::{core::async_trait, proc_macros::rpc};

use crate::{
    RpcError,
    api::Api,
    wire::{SimulatePayload, SimulatedBlock},
};

#[rpc(server, namespace = "eth")]
pub(crate) trait EthSimulate {
    /// Calls in blocks after a block, as if they were built: each block on the state of the one before, with what is
    /// overridden in it. Guards judge each call. Blocks whose numbers are left out are empty ones.
    #[method(name = "simulateV1")]
    async fn simulate_v1(
        &self,
        payload: SimulatePayload,
        block: Option<BlockId>,
    ) -> Result<Vec<SimulatedBlock>, RpcError>;
}

#[async_trait]
impl EthSimulateServer for Api {
    async fn simulate_v1(
        &self,
        payload: SimulatePayload,
        block: Option<BlockId>,
    ) -> Result<Vec<SimulatedBlock>, RpcError> {
        self.0.read(move |node| node.simulate(payload, block.unwrap_or_default())).await
    }
}
