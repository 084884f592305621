//! Blocks that are never built, one after the other on a block of the chain (`eth_simulateV1`, execution-apis).
//!
//! Path: the request is put in order (numbers and timestamps rise, gaps are filled with empty blocks), then each block is
//! laid on the state of the one before, its calls are executed, and its header is sealed as if it had been built, state root
//! included. Bounded are blocks, calls, gas, and the bytes of what is answered.

use alloy_consensus::{Header, Sealed, Transaction as _};
use alloy_eips::{BlockId, eip4895::Withdrawals};
use alloy_primitives::Bytes;
use alloy_rpc_types_eth::BlockTransactionsKind;
use parapet_builder::{Contents, next_base_fee, next_excess_blob_gas, seal};
use parapet_executor::receipt;
use parapet_simulate::{
    BlockPlan, BlockSimulationError, Budget, Overrides, Point, PrecompileMoves, RanBlock, RanCall, Transfers,
    Validation, simulate_block,
};
use parapet_state::{StoredBlock, WorldState};
use parapet_types::{Ancestors, BlockContext, ChainParams, Hardfork, Transaction};

use crate::{
    RpcError,
    node::Node,
    wire::{
        self, BlockStateCall, SimulatePayload, SimulatedBlock, SimulatedCall, call_request, narrow, override_state,
        unsigned,
    },
};

/// Most blocks after the one that is built on, empty ones that fill gaps included (execution-apis).
pub(crate) const BLOCKS_MAX: u64 = 256;
/// Most calls of one simulated block.
pub(crate) const BLOCK_CALLS_MAX: usize = 5_000;
/// Most calls of one request.
pub(crate) const CALLS_MAX: usize = 10_000;
/// Seconds between blocks, where none are given (execution-apis).
const BLOCK_SECONDS: u64 = 12;

/// Why blocks cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// There is nothing to simulate.
    #[error("empty input: name at least one block in blockStateCalls")]
    Empty,
    /// Too many blocks.
    #[error("too many blocks: at most {0} are simulated, those that fill gaps included")]
    TooManyBlocks(u64),
    /// Too many calls.
    #[error("too many calls: {calls}, at most {max} are simulated")]
    TooManyCalls {
        /// How many there are.
        calls: usize,
        /// How many there may be, in a block or altogether.
        max: usize,
    },
    /// Numbers do not rise.
    #[error("block numbers must be in order: {number} <= {previous}")]
    NumberOrder {
        /// Number of the block.
        number: u64,
        /// That of the one before.
        previous: u64,
    },
    /// Timestamps do not rise.
    #[error("block timestamps must be in order: {timestamp} <= {previous}")]
    TimestampOrder {
        /// Timestamp of the block.
        timestamp: u64,
        /// That of the one before.
        previous: u64,
    },
    /// A block could not be simulated.
    #[error(transparent)]
    Block(#[from] BlockSimulationError),
}

/// A block whose place is fixed.
struct Placed {
    number: u64,
    timestamp: u64,
    wanted: BlockStateCall,
}

/// How far a simulation has come.
struct Simulation<'n> {
    node: &'n Node,
    world: WorldState,
    ancestors: Ancestors,
    parent: Sealed<Header>,
    budget: Budget,
    validation: Validation,
    transfers: Transfers,
    kind: BlockTransactionsKind,
}

impl Node {
    /// Simulates blocks on a block.
    pub(crate) fn simulate(&self, payload: SimulatePayload, on: BlockId) -> Result<Vec<SimulatedBlock>, RpcError> {
        check_counts(&payload.block_state_calls)?;
        let base = self.known_block(on)?;
        let placed = place(payload.block_state_calls, &base.header)?;
        let mut simulation = Simulation {
            node: self,
            world: self.world_after(&base)?,
            ancestors: self.chain.ancestors(base.number() + 1)?,
            parent: base.header.clone(),
            budget: Budget { gas: self.limits.call_gas_max, bytes: self.limits.answer_bytes_max() },
            validation: if payload.validation { Validation::On } else { Validation::Off },
            transfers: if payload.trace_transfers { Transfers::Logged } else { Transfers::Silent },
            kind: BlockTransactionsKind::from(payload.return_full_transactions),
        };
        placed.into_iter().map(|block| simulation.next(block)).collect()
    }
}

