//! The choice of the head, and what is to be built on it.

use alloy_rpc_types_engine::{ForkchoiceState, ForkchoiceUpdated, PayloadAttributes, PayloadStatus, PayloadStatusEnum};
use parapet_builder::Chosen;
use parapet_types::Hardfork;
use serde_json::Value;

use super::{Engine, Forks, methods::refused_before};
use crate::{
    RpcError,
    node::{Finality, Node},
};

impl Engine {
    /// Makes a block the head, and begins to build one on it if its attributes are given: that of a fork which the
    /// method's version is for.
    pub(super) async fn choose(
        &self,
        state: ForkchoiceState,
        attributes: Option<Value>,
        forks: Forks,
    ) -> Result<ForkchoiceUpdated, RpcError> {
        let chosen = self.node.write(move |node| node.choose(state)).await?;
        let head = state.head_block_hash;
        let valid = ForkchoiceUpdated::new(PayloadStatus::new(PayloadStatusEnum::Valid, Some(head)));
        match (chosen, attributes) {
            (Chosen::Bad { latest_valid }, _) => Ok(ForkchoiceUpdated::new(refused_before(latest_valid))),
            (Chosen::Unknown, _) => Ok(ForkchoiceUpdated::from_status(PayloadStatusEnum::Syncing)),
            // Nothing is built on a block that others stand on.
            (Chosen::Ancestor, _) | (Chosen::Head { .. }, None) => Ok(valid),
            (Chosen::Head { .. }, Some(attributes)) => {
                let attributes = self.node.attributes(attributes, forks)?;
                Ok(valid.with_payload_id(self.builds.begin(&self.node, head, attributes)))
            }
        }
    }
}

impl Node {
    /// Makes a block the head, remembers which are safe and final, and has filters look again at what took the place of
    /// dropped blocks.
    fn choose(&self, state: ForkchoiceState) -> Result<Chosen, RpcError> {
        let ForkchoiceState { head_block_hash: head, safe_block_hash: safe, finalized_block_hash: finalized } = state;
        for hash in [safe, finalized].into_iter().filter(|hash| !hash.is_zero()) {
            if self.chain.stands_on(head, hash)? == Some(false) {
                return Err(RpcError::ForkchoiceState(hash));
            }
        }
        let chosen = self.chain.choose(head)?;
        if let Chosen::Head { dropped, .. } = &chosen {
            self.filters.rewind(dropped);
            *self.finality.write() = Finality { safe, finalized };
        }
        Ok(chosen)
    }

    /// What is fixed of a block that is to be built on the head.
    fn attributes(&self, attributes: Value, (from, to): Forks) -> Result<PayloadAttributes, RpcError> {
        let refused = |reason: &str| RpcError::PayloadAttributes(reason.to_owned());
        let read = serde_json::from_value::<PayloadAttributes>(attributes);
        let attributes = read.map_err(|error| refused(&error.to_string()))?;
        let (paid, rooted) = (attributes.withdrawals.is_some(), attributes.parent_beacon_block_root.is_some());
        if from >= Hardfork::Cancun && !(paid && rooted) {
            return Err(refused("withdrawals and parentBeaconBlockRoot belong to this version of the method"));
        }
        let parent = &self.chain.head().block.header;
        let hardfork = self.chain.spec().hardfork_at(parent.number + 1, attributes.timestamp);
        if hardfork < from || hardfork >= to {
            return Err(RpcError::UnsupportedFork(hardfork));
        }
        if paid != (hardfork >= Hardfork::Shanghai) || rooted != (hardfork >= Hardfork::Cancun) {
            return Err(refused(&format!("they are not those of a block of {hardfork}")));
        }
        if attributes.timestamp <= parent.timestamp {
            return Err(refused(&format!("the head's timestamp is {}; give a later one", parent.timestamp)));
        }
        Ok(attributes)
    }
}
