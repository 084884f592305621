//! Lowers what compilers make of a contract to what guards may consist of.
//!
//! - `memory.copy` and `memory.fill` become calls of two functions that are added. Rust's own target uses them, and its
//!   library comes compiled with them.
//! - Floats become the integers of their size: they can still be loaded, stored and passed on as bits, and every
//!   calculation with one becomes a trap. CosmWasm's standard library brings them with its JSON parser, which
//!   calculates with a float when a message holds one; a guard's messages hold none.
//! - Memory begins with a page more, so that a contract with the allocator of `sdk/cosmwasm` need not grow it: growing goes
//!   through the kernel, in each transaction again.

use std::convert::Infallible;

use wasm_encoder::{
    BlockType, CodeSection, Function, FunctionSection, Instruction, MemArg, Module, TypeSection, ValType,
    reencode::{Error, Reencode, utils},
};
use wasmparser::{
    CodeSectionReader, FunctionSectionReader, ImportSectionReader, Operator, Parser, TypeRef, TypeSectionReader,
};

/// A lowered module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lowered {
    /// Its bytes.
    pub wasm: Vec<u8>,
    /// Calculations with floats that became traps.
    pub floats: usize,
    /// Bulk memory operations that became calls.
    pub bulk: usize,
}

/// Why a module cannot be lowered.
#[derive(Debug, thiserror::Error)]
#[error("what the compiler made is not as a module must be: {0}")]
pub struct NotLowered(String);

/// Lowers a module.
///
/// # Errors
/// [`NotLowered`] when the bytes are no module.
pub fn lower(wasm: &[u8]) -> Result<Lowered, NotLowered> {
    let mut lowering = Lowering::default();
    let mut module = Module::new();
    let done = lowering.parse_core_module(&mut module, Parser::new(0), wasm);
    done.map_err(|error| NotLowered(error.to_string()))?;
    Ok(Lowered { wasm: module.finish(), floats: lowering.floats, bulk: lowering.bulk })
}

/// Pages that memory begins with beyond the module's data and stack.
const HEAP_PAGES: u64 = 1;

#[derive(Default)]
struct Lowering {
    imported: u32,
    helper_type: u32,
    copy: u32,
    floats: usize,
    bulk: usize,
}

impl Reencode for Lowering {
    type Error = Infallible;

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: TypeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_type_section(self, types, section)?;
        self.helper_type = types.len();
        types.ty().function([ValType::I32; 3], []);
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut wasm_encoder::ImportSection,
        section: ImportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for import in section.clone().into_imports() {
            self.imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
        }
        utils::parse_import_section(self, imports, section)
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_function_section(self, functions, section)?;
        self.copy = self.imported + functions.len();
        functions.function(self.helper_type).function(self.helper_type);
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_code_section(self, code, section)?;
        code.function(&copy()).function(&fill());
        Ok(())
    }

    fn memory_type(&mut self, ty: wasmparser::MemoryType) -> Result<wasm_encoder::MemoryType, Error<Infallible>> {
        let mut ty = utils::memory_type(self, ty);
        ty.minimum = (ty.minimum + HEAP_PAGES).min(ty.maximum.unwrap_or(u64::MAX));
        Ok(ty)
    }

    fn val_type(&mut self, ty: wasmparser::ValType) -> Result<ValType, Error<Infallible>> {
        match ty {
            wasmparser::ValType::F32 => Ok(ValType::I32),
            wasmparser::ValType::F64 => Ok(ValType::I64),
            other => utils::val_type(self, other),
        }
    }

    fn instruction<'a>(&mut self, operator: Operator<'a>) -> Result<Instruction<'a>, Error<Infallible>> {
        let bits = match operator {
            Operator::MemoryCopy { dst_mem: 0, src_mem: 0 } => {
                self.bulk += 1;
                return Ok(Instruction::Call(self.copy));
            }
            Operator::MemoryFill { mem: 0 } => {
                self.bulk += 1;
                return Ok(Instruction::Call(self.copy + 1));
            }
            Operator::F32Load { memarg } => Operator::I32Load { memarg },
            Operator::F64Load { memarg } => Operator::I64Load { memarg },
            Operator::F32Store { memarg } => Operator::I32Store { memarg },
            Operator::F64Store { memarg } => Operator::I64Store { memarg },
            Operator::F32Const { value } => Operator::I32Const { value: value.bits().cast_signed() },
            Operator::F64Const { value } => Operator::I64Const { value: value.bits().cast_signed() },
            Operator::I32ReinterpretF32
            | Operator::I64ReinterpretF64
            | Operator::F32ReinterpretI32
            | Operator::F64ReinterpretI64 => Operator::Nop,
            other if calculates(&other) => {
                self.floats += 1;
                Operator::Unreachable
            }
            other => other,
        };
        utils::instruction(self, bits)
    }
}

