//! What guards said, and would say.

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_eth::TransactionRequest;
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_monitor::Verdict;
use parapet_types::{Destiny, REGISTRY};
use serde::Serialize;

use crate::{RpcError, api::Api};

/// What a call would do and what guards would say of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Simulated {
    destiny: Destiny,
    gas_used: U256,
    /// What of it is for guards.
    guard_gas_used: U256,
    output: Bytes,
    verdicts: Vec<Verdict>,
}

#[rpc(server, namespace = "guard")]
pub(crate) trait Guard {
    /// What each woken attachment said of a transaction; `null` for one that is in no block.
    #[method(name = "getVerdicts")]
    fn verdicts(&self, hash: B256) -> Result<Option<Vec<Verdict>>, RpcError>;

    /// Where guards and attachments are kept.
    #[method(name = "registry")]
    fn registry(&self) -> Result<Address, RpcError>;

    #[method(name = "simulate")]
    async fn simulate(&self, request: TransactionRequest, block: Option<BlockId>) -> Result<Simulated, RpcError>;
}

#[async_trait]
impl GuardServer for Api {
    fn verdicts(&self, hash: B256) -> Result<Option<Vec<Verdict>>, RpcError> {
        let found = self.0.chain.transaction(hash);
        Ok(found.map(|(block, index)| block.executed[index].verdicts.clone()))
    }

    fn registry(&self) -> Result<Address, RpcError> {
        Ok(REGISTRY)
    }

    async fn simulate(&self, request: TransactionRequest, block: Option<BlockId>) -> Result<Simulated, RpcError> {
        let request = self.0.call_request(request)?;
        self.0
            .read(move |node| {
                let at = node.at(block)?;
                let executed = parapet_simulate::call(&at.point(), &request, node.monitor())?;
                Ok(Simulated {
                    destiny: executed.destiny,
                    gas_used: U256::from(executed.gas_used),
                    guard_gas_used: U256::from(executed.guard_gas_used),
                    output: executed.output,
                    verdicts: executed.verdicts,
                })
            })
            .await
    }
}
