//! What clients are told when something cannot be done: a JSON-RPC code, a message that says what to do, and data.
//!
//! Codes: `-32602` the parameters are wrong, `-32000` the node will not do it (geth's code and wording, which tools
//! match on), `3` the transaction would fail, with its output as data, `-32002` the chain that was forked cannot be asked,
//! `-32603` the node itself failed.

mod chain;
mod fork;
mod guards;
mod simulation;

use std::time::Duration;

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U64};
use alloy_rpc_types_engine::PayloadId;
use jsonrpsee::types::{
    ErrorObjectOwned,
    error::{CALL_EXECUTION_FAILED_CODE, INTERNAL_ERROR_CODE, INVALID_PARAMS_CODE},
};
use parapet_builder::ChainError;
use parapet_fork::ForkError;
use parapet_monitor::{CandidateError, QueryError};
use parapet_recording::RecordingError;
use parapet_simulate::{Late, SimulateError};
use parapet_state::StoreError;
use parapet_types::{Destiny, Executed, Hardfork};

use self::{
    chain::{chain_code, store_code},
    fork::fork_code,
    guards::{candidate_code, query_code},
    simulation::{simulate_code, simulation_code},
};
use crate::{
    revert::{GuardVetoView, revert_message},
    simulation::SimulationError,
};

/// The transaction would fail: geth's code, which every client knows how to read.
const REVERTED_CODE: i32 = 3;
/// A transaction was not mined while its sender waited (EIP-7966).
const NOT_IN_TIME_CODE: i32 = 4;
/// What is asked for is not there, nor will it be (EIP-1474: resource not found).
const NOT_FOUND_CODE: i32 = -32_001;
/// A query asks for too much (EIP-1474: limit exceeded).
const LIMIT_EXCEEDED_CODE: i32 = -32_005;
/// The request takes longer than it may: geth's code (EIP-1474: resource unavailable).
const TIMED_OUT_CODE: i32 = -32_002;

/// Codes of the Engine API (execution-apis, `src/engine/common.md`).
const UNKNOWN_PAYLOAD_CODE: i32 = -38_001;
const FORKCHOICE_STATE_CODE: i32 = -38_002;
const PAYLOAD_ATTRIBUTES_CODE: i32 = -38_003;
const TOO_LARGE_REQUEST_CODE: i32 = -38_004;
const UNSUPPORTED_FORK_CODE: i32 = -38_005;