fn check_counts(blocks: &[BlockStateCall]) -> Result<(), SimulationError> {
    if blocks.is_empty() {
        return Err(SimulationError::Empty);
    }
    if blocks.len() as u64 > BLOCKS_MAX {
        return Err(SimulationError::TooManyBlocks(BLOCKS_MAX));
    }
    let counts = || blocks.iter().map(|block| block.calls.as_ref().map_or(0, Vec::len));
    match (counts().find(|calls| *calls > BLOCK_CALLS_MAX), counts().sum()) {
        (Some(calls), _) => Err(SimulationError::TooManyCalls { calls, max: BLOCK_CALLS_MAX }),
        (None, calls) if calls > CALLS_MAX => Err(SimulationError::TooManyCalls { calls, max: CALLS_MAX }),
        (None, _) => Ok(()),
    }
}

/// Numbers and timestamps of all blocks, gaps filled with empty ones.
fn place(blocks: Vec<BlockStateCall>, base: &Header) -> Result<Vec<Placed>, RpcError> {
    let mut placed: Vec<Placed> = Vec::with_capacity(blocks.len());
    let (mut number, mut timestamp) = (base.number, base.timestamp);
    for wanted in blocks {
        let overrides = wanted.block_overrides.as_ref().map(|overrides| &overrides.header);
        let own_number = match overrides.and_then(|overrides| overrides.number) {
            Some(own) => narrow("number", own)?,
            None => number + 1,
        };
        if own_number <= number {
            return Err(SimulationError::NumberOrder { number: own_number, previous: number }.into());
        }
        if own_number - base.number > BLOCKS_MAX {
            return Err(SimulationError::TooManyBlocks(BLOCKS_MAX).into());
        }
        for between in number + 1..own_number {
            timestamp = timestamp.saturating_add(BLOCK_SECONDS);
            placed.push(Placed { number: between, timestamp, wanted: BlockStateCall::default() });
        }
        let own_time = overrides.and_then(|overrides| overrides.time);
        let own_time = own_time.unwrap_or(timestamp.saturating_add(BLOCK_SECONDS));
        if own_time <= timestamp {
            return Err(SimulationError::TimestampOrder { timestamp: own_time, previous: timestamp }.into());
        }
        (number, timestamp) = (own_number, own_time);
        placed.push(Placed { number, timestamp, wanted });
    }
    Ok(placed)
}

