//! Codes of what the chain refuses, and of what its store cannot do.

use jsonrpsee::types::error::{CALL_EXECUTION_FAILED_CODE, INTERNAL_ERROR_CODE, INVALID_PARAMS_CODE};
use parapet_builder::ChainError;
use parapet_executor::TxError;
use parapet_state::StoreError;

use super::fork::{block_code, read_code};

pub(super) fn chain_code(error: &ChainError) -> i32 {
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
pub(super) fn store_code(error: &StoreError) -> i32 {
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
        | StoreError::Forked { .. }
        | StoreError::DamagedFork { .. }
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

pub(super) fn transaction_code(error: &TxError) -> i32 {
    match error {
        TxError::Invalid(_)
        | TxError::BlockFull { .. }
        | TxError::GuardsFull { .. }
        | TxError::GuardsMayNotFit { .. }
        | TxError::Deadline
        | TxError::Interrupted => CALL_EXECUTION_FAILED_CODE,
        TxError::State(error) => read_code(error),
        TxError::Fault(_) | TxError::Evm(_) => INTERNAL_ERROR_CODE,
    }
}
