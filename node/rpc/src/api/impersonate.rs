//! Transactions of accounts whose keys nobody has.

use alloy_primitives::{Address, B256};
use alloy_rpc_types_eth::TransactionRequest;
use jsonrpsee::{core::async_trait, proc_macros::rpc};

use crate::{RpcError, api::Api, impersonation::Others};

#[rpc(server)]
pub(crate) trait Impersonate {
    #[method(name = "anvil_impersonateAccount", aliases = ["hardhat_impersonateAccount"])]
    fn impersonate_account(&self, account: Address) -> Result<(), RpcError>;

    #[method(name = "anvil_stopImpersonatingAccount", aliases = ["hardhat_stopImpersonatingAccount"])]
    fn stop_impersonating_account(&self, account: Address) -> Result<(), RpcError>;

    #[method(name = "anvil_autoImpersonateAccount", aliases = ["hardhat_autoImpersonateAccount"])]
    fn auto_impersonate_account(&self, on: bool) -> Result<(), RpcError>;

    #[method(name = "eth_sendUnsignedTransaction")]
    async fn send_unsigned_transaction(&self, request: TransactionRequest) -> Result<B256, RpcError>;
}

#[async_trait]
impl ImpersonateServer for Api {
    fn impersonate_account(&self, account: Address) -> Result<(), RpcError> {
        self.0.impersonation.start(account)
    }

    fn stop_impersonating_account(&self, account: Address) -> Result<(), RpcError> {
        self.0.impersonation.stop(&account);
        Ok(())
    }

    fn auto_impersonate_account(&self, on: bool) -> Result<(), RpcError> {
        self.0.impersonation.set_others(if on { Others::Impersonated } else { Others::Sign });
        Ok(())
    }

    /// As if its sender were impersonated, whoever that is.
    async fn send_unsigned_transaction(&self, request: TransactionRequest) -> Result<B256, RpcError> {
        self.0
            .write(move |node| {
                let (typed, from) = node.complete_transaction(request)?;
                Ok(node.chain.submit(parapet_types::unsigned_transaction(typed, from))?)
            })
            .await
    }
}
