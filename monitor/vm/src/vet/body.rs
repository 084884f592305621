//! What functions may be made of. Compilers take time and memory that do not only grow with the length of a function, but
//! with the product of how many values are alive and how many branches they are alive across: these are bounded, too.

use wasmparser::{FuncValidator, FunctionBody, Operator, ValidatorResources};

use super::VetError;
use crate::limits::{
    BODY_BYTES_MAX, BRANCH_TARGETS_MAX, BRANCH_WORK, BULK_BRANCHES, DEPTH_MAX, LOCALS_MAX, LOOP_BRANCHES,
    LOOP_DEPTH_MAX, OPERAND_WORK,
};

/// What the functions of a module say about it, taken one after the other. Guards of every form are held to its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// No operator changes a table, or which segments are dropped.
    pub(super) keeps_segments: bool,
    /// What compilers pay for its branches and calls: each with the values that are alive across it.
    work: u64,
    work_max: u64,
}

impl Code {
    /// Of no functions yet, for a compiler that may be given so much work.
    #[must_use]
    pub const fn within(work_max: u64) -> Self {
        Self { keeps_segments: true, work: 0, work_max }
    }

    /// Validates a function and takes it in.
    ///
    /// # Errors
    /// [`VetError`] where the function is not valid, is nested too deeply or branches to too many places, and where the
    /// functions taken so far cost compilers too much.
    pub fn take(
        &mut self,
        validator: &mut FuncValidator<ValidatorResources>,
        body: &FunctionBody<'_>,
    ) -> Result<(), VetError> {
        self.validate(validator, body)?;
        if self.work > self.work_max {
            let (what, remedy) = (
                "units of work for the compiler",
                "use fewer branches, calls, locals and values that wait on the stack",
            );
            return Err(VetError::TooMany { what, count: self.work, max: self.work_max, remedy });
        }
        Ok(())
    }

    /// Only the validator knows how many operands wait at each operator.
    fn validate(
        &mut self,
        validator: &mut FuncValidator<ValidatorResources>,
        body: &FunctionBody<'_>,
    ) -> Result<(), VetError> {
        validator.read_locals(&mut body.get_binary_reader())?;
        let mut operators = body.get_operators_reader()?;
        let mut nesting = Nesting { function: validator.index(), open: Vec::new(), loops: 0 };
        while !operators.eof() {
            let (operator, offset) = operators.read_with_offset()?;
            let before = validator.operand_stack_height();
            validator.op(offset, &operator)?;
            nesting.take(&operator)?;
            let operands = u64::from(before.max(validator.operand_stack_height()));
            let alive = u64::from(validator.len_locals()) + OPERAND_WORK * operands;
            self.work = self.work.saturating_add(branches_of(&operator) * (BRANCH_WORK + alive));
            match operator {
                Operator::BrTable { targets } => {
                    at_most(nesting.function, "targets of one branch", targets.len().into(), BRANCH_TARGETS_MAX)?;
                }
                Operator::MemoryInit { .. }
                | Operator::DataDrop { .. }
                | Operator::TableInit { .. }
                | Operator::ElemDrop { .. }
                | Operator::TableCopy { .. } => self.keeps_segments = false,
                _ => {}
            }
        }
        Ok(operators.finish()?)
    }
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
