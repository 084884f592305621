//! The contracts that are ready to run.
//!
//! Invariant: what is kept changes how long a contract takes to be ready, never what it does. It lives as long as the
//! process, so no code that was compiled with other prices can get into it.

use std::sync::Arc;

use alloy_primitives::Bytes;
use parapet_monitor::ModuleHash;
use parapet_vm::{Ahead, Preparable, Ready, Room};
use parking_lot::Mutex;

use crate::{
    Contract, VetError,
    limits::{CONTRACTS_CACHED_BYTES_MAX, CONTRACTS_CACHED_MAX},
    vet,
};

/// Runs contracts. One per node; clones share it.
#[derive(Clone, Debug)]
pub struct Engine {
    contracts: Arc<Mutex<Ready<Contract>>>,
    ahead: Arc<Ahead>,
    /// Held while a contract is compiled: one at a time is what all of them take together.
    compiler: Arc<Mutex<()>>,
}

impl Default for Engine {
    fn default() -> Self {
        let room = Room { guards_max: CONTRACTS_CACHED_MAX, bytes_max: CONTRACTS_CACHED_BYTES_MAX };
        Self { contracts: Arc::new(Mutex::new(Ready::within(room))), ahead: Arc::default(), compiler: Arc::default() }
    }
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

    /// Vets a module, keeps it ready, and has it compiled meanwhile. `hash` must be the Keccak-256 of `bytes`: the caller
    /// has compared them.
    ///
    /// # Errors
    /// [`VetError`] when the module may not run.
    pub fn load(&self, hash: ModuleHash, bytes: Bytes) -> Result<Arc<Contract>, VetError> {
        if let Some(contract) = self.ready(hash) {
            return Ok(contract);
        }
        let (vetted, size) = (vet(hash, &bytes)?, bytes.len());
        let contract = Contract::new(hash, bytes, vetted, self.compiler.clone());
        let contract = self.contracts.lock().keep(hash, size, Arc::new(contract));
        let weak = Arc::downgrade(&contract);
        self.ahead.prepare_soon(weak);
        Ok(contract)
    }
}

impl Preparable for Contract {
    fn prepare_ahead(&self) {
        let _ = self.prepare();
    }
}
