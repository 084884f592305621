//! Modules that cost when they run.

use wasm_encoder::{BlockType, Instruction as I, MemArg, ValType};

use crate::{Body, Draft, Form, Room};

/// How an attack ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its hook returns: there was nothing to gain.
    Returns,
    /// It traps.
    Traps,
    /// It traps for want of stack, or runs out of fuel on the way there; either way everything is spent.
    Spent,
    /// It runs out of fuel.
    OutOfFuel,
}

/// A module that is made to be run.
#[derive(Clone, Debug)]
pub struct Attack {
    /// What it does.
    pub name: &'static str,
    /// The module.
    pub bytes: Vec<u8>,
    /// How that ends, if there is fuel for a while.
    pub end: End,
}

const BYTE: MemArg = MemArg { offset: 0, align: 0, memory_index: 0 };

/// Each attack, for a host that gives so much room.
#[must_use]
pub fn attacks(room: &Room) -> Vec<Attack> {
    attacks_as(Form::Native, room)
}

/// The same in a form.
#[must_use]
pub fn attacks_as(form: Form, room: &Room) -> Vec<Attack> {
    let attack = |(name, end, draft): (_, _, Draft)| Attack { name, bytes: draft.encode_as(form), end };
    stack(room).into_iter().chain(memory(room)).chain(time(room)).map(attack).collect()
}