/// Why a request is not answered with a result.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The parameters are wrong.
    #[error("invalid parameters: {0}")]
    Params(String),
    /// There is no such block.
    #[error("header not found: there is no block {asked} (the head is block {head})")]
    NoBlock {
        /// As it was asked for.
        asked: String,
        /// Number of the head.
        head: u64,
    },
    /// A block has no access list.
    #[error("resource not found: block {0} has no access list, for its fork has none (EIP-7928)")]
    NoAccessList(u64),
    /// There is no such transaction.
    #[error("transaction not found: {0} is neither in a block nor in the pool")]
    NoTransaction(B256),
    /// The transaction waits in the pool.
    #[error("transaction {0} is in no block yet; ask again when it is")]
    NotMined(B256),
    /// The transaction is in no block yet, and its sender waits no longer.
    #[error("transaction {hash} was admitted and is in no block after {} ms; ask for its receipt later", wait.as_millis())]
    NotInTime {
        /// Its hash.
        hash: B256,
        /// How long was waited.
        wait: Duration,
    },
    /// There is no such backtest.
    #[error(
        "there is no backtest {0:#x}: it was never begun, is done, failed, or was not asked for too long; begin a new one \
         with guard_backtest"
    )]
    NoBacktest(U64),
    /// A page of the backtest is being made.
    #[error("backtest {0:#x} is at work for another request; ask for one page after the other")]
    BacktestBusy(U64),
    /// Too many backtests.
    #[error(
        "{0} backtests are under way, which is the most allowed; end some with guard_backtestStop, or try again later"
    )]
    TooManyBacktests(usize),
    /// The chain was taken back.
    #[error(
        "the chain was taken back below block {0}, so what was tried out is of blocks that are no more; begin anew"
    )]
    Rewound(u64),
    /// A guard cannot be tried out.
    #[error("the guard cannot be tried out: {0}")]
    Candidate(#[from] CandidateError),
    /// A transaction cannot be recorded.
    #[error(transparent)]
    Recording(RecordingError),
    /// A block of this fork belongs to another version of the method (Engine API).
    #[error("unsupported fork: a block of {0} belongs to another version of this method")]
    UnsupportedFork(Hardfork),
    /// A chosen head comes with a safe or finalized block that is not below it (Engine API).
    #[error("invalid forkchoice state: {0} is not on the chosen line")]
    ForkchoiceState(B256),
    /// No block can be built as a consensus client wants it (Engine API).
    #[error("invalid payload attributes: {0}; the head was chosen all the same")]
    PayloadAttributes(String),
    /// There is no such build (Engine API).
    #[error("unknown payload: {0} was never begun, failed, or has made room for newer ones")]
    UnknownPayload(PayloadId),
    /// A consensus client asks for too much at once (Engine API).
    #[error("too large request: {asked} are asked for, at most {max} are answered")]
    TooLargeRequest {
        /// How many are asked for.
        asked: u64,
        /// How many are answered.
        max: u64,
    },
    /// The genesis block has nothing to trace.
    #[error("genesis is not traceable")]
    Genesis,
    /// There is no such filter.
    #[error("filter not found: {0} was never made, was removed, or was not polled for too long; make a new one")]
    NoFilter(String),
    /// Too many filters.
    #[error("{0} filters are in use, which is the most allowed; remove some with eth_uninstallFilter")]
    TooManyFilters(usize),
    /// A query asks for too much.
    #[error("{what}: at most {max} are answered; narrow the query")]
    TooMuch {
        /// What there is too much of.
        what: String,
        /// How much is answered.
        max: u64,
    },
    /// Too much is under way.
    #[error("the node is busy: too many requests wait, or too many answers were not read; try again later")]
    Busy,
    /// It takes longer than it may.
    #[error(transparent)]
    Late(#[from] Late),
    /// Only precompiles can be moved.
    #[error("account {0} is not a precompile; only precompiles can be moved")]
    NoPrecompile(Address),
    /// Something else is to stand where a precompile is moved.
    #[error("account {0} is already overridden; move the precompile elsewhere")]
    OverriddenTwice(Address),
    /// Blocks cannot be simulated.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// The node has no key of this account.
    #[error(
        "unknown account: the node has no key of {0}; sign it yourself and send it raw, or have the account impersonated with \
         anvil_impersonateAccount"
    )]
    UnknownAccount(Address),
    /// A token's number could not be found in its storage.
    #[error(
        "no slot of storage was found by which {0} answers with that amount: it is no token, or it computes its answer; set \
         what it computes it from with anvil_setStorageAt"
    )]
    NoTokenSlot(Address),
    /// Too many accounts are impersonated.
    #[error(
        "{0} accounts are impersonated, which is the most that are kept by name; end some with \
         anvil_stopImpersonatingAccount, or have all of them with anvil_autoImpersonateAccount"
    )]
    TooManyImpersonated(usize),
    /// The node could not sign.
    #[error("signing failed: {0}")]
    Signing(#[from] alloy_signer::Error),
    /// The chain refused.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] StoreError),
    /// The transaction reverts, or a guard vetoes it.
    #[error("{message}")]
    Reverted {
        /// The reason in words.
        message: String,
        /// What it returned.
        output: Bytes,
    },
    /// The transaction ends exceptionally.
    #[error("{reason}")]
    Halted {
        /// The reason in words.
        reason: String,
    },
    /// The simulation could not run.
    #[error("{0}")]
    Simulate(SimulateError),
    /// A guard does not answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The chain that was forked cannot be asked.
    #[error("{}", fork::message(.0))]
    Fork(#[from] ForkError),
    /// The node itself failed.
    #[error("internal error: {0}; this is a fault of the node, please report it")]
    Internal(String),
}

impl RpcError {
    pub(crate) fn params(message: impl Into<String>) -> Self {
        Self::Params(message.into())
    }

    pub(crate) fn no_block(asked: BlockId, head: u64) -> Self {
        let asked = match asked {
            BlockId::Hash(hash) => hash.block_hash.to_string(),
            BlockId::Number(number) => number.to_string(),
        };
        Self::NoBlock { asked, head }
    }

    /// The output of a transaction that succeeded, or why it did not.
    pub(crate) fn check(executed: Executed) -> Result<Executed, Self> {
        match &executed.destiny {
            Destiny::Succeeded => Ok(executed),
            Destiny::Reverted => {
                Err(Self::Reverted { message: revert_message(&executed.output), output: executed.output })
            }
            Destiny::Vetoed { .. } => {
                let view = GuardVetoView::of(&executed).expect("it was vetoed");
                Err(Self::Reverted { message: view.message(), output: executed.output })
            }
            Destiny::Halted { reason } => Err(Self::Halted { reason: reason.clone() }),
        }
    }

    fn code(&self) -> i32 {
        match self {
            Self::Params(_) => INVALID_PARAMS_CODE,
            Self::NoAccessList(_) => NOT_FOUND_CODE,
            Self::ForkchoiceState(_) => FORKCHOICE_STATE_CODE,
            Self::PayloadAttributes(_) => PAYLOAD_ATTRIBUTES_CODE,
            Self::UnknownPayload(_) => UNKNOWN_PAYLOAD_CODE,
            Self::TooLargeRequest { .. } => TOO_LARGE_REQUEST_CODE,
            Self::UnsupportedFork(_) => UNSUPPORTED_FORK_CODE,
            Self::NoBlock { .. }
            | Self::NoTransaction(_)
            | Self::NotMined(_)
            | Self::NoBacktest(_)
            | Self::BacktestBusy(_)
            | Self::Rewound(_)
            | Self::Genesis
            | Self::NoFilter(_)
            | Self::UnknownAccount(_)
            | Self::NoPrecompile(_)
            | Self::OverriddenTwice(_)
            | Self::NoTokenSlot(_)
            | Self::Halted { .. } => CALL_EXECUTION_FAILED_CODE,
            Self::TooManyImpersonated(_)
            | Self::TooManyFilters(_)
            | Self::TooManyBacktests(_)
            | Self::TooMuch { .. }
            | Self::Busy
            | Self::Recording(_) => LIMIT_EXCEEDED_CODE,
            Self::Late(_) => TIMED_OUT_CODE,
            Self::Candidate(error) => candidate_code(error),
            Self::Reverted { .. } => REVERTED_CODE,
            Self::NotInTime { .. } => NOT_IN_TIME_CODE,
            Self::Simulate(error) => simulate_code(error),
            Self::Simulation(error) => simulation_code(error),
            Self::Chain(error) => chain_code(error),
            Self::State(error) => store_code(error),
            Self::Query(error) => query_code(error),
            Self::Fork(error) => fork_code(error),
            Self::Signing(_) | Self::Internal(_) => INTERNAL_ERROR_CODE,
        }
    }
}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        let (code, message) = (error.code(), error.to_string());
        // A simulated call that breaks a rule without a code of its own has the same code, and is no fault of the node.
        if code == INTERNAL_ERROR_CODE && !matches!(error, RpcError::Simulation(_)) {
            tracing::error!("a request failed: {message}");
        }
        match error {
            RpcError::Reverted { output, .. } => Self::owned(code, message, Some(output)),
            RpcError::NotInTime { hash, .. } => Self::owned(code, message, Some(Bytes::from(hash))),
            RpcError::Fork(ForkError::Refused { data, .. }) => Self::owned(code, message, data),
            _ => Self::owned(code, message, None::<()>),
        }
    }
}
