//! State in the middle of a block: an account's storage as geth hands it over, slot by slot.

use std::collections::BTreeMap;

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, keccak256};
use jsonrpsee::{core::async_trait, proc_macros::rpc};
use parapet_state::{StoreError, StoredBlock};
use serde::Serialize;

use crate::{
    RpcError,
    api::Api,
    node::{At, Node},
    wire::Quantity,
};

/// Most slots of one answer.
const SLOTS_MAX: u64 = 10_000;

/// Slots of an account, by Keccak-256 of their numbers.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StorageRange {
    storage: BTreeMap<B256, SlotEntry>,
    /// Where the next answer begins; absent where this one holds the last slot.
    next_key: Option<B256>,
}

#[derive(Clone, Debug, Serialize)]
struct SlotEntry {
    key: B256,
    value: B256,
}

/// Why no further slot is looked at.
enum Ended {
    Full,
    Failed(RpcError),
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

#[rpc(server, namespace = "debug")]
pub(crate) trait Within {
    /// Slots of an account that are not zero, before the transaction of this index in a block, from a Keccak-256 of a slot
    /// on, in the order of those.
    #[method(name = "storageRangeAt")]
    async fn storage_range(
        &self,
        block: BlockId,
        index: Quantity,
        address: Address,
        start: Bytes,
        count: Quantity,
    ) -> Result<StorageRange, RpcError>;
}

impl Node {
    /// Where a block's transaction of this index began, or where its last one ended.
    pub(crate) fn within(&self, block: &StoredBlock, index: usize) -> Result<At, RpcError> {
        let count = block.transactions.len();
        let preceding = block.transactions.get(..index).ok_or_else(|| {
            RpcError::params(format!("transaction index {index} is out of range: the block has {count} transactions"))
        })?;
        let at = self.start_of(block)?;
        let changes = parapet_simulate::changes_before(&at.point(), preceding, self.monitor())?;
        Ok(At { world: at.world.apply(&changes)?, ..at })
    }

    fn storage_range(&self, at: &At, address: Address, start: B256, count: u64) -> Result<StorageRange, RpcError> {
        let mut range = StorageRange::default();
        let ended = at.world.each_slot(&address, |slot, value| {
            parapet_simulate::check_time().map_err(|late| Ended::Failed(late.into()))?;
            let (key, value) = (B256::from(slot), B256::from(value));
            let hash = keccak256(key);
            if hash < start {
                return Ok(());
            }
            if range.storage.len() as u64 >= count {
                range.next_key = Some(hash);
                return Err(Ended::Full);
            }
            range.storage.insert(hash, SlotEntry { key, value });
            Ok(())
        });
        match ended {
            Ok(()) | Err(Ended::Full) => Ok(range),
            Err(Ended::Failed(error)) => Err(error),
        }
    }
}

#[async_trait]
impl WithinServer for Api {
    async fn storage_range(
        &self,
        block: BlockId,
        index: Quantity,
        address: Address,
        start: Bytes,
        count: Quantity,
    ) -> Result<StorageRange, RpcError> {
        if count.0 > SLOTS_MAX {
            return Err(RpcError::TooMuch { what: format!("{} slots", count.0), max: SLOTS_MAX });
        }
        if start.len() > B256::len_bytes() {
            return Err(RpcError::params("a slot's hash has at most 32 bytes"));
        }
        let start = B256::right_padding_from(&start);
        let index = usize::try_from(index.0).unwrap_or(usize::MAX);
        self.0
            .read(move |node| {
                let block = node.known_block(block)?;
                let at = node.within(&block, index)?;
                node.storage_range(&at, address, start, count.0)
            })
            .await
    }
}