impl Simulation<'_> {
    /// Simulates the next block, and stands on it.
    fn next(&mut self, block: Placed) -> Result<SimulatedBlock, RpcError> {
        let params = self.node.chain.spec().at(block.number, block.timestamp);
        let mut overrides = Overrides::default();
        let context = self.context(&params, &block, &mut overrides)?;
        let BlockStateCall { state_overrides, calls, .. } = block.wanted;
        let mut precompiles = PrecompileMoves::none(params.hardfork);
        let world = match state_overrides {
            Some(wanted) => override_state(&self.world, wanted, &mut precompiles)?,
            None => self.world.clone(),
        };
        overrides.precompiles = Some(precompiles);
        let requests = calls.unwrap_or_default();
        // What gas they may use is bounded for all of them together.
        let calls = requests.iter().cloned().map(call_request).collect::<Result<Vec<_>, RpcError>>()?;
        let plan = BlockPlan {
            at: Point { params: &params, world: &world, ancestors: &self.ancestors, block: &context },
            overrides: &overrides,
            calls: &calls,
            validation: self.validation,
            transfers: self.transfers,
        };
        let ran = simulate_block(&plan, &mut self.budget, self.node.monitor()).map_err(SimulationError::from)?;
        let unsigned = |(request, call)| unsigned(request, call, params.chain_id);
        let transactions = requests.iter().zip(&ran.calls).map(unsigned).collect::<Result<Vec<_>, RpcError>>()?;
        self.world = world.apply(&ran.changes)?;
        let sealed = self.sealed((&params, &context), transactions, &ran);
        self.parent = sealed.header.clone();
        self.ancestors.insert(sealed.number(), sealed.hash());
        Ok(SimulatedBlock { block: wire::block(&sealed, self.kind), calls: told(&sealed, &ran.calls) })
    }

    /// What a block is given before its calls run: as its parent, where nothing else is wanted.
    fn context(&self, params: &ChainParams, block: &Placed, apart: &mut Overrides) -> Result<BlockContext, RpcError> {
        let wanted = block.wanted.block_overrides.clone().unwrap_or_default();
        let base_fee = match (wanted.header.base_fee, self.validation) {
            (Some(wei), _) => narrow("baseFeePerGas", wei)?,
            (None, Validation::On) => next_base_fee(&self.parent),
            // Whoever offers no price pays none.
            (None, Validation::Off) => 0,
        };
        if let Some(price) = wanted.header.blob_base_fee {
            apart.blob_base_fee = Some(narrow("blobBaseFee", price)?);
        }
        let has_blobs = params.hardfork >= Hardfork::Cancun;
        let is_mined = params.hardfork < Hardfork::Paris;
        let beneficiary = wanted.header.coinbase.unwrap_or(self.parent.beneficiary);
        let withdrawals = if is_mined {
            // What its miner is paid.
            let header = Header { number: block.number, beneficiary, ..Header::default() };
            BlockContext::of_block(params.hardfork, &header, &[], &[]).withdrawals
        } else {
            wanted.withdrawals.unwrap_or_default()
        };
        Ok(BlockContext {
            number: block.number,
            timestamp: block.timestamp,
            beneficiary,
            gas_limit: wanted.header.gas_limit.unwrap_or(self.parent.gas_limit),
            base_fee,
            prev_randao: if is_mined {
                self.parent.difficulty.into()
            } else {
                wanted.header.random.unwrap_or_default()
            },
            parent_hash: self.parent.hash(),
            parent_beacon_block_root: has_blobs.then(|| wanted.header.beacon_root.unwrap_or_default()),
            excess_blob_gas: next_excess_blob_gas(params, &self.parent),
            withdrawals,
        })
    }

    /// The block as if it had been built.
    fn sealed(
        &self,
        (params, context): (&ChainParams, &BlockContext),
        transactions: Vec<Transaction>,
        ran: &RanBlock,
    ) -> StoredBlock {
        let mut gas_used = 0;
        let receipts: Vec<_> = transactions
            .iter()
            .zip(&ran.calls)
            .map(|(transaction, call)| {
                gas_used += call.executed.gas_used;
                let status = call.executed.succeeded().into();
                receipt(transaction.inner().tx_type(), status, &call.executed, gas_used)
            })
            .collect();
        let blob_gas_used = transactions.iter().filter_map(|transaction| transaction.blob_gas_used()).sum();
        let contents = Contents {
            state_root: &|| self.world.root(),
            transactions: &transactions,
            receipts: &receipts,
            gas_used,
            blob_gas_used,
            requests_hash: ran.requests.requests_hash(),
            extra_data: Bytes::new(),
        };
        let header = seal(params, context, contents);
        let withdrawals =
            (params.hardfork >= Hardfork::Shanghai).then(|| Withdrawals::from(context.withdrawals.clone()));
        let executed = ran.calls.iter().map(|call| call.executed.clone()).collect();
        let ommers = Vec::new();
        StoredBlock { header, transactions, withdrawals, ommers, receipts, executed, chain_acts: Vec::new() }
    }
}

/// What each call of a block did. Logs are numbered through the block, those counted that were dropped with what wrote them.
fn told(block: &StoredBlock, calls: &[RanCall]) -> Vec<SimulatedCall> {
    calls
        .iter()
        .enumerate()
        .map(|(index, call)| {
            let logs = call.logs.iter().map(|told| (told.place, &told.log));
            SimulatedCall::of(call, wire::logs_at(block, index, logs))
        })
        .collect()
}
