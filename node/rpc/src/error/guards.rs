//! Codes of what guards are asked and does not go well.

use jsonrpsee::types::error::{CALL_EXECUTION_FAILED_CODE, INTERNAL_ERROR_CODE, INVALID_PARAMS_CODE};
use parapet_monitor::{CandidateError, QueryError};

use super::LIMIT_EXCEEDED_CODE;

pub(super) const fn query_code(error: &QueryError) -> i32 {
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

pub(super) const fn candidate_code(error: &CandidateError) -> i32 {
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