/// An `on_tx` and what it needs.
fn draft(code: &[I<'_>], others: Vec<Body>) -> Draft {
    let mut functions = vec![Body { locals: vec![(2, ValType::I32)], ..Body::default() }.then(code)];
    functions.extend(others);
    Draft { functions, ..Draft::default() }
}

/// Attacks on the native stack.
fn stack(room: &Room) -> Vec<(&'static str, End, Draft)> {
    let locals = |count: u32| {
        let mut body = Body { params: vec![ValType::I64], results: vec![ValType::I64], ..Body::default() };
        body.locals = vec![(count, ValType::I64)];
        for local in 1..=count {
            body = body.then(&[I::LocalGet(0), I::I64Const(local.into()), I::I64Add, I::LocalSet(local)]);
        }
        body = body.then(&[I::LocalGet(0), I::Call(1)]);
        for local in 1..=count {
            body = body.then(&[I::LocalGet(local), I::I64Xor]);
        }
        body
    };
    let wide = vec![ValType::I64; room.values as usize];
    let mut many = Body { params: wide.clone(), results: wide, ..Body::default() };
    many = many.then(&(0..room.values).map(I::LocalGet).collect::<Vec<_>>()).then(&[I::Call(1)]);
    let mut begin_many = vec![I::I64Const(1); room.values as usize];
    begin_many.push(I::Call(1));
    begin_many.extend(vec![I::Drop; room.values as usize]);
    let begin = [I::I64Const(1), I::Call(1), I::Drop];
    let itself = I::CallIndirect { type_index: 0, table_index: 0 };
    let indirect = Draft { table: 4, ..draft(&[], vec![Body::default().then(&[I::I32Const(1), itself])]) };
    let indirect = Draft { functions: vec![indirect.functions[1].clone(), indirect.functions[1].clone()], ..indirect };
    vec![
        ("recursion", End::Spent, draft(&[I::Call(0)], vec![])),
        ("recursion between two", End::Spent, draft(&[I::Call(1)], vec![Body::default().then(&[I::Call(0)])])),
        ("recursion with a few locals", End::Spent, draft(&begin, vec![locals(8)])),
        ("recursion with the most locals", End::Spent, draft(&begin, vec![locals(room.locals.min(1_000))])),
        ("recursion with the most parameters", End::Spent, draft(&begin_many, vec![many])),
        ("recursion through the table", End::Spent, indirect),
    ]
}

/// Attacks on memory and the table.
fn memory(room: &Room) -> Vec<(&'static str, End, Draft)> {
    let empty = BlockType::Empty;
    let bytes = room.pages as i32 * 65_536;
    let grow = [I::Loop(empty), I::I32Const(1), I::MemoryGrow(0), I::I32Const(-1), I::I32Ne, I::BrIf(0), I::End];
    let fill = [I::I32Const(0), I::I32Const(1), I::I32Const(65_536), I::MemoryFill(0)];
    let beyond = [
        I::I32Const(room.pages as i32),
        I::MemoryGrow(0),
        I::I32Const(-1),
        I::I32Eq,
        I::If(empty),
        I::Else,
        I::Unreachable,
        I::End,
    ];
    let huge = |code: &[I<'_>]| Draft { pages: room.pages, ..draft(code, vec![]) };
    let outside = |index: i32| {
        let call = I::CallIndirect { type_index: 0, table_index: 0 };
        Draft { table: room.table, ..draft(&[I::I32Const(index), call], vec![Body::default()]) }
    };
    let mistyped = Body { params: vec![ValType::I64], ..Body::default() };
    let call = I::CallIndirect { type_index: 0, table_index: 0 };
    vec![
        ("memory grown to its limit", End::Returns, draft(&grow, vec![])),
        ("memory grown beyond its limit", End::Returns, draft(&beyond, vec![])),
        ("a byte behind one page", End::Traps, draft(&[I::I32Const(65_536), I::I32Load8U(BYTE), I::Drop], vec![])),
        ("a byte behind the last page", End::Traps, huge(&[I::I32Const(bytes), I::I32Load8U(BYTE), I::Drop])),
        (
            "the last byte there could be",
            End::Traps,
            huge(&[I::I32Const(-1), I::I32Load8U(MemArg { offset: u32::MAX.into(), ..BYTE }), I::Drop]),
        ),
        (
            "a fill beyond the end",
            End::Traps,
            draft(&[I::I32Const(1), I::I32Const(0), I::I32Const(65_536), I::MemoryFill(0)], vec![]),
        ),
        ("a page filled", End::Returns, draft(&fill, vec![])),
        ("a call behind the table", End::Traps, outside(room.table as i32)),
        ("a call before the table", End::Traps, outside(-1)),
        ("a call of another type", End::Traps, Draft { table: 1, ..draft(&[I::I32Const(0), call], vec![mistyped]) }),
    ]
}

/// Attacks on time.
fn time(room: &Room) -> Vec<(&'static str, End, Draft)> {
    let again = |code: &[I<'static>]| {
        let mut looped = vec![I::Loop(BlockType::Empty)];
        looped.extend_from_slice(code);
        looped.extend([I::Br(0), I::End]);
        looped
    };
    let fill = [I::I32Const(0), I::I32Const(1), I::I32Const(4_096), I::MemoryFill(0)];
    let copy = [I::I32Const(1), I::I32Const(0), I::I32Const(4_096), I::MemoryCopy { src_mem: 0, dst_mem: 0 }];
    let divide = [I::LocalGet(0), I::I32Const(7), I::I32DivU, I::Drop];
    let zero = [I::LocalGet(0), I::LocalGet(1), I::I32DivU, I::Drop];
    let least = [I::I32Const(i32::MIN), I::I32Const(-1), I::I32DivS, I::Drop];
    let grow = [I::I32Const(-1), I::MemoryGrow(0), I::Drop];
    let ladder = {
        // Each function calls the next one twice.
        let rungs = room.functions.min(64);
        let rung = |index: u32| match index {
            last if last + 1 == rungs => Body::default(),
            index => Body::default().then(&[I::Call(index + 1), I::Call(index + 1)]),
        };
        Draft { functions: (0..rungs).map(rung).collect(), ..Draft::default() }
    };
    vec![
        ("an endless loop", End::OutOfFuel, draft(&again(&[]), vec![])),
        ("endless fills", End::OutOfFuel, draft(&again(&fill), vec![])),
        ("endless copies", End::OutOfFuel, draft(&again(&copy), vec![])),
        ("endless divisions", End::OutOfFuel, draft(&again(&divide), vec![])),
        ("endless growth", End::OutOfFuel, draft(&again(&grow), vec![])),
        ("calls that double", End::OutOfFuel, ladder),
        ("division by zero", End::Traps, draft(&zero, vec![])),
        ("division that overflows", End::Traps, draft(&least, vec![])),
        ("unreachable code", End::Traps, draft(&[I::Unreachable], vec![])),
    ]
}
