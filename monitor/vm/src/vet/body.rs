//! What a function may be made of. Compilers take time and memory that do not only grow with the length of a function, but
//! with the product of how many values are alive and how many branches they are alive across: these are bounded, too.

use wasmparser::{FunctionBody, Operator};

use super::VetError;
use crate::limits::{BODY_BYTES_MAX, BRANCH_TARGETS_MAX, DEPTH_MAX, LOCALS_MAX};

/// What the operators of a function say about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operators {
    /// None of them changes a table, or which segments are dropped.
    pub(super) keeps_segments: bool,
}

/// Checks what is known before a function is validated.
pub(super) fn check_size(function: u32, body: &FunctionBody<'_>) -> Result<(), VetError> {
    let size = body.range().len();
    if size > BODY_BYTES_MAX {
        return Err(VetError::BodyBytes { function, size, max: BODY_BYTES_MAX });
    }
    let mut count = 0;
    for local in body.get_locals_reader()? {
        count += u64::from(local?.0);
        if count > u64::from(LOCALS_MAX) {
            return Err(VetError::Locals { function, count, max: LOCALS_MAX });
        }
    }
    Ok(())
}

/// Checks the operators of a valid function.
pub(super) fn check_operators(function: u32, body: &FunctionBody<'_>) -> Result<Operators, VetError> {
    const SIMPLER: &str = "split it into simpler functions";
    let at_most = |what, count: u32, max| match count <= max {
        true => Ok(()),
        false => Err(VetError::Function { function, what, count: count.into(), max: max.into(), remedy: SIMPLER }),
    };
    let (mut depth, mut keeps_segments) = (0_u32, true);
    for operator in body.get_operators_reader()? {
        match operator? {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                depth += 1;
                at_most("blocks around one another", depth, DEPTH_MAX)?;
            }
            // The last one ends the function itself.
            Operator::End => depth = depth.saturating_sub(1),
            Operator::BrTable { targets } => at_most("targets of one branch", targets.len(), BRANCH_TARGETS_MAX)?,
            Operator::MemoryInit { .. }
            | Operator::DataDrop { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. }
            | Operator::TableCopy { .. } => keeps_segments = false,
            _ => {}
        }
    }
    Ok(Operators { keeps_segments })
}
