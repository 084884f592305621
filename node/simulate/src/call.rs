//! One call on top of a state.

use alloy_eips::{eip2930::AccessList, eip7702::SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use parapet_executor::{
    BlockError, ChainRules, Identity, Outcome, Overlay, Point, PrecompileMoves, Purpose, SenderRule, Session, TxError,
    block_env,
};
use parapet_monitor::Monitor;
use parapet_types::{BlockContext, Executed};
use revm::{
    context::{BlockEnv, TxEnv},
    context_interface::{block::BlobExcessGasAndPrice, either::Either},
    inspector::NoOpInspector,
};
use revm_inspectors::access_list::AccessListInspector;

use crate::{Late, check_time, late::timed};

/// Most gas a simulation may use when the request names none: the block's limit.
const GAS_DEFAULT_MAX: u64 = 50_000_000;
/// Most runs after which an access list is taken as it is: each run may only add entries.
const ACCESS_LIST_RUNS_MAX: u32 = 8;

/// A transaction that nobody signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallRequest {
    /// Sender; the zero address where none is given.
    pub from: Option<Address>,
    /// Target; a creation where none is given.
    pub to: Option<Address>,
    /// Gas limit.
    pub gas: Option<u64>,
    /// Highest price per gas, in wei; free where none is given.
    pub gas_price: Option<u128>,
    /// Highest tip per gas, in wei.
    pub max_priority_fee_per_gas: Option<u128>,
    /// Value in wei.
    pub value: U256,
    /// Calldata or init code.
    pub input: Bytes,
    /// Nonce; the account's own where none is given.
    pub nonce: Option<u64>,
    /// EIP-2930.
    pub access_list: AccessList,
    /// EIP-7702.
    pub authorizations: Vec<SignedAuthorization>,
    /// Versioned hashes of blobs (EIP-4844).
    pub blob_hashes: Vec<B256>,
    /// Highest price per blob gas, in wei; free where none is given.
    pub max_fee_per_blob_gas: Option<u128>,
    /// What is to be otherwise than on the chain, besides state and header.
    pub overrides: Overrides,
}

/// What a simulation finds otherwise than the chain, and neither state nor header can express.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Where precompiles answer, if not where the fork has them.
    pub precompiles: Option<PrecompileMoves>,
    /// Wei per blob gas, if not what the header's excess makes it.
    pub blob_base_fee: Option<u128>,
}

impl Overrides {
    /// The block as the EVM sees it.
    pub(crate) fn block_env(&self, point: &Point<'_>) -> BlockEnv {
        let mut env = block_env(point.params, point.block);
        if let Some(blob_gasprice) = self.blob_base_fee {
            let excess_blob_gas = point.block.excess_blob_gas.unwrap_or_default();
            env.blob_excess_gas_and_price = Some(BlobExcessGasAndPrice { excess_blob_gas, blob_gasprice });
        }
        env
    }
}

/// Why a simulation could not run. A call that fails is not an error: its [`Executed`] says how it ended.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The call itself breaks a rule of the protocol, or the monitor failed.
    #[error(transparent)]
    Transaction(TxError),
    /// What the chain does before the block's first transaction cannot be repeated.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// An earlier transaction of the block cannot be repeated: the state handed in is not the block's.
    #[error("transaction {index} of the block cannot be repeated: {source}")]
    Preceding {
        /// Its index.
        index: usize,
        /// Why.
        source: TxError,
    },
    /// It took longer than it may.
    #[error(transparent)]
    Late(#[from] Late),
    /// A trace of more steps than was allowed.
    #[error("the trace has too many steps")]
    Steps,
    /// A trace of more bytes than are kept.
    #[error(
        "the trace has more than {0} bytes of memory, stacks, inputs and outputs; leave some of them out, or trace less at once"
    )]
    TraceBytes(usize),
    /// A guard that is tried out keeps more state than is kept for it.
    #[error(
        "the guard keeps more than {0} words of state, which is the most that is kept of a guard that is tried out"
    )]
    TooMuchState(usize),
    /// The tracer's name or configuration.
    #[error("the tracer cannot be used: {0}")]
    Tracer(String),
}

impl From<TxError> for SimulateError {
    fn from(error: TxError) -> Self {
        match error {
            TxError::Interrupted => Self::Late(Late),
            other => Self::Transaction(other),
        }
    }
}

impl CallRequest {
    /// Who sends it.
    pub(crate) fn sender(&self) -> Address {
        self.from.unwrap_or_default()
    }

    /// The block in which the call runs. To who offers no price, gas has none: the base fee is 0, as in geth.
    pub(crate) fn block_env(&self, point: &Point<'_>) -> BlockEnv {
        let mut env = self.overrides.block_env(point);
        if self.is_free() {
            env.basefee = 0;
        }
        env
    }

    /// Whether it offers no price for gas.
    pub(crate) fn is_free(&self) -> bool {
        self.gas_price.unwrap_or_default() == 0 && self.max_priority_fee_per_gas.unwrap_or_default() == 0
    }

