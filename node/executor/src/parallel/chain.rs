//! What the chain itself does before and after a block's transactions, on the versioned memory: each step is settled at once.

use alloy_primitives::{Address, U256};
use parapet_monitor::{StateOp, StateUpdate};
use parapet_types::{REGISTRY, ReadError};
use revm::state::EvmState;

use super::{
    account::{AccountWrite, Version},
    incarnation::publish,
    listed,
    reader::{Reader, SlotSeen},
};
use crate::{
    access_list::{Footprint, SlotStep},
    system::BlockDatabase,
};

impl BlockDatabase for Reader<'_> {
    fn commit(&mut self, state: &EvmState) -> Result<(), ReadError> {
        let memory = self.memory;
        listed::chain_step(memory, self.at, &Footprint::of(state), || {
            let left = publish(state.iter(), self, &[], self.at)?;
            left.touch(memory);
            Ok(())
        })?;
        self.settle(Version(self.at.0 + 1));
        Ok(())
    }

    fn meet(&mut self, state: &EvmState) {
        self.memory.listed.meet(state);
    }

    fn credit(&mut self, address: Address, wei: U256) -> Result<(), ReadError> {
        // Nothing added creates nothing, but it is an access all the same (EIP-7928).
        self.account(address)?;
        let index = self.index(address);
        let footprint = Footprint { accounts: vec![address], ..Footprint::default() };
        listed::chain_step(self.memory, self.at, &footprint, || {
            let cell = self.memory.account(index);
            cell.settle(self.at, || self.memory.world.account(&address), AccountWrite { balance: wei, identity: None })
        })
    }

    fn update(&mut self, update: &StateUpdate) -> Result<(), ReadError> {
        let SlotSeen { place: (.., index), seen, .. } =
            self.see(REGISTRY, None, update.slot).map_err(|error| error.0)?;
        let (before, after) = (seen.value, StateOp::settle(&update.ops, seen.value));
        let step = SlotStep { address: REGISTRY, slot: update.slot, before, after };
        let footprint = Footprint { accounts: vec![REGISTRY], slots: vec![step], ..Footprint::default() };
        listed::chain_step(self.memory, self.at, &footprint, || {
            self.memory.slot(index).write(self.at, self.at, after);
            Ok(())
        })?;
        self.settle(Version(self.at.0 + 1));
        Ok(())
    }
}
