//! What all methods share: the chain, the keys the node holds, the filters, and the bounds on work.
//!
//! Whatever executes transactions or walks the chain runs off the async threads, a bounded number at a time; writers
//! queue fairly for the one writer the chain has.

mod work;

use std::{collections::BTreeMap, sync::Arc};

use alloy_consensus::Header;
use alloy_eips::{BlockId, BlockNumberOrTag, eip7840::BlobParams};
use alloy_primitives::{Address, B256};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer_local::PrivateKeySigner;
use parapet_builder::{Chain, Head};
use parapet_executor::blob_params;
use parapet_monitor::Monitor;
use parapet_simulate::{CallRequest, Overrides, Point};
use parapet_state::{StoredBlock, WorldState};
use parapet_types::{Ancestors, BlockContext, ChainParams};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Semaphore;

use crate::{
    Beginner, Limits, RpcError, Screening, Settings, api::instance::Instance, backtests::Backtests, filters::Filters,
    impersonation::Impersonation, intake::Intake, readers::Readers, wire::call_request,
};

pub(crate) struct Node {
    pub(crate) chain: Chain,
    pub(crate) limits: Limits,
    pub(crate) screening: Screening,
    pub(crate) client_version: String,
    /// Keys of the development accounts, in their order.
    pub(crate) accounts: Vec<Address>,
    pub(crate) signers: BTreeMap<Address, PrivateKeySigner>,
    pub(crate) impersonation: Impersonation,
    pub(crate) instance: Instance,
    /// Slots in an epoch.
    pub(crate) epoch_slots: u64,
    /// What a consensus client has told.
    pub(crate) finality: RwLock<Finality>,
    pub(crate) filters: Filters,
    pub(crate) backtests: Backtests,
    /// Namespaces that are served.
    pub(crate) namespaces: Vec<&'static str>,
    /// How the chain is begun anew, where it can be.
    pub(crate) beginner: Option<Beginner>,
    readers: Readers,
    /// Ancestors of the block that was asked about last, and its parent's hash.
    ancestors: Mutex<(B256, Arc<Ancestors>)>,
    tryouts: Arc<Semaphore>,
    screens: Arc<Semaphore>,
    /// Transactions on their way in.
    intake: Arc<Intake>,
    writes: Arc<Semaphore>,
}

/// Blocks that a consensus client calls safe and final; zero where it has named none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Finality {
    pub(crate) safe: B256,
    pub(crate) finalized: B256,
}

/// A point of the chain that was asked for.
#[derive(Clone)]
pub(crate) struct At {
    pub(crate) params: ChainParams,
    pub(crate) world: WorldState,
    pub(crate) ancestors: Arc<Ancestors>,
    pub(crate) context: BlockContext,
    /// What a client wants to be otherwise, and neither state nor header can express.
    pub(crate) overrides: Overrides,
}

impl At {
    /// A call as it is to run here.
    pub(crate) fn laid(&self, request: CallRequest) -> CallRequest {
        CallRequest { overrides: self.overrides.clone(), ..request }
    }

    pub(crate) fn point(&self) -> Point<'_> {
        Point { params: &self.params, world: &self.world, ancestors: &self.ancestors, block: &self.context }
    }
}

impl Node {
    pub(crate) fn new(chain: Chain, keys: &[B256], settings: &Settings) -> Result<Self, RpcError> {
        let Settings { client_version, limits, namespaces, screening, beginner, others, epoch_slots, .. } =
            settings.clone();
        let impersonation = Impersonation::default();
        impersonation.set_others(others);
        let namespaces = namespaces.served();
        let mut accounts = Vec::new();
        let mut signers = BTreeMap::new();
        for key in keys {
            let signer = PrivateKeySigner::from_bytes(key)
                .map_err(|error| RpcError::Internal(format!("a development key is not a key: {error}")))?;
            accounts.push(signer.address());
            signers.insert(signer.address(), signer);
        }
        let writes = Arc::new(Semaphore::new(1));
        Ok(Self {
            intake: Arc::new(Intake::new(chain.clone(), Arc::clone(&writes))),
            impersonation,
            instance: Instance::starting_at(chain.wall_clock()),
            filters: Filters::new(&limits),
            backtests: Backtests::new(&limits),
            tryouts: Arc::new(Semaphore::new(limits.tryouts_max)),
            screens: Arc::new(Semaphore::new(limits.screened_max)),
            screening,
            readers: Readers::new(&limits)?,
            ancestors: Mutex::default(),
            namespaces,
            beginner,
            writes,
            epoch_slots,
            finality: RwLock::default(),
            chain,
            limits,
            client_version,
            accounts,
            signers,
        })
    }

    /// Parameters of the next block if it were built now.
    pub(crate) fn params(&self) -> ChainParams {
        self.chain.params()
    }

    pub(crate) fn monitor(&self) -> &dyn Monitor {
        self.chain.monitor()
    }

