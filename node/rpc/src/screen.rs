//! Screening: whether guards would veto a transaction, asked before it is admitted, so that an honest sender learns of it before
//! paying.
//!
//! It is a courtesy and no defence: guards judge every transaction again in its block, on the state that it meets there. A
//! transaction is tried on the newest state alone, without those that wait before it, so one that needs those may be refused or let
//! through wrongly; only vetoes refuse, and a sender that insists leaves screening off or asks another node.
//!
//! Invariants: as many transactions are tried at a time as are allowed, and each with no more gas than a call; those that are sent
//! together have the time of one read for all of them, their wait included, and what is not tried by then is let through; a fault
//! of the engine refuses nothing.

use std::{sync::Arc, time::Instant};

use alloy_consensus::Transaction as _;
use parapet_simulate::{CallRequest, Overrides};
use parapet_types::{Destiny, Transaction};

use crate::{RpcError, node::Node, settings::Screening};

impl Node {
    /// The transactions that are let through, the others with what their guards say.
    pub(crate) async fn screened(
        self: &Arc<Self>,
        transactions: Vec<Transaction>,
    ) -> Vec<Result<Transaction, RpcError>> {
        match self.screening {
            Screening::Off => transactions.into_iter().map(Ok).collect(),
            Screening::On => {
                let end = self.screening_ends();
                let mut screened = Vec::with_capacity(transactions.len());
                for transaction in transactions {
                    let tried = transaction.clone();
                    let screening = self.screen_apart(move |node| node.screen_until(&tried, end));
                    let said = tokio::time::timeout_at(end.into(), screening).await;
                    screened.push(said.unwrap_or(Ok(())).map(|()| transaction));
                }
                screened
            }
        }
    }

    /// Whether a transaction is let through.
    pub(crate) fn screen(&self, transaction: &Transaction) -> Result<(), RpcError> {
        match self.screening {
            Screening::Off => Ok(()),
            Screening::On => self.screen_until(transaction, self.screening_ends()),
        }
    }

    /// When a screening that begins now must have ended.
    fn screening_ends(&self) -> Instant {
        Instant::now() + self.limits.read_time_max
    }

    fn screen_until(&self, transaction: &Transaction, end: Instant) -> Result<(), RpcError> {
        parapet_simulate::until(end, || self.try_out_of_pool(transaction))
    }

    fn try_out_of_pool(&self, transaction: &Transaction) -> Result<(), RpcError> {
        let at = self.pending(&self.chain.head())?;
        let gas_max = self.limits.call_gas_max.max(self.params().block_gas_limit);
        let request = CallRequest {
            from: Some(transaction.signer()),
            to: transaction.to(),
            gas: Some(transaction.gas_limit().min(gas_max)),
            gas_price: Some(transaction.max_fee_per_gas()),
            max_priority_fee_per_gas: transaction.max_priority_fee_per_gas(),
            value: transaction.value(),
            input: transaction.input().clone(),
            // It may be one of several.
            nonce: None,
            access_list: transaction.access_list().cloned().unwrap_or_default(),
            authorizations: transaction.authorization_list().map(<[_]>::to_vec).unwrap_or_default(),
            blob_hashes: transaction.blob_versioned_hashes().map(<[_]>::to_vec).unwrap_or_default(),
            max_fee_per_blob_gas: transaction.max_fee_per_blob_gas(),
            overrides: Overrides::default(),
        };
        match parapet_simulate::call(&at.point(), &request, self.monitor()) {
            Ok(executed) if matches!(executed.destiny, Destiny::Vetoed { .. }) => RpcError::check(executed).map(|_| ()),
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::debug!("{} was not screened: {error}", transaction.tx_hash());
                Ok(())
            }
        }
    }
}
