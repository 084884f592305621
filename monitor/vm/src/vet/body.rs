//! What a function may be made of. Compilers take time and memory that do not only grow with the length of a function, but
//! with the product of how many values are alive and how many branches they are alive across: these are bounded, too.

use wasmparser::{FunctionBody, Operator};

use super::VetError;
use crate::limits::{BODY_BYTES_MAX, BRANCH_TARGETS_MAX, BRANCH_WORK, DEPTH_MAX, LOCALS_MAX};

/// What the operators of a function say about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operators {
    /// None of them changes a table, or which segments are dropped.
    pub(super) keeps_segments: bool,
    /// What compilers pay for its branches and calls: each with the locals that are alive across it.
    pub(super) work: u64,
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
    let (mut depth, mut branches, mut keeps_segments) = (0_u32, 0_u64, true);
    for operator in body.get_operators_reader()? {
        let operator = operator?;
        branches += branches_of(&operator);
        match operator {
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
    let mut locals = 0;
    for local in body.get_locals_reader()? {
        locals += u64::from(local?.0);
    }
    Ok(Operators { keeps_segments, work: branches * (BRANCH_WORK + locals) })
}

/// How often an operator leaves the straight way.
fn branches_of(operator: &Operator<'_>) -> u64 {
    match operator {
        Operator::Block { .. }
        | Operator::Loop { .. }
        | Operator::If { .. }
        | Operator::Else
        | Operator::Br { .. }
        | Operator::BrIf { .. }
        | Operator::Return
        | Operator::Call { .. }
        | Operator::CallIndirect { .. } => 1,
        Operator::BrTable { targets } => u64::from(targets.len()) + 1,
        _ => 0,
    }
}
