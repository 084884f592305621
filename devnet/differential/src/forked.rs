//! State in memory whose forks are as far away as frames are many: what looking at another one costs is compared, too.

use alloy_primitives::{Address, B256, Bytes, U256};
use parapet_monitor::{CallOutcome, CallRequest, Fork, MemoryState, StateFault, StateView};

/// Steps of the journal in one frame.
const FRAME_STEPS: u64 = 7;

/// The state, with its forks at a distance.
#[derive(Clone, Debug, Default)]
pub struct Forked(pub MemoryState);

impl StateView for Forked {
    fn storage(&mut self, fork: Fork, address: Address, slot: U256) -> Result<U256, StateFault> {
        self.0.storage(fork, address, slot)
    }

    fn balance(&mut self, fork: Fork, address: Address) -> Result<U256, StateFault> {
        self.0.balance(fork, address)
    }

    fn code_hash(&mut self, fork: Fork, address: Address) -> Result<B256, StateFault> {
        self.0.code_hash(fork, address)
    }

    fn code(&mut self, fork: Fork, address: Address) -> Result<Bytes, StateFault> {
        self.0.code(fork, address)
    }

    fn distance(&mut self, fork: Fork) -> u64 {
        match fork {
            Fork::PreTx | Fork::Now => 0,
            Fork::BeforeFrame(frame) => FRAME_STEPS * (u64::from(frame) + 2),
            Fork::AfterFrame(frame) => FRAME_STEPS * (u64::from(frame) + 1),
        }
    }

    fn call(&mut self, fork: Fork, request: &CallRequest) -> Result<CallOutcome, StateFault> {
        self.0.call(fork, request)
    }
}
