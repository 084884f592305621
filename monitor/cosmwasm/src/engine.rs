//! The contracts that are ready to run.
//!
//! Invariant: the cache changes how long a contract takes to be ready, never what it does. It lives as long as the
//! process, so no code that was compiled with other prices can get into it.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::Bytes;
use parapet_monitor::ModuleHash;
use parking_lot::Mutex;

use crate::{Contract, VetError, limits::CONTRACTS_CACHED_MAX, vet};

/// Runs contracts. One per node; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    contracts: Arc<Mutex<Contracts>>,
}

/// Ready contracts, the least recently asked for leaving first.
#[derive(Debug, Default)]
struct Contracts {
    by_hash: BTreeMap<ModuleHash, (u64, Arc<Contract>)>,
    asked: u64,
}

impl Engine {
    /// An engine with nothing ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A contract that was loaded before and is still ready.
    #[must_use]
    pub fn ready(&self, hash: ModuleHash) -> Option<Arc<Contract>> {
        self.contracts.lock().get(hash)
    }

    /// Vets a module and keeps it ready. `hash` must be the Keccak-256 of `bytes`: the caller has compared them.
    ///
    /// # Errors
    /// [`VetError`] when the module may not run.
    pub fn load(&self, hash: ModuleHash, bytes: Bytes) -> Result<Arc<Contract>, VetError> {
        if let Some(contract) = self.ready(hash) {
            return Ok(contract);
        }
        let vetted = vet(hash, &bytes)?;
        Ok(self.contracts.lock().keep(Contract::new(hash, bytes, vetted)))
    }
}

impl Contracts {
    fn get(&mut self, hash: ModuleHash) -> Option<Arc<Contract>> {
        self.asked += 1;
        let (last_asked, contract) = self.by_hash.get_mut(&hash)?;
        *last_asked = self.asked;
        Some(contract.clone())
    }

    /// Keeps a contract, or gives the one that another thread has kept meanwhile, which may be compiled already.
    fn keep(&mut self, contract: Contract) -> Arc<Contract> {
        if let Some(kept) = self.get(contract.hash()) {
            return kept;
        }
        if self.by_hash.len() >= CONTRACTS_CACHED_MAX {
            let oldest = self.by_hash.iter().min_by_key(|(_, (asked, _))| *asked).map(|(hash, _)| *hash);
            oldest.map(|hash| self.by_hash.remove(&hash));
        }
        let contract = Arc::new(contract);
        self.by_hash.insert(contract.hash(), (self.asked, contract.clone()));
        contract
    }
}
