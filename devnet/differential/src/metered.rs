//! Counts operators: writes a module anew, with a global that each run of operators adds its price to, and stops where
//! that exceeds what there is. Prices are those of section 5 of the specification; the engine's own fuel is not asked.
//!
//! A run is added before it runs, so where code traps only the sum at the last call means something ([`SETTLED`]).

use std::convert::Infallible;

use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ExportKind, ExportSection, Function, GlobalSection, GlobalType,
    Instruction as I, Module, SectionId, ValType,
    reencode::{Error, Reencode, utils},
};
use wasmparser::{ElementKind, FunctionBody, Operator as O, Parser, Payload};

/// Name under which the sum is exported; the specification allows no guard such an export beside its own, so that none
/// can have it.
pub(crate) const SPENT: &str = "\u{1}spent";

/// The same, as it was at the last call: what a trap costs.
pub(crate) const SETTLED: &str = "\u{1}settled";

/// Bytes that 32 bits can address.
const ADDRESSES: u64 = 1 << 32;

/// A function that is entered.
const ENTRY: i64 = 1;
/// Integer division and remainder, a call, an indirect call.
const DIVISION: i64 = 8;
const CALL: i64 = 4;
const CALL_INDIRECT: i64 = 8;
/// `memory.grow`, and each page that it is asked for.
const GROW: i64 = 255;
const GROW_PAGE: i64 = 255;
/// A bulk operation; each byte or element is 1 more.
const BULK: i64 = 16;

/// A module that counts what its operators cost, up to so much.
pub(crate) fn metered(module: &[u8], fuel_max: u64) -> Result<Vec<u8>, String> {
    let shape = Shape::of(module).map_err(|error| error.to_string())?;
    let mut counting = Counting { shape, next: 0, fuel_max: fuel_max.cast_signed() };
    let mut out = Module::new();
    counting.parse_core_module(&mut out, Parser::new(0), module).map_err(|error| error.to_string())?;
    Ok(out.finish())
}

/// What making an instance of a module costs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Making {
    /// Pages that memory starts with.
    pub(crate) pages: u64,
    /// Whether they are paid for with the instance.
    pub(crate) paid: bool,
    /// Whether the module has passive element segments.
    pub(crate) elements: bool,
}

impl Making {
    pub(crate) fn of(module: &[u8]) -> Result<Self, String> {
        let shape = Shape::of(module).map_err(|error| error.to_string())?;
        let paid = shape.spoils || shape.pages > KEPT_PAGES;
        Ok(Self { pages: shape.pages, paid, elements: shape.elements })
    }
}

/// Pages that are not found anew if nothing else is to be put back.
const KEPT_PAGES: u64 = 4;

/// What of a module its operators do not say.
#[derive(Debug, Default)]
struct Shape {
    /// Parameters of each type.
    types: Vec<u32>,
    /// Type of each function that it defines.
    functions: Vec<u32>,
    /// Globals it has.
    globals: u32,
    has_globals: bool,
    pages: u64,
    /// Whether it has an instruction after which an instance cannot be put back.
    spoils: bool,
    /// Whether it has passive element segments.
    elements: bool,
}

impl Shape {
    fn of(module: &[u8]) -> wasmparser::Result<Self> {
        let mut shape = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(types) => {
                    for ty in types.into_iter_err_on_gc_types() {
                        shape.types.push(ty?.params().len() as u32);
                    }
                }
                Payload::FunctionSection(functions) => {
                    shape.functions = functions.into_iter().collect::<wasmparser::Result<_>>()?;
                }
                Payload::GlobalSection(globals) => (shape.globals, shape.has_globals) = (globals.count(), true),
                Payload::MemorySection(memories) => {
                    for memory in memories {
                        shape.pages += memory?.initial;
                    }
                }
                Payload::ElementSection(segments) => {
                    for segment in segments {
                        shape.elements |= matches!(segment?.kind, ElementKind::Passive);
                    }
                }
                Payload::CodeSectionEntry(body) => shape.spoils |= spoils(&body)?,
                _ => {}
            }
        }
        Ok(shape)
    }
}

fn spoils(body: &FunctionBody<'_>) -> wasmparser::Result<bool> {
    for operator in body.get_operators_reader()? {
        if matches!(
            operator?,
            O::MemoryInit { .. } | O::DataDrop { .. } | O::TableInit { .. } | O::ElemDrop { .. } | O::TableCopy { .. }
        ) {
            return Ok(true);
        }
    }
    Ok(false)
}

