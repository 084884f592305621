//! What clients are told when the chain that was forked cannot be asked, by itself or in the middle of something else.

use std::borrow::Cow;

use jsonrpsee::types::error::{CALL_EXECUTION_FAILED_CODE, INTERNAL_ERROR_CODE, INVALID_PARAMS_CODE};
use parapet_executor::BlockError;
use parapet_fork::ForkError;
use parapet_types::ReadError;

use super::LIMIT_EXCEEDED_CODE;

/// Something that the node does not have itself cannot be had (EIP-1474: resource unavailable).
const UNAVAILABLE_CODE: i32 = -32_002;

/// The code of what went wrong with the chain that was forked. What its endpoint refuses keeps the endpoint's own.
pub(super) const fn fork_code(error: &ForkError) -> i32 {
    match error {
        ForkError::Refused { code, .. } => *code,
        ForkError::Limited { .. } => LIMIT_EXCEEDED_CODE,
        ForkError::Unreachable { .. }
        | ForkError::Timeout { .. }
        | ForkError::Resting { .. }
        | ForkError::TooLarge { .. }
        | ForkError::Nonsense { .. }
        | ForkError::Denied { .. }
        | ForkError::Unproven { .. } => UNAVAILABLE_CODE,
        ForkError::Url { .. }
        | ForkError::Header(_)
        | ForkError::Authorities { .. }
        | ForkError::NoProofs { .. }
        | ForkError::NoBlock { .. }
        | ForkError::NoTransaction { .. }
        | ForkError::OtherBlock { .. }
        | ForkError::OtherChain { .. }
        | ForkError::Rules { .. } => INVALID_PARAMS_CODE,
        ForkError::Cache { .. } => INTERNAL_ERROR_CODE,
    }
}

/// What is said: the endpoint's own words, where it was the endpoint that refused what a client asked for.
pub(super) fn message(error: &ForkError) -> Cow<'_, str> {
    match error {
        ForkError::Refused { message, .. } => message.into(),
        error => error.to_string().into(),
    }
}

/// The code of state that could not be read: a fault of this node, unless the state is elsewhere.
pub(super) fn read_code(error: &ReadError) -> i32 {
    match error.0.downcast_ref::<ForkError>() {
        // That the endpoint refuses to tell of an account is not what the client asked for.
        Some(ForkError::Refused { .. }) => UNAVAILABLE_CODE,
        Some(error) => fork_code(error),
        None => INTERNAL_ERROR_CODE,
    }
}

/// The same of a block that could not be executed.
pub(super) fn block_code(error: &BlockError) -> i32 {
    match error {
        BlockError::State(error) => read_code(error),
        // Whoever named it wanted it there.
        BlockError::Transaction { .. } => CALL_EXECUTION_FAILED_CODE,
        _ => INTERNAL_ERROR_CODE,
    }
}
