//! The chain that scenarios are played on: with the registry as genesis has it, and blocks under the node's judge.

use std::{fmt, sync::Arc};

use alloy_eips::eip7702::Authorization;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use parapet_ground::{CHAIN_ID, FUNDED_WEI, Ground};
use parapet_judge::Judge;
use parapet_registry::genesis_account;
use parapet_types::{AccountInfo, Executed, REGISTRY};
use parapet_vm::{Engine, EngineSettings};

use crate::ProofError;

pub(crate) use parapet_ground::Call;

/// Governs and guards the registry of this chain.
const GUARDIAN: Address = Address::repeat_byte(0x6a);

/// The chain. A clone goes on by itself, with the same judge: what that keeps is named by the registry's content.
#[derive(Clone)]
pub(crate) struct Chain {
    ground: Ground,
    judge: Arc<Judge>,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("number", &self.ground.number()).finish_non_exhaustive()
    }
}

impl Chain {
    pub(crate) fn new() -> Result<Self, ProofError> {
        let engine = Engine::new(EngineSettings::default()).map_err(|error| ProofError::Engine(error.to_string()))?;
        let mut ground = Ground::default();
        let (code, storage) = genesis_account(GUARDIAN, GUARDIAN);
        ground.place(REGISTRY, &code, storage);
        Ok(Self { ground, judge: Arc::new(Judge::new(engine)) })
    }

    /// Gives an account ether, unless the chain knows it.
    pub(crate) fn fund(&mut self, address: Address) {
        self.ground.fund(address);
    }

    /// In wei.
    pub(crate) fn balance(&self, address: Address) -> U256 {
        self.ground.balance(address)
    }

    /// The nonce of an account's next transaction.
    pub(crate) fn nonce(&self, address: Address) -> u64 {
        self.ground.nonce(address)
    }

    /// The hash of an account's code.
    pub(crate) fn code_hash(&self, address: Address) -> B256 {
        self.ground.info(address).map_or(KECCAK256_EMPTY, |info| info.code_hash)
    }

    /// What an account signs to delegate to a contract's code in somebody else's transaction.
    pub(crate) fn delegation(&self, account: Address, to: Address) -> Authorization {
        let nonce = self.ground.info(account).unwrap_or_default().nonce;
        Authorization { chain_id: U256::from(CHAIN_ID), address: to, nonce }
    }

    /// Lets time pass.
    pub(crate) const fn wait(&mut self, seconds: u64) {
        self.ground.wait(seconds);
    }

    /// What a call would answer, with nobody watching.
    pub(crate) fn view(&self, to: Address, input: Bytes) -> Result<Bytes, ProofError> {
        let executed = self.ground.view(to, input)?;
        if executed.succeeded() {
            return Ok(executed.output);
        }
        Err(ProofError::Step { what: format!("asking {to}"), how: format!("{:?}", executed.destiny) })
    }

    /// One block of transactions, judged; goes on from it.
    pub(crate) fn block(&mut self, calls: &[Call]) -> Result<Vec<Executed>, ProofError> {
        let sent = self.ground.block(calls, &*self.judge)?;
        Ok(sent.into_iter().map(|sent| sent.executed).collect())
    }

    /// A block of one transaction.
    pub(crate) fn send(&mut self, call: &Call) -> Result<Executed, ProofError> {
        Ok(self.block(std::slice::from_ref(call))?.remove(0))
    }

    /// The same for a sender that may be a contract: nobody has its key, so its code is put aside meanwhile.
    pub(crate) fn send_as(&mut self, call: &Call) -> Result<Executed, ProofError> {
        let Some(info) = self.ground.info(call.from).filter(|info| info.code_hash != KECCAK256_EMPTY) else {
            return self.send(call);
        };
        let known = self.ground.set_nonce(call.from, info.nonce);
        let impersonated = AccountInfo { code_hash: KECCAK256_EMPTY, balance: FUNDED_WEI, ..info };
        self.ground.set_info(call.from, impersonated);
        let executed = self.send(call);
        self.ground.set_info(call.from, info);
        self.ground.set_nonce(call.from, known);
        executed
    }
}