    /// The gas limit it runs with: its own, the block's, or a bound.
    pub(crate) fn gas_limit(&self, block: &BlockContext) -> u64 {
        self.gas.unwrap_or_else(|| block.gas_limit.min(GAS_DEFAULT_MAX))
    }

    pub(crate) fn tx_env(&self, point: &Point<'_>, gas_limit: u64) -> Result<TxEnv, TxError> {
        let from = self.sender();
        let nonce = match self.nonce {
            Some(nonce) => nonce,
            None => point.world.account(&from)?.unwrap_or_default().nonce,
        };
        let tx_type = match (self.authorizations.is_empty(), self.max_priority_fee_per_gas, &self.access_list.0[..]) {
            _ if !self.blob_hashes.is_empty() => 3,
            (false, _, _) => 4,
            (true, Some(_), _) => 2,
            (true, None, [_, ..]) => 1,
            (true, None, []) => 0,
        };
        let blob_price =
            || self.overrides.block_env(point).blob_excess_gas_and_price.map_or(0, |blobs| blobs.blob_gasprice);
        Ok(TxEnv {
            tx_type,
            caller: from,
            gas_limit,
            gas_price: self.gas_price.unwrap_or_default(),
            kind: self.to.map_or(TxKind::Create, TxKind::Call),
            value: self.value,
            data: self.input.clone(),
            nonce,
            chain_id: Some(point.params.chain_id),
            access_list: self.access_list.clone(),
            gas_priority_fee: (tx_type >= 2).then(|| self.max_priority_fee_per_gas.unwrap_or_default()),
            blob_hashes: self.blob_hashes.clone(),
            max_fee_per_blob_gas: match (&self.blob_hashes[..], self.max_fee_per_blob_gas) {
                ([], _) => 0,
                // Who names no price pays what blobs cost.
                (_, None | Some(0)) => blob_price(),
                (_, Some(price)) => price,
            },
            authorization_list: self.authorizations.iter().cloned().map(Either::Left).collect(),
        })
    }
}

/// The rules of a simulation: anyone may send, at any nonce and price, up to any gas limit. Value must be covered.
pub(crate) fn lenient(point: &Point<'_>, request: &CallRequest) -> ChainRules {
    let mut rules = ChainRules::of(point.params);
    let cfg = &mut rules.cfg;
    cfg.disable_nonce_check = true;
    cfg.disable_block_gas_limit = true;
    cfg.disable_base_fee = request.is_free();
    cfg.tx_gas_limit_cap = Some(u64::MAX);
    rules.precompiles = request.overrides.precompiles.clone();
    rules
}

pub(crate) const fn identity(block: &BlockContext) -> Identity {
    Identity {
        tx_hash: B256::ZERO,
        parent_hash: block.parent_hash,
        purpose: Purpose::Simulation,
        sender: SenderRule::Anybody,
    }
}

pub(crate) fn overlay<'a>(point: &Point<'a>) -> Overlay<'a> {
    Overlay::new(point.world, point.ancestors)
}

/// Runs a call with a gas limit.
pub(crate) fn run(
    point: &Point<'_>,
    request: &CallRequest,
    gas_limit: u64,
    monitor: &dyn Monitor,
) -> Result<Outcome, SimulateError> {
    check_time()?;
    let env = request.block_env(point);
    let mut session = timed(Session::new(overlay(point), lenient(point, request), env, monitor, NoOpInspector {}));
    Ok(session.execute(request.tx_env(point, gas_limit)?, identity(point.block))?)
}

/// Runs a call. How it ended, vetoed included, is in the result.
///
/// # Errors
/// [`SimulateError`] when it cannot run at all.
pub fn call(point: &Point<'_>, request: &CallRequest, monitor: &dyn Monitor) -> Result<Executed, SimulateError> {
    Ok(run(point, request, request.gas_limit(point.block), monitor)?.executed)
}

/// The access list under which a call would use the least gas, with the gas it then uses (EIP-2930).
///
/// # Errors
/// [`SimulateError`] when it cannot run at all.
pub fn create_access_list(
    point: &Point<'_>,
    request: &CallRequest,
    monitor: &dyn Monitor,
) -> Result<(AccessList, Executed), SimulateError> {
    let env = request.block_env(point);
    let gas_limit = request.gas_limit(point.block);
    let mut request = request.clone();
    let mut run = 0;
    loop {
        check_time()?;
        let inspector = AccessListInspector::new(request.access_list.clone());
        let mut session =
            timed(Session::new(overlay(point), lenient(point, &request), env.clone(), monitor, inspector));
        let executed = session.inspect(request.tx_env(point, gas_limit)?, identity(point.block))?.executed;
        let found = session.evm_mut().inspector().access_list();
        run += 1;
        if found == request.access_list || run == ACCESS_LIST_RUNS_MAX {
            return Ok((found, executed));
        }
        request.access_list = found;
    }
}
