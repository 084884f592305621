//! Calls that are never committed.

use std::sync::Arc;

use alloy_eips::BlockId;
use alloy_primitives::{Bytes, U256};
use alloy_rpc_types_eth::{BlockOverrides, TransactionRequest, state::StateOverride};
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_simulate::PrecompileMoves;
use parapet_types::Destiny;
use serde::Serialize;

use crate::{
    RpcError,
    api::Api,
    node::{At, Node},
    revert::{GuardVetoView, revert_message},
    wire::{override_block, override_state},
};

/// An access list, and what the call costs with it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessListResult {
    access_list: alloy_eips::eip2930::AccessList,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    gas_used: U256,
}

#[rpc(server, namespace = "eth")]
pub(crate) trait EthExecute {
    #[method(name = "call")]
    async fn call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
        block_overrides: Option<BlockOverrides>,
    ) -> Result<Bytes, RpcError>;

    #[method(name = "estimateGas")]
    async fn estimate_gas(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
        block_overrides: Option<BlockOverrides>,
    ) -> Result<U256, RpcError>;

    #[method(name = "createAccessList")]
    async fn create_access_list(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
    ) -> Result<AccessListResult, RpcError>;
}

impl Node {
    /// Where a call runs, as the client wants it to look.
    pub(crate) fn at_with(
        &self,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
        block_overrides: Option<BlockOverrides>,
    ) -> Result<At, RpcError> {
        Self::overridden(self.at(block)?, state_overrides, block_overrides)
    }

    /// A point as the client wants it to look.
    pub(crate) fn overridden(
        mut at: At,
        state_overrides: Option<StateOverride>,
        block_overrides: Option<BlockOverrides>,
    ) -> Result<At, RpcError> {
        if let Some(overrides) = state_overrides {
            let mut precompiles = PrecompileMoves::none(at.params.hardfork);
            at.world = override_state(&at.world, overrides, &mut precompiles)?;
            at.overrides.precompiles = Some(precompiles);
        }
        if let Some(overrides) = block_overrides {
            override_block(&mut at.context, Arc::make_mut(&mut at.ancestors), &mut at.overrides, overrides)?;
        }
        Ok(at)
    }
}

#[async_trait]
impl EthExecuteServer for Api {
    async fn call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
        block_overrides: Option<BlockOverrides>,
    ) -> Result<Bytes, RpcError> {
        let request = self.0.call_request(request)?;
        self.0
            .read(move |node| {
                let at = node.at_with(block, state_overrides, block_overrides)?;
                let executed = parapet_simulate::call(&at.point(), &at.laid(request), node.monitor())?;
                Ok(RpcError::check(executed)?.output)
            })
            .await
    }

    /// Estimates for the next block unless told otherwise: there the transaction is to go.
    async fn estimate_gas(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
        block_overrides: Option<BlockOverrides>,
    ) -> Result<U256, RpcError> {
        let request = self.0.call_request(request)?;
        let block = block.unwrap_or(BlockId::pending());
        self.0
            .read(move |node| {
                let at = node.at_with(Some(block), state_overrides, block_overrides)?;
                let request = at.laid(request);
                Ok(U256::from(parapet_simulate::estimate_gas(&at.point(), &request, node.monitor())?))
            })
            .await
    }

    async fn create_access_list(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        state_overrides: Option<StateOverride>,
    ) -> Result<AccessListResult, RpcError> {
        let request = self.0.call_request(request)?;
        self.0
            .read(move |node| {
                let at = node.at_with(block, state_overrides, None)?;
                let (access_list, executed) =
                    parapet_simulate::create_access_list(&at.point(), &at.laid(request), node.monitor())?;
                let error = match &executed.destiny {
                    Destiny::Succeeded => None,
                    Destiny::Reverted => Some(revert_message(&executed.output)),
                    Destiny::Halted { reason } => Some(reason.clone()),
                    Destiny::Vetoed { .. } => GuardVetoView::of(&executed).map(|view| view.message()),
                };
                Ok(AccessListResult { access_list, error, gas_used: U256::from(executed.gas_used) })
            })
            .await
    }
}
