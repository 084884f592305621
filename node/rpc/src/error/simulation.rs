//! What clients are told of calls that cannot be simulated, traced or recorded.

use jsonrpsee::types::error::{INTERNAL_ERROR_CODE, INVALID_PARAMS_CODE};
use parapet_simulate::{BlockSimulationError, BrokenRule, EstimateError, RecordError, SimulateError};

use super::{LIMIT_EXCEEDED_CODE, RpcError, TIMED_OUT_CODE, chain::transaction_code, fork::block_code};
use crate::simulation::SimulationError;

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

pub(super) fn simulation_code(error: &SimulationError) -> i32 {
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

pub(super) fn simulate_code(error: &SimulateError) -> i32 {
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
