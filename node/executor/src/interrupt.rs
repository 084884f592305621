//! An execution that nobody waits for any more, and that can be ended in the middle.
//!
//! For readers alone: a transaction of a block runs to its end, which its gas bounds. What runs long jumps or calls: between two
//! jumps lies at most a contract's code, once. So whoever set the bound is asked at frames and jumps, now and then.

use revm::{
    bytecode::opcode,
    context::ContextError,
    interpreter::{Instruction, InstructionExecResult, InstructionResult, instructions::control},
};

use crate::{
    TxError,
    database::EvmDatabase,
    evm::{FrameError, MonitoredEvm},
    instructions::{Frame, Table, replace},
};

/// Jumps and frames between two questions: some microseconds of the EVM.
const STEPS_PER_QUESTION: u32 = 256;

/// What is waited for until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Guards, too, as long as their fuel lasts.
    Guards,
    /// The EVM alone: what somebody would judge ends at once.
    NoGuards,
}

/// Whether an execution is to end, whatever it is at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interrupt {
    is_due: fn() -> bool,
    /// Jumps and frames until it is asked again.
    left: u32,
    came: bool,
    patience: Patience,
}

impl Interrupt {
    const fn when(is_due: fn() -> bool, patience: Patience) -> Self {
        Self { is_due, left: STEPS_PER_QUESTION, came: false, patience }
    }

    /// Whether a judgement would be waited for.
    pub(crate) fn bears_guards(interrupt: Option<Self>) -> Result<(), TxError> {
        match interrupt.map(|interrupt| interrupt.patience) {
            Some(Patience::NoGuards) => Err(TxError::Interrupted),
            Some(Patience::Guards) | None => Ok(()),
        }
    }

    /// Counts a jump or a frame. Whether it came.
    fn step(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            self.left = STEPS_PER_QUESTION;
            self.came |= (self.is_due)();
        }
        self.came
    }

    /// What became of an execution, where it came.
    pub(crate) fn result(interrupt: Option<Self>) -> Result<(), TxError> {
        if interrupt.is_some_and(|interrupt| interrupt.came) { Err(TxError::Interrupted) } else { Ok(()) }
    }
}

impl<DB: EvmDatabase, INSP> MonitoredEvm<'_, DB, INSP> {
    /// From now on executions end when the function says so.
    pub(crate) fn interrupt_when(&mut self, is_due: fn() -> bool, patience: Patience) {
        self.inner.ctx.chain.interrupt = Some(Interrupt::when(is_due, patience));
        heed(&mut self.inner.instruction);
    }

    /// Counts a frame.
    pub(crate) fn step_in(&mut self) -> Result<(), FrameError<DB>> {
        let interrupt = &mut self.inner.ctx.chain.interrupt;
        if interrupt.as_mut().is_some_and(Interrupt::step) { Err(interrupted()) } else { Ok(()) }
    }
}

/// Has a table's jumps look whether they are interrupted.
pub(crate) fn heed<DB: EvmDatabase>(table: &mut Table<'_, DB>) {
    replace(table, opcode::JUMP, Instruction::new(jump));
    replace(table, opcode::JUMPI, Instruction::new(jumpi));
}

fn interrupted<E>() -> ContextError<E> {
    ContextError::Custom("it was interrupted".to_owned())
}

fn step<DB: EvmDatabase>(context: &mut Frame<'_, '_, DB>) -> InstructionExecResult {
    if context.host.chain.interrupt.as_mut().is_some_and(Interrupt::step) {
        context.host.error = Err(interrupted());
        return Err(InstructionResult::FatalExternalError);
    }
    Ok(())
}

fn jump<DB: EvmDatabase>(mut context: Frame<'_, '_, DB>) -> InstructionExecResult {
    step(&mut context)?;
    control::jump(context)
}

fn jumpi<DB: EvmDatabase>(mut context: Frame<'_, '_, DB>) -> InstructionExecResult {
    step(&mut context)?;
    control::jumpi(context)
}