    /// Blob parameters of a block's fork; `None` before Cancun.
    pub(crate) fn blobs(&self, header: &Header) -> Option<BlobParams> {
        blob_params(self.chain.spec().of(header).hardfork)
    }

    /// What to simulate for a request, its gas bounded: a call without end must end.
    pub(crate) fn call_request(&self, request: TransactionRequest) -> Result<CallRequest, RpcError> {
        let request = call_request(request)?;
        let bounded = |gas: u64| gas.min(self.limits.call_gas_max.max(self.params().block_gas_limit));
        Ok(CallRequest { gas: request.gas.map(bounded), ..request })
    }

    /// The sealed block that is meant; the head where `pending` is asked for. `None` where there is none.
    pub(crate) fn block(&self, id: BlockId) -> Result<Option<Arc<StoredBlock>>, RpcError> {
        Ok(match id {
            BlockId::Hash(hash) => self.chain.block_by_hash(hash.block_hash)?,
            BlockId::Number(BlockNumberOrTag::Number(number)) => self.chain.block(number)?,
            BlockId::Number(BlockNumberOrTag::Earliest) => self.chain.block(self.earliest())?,
            BlockId::Number(tag @ (BlockNumberOrTag::Safe | BlockNumberOrTag::Finalized)) => {
                self.chain.block(self.number_of(tag))?
            }
            BlockId::Number(BlockNumberOrTag::Latest | BlockNumberOrTag::Pending) => {
                Some(Arc::clone(&self.chain.head().block))
            }
        })
    }

    /// Number of the block so many before the head; the first one where there are fewer.
    fn behind(&self, head: u64, blocks: u64) -> u64 {
        head.saturating_sub(blocks).max(self.earliest())
    }

    /// Number of the first block; on a fork, of that of the chain that was forked.
    fn earliest(&self) -> u64 {
        if self.chain.fork().is_some() { 0 } else { self.chain.first() }
    }

    /// Number of the block that a tag means. Where no consensus client says which blocks are `safe` and `finalized`, they are as
    /// far behind the head as they would be if each block had a slot.
    pub(crate) fn number_of(&self, tag: BlockNumberOrTag) -> u64 {
        let head = self.chain.head().block.number();
        match tag {
            BlockNumberOrTag::Number(number) => number,
            BlockNumberOrTag::Earliest => self.earliest(),
            BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => head,
            BlockNumberOrTag::Safe => {
                self.told(|told| told.safe).unwrap_or_else(|| self.behind(head, self.epoch_slots))
            }
            BlockNumberOrTag::Finalized => {
                let slots = self.epoch_slots.saturating_mul(2);
                self.told(|told| told.finalized).unwrap_or_else(|| self.behind(head, slots))
            }
        }
    }

    /// Number of a block that a consensus client has told of; one that has been dropped since is told no longer.
    fn told(&self, which: impl Fn(&Finality) -> B256) -> Option<u64> {
        let hash = which(&self.finality.read());
        self.chain.block_by_hash(hash).ok().flatten().map(|block| block.number())
    }

    /// The sealed block that is meant.
    pub(crate) fn known_block(&self, id: BlockId) -> Result<Arc<StoredBlock>, RpcError> {
        self.block(id)?.ok_or_else(|| RpcError::no_block(id, self.chain.head().block.number()))
    }

    /// First and last number of a range of blocks; either end is the head where it is not given.
    pub(crate) fn range(
        &self,
        from: Option<BlockNumberOrTag>,
        to: Option<BlockNumberOrTag>,
    ) -> Result<(u64, u64), RpcError> {
        let head = self.chain.head().block.number();
        let number = |tag: Option<BlockNumberOrTag>| self.number_of(tag.unwrap_or_default());
        let (from, to) = (number(from), number(to));
        if to > head {
            return Err(RpcError::params(format!(
                "block range extends beyond current head block: {to} is asked for, the head is {head}"
            )));
        }
        if from > to {
            return Err(RpcError::params(format!("invalid block range params: it ends at {to}, before {from}")));
        }
        Ok((from, to))
    }

    /// The blocks of a range that is not too long, each as it is asked for, until the time of the read is up; those
    /// before a fork are elsewhere.
    pub(crate) fn blocks(
        &self,
        from: u64,
        to: u64,
    ) -> Result<impl Iterator<Item = Result<Arc<StoredBlock>, RpcError>>, RpcError> {
        let max = self.limits.log_blocks_max;
        let from = from.max(self.chain.first()).min(to);
        if to - from >= max {
            return Err(RpcError::TooMuch { what: format!("a range of {} blocks", to - from + 1), max });
        }
        Ok((from..=to).filter_map(|number| match parapet_simulate::check_time() {
            Ok(()) => self.block(BlockId::from(number)).transpose(),
            Err(late) => Some(Err(late.into())),
        }))
    }

