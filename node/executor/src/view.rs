//! State as the monitor sees it: over the journal, without touching it.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use parapet_monitor::{Fork, StateFault, StateOp, StateView};
use revm::{
    Journal,
    context::JournalTr as _,
    state::{Account, AccountInfo},
};

use crate::{
    StateError,
    evm::{Asker, EvmDatabase, Footing},
};

/// Reads the journal where it knows an account or slot, else the committed state below it. Nothing becomes warm. The
/// journal may hold what earlier transactions did: what this transaction has not met is as they left it.
pub(crate) struct JournalView<'a, DB: EvmDatabase>(&'a mut Journal<DB>);

impl<'a, DB: EvmDatabase> JournalView<'a, DB> {
    /// For as long as it is there, the monitor is who reads.
    pub(crate) fn new(journal: &'a mut Journal<DB>) -> Self {
        journal.database.asked_by(Asker::Monitor);
        Self(journal)
    }
}

impl<DB: EvmDatabase> Drop for JournalView<'_, DB> {
    fn drop(&mut self) {
        self.0.database.asked_by(Asker::Evm);
    }
}

fn fault(error: StateError) -> StateFault {
    StateFault(Box::new(error))
}

impl<DB: EvmDatabase> JournalView<'_, DB> {
    fn known(&self, address: Address) -> Option<&Account> {
        self.0.inner.state.get(&address)
    }

    fn info(&mut self, fork: Fork, address: Address) -> Result<Option<AccountInfo>, StateFault> {
        let now = self.0.inner.transaction_id;
        let known = self.known(address).map(|account| match fork {
            Fork::PreTx if account.transaction_id == now => account.original_info(),
            Fork::PreTx | Fork::Now => account.info.clone(),
        });
        let info = match known {
            Some(info) => Some(info),
            None => self.0.db_mut().basic(address).map_err(fault)?,
        };
        Ok(info.filter(|info| !info.is_empty()))
    }
}

impl<DB: EvmDatabase> StateView for JournalView<'_, DB> {
    fn is_settled(&self) -> bool {
        self.0.database.footing() == Footing::Settled
    }

    fn storage(&mut self, fork: Fork, address: Address, slot: U256) -> Result<U256, StateFault> {
        let now = self.0.inner.transaction_id;
        if let Some(account) = self.known(address) {
            match (account.storage.get(&slot), fork) {
                (Some(known), Fork::Now) => return Ok(known.present_value),
                (Some(known), Fork::PreTx) if known.transaction_id != now => return Ok(known.present_value),
                (Some(known), Fork::PreTx) if !account.is_created() => return Ok(known.original_value),
                (None, Fork::Now) if account.is_created() => return Ok(U256::ZERO),
                (Some(_), Fork::PreTx) | (None, _) => {}
            }
        }
        self.0.db_mut().storage(address, slot).map_err(fault)
    }

    fn would_accept(&mut self, address: Address, slot: U256, ops: &[StateOp]) -> Result<bool, StateFault> {
        // What the journal holds was read as it is, so nothing is gained by asking for less.
        if self.known(address).is_some_and(|account| account.storage.contains_key(&slot)) {
            return Ok(StateOp::apply_all(ops, self.storage(Fork::PreTx, address, slot)?).is_some());
        }
        self.0.db_mut().would_accept(address, slot, ops).map_err(fault)
    }

    fn balance(&mut self, fork: Fork, address: Address) -> Result<U256, StateFault> {
        let balance = self.info(fork, address)?.map(|info| info.balance).unwrap_or_default();
        self.0.db_mut().balance_observed(address);
        Ok(balance)
    }

    fn code_hash(&mut self, fork: Fork, address: Address) -> Result<B256, StateFault> {
        Ok(self.info(fork, address)?.map(|info| info.code_hash).unwrap_or_default())
    }

    fn code(&mut self, fork: Fork, address: Address) -> Result<Bytes, StateFault> {
        let Some(info) = self.info(fork, address)? else { return Ok(Bytes::new()) };
        if let Some(code) = info.code {
            return Ok(code.original_bytes());
        }
        if info.code_hash.is_zero() || info.code_hash == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        Ok(self.0.db_mut().code_by_hash(info.code_hash).map_err(fault)?.original_bytes())
    }
}
