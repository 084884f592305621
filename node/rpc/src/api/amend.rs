//! Accounts as tools of a development chain want them: balances, code, storage, tokens.

use std::{collections::BTreeMap, time::Instant};

use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_rpc_types_eth::{TransactionInput, TransactionRequest};
use alloy_sol_types::{SolCall as _, sol};
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_builder::Amendment;
use parapet_simulate::Point;
use parapet_types::{AccountChange, StateChanges};

use crate::{RpcError, api::Api, node::Node, wire::Quantity};

/// Most slots that are tried when looking for where a token keeps a number.
const TOKEN_SLOTS_MAX: usize = 256;

sol! {
    function balanceOf(address owner) external view returns (uint256);
    function allowance(address owner, address spender) external view returns (uint256);
}

#[rpc(server)]
pub(crate) trait Amend {
    #[method(name = "anvil_setBalance", aliases = ["hardhat_setBalance", "tenderly_setBalance"])]
    async fn set_balance(&self, address: Address, balance: U256) -> Result<(), RpcError>;

    #[method(name = "anvil_addBalance", aliases = ["hardhat_addBalance", "tenderly_addBalance"])]
    async fn add_balance(&self, address: Address, wei: U256) -> Result<(), RpcError>;

    #[method(name = "anvil_setCode", aliases = ["hardhat_setCode"])]
    async fn set_code(&self, address: Address, code: Bytes) -> Result<(), RpcError>;

    #[method(name = "anvil_setNonce", aliases = ["hardhat_setNonce", "evm_setAccountNonce"])]
    async fn set_nonce(&self, address: Address, nonce: Quantity) -> Result<(), RpcError>;

    #[method(name = "anvil_setStorageAt", aliases = ["hardhat_setStorageAt"])]
    async fn set_storage_at(&self, address: Address, slot: U256, value: B256) -> Result<bool, RpcError>;

    #[method(name = "anvil_dealERC20", aliases = ["hardhat_dealERC20", "anvil_setERC20Balance"])]
    async fn deal_erc20(&self, owner: Address, token: Address, amount: U256) -> Result<(), RpcError>;

    #[method(name = "anvil_setERC20Allowance")]
    async fn set_erc20_allowance(
        &self,
        owner: Address,
        spender: Address,
        token: Address,
        amount: U256,
    ) -> Result<(), RpcError>;
}

impl Api {
    async fn amend(&self, address: Address, amendment: Amendment) -> Result<(), RpcError> {
        self.0.write(move |node| Ok(node.chain.amend(address, amendment)?)).await
    }

    /// Has a token answer a call with an amount.
    async fn set_token(&self, token: Address, call: Vec<u8>, amount: U256) -> Result<(), RpcError> {
        self.0
            .write(move |node| {
                // Others wait to write meanwhile.
                let end = Instant::now() + node.limits.read_time_max;
                let (account, slot) = parapet_simulate::until(end, || node.slot_behind(token, call, amount))?;
                Ok(node.chain.amend(account, Amendment::Storage { slot, value: amount })?)
            })
            .await
    }
}

impl Node {
    /// The slot that decides what a token answers: of those that the call reads, the one by which the answer becomes the
    /// amount.
    fn slot_behind(&self, token: Address, call: Vec<u8>, amount: U256) -> Result<(Address, U256), RpcError> {
        let request = self.call_request(TransactionRequest {
            to: Some(TxKind::Call(token)),
            input: TransactionInput::new(call.into()),
            ..TransactionRequest::default()
        })?;
        let at = self.at(None)?;
        let (read, _) = parapet_simulate::create_access_list(&at.point(), &request, self.monitor())?;
        let slots = read.0.iter().flat_map(|item| item.storage_keys.iter().map(|slot| (item.address, *slot)));
        for (account, slot) in slots.take(TOKEN_SLOTS_MAX) {
            let Some(info) = at.world.account(&account)? else { continue };
            let storage = BTreeMap::from([(slot.into(), amount)]);
            let change = AccountChange { info: Some(info), wipe_storage: false, storage };
            let changes = StateChanges { accounts: BTreeMap::from([(account, change)]), ..StateChanges::default() };
            let world = at.world.apply(&changes)?;
            let tried = Point { world: &world, ..at.point() };
            let answer = parapet_simulate::call(&tried, &request, self.monitor())?;
            if answer.succeeded() && answer.output[..] == amount.to_be_bytes::<32>() {
                return Ok((account, slot.into()));
            }
        }
        Err(RpcError::NoTokenSlot(token))
    }
}

#[async_trait]
impl AmendServer for Api {
    async fn set_balance(&self, address: Address, balance: U256) -> Result<(), RpcError> {
        self.amend(address, Amendment::Balance(balance)).await
    }

    async fn add_balance(&self, address: Address, wei: U256) -> Result<(), RpcError> {
        self.amend(address, Amendment::MoreBalance(wei)).await
    }

    async fn set_code(&self, address: Address, code: Bytes) -> Result<(), RpcError> {
        self.amend(address, Amendment::Code(code)).await
    }

    async fn set_nonce(&self, address: Address, nonce: Quantity) -> Result<(), RpcError> {
        self.amend(address, Amendment::Nonce(nonce.0)).await
    }

    async fn set_storage_at(&self, address: Address, slot: U256, value: B256) -> Result<bool, RpcError> {
        self.amend(address, Amendment::Storage { slot, value: value.into() }).await?;
        Ok(true)
    }

    async fn deal_erc20(&self, owner: Address, token: Address, amount: U256) -> Result<(), RpcError> {
        self.set_token(token, balanceOfCall { owner }.abi_encode(), amount).await
    }

    async fn set_erc20_allowance(
        &self,
        owner: Address,
        spender: Address,
        token: Address,
        amount: U256,
    ) -> Result<(), RpcError> {
        self.set_token(token, allowanceCall { owner, spender }.abi_encode(), amount).await
    }
}