struct Counting {
    shape: Shape,
    /// Function that is written next.
    next: usize,
    fuel_max: i64,
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
        if before == Some(SectionId::Export) && !self.shape.has_globals {
            let mut globals = GlobalSection::new();
            add_sums(&mut globals);
            module.section(&globals);
        }
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_export_section(self, exports, section)?;
        exports.export(SPENT, ExportKind::Global, self.shape.globals);
        exports.export(SETTLED, ExportKind::Global, self.shape.globals + 1);
        Ok(())
    }

    fn parse_function_body(&mut self, code: &mut CodeSection, body: FunctionBody<'_>) -> Result<(), Error<Infallible>> {
        let mut locals = Vec::new();
        let mut scratch = self.shape.types[self.shape.functions[self.next] as usize];
        self.next += 1;
        for local in body.get_locals_reader()? {
            let (many, ty) = local?;
            locals.push((many, self.val_type(ty)?));
            scratch += many;
        }
        locals.push((1, ValType::I32));
        let mut writer = Writer {
            function: Function::new(locals),
            sum: self.shape.globals,
            scratch,
            due: ENTRY,
            most: self.fuel_max,
        };
        writer.add();
        writer.check();
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let operator = operators.read()?;
            writer.pay(&operator);
            let (starts_round, calls) = (matches!(operator, O::Loop { .. }), calls(&operator));
            if calls || matches!(operator, O::Unreachable) || beyond_all_memory(&operator) {
                writer.settle();
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

/// The globals that hold the sum as it is, and as it was at the last call.
fn add_sums(globals: &mut GlobalSection) {
    let ty = GlobalType { val_type: ValType::I64, mutable: true, shared: false };
    globals.global(ty, &ConstExpr::i64_const(0));
    globals.global(ty, &ConstExpr::i64_const(0));
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
    most: i64,
}

impl Writer {
    /// Adds the price of an operator, at once where control may go elsewhere.
    fn pay(&mut self, operator: &O<'_>) {
        self.due += price(operator);
        if let Some(each) = price_of_each(operator) {
            self.each(each);
        }
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

    /// Adds a price for each of what the number on the stack counts.
    fn each(&mut self, price: i64) {
        let (sum, scratch) = (self.sum, self.scratch);
        self.put(&[I::LocalTee(scratch), I::I64ExtendI32U, I::I64Const(price), I::I64Mul]);
        self.put(&[I::GlobalGet(sum), I::I64Add, I::GlobalSet(sum)]);
        self.check();
        self.put(&[I::LocalGet(scratch)]);
    }

    /// Notes the sum for traps.
    fn settle(&mut self) {
        self.add();
        self.put(&[I::GlobalGet(self.sum), I::GlobalSet(self.sum + 1)]);
    }

    /// Stops what has spent more than there is.
    fn check(&mut self) {
        self.put(&[I::GlobalGet(self.sum), I::I64Const(self.most), I::I64GtU]);
        self.put(&[I::If(BlockType::Empty), I::Unreachable, I::End]);
    }
}

fn calls(operator: &O<'_>) -> bool {
    matches!(operator, O::Call { .. } | O::CallIndirect { .. })
}

/// Whether an access traps wherever it points.
fn beyond_all_memory(operator: &O<'_>) -> bool {
    let (memarg, bytes) = match operator {
        O::I32Load8S { memarg }
        | O::I32Load8U { memarg }
        | O::I64Load8S { memarg }
        | O::I64Load8U { memarg }
        | O::I32Store8 { memarg }
        | O::I64Store8 { memarg } => (memarg, 1),
        O::I32Load16S { memarg }
        | O::I32Load16U { memarg }
        | O::I64Load16S { memarg }
        | O::I64Load16U { memarg }
        | O::I32Store16 { memarg }
        | O::I64Store16 { memarg } => (memarg, 2),
        O::I32Load { memarg }
        | O::I64Load32S { memarg }
        | O::I64Load32U { memarg }
        | O::I32Store { memarg }
        | O::I64Store32 { memarg } => (memarg, 4),
        O::I64Load { memarg } | O::I64Store { memarg } => (memarg, 8),
        _ => return false,
    };
    memarg.offset + bytes > ADDRESSES
}

/// What an operator costs by itself.
fn price(operator: &O<'_>) -> i64 {
    match operator {
        O::Block { .. } | O::Loop { .. } | O::Else | O::End | O::Nop | O::Unreachable | O::Return | O::Drop => 0,
        O::I32DivS | O::I32DivU | O::I32RemS | O::I32RemU | O::I64DivS | O::I64DivU | O::I64RemS | O::I64RemU => {
            DIVISION
        }
        O::Call { .. } => CALL,
        O::CallIndirect { .. } => CALL_INDIRECT,
        O::MemoryGrow { .. } => GROW,
        O::MemoryCopy { .. } | O::MemoryFill { .. } | O::MemoryInit { .. } => BULK,
        O::TableCopy { .. } | O::TableInit { .. } => BULK,
        _ => 1,
    }
}

/// What it costs for each of the number that it finds on top of the stack.
fn price_of_each(operator: &O<'_>) -> Option<i64> {
    match operator {
        O::MemoryGrow { .. } => Some(GROW_PAGE),
        O::MemoryCopy { .. } | O::MemoryFill { .. } | O::MemoryInit { .. } => Some(1),
        O::TableCopy { .. } | O::TableInit { .. } => Some(1),
        _ => None,
    }
}

/// Whether the next operator runs after this one, and no other.
fn stays(operator: &O<'_>) -> bool {
    !matches!(
        operator,
        O::Block { .. }
            | O::Loop { .. }
            | O::If { .. }
            | O::Else
            | O::End
            | O::Br { .. }
            | O::BrIf { .. }
            | O::BrTable { .. }
            | O::Return
            | O::Unreachable
            | O::Call { .. }
            | O::CallIndirect { .. }
    )
}