    /// The block that holds a transaction, and its index there.
    pub(crate) fn mined(&self, hash: B256) -> Result<(Arc<StoredBlock>, usize), RpcError> {
        self.chain.transaction(hash)?.ok_or_else(|| match self.chain.pooled(hash) {
            Some(_) => RpcError::NotMined(hash),
            None => RpcError::NoTransaction(hash),
        })
    }

    /// The state after the block that is meant.
    pub(crate) fn world(&self, id: Option<BlockId>) -> Result<WorldState, RpcError> {
        self.world_after(&*self.known_block(id.unwrap_or_default())?)
    }

    /// The state after a block that was looked up, whatever has become the head since; at the head, with what was amended.
    pub(crate) fn world_after(&self, block: &StoredBlock) -> Result<WorldState, RpcError> {
        let (head, number, hash) = (self.chain.head(), block.number(), block.hash());
        if head.block.hash() == hash {
            return Ok(head.world.clone());
        }
        let world = self.chain.committed_world(number)?;
        // Another one may have come in its place, before the state was looked up or after.
        let stands = self.chain.block(number)?.is_some_and(|block| block.hash() == hash);
        world.filter(|_| stands).ok_or_else(|| RpcError::no_block(hash.into(), head.block.number()))
    }

    /// Where a call runs: on the state after a block, as if in that block; with `pending`, in the next one.
    pub(crate) fn at(&self, id: Option<BlockId>) -> Result<At, RpcError> {
        let id = id.unwrap_or_default();
        if id == BlockId::pending() {
            let head = self.chain.head();
            return self.pending(&head);
        }
        let block = self.known_block(id)?;
        let params = self.chain.spec().of(&block.header);
        let context = block.context(params.hardfork);
        Ok(At {
            params,
            world: self.world_after(&block)?,
            ancestors: self.ancestors(&context)?,
            context,
            overrides: Overrides::default(),
        })
    }

    pub(crate) fn pending(&self, head: &Head) -> Result<At, RpcError> {
        let context = self.chain.next_context(head);
        Ok(At {
            params: self.chain.spec().at(context.number, context.timestamp),
            world: head.world.clone(),
            ancestors: self.ancestors(&context)?,
            context,
            overrides: Overrides::default(),
        })
    }

    /// Hashes of the blocks before one. Nearly all calls are about the newest block, and collecting its ancestors takes longer
    /// than most of them.
    fn ancestors(&self, context: &BlockContext) -> Result<Arc<Ancestors>, RpcError> {
        let (of, known) = self.ancestors.lock().clone();
        if of == context.parent_hash && known.last_key_value().is_some_and(|(_, hash)| *hash == of) {
            return Ok(known);
        }
        let found = Arc::new(self.chain.ancestors(context.number)?);
        *self.ancestors.lock() = (context.parent_hash, Arc::clone(&found));
        Ok(found)
    }

    /// Where a block's transactions started.
    pub(crate) fn start_of(&self, block: &StoredBlock) -> Result<At, RpcError> {
        let world = self.chain.start_world(block.number())?.ok_or(RpcError::Genesis)?;
        let params = self.chain.spec().of(&block.header);
        let context = block.context(params.hardfork);
        Ok(At { params, world, ancestors: self.ancestors(&context)?, context, overrides: Overrides::default() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
    use alloy_primitives::U256;
    use parapet_builder::{MineRequest, SystemClock};
    use parapet_genesis::{DevGenesis, DevSettings};
    use parapet_monitor::NoMonitor;
    use parapet_state::ChainStore;

    use super::*;

    /// A node on a chain in memory.
    pub(in crate::node) fn node() -> Arc<Node> {
        let genesis = DevGenesis::build(&DevSettings::at(0)).unwrap();
        let store = ChainStore::in_memory(genesis.block);
        let settings = parapet_builder::Settings::default();
        let chain = Chain::new(store, settings, Arc::new(NoMonitor), Arc::new(SystemClock)).unwrap();
        Arc::new(Node::new(chain, &[], &Settings::default()).unwrap())
    }

    #[tokio::test]
    async fn a_call_at_the_newest_block_meets_the_state_after_that_block_while_others_come() {
        let node = node();
        let miner = {
            let chain = node.chain.clone();
            std::thread::spawn(move || (0..300).for_each(|_| chain.mine(MineRequest::default()).unwrap()))
        };
        // Each block writes its parent's hash to state (EIP-2935), so a state that is too new has its own block's.
        let told = |world: &WorldState, number: u64| {
            world.storage(&HISTORY_STORAGE_ADDRESS, U256::from(number)).unwrap() != U256::ZERO
        };
        while !miner.is_finished() {
            let at = node.at(None).unwrap();
            let number = at.context.number;
            assert!(!told(&at.world, number), "the state is not that of block {number}");
            assert!(number == 0 || told(&at.world, number - 1));
        }
        miner.join().unwrap();
        assert_eq!(node.at(None).unwrap().context.number, 300);
    }
}
