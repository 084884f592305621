//! What guards said, and what is counted of them.

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes};
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_monitor::{AttachmentId, Counts, Fuel, Question, Verdict};
use parapet_types::{REGISTRY, RestingView};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{RpcError, api::Api, node::Node, wire::BlockVerdicts};

/// What a guard answers a reader.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answered {
    /// The answer as JSON; `null` if it is none.
    answer: Option<Box<RawValue>>,
    /// Its bytes.
    data: Bytes,
    /// What it took, which nobody pays for.
    fuel: Fuel,
}

/// Whose verdicts are wanted, and of which blocks; either end is the head where it is not given.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AttachmentQuery {
    attachment: AttachmentId,
    from_block: Option<BlockNumberOrTag>,
    to_block: Option<BlockNumberOrTag>,
}

#[rpc(server, namespace = "guard")]
pub(crate) trait Guard {
    /// What each woken attachment said of a transaction; `null` for one that is in no block.
    #[method(name = "getVerdicts")]
    fn verdicts(&self, hash: B256) -> Result<Option<Vec<Verdict>>, RpcError>;

    /// What was said in a block, of its transactions and of what the chain itself did; `null` where there is none. The
    /// head where no block is named.
    #[method(name = "getBlockVerdicts")]
    async fn block_verdicts(&self, block: Option<BlockId>) -> Result<Option<BlockVerdicts>, RpcError>;

    /// What one attachment said, by block, oldest first; blocks in which it said nothing are left out.
    #[method(name = "getAttachmentVerdicts")]
    async fn attachment_verdicts(&self, query: AttachmentQuery) -> Result<Vec<BlockVerdicts>, RpcError>;

    /// What is counted of an attachment, after a block; after the head where none is named.
    #[method(name = "getCounts")]
    async fn counts(&self, attachment: AttachmentId, block: Option<BlockId>) -> Result<Counts, RpcError>;

    /// Where guards and attachments are kept.
    #[method(name = "registry")]
    fn registry(&self) -> Result<Address, RpcError>;

    /// What an attachment's contract answers to a message, on the state after a block; after the head where none is
    /// named. Nothing is written.
    #[method(name = "query")]
    async fn query(
        &self,
        attachment: AttachmentId,
        message: Box<RawValue>,
        block: Option<BlockId>,
    ) -> Result<Answered, RpcError>;
}

#[async_trait]
impl GuardServer for Api {
    fn verdicts(&self, hash: B256) -> Result<Option<Vec<Verdict>>, RpcError> {
        let found = self.0.chain.transaction(hash)?;
        Ok(found.map(|(block, index)| block.executed[index].verdicts.clone()))
    }

    async fn block_verdicts(&self, block: Option<BlockId>) -> Result<Option<BlockVerdicts>, RpcError> {
        let said = move |node: &Node| {
            let block = node.block(block.unwrap_or_default())?;
            Ok(block.map(|block| BlockVerdicts::of(&block, |_| true)))
        };
        self.0.read(said).await
    }

    async fn attachment_verdicts(&self, query: AttachmentQuery) -> Result<Vec<BlockVerdicts>, RpcError> {
        self.0.read(move |node| node.verdicts_of(&query)).await
    }

    async fn counts(&self, attachment: AttachmentId, block: Option<BlockId>) -> Result<Counts, RpcError> {
        self.0
            .read(move |node| {
                let id = block.unwrap_or_default();
                let next_block = node.known_block(id)?.number() + 1;
                let world = node.world(Some(id))?;
                let counts = node.monitor().counts(attachment, next_block, &mut RestingView(&world));
                counts.map_err(|fault| RpcError::Internal(fault.to_string()))
            })
            .await
    }

    fn registry(&self) -> Result<Address, RpcError> {
        Ok(REGISTRY)
    }

    async fn query(
        &self,
        attachment: AttachmentId,
        message: Box<RawValue>,
        block: Option<BlockId>,
    ) -> Result<Answered, RpcError> {
        self.0
            .read(move |node| {
                let at = node.at(block)?;
                let message = message.get().as_bytes();
                let question = Question { attachment, message, fuel_max: node.limits.query_fuel_max };
                let answer = parapet_simulate::query(&at.point(), question, node.monitor())?;
                let parsed = serde_json::from_slice(&answer.data).ok();
                Ok(Answered { answer: parsed, data: answer.data, fuel: answer.fuel })
            })
            .await
    }
}

impl Node {
    fn verdicts_of(&self, query: &AttachmentQuery) -> Result<Vec<BlockVerdicts>, RpcError> {
        let (from, to) = self.range(query.from_block, query.to_block)?;
        let (mut found, mut count) = (Vec::new(), 0);
        for block in self.blocks(from, to)? {
            let block = block?;
            let said = BlockVerdicts::of(&block, |verdict| verdict.attachment == query.attachment);
            count += said.count();
            if count > self.limits.verdicts_max {
                let max = self.limits.verdicts_max;
                return Err(RpcError::TooMuch { what: format!("more than {max} verdicts"), max: max as u64 });
            }
            if said.count() > 0 {
                found.push(said);
            }
        }
        Ok(found)
    }
}
