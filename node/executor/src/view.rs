//! State as the monitor sees it: over the journal, without touching it.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use parapet_monitor::{Fork, StateFault, StateView};
use revm::{Database, Journal, context::JournalTr as _};

/// Reads the journal where it knows an account or slot, else the committed state below it. Nothing becomes warm.
pub(crate) struct JournalView<'a, DB: Database>(pub(crate) &'a mut Journal<DB>);

impl<DB: Database<Error: std::error::Error + Send + Sync + 'static>> JournalView<'_, DB> {
    fn fault(error: DB::Error) -> StateFault {
        StateFault(Box::new(error))
    }
}

impl<DB: Database<Error: std::error::Error + Send + Sync + 'static>> StateView for JournalView<'_, DB> {
    fn storage(&mut self, fork: Fork, address: Address, slot: U256) -> Result<U256, StateFault> {
        if fork == Fork::Now
            && let Some(account) = self.0.inner.state.get(&address)
        {
            if let Some(known) = account.storage.get(&slot) {
                return Ok(known.present_value);
            }
            if account.is_created() {
                return Ok(U256::ZERO);
            }
        }
        self.0.db_mut().storage(address, slot).map_err(Self::fault)
    }

    fn balance(&mut self, fork: Fork, address: Address) -> Result<U256, StateFault> {
        if fork == Fork::Now
            && let Some(account) = self.0.inner.state.get(&address)
        {
            return Ok(account.info.balance);
        }
        let info = self.0.db_mut().basic(address).map_err(Self::fault)?;
        Ok(info.map(|info| info.balance).unwrap_or_default())
    }

    fn code_hash(&mut self, fork: Fork, address: Address) -> Result<B256, StateFault> {
        if fork == Fork::Now
            && let Some(account) = self.0.inner.state.get(&address)
        {
            return Ok(if account.is_empty() { B256::ZERO } else { account.info.code_hash });
        }
        let info = self.0.db_mut().basic(address).map_err(Self::fault)?;
        Ok(info.map(|info| info.code_hash).unwrap_or_default())
    }

    fn code(&mut self, fork: Fork, address: Address) -> Result<Bytes, StateFault> {
        if fork == Fork::Now
            && let Some(code) = self.0.inner.state.get(&address).and_then(|account| account.info.code.as_ref())
        {
            return Ok(code.original_bytes());
        }
        let code_hash = self.code_hash(fork, address)?;
        if code_hash.is_zero() || code_hash == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        Ok(self.0.db_mut().code_by_hash(code_hash).map_err(Self::fault)?.original_bytes())
    }
}
