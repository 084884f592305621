//! What a function may be made of. Compilers take time and memory that do not only grow with the length of a function, but
//! with the product of how many values are alive and how many branches they are alive across: these are bounded, too.

use wasmparser::{FuncValidator, FunctionBody, Operator, ValidatorResources};

use super::VetError;
use crate::limits::{
    BODY_BYTES_MAX, BRANCH_TARGETS_MAX, BRANCH_WORK, BULK_BRANCHES, DEPTH_MAX, LOCALS_MAX, LOOP_BRANCHES,
    LOOP_DEPTH_MAX, OPERAND_WORK,
};

/// What the operators of a function say about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operators {
    /// None of them changes a table, or which segments are dropped.
    pub(super) keeps_segments: bool,
    /// What compilers pay for its branches and calls: each with the values that are alive across it.
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

/// Validates a function, and checks its operators. Only the validator knows how many operands wait at each of them.
pub(super) fn validate(
    validator: &mut FuncValidator<ValidatorResources>,
    body: &FunctionBody<'_>,
) -> Result<Operators, VetError> {
    validator.read_locals(&mut body.get_binary_reader())?;
    let mut operators = body.get_operators_reader()?;
    let mut nesting = Nesting { function: validator.index(), open: Vec::new(), loops: 0 };
    let (mut work, mut keeps_segments) = (0_u64, true);
    while !operators.eof() {
        let (operator, offset) = operators.read_with_offset()?;
        let before = validator.operand_stack_height();
        validator.op(offset, &operator)?;
        nesting.take(&operator)?;
        let operands = u64::from(before.max(validator.operand_stack_height()));
        let alive = u64::from(validator.len_locals()) + OPERAND_WORK * operands;
        work = work.saturating_add(branches_of(&operator) * (BRANCH_WORK + alive));
        match operator {
            Operator::BrTable { targets } => {
                at_most(nesting.function, "targets of one branch", targets.len().into(), BRANCH_TARGETS_MAX)?;
            }
            Operator::MemoryInit { .. }
            | Operator::DataDrop { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. }
            | Operator::TableCopy { .. } => keeps_segments = false,
            _ => {}
        }
    }
    operators.finish()?;
    Ok(Operators { keeps_segments, work })
}

/// The blocks around an operator.
struct Nesting {
    function: u32,
    open: Vec<Kind>,
    loops: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Loop,
    Other,
}

impl Nesting {
    fn take(&mut self, operator: &Operator<'_>) -> Result<(), VetError> {
        match operator {
            Operator::Loop { .. } => {
                self.loops += 1;
                at_most(self.function, "loops around one another", self.loops.into(), LOOP_DEPTH_MAX)?;
                self.open(Kind::Loop)
            }
            Operator::Block { .. } | Operator::If { .. } => self.open(Kind::Other),
            Operator::End => {
                // The last one ends the function itself.
                if self.open.pop() == Some(Kind::Loop) {
                    self.loops -= 1;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, kind: Kind) -> Result<(), VetError> {
        self.open.push(kind);
        at_most(self.function, "blocks around one another", self.open.len() as u64, DEPTH_MAX)
    }
}

fn at_most(function: u32, what: &'static str, count: u64, max: u32) -> Result<(), VetError> {
    if count > max.into() {
        let remedy = "split it into simpler functions";
        return Err(VetError::Function { function, what, count, max: max.into(), remedy });
    }
    Ok(())
}

/// How many branches an operator is to the compiler.
fn branches_of(operator: &Operator<'_>) -> u64 {
    match operator {
        Operator::Block { .. }
        | Operator::If { .. }
        | Operator::Else
        | Operator::Br { .. }
        | Operator::BrIf { .. }
        | Operator::Return
        | Operator::Call { .. }
        | Operator::CallIndirect { .. } => 1,
        Operator::Loop { .. } => LOOP_BRANCHES,
        Operator::BrTable { targets } => u64::from(targets.len()) + 1,
        Operator::MemoryGrow { .. }
        | Operator::MemoryCopy { .. }
        | Operator::MemoryFill { .. }
        | Operator::MemoryInit { .. }
        | Operator::DataDrop { .. }
        | Operator::TableCopy { .. }
        | Operator::TableInit { .. }
        | Operator::ElemDrop { .. } => BULK_BRANCHES,
        _ => 0,
    }
}
