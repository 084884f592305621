//! Counts operators: writes a module anew, with a global that each run of operators adds its price to, and stops where
//! that exceeds what there is. Prices are those of section 5 of the specification; the engine's own fuel is not asked.
//!
//! A run is added before it runs, so where code traps only the sum at the last call means something ([`SETTLED`]).

mod price;
mod shape;

use std::convert::Infallible;

use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ExportKind, ExportSection, Function, GlobalSection, GlobalType,
    Instruction as I, Module, SectionId, ValType,
    reencode::{Error, Reencode, utils},
};
use wasmparser::{FunctionBody, Operator as O, Parser};

use crate::frame;

use price::{ENTRY, STEPS_UNASKED, beyond_all_memory, calls, price, price_of_each, stays};
use shape::Shape;

pub(crate) use shape::Making;

/// Name under which the sum is exported; the specification allows no guard such an export beside its own, so that none
/// can have it.
pub(crate) const SPENT: &str = "\u{1}spent";

/// The same, as it was at the last call: what a trap costs. [`STOPPED`] where no trap but lack of fuel ended it.
pub(crate) const SETTLED: &str = "\u{1}settled";

/// What the sum may be: the host sets it, who spends from the same fuel.
pub(crate) const ALLOWED: &str = "\u{1}allowed";

/// More than any module can spend.
pub(crate) const STOPPED: i64 = i64::MAX;

/// A module that counts what its operators cost, up to what is allowed.
pub(crate) fn metered(module: &[u8]) -> Result<Vec<u8>, String> {
    let shape = Shape::of(module).map_err(|error| error.to_string())?;
    let mut counting = Counting { shape, next: 0 };
    let mut out = Module::new();
    counting.parse_core_module(&mut out, Parser::new(0), module).map_err(|error| error.to_string())?;
    Ok(out.finish())
}

struct Counting {
    shape: Shape,
    /// Function that is written next.
    next: usize,
}

impl Reencode for Counting {
    type Error = Infallible;

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_global_section(self, globals, section)?;
        add_sums(globals);
        Ok(())
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Error<Infallible>> {
        self.shape.frame.globals_alone(module, before, add_sums);
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_export_section(self, exports, section)?;
        exports.export(SPENT, ExportKind::Global, self.shape.frame.globals);
        exports.export(SETTLED, ExportKind::Global, self.shape.frame.globals + 1);
        exports.export(ALLOWED, ExportKind::Global, self.shape.frame.globals + 2);
        Ok(())
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Result<(), Error<Infallible>> {
        let parameters = self.shape.frame.type_of(self.next).params().len() as u32;
        self.next += 1;
        let mut locals = frame::locals(self, &body)?;
        let scratch = parameters + locals.iter().map(|(many, _)| many).sum::<u32>();
        locals.push((1, ValType::I32));
        let (function, sum) = (Function::new(locals), self.shape.frame.globals);
        let mut writer = Writer { function, sum, scratch, due: ENTRY, constant: None };
        writer.add();
        writer.check();
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let operator = operators.read()?;
            writer.pay(&operator);
            let (starts_round, calls) = (matches!(operator, O::Loop { .. }), calls(&operator));
            if calls || matches!(operator, O::Unreachable) || beyond_all_memory(&operator, self.shape.memory_bytes_max)
            {
                writer.settle();
            }
            if matches!(operator, O::Select) {
                writer.keep_apart();
            }
            writer.function.instruction(&self.instruction(operator)?);
            if starts_round {
                writer.check();
            }
            if calls {
                writer.settle();
            }
        }
        code.function(&writer.function);
        Ok(())
    }
}

/// The globals that hold the sum as it is, as it was at the last call, and what it may be.
fn add_sums(globals: &mut GlobalSection) {
    let ty = GlobalType { val_type: ValType::I64, mutable: true, shared: false };
    for start in [0, 0, STOPPED] {
        globals.global(ty, &ConstExpr::i64_const(start));
    }
}

/// A function as it is written.
struct Writer {
    function: Function,
    /// The global that holds the sum.
    sum: u32,
    /// A local that is nobody else's.
    scratch: u32,
    /// Price of operators that has not been added yet.
    due: i64,
    /// What the operator before has put on the stack, if it is a constant.
    constant: Option<i32>,
}

impl Writer {
    /// Adds the price of an operator, at once where control may go elsewhere.
    fn pay(&mut self, operator: &O<'_>) {
        self.due += price(operator);
        if let Some(each) = price_of_each(operator) {
            self.each(each);
        }
        self.constant = match operator {
            O::I32Const { value } => Some(*value),
            _ => None,
        };
        if !stays(operator) {
            self.add();
        }
    }

    fn put(&mut self, instructions: &[I<'_>]) {
        for instruction in instructions {
            self.function.instruction(instruction);
        }
    }

    fn add(&mut self) {
        if self.due != 0 {
            let due = std::mem::take(&mut self.due);
            self.put(&[I::GlobalGet(self.sum), I::I64Const(due), I::I64Add, I::GlobalSet(self.sum)]);
        }
    }

    /// Adds a price for each of what the number on the stack counts, and asks whether there is so much, unless it is known
    /// to be little.
    fn each(&mut self, price: i64) {
        self.add();
        let (sum, scratch) = (self.sum, self.scratch);
        self.put(&[I::LocalTee(scratch), I::I64ExtendI32U, I::I64Const(price), I::I64Mul]);
        self.put(&[I::GlobalGet(sum), I::I64Add, I::GlobalSet(sum)]);
        let known = self.constant.map(|many| i64::from(many.cast_unsigned()) * price);
        if known.is_none_or(|steps| steps > STEPS_UNASKED) {
            self.check();
        }
        self.put(&[I::LocalGet(scratch)]);
    }

    /// Puts a condition into a local before `select` takes it: where `i32.eqz` stood right before a `select`, wasmi 2.0.0 was
    /// seen to trap on a division by zero where the guard VM did not. A local between them avoids it.
    fn keep_apart(&mut self) {
        self.put(&[I::LocalSet(self.scratch), I::LocalGet(self.scratch)]);
    }

    /// Notes the sum for traps.
    fn settle(&mut self) {
        self.add();
        self.put(&[I::GlobalGet(self.sum), I::GlobalSet(self.sum + 1)]);
    }

    /// Stops what has spent all that there is.
    fn check(&mut self) {
        self.put(&[I::GlobalGet(self.sum), I::GlobalGet(self.sum + 2), I::I64GeS]);
        self.put(&[I::If(BlockType::Empty), I::I64Const(STOPPED), I::GlobalSet(self.sum + 1), I::Unreachable, I::End]);
    }
}
