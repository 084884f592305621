//! What clients are told when something cannot be done: a JSON-RPC code, a message that says what to do, and data.
//!
//! Codes: `-32602` the parameters are wrong, `-32000` the node will not do it (geth's code and wording, which tools
//! match on), `3` the transaction would fail, with its output as data, `-32002` the chain that was forked cannot be asked,
//! `-32603` the node itself failed.

use std::time::Duration;

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U64};
use jsonrpsee::types::{
    ErrorObjectOwned,
    error::{CALL_EXECUTION_FAILED_CODE, INTERNAL_ERROR_CODE, INVALID_PARAMS_CODE},
};
use parapet_builder::ChainError;
use parapet_executor::TxError;
use parapet_fork::ForkError;
use parapet_monitor::{CandidateError, QueryError};
use parapet_recording::RecordingError;
use parapet_simulate::{BlockSimulationError, BrokenRule, EstimateError, Late, RecordError, SimulateError};
use parapet_state::StoreError;
use parapet_types::{Destiny, Executed, Hardfork};

use crate::{
    fork_error::{block_code, fork_code, read_code},
    revert::{GuardVetoView, revert_message},
    simulation::SimulationError,
};

/// The transaction would fail: geth's code, which every client knows how to read.
const REVERTED_CODE: i32 = 3;
/// A transaction was not mined while its sender waited (EIP-7966).
const NOT_IN_TIME_CODE: i32 = 4;
/// A query asks for too much (EIP-1474: limit exceeded).
const LIMIT_EXCEEDED_CODE: i32 = -32_005;
/// The request takes longer than it may: geth's code (EIP-1474: resource unavailable).
const TIMED_OUT_CODE: i32 = -32_002;

/// Codes of the Engine API.
const FORKCHOICE_STATE_CODE: i32 = -38_002;
const PAYLOAD_ATTRIBUTES_CODE: i32 = -38_003;
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
    /// A consensus client asks that a block be built for it (Engine API).
    #[error("invalid payload attributes: this node builds no blocks for others; the head was chosen all the same")]
    NoPayloads,
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
    #[error("{}", crate::fork_error::message(.0))]
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
            Self::ForkchoiceState(_) => FORKCHOICE_STATE_CODE,
            Self::NoPayloads => PAYLOAD_ATTRIBUTES_CODE,
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

fn chain_code(error: &ChainError) -> i32 {
    match error {
        ChainError::Pool(_) | ChainError::Closed | ChainError::NotTheHead { .. } | ChainError::BeforeMerge { .. } => {
            CALL_EXECUTION_FAILED_CODE
        }
        ChainError::Rejected { reason, .. } => transaction_code(reason),
        ChainError::Timestamp { .. }
        | ChainError::TooManyBlocks(_)
        | ChainError::TooDeep { .. }
        | ChainError::NoPlace { .. }
        | ChainError::GasLimit(_)
        | ChainError::BlockTime(_) => INVALID_PARAMS_CODE,
        ChainError::Store(error) => store_code(error),
        ChainError::Block(error) => block_code(error),
        ChainError::Import(_) | ChainError::Diverged { .. } | ChainError::Thread(_) => INTERNAL_ERROR_CODE,
    }
}

/// What was pruned or dropped meanwhile is no fault.
fn store_code(error: &StoreError) -> i32 {
    match error {
        StoreError::Pruned { .. } | StoreError::Dropped { .. } | StoreError::NoBlock { .. } | StoreError::NoProof => {
            CALL_EXECUTION_FAILED_CODE
        }
        StoreError::Below(error) => read_code(error),
        StoreError::Folder { .. }
        | StoreError::InUse { .. }
        | StoreError::Replaced { .. }
        | StoreError::DamagedLog { .. }
        | StoreError::CutContents { .. }
        | StoreError::Unknown { .. }
        | StoreError::Format { .. }
        | StoreError::NotFormer { .. }
        | StoreError::ChainThere { .. }
        | StoreError::OtherChain { .. }
        | StoreError::OtherGenesis { .. }
        | StoreError::Incomplete { .. }
        | StoreError::Corrupted { .. }
        | StoreError::Lost { .. }
        | StoreError::StoredRoot { .. }
        | StoreError::Database { .. }
        | StoreError::Failed { .. }
        | StoreError::NotNext { .. }
        | StoreError::Root { .. }
        | StoreError::Stranger { .. }
        | StoreError::Code { .. }
        | StoreError::Body { .. }
        | StoreError::AccessList { .. }
        | StoreError::NoChain { .. }
        | StoreError::InMemory => INTERNAL_ERROR_CODE,
    }
}

const fn query_code(error: &QueryError) -> i32 {
    match error {
        QueryError::Message { .. } => INVALID_PARAMS_CODE,
        QueryError::OutOfFuel { .. } => LIMIT_EXCEEDED_CODE,
        QueryError::UnknownAttachment(_)
        | QueryError::NotAContract { .. }
        | QueryError::NoQueries { .. }
        | QueryError::Refused { .. }
        | QueryError::Broken { .. } => CALL_EXECUTION_FAILED_CODE,
        QueryError::Fault(_) => INTERNAL_ERROR_CODE,
    }
}