/// Whether an operator calculates with floats, which its name tells.
fn calculates(operator: &Operator<'_>) -> bool {
    let name = format!("{operator:?}");
    name.contains("F32") || name.contains("F64")
}

const DESTINATION: u32 = 0;
const SOURCE: u32 = 1;
const VALUE: u32 = 1;
const LENGTH: u32 = 2;
/// Bytes that are moved at once.
const WIDE: i32 = 8;

const fn at(align: u32) -> MemArg {
    MemArg { offset: 0, align, memory_index: 0 }
}

/// Adds to a local.
fn add(local: u32, amount: i32) -> [Instruction<'static>; 4] {
    use Instruction::{I32Add, I32Const, LocalGet, LocalSet};
    [LocalGet(local), I32Const(amount), I32Add, LocalSet(local)]
}

/// Repeats `body` while there are at least `step` bytes left.
fn while_left(step: i32, body: Vec<Instruction<'static>>) -> Vec<Instruction<'static>> {
    use Instruction::{Block, Br, BrIf, End, I32Const, I32LtU, LocalGet, Loop};
    let mut all = vec![Block(BlockType::Empty), Loop(BlockType::Empty)];
    all.extend([LocalGet(LENGTH), I32Const(step), I32LtU, BrIf(1)]);
    all.extend(body);
    all.extend(add(LENGTH, -step));
    all.extend([Br(0), End, End]);
    all
}

fn function(locals: &[(u32, ValType)], body: impl IntoIterator<Item = Instruction<'static>>) -> Function {
    let mut function = Function::new(locals.iter().copied());
    for instruction in body {
        function.instruction(&instruction);
    }
    function.instruction(&Instruction::End);
    function
}

/// `(destination, source, length)`: upward if the destination lies below, else downward, so that overlapping ranges come
/// out whole.
fn copy() -> Function {
    use Instruction::{Block, BrIf, End, I32GeU, I32Load8U, I32Store8, I64Load, I64Store, LocalGet, LocalSet, Return};
    let wide = [LocalGet(DESTINATION), LocalGet(SOURCE), I64Load(at(0)), I64Store(at(0))];
    let byte = [LocalGet(DESTINATION), LocalGet(SOURCE), I32Load8U(at(0)), I32Store8(at(0))];
    let upward = |step: i32, moved: &[Instruction<'static>]| {
        let mut body = moved.to_vec();
        body.extend(add(DESTINATION, step));
        body.extend(add(SOURCE, step));
        while_left(step, body)
    };
    let downward = |step: i32, moved: &[Instruction<'static>]| {
        let mut body = add(DESTINATION, -step).to_vec();
        body.extend(add(SOURCE, -step));
        body.extend(moved.iter().cloned());
        while_left(step, body)
    };
    let to_the_end = |local: u32| [LocalGet(local), LocalGet(LENGTH), Instruction::I32Add, LocalSet(local)];
    let mut body = vec![Block(BlockType::Empty), LocalGet(DESTINATION), LocalGet(SOURCE), I32GeU, BrIf(0)];
    body.extend(upward(WIDE, &wide));
    body.extend(upward(1, &byte));
    body.extend([Return, End]);
    body.extend(to_the_end(DESTINATION));
    body.extend(to_the_end(SOURCE));
    body.extend(downward(WIDE, &wide));
    body.extend(downward(1, &byte));
    function(&[], body)
}

/// `(destination, value, length)`.
fn fill() -> Function {
    use Instruction::{I32Const, I32Store8, I64Const, I64ExtendI32U, I64Mul, I64Store, LocalGet, LocalSet};
    /// The value in eight bytes.
    const WIDE_VALUE: u32 = 3;
    const EACH_BYTE: i64 = 0x0101_0101_0101_0101;
    let mut body = vec![LocalGet(VALUE), I32Const(0xff), Instruction::I32And, I64ExtendI32U];
    body.extend([I64Const(EACH_BYTE), I64Mul, LocalSet(WIDE_VALUE)]);
    let mut wide = vec![LocalGet(DESTINATION), LocalGet(WIDE_VALUE), I64Store(at(0))];
    wide.extend(add(DESTINATION, WIDE));
    let mut byte = vec![LocalGet(DESTINATION), LocalGet(VALUE), I32Store8(at(0))];
    byte.extend(add(DESTINATION, 1));
    body.extend(while_left(WIDE, wide));
    body.extend(while_left(1, byte));
    function(&[(1, ValType::I64)], body)
}