const fn candidate_code(error: &CandidateError) -> i32 {
    match error {
        CandidateError::Accounts { .. }
        | CandidateError::Twice(_)
        | CandidateError::Configuration { .. }
        | CandidateError::Fuel { .. }
        | CandidateError::Trigger { .. }
        | CandidateError::Refused(_) => INVALID_PARAMS_CODE,
        CandidateError::NoGuards => CALL_EXECUTION_FAILED_CODE,
        CandidateError::Engine(_) => INTERNAL_ERROR_CODE,
    }
}

/// Codes of `eth_simulateV1`, as execution-apis lists them.
mod simulated {
    pub(super) const NONCE_TOO_LOW: i32 = -38_010;
    pub(super) const NONCE_TOO_HIGH: i32 = -38_011;
    pub(super) const BASE_FEE_TOO_LOW: i32 = -38_012;
    pub(super) const INTRINSIC_GAS: i32 = -38_013;
    pub(super) const INSUFFICIENT_FUNDS: i32 = -38_014;
    pub(super) const BLOCK_GAS_LIMIT: i32 = -38_015;
    pub(super) const BLOCK_NUMBER: i32 = -38_020;
    pub(super) const BLOCK_TIMESTAMP: i32 = -38_021;
    pub(super) const SENDER_HAS_CODE: i32 = -38_024;
    pub(super) const INIT_CODE_SIZE: i32 = -38_025;
    pub(super) const LIMIT_EXCEEDED: i32 = -38_026;
}

fn simulation_code(error: &SimulationError) -> i32 {
    match error {
        SimulationError::Empty => INVALID_PARAMS_CODE,
        SimulationError::TooManyBlocks(_) | SimulationError::TooManyCalls { .. } => simulated::LIMIT_EXCEEDED,
        SimulationError::NumberOrder { .. } => simulated::BLOCK_NUMBER,
        SimulationError::TimestampOrder { .. } => simulated::BLOCK_TIMESTAMP,
        SimulationError::Block(BlockSimulationError::Call { rule, .. }) => match rule {
            BrokenRule::NonceTooLow => simulated::NONCE_TOO_LOW,
            BrokenRule::NonceTooHigh => simulated::NONCE_TOO_HIGH,
            BrokenRule::BelowBaseFee => simulated::BASE_FEE_TOO_LOW,
            BrokenRule::IntrinsicGas => simulated::INTRINSIC_GAS,
            BrokenRule::Funds => simulated::INSUFFICIENT_FUNDS,
            BrokenRule::SenderHasCode => simulated::SENDER_HAS_CODE,
            BrokenRule::InitCode => simulated::INIT_CODE_SIZE,
            BrokenRule::Prices => INVALID_PARAMS_CODE,
            BrokenRule::Other => INTERNAL_ERROR_CODE,
        },
        SimulationError::Block(BlockSimulationError::BlockGas { .. }) => simulated::BLOCK_GAS_LIMIT,
        SimulationError::Block(BlockSimulationError::TooLong) => simulated::LIMIT_EXCEEDED,
        SimulationError::Block(BlockSimulationError::Simulate(error)) => simulate_code(error),
    }
}

fn simulate_code(error: &SimulateError) -> i32 {
    match error {
        SimulateError::Transaction(error) => transaction_code(error),
        SimulateError::Block(error) => block_code(error),
        SimulateError::Preceding { .. } => INTERNAL_ERROR_CODE,
        SimulateError::Steps | SimulateError::TraceBytes(_) => LIMIT_EXCEEDED_CODE,
        SimulateError::Late(_) => TIMED_OUT_CODE,
        SimulateError::Tracer(_) => INVALID_PARAMS_CODE,
        SimulateError::TooMuchState(_) => LIMIT_EXCEEDED_CODE,
    }
}

fn transaction_code(error: &TxError) -> i32 {
    match error {
        TxError::Invalid(_)
        | TxError::BlockFull { .. }
        | TxError::GuardsFull { .. }
        | TxError::GuardsMayNotFit { .. }
        | TxError::Deadline => CALL_EXECUTION_FAILED_CODE,
        TxError::State(error) => read_code(error),
        TxError::Fault(_) | TxError::Evm(_) => INTERNAL_ERROR_CODE,
    }
}

impl From<SimulateError> for RpcError {
    fn from(error: SimulateError) -> Self {
        match error {
            SimulateError::Late(late) => Self::Late(late),
            other => Self::Simulate(other),
        }
    }
}

impl From<RecordError> for RpcError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Simulate(error) => error.into(),
            RecordError::Recording(error) => Self::Recording(error),
        }
    }
}

impl From<EstimateError> for RpcError {
    fn from(error: EstimateError) -> Self {
        match error {
            EstimateError::Simulate(error) => error.into(),
            EstimateError::Failed(executed) => match Self::check(*executed) {
                Err(error) => error,
                Ok(_) => Self::Internal("an estimate failed on a transaction that succeeds".into()),
            },
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
