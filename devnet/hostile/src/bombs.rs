//! Modules that cost the compiler as much as they can.

use wasm_encoder::{BlockType, Instruction as I, MemArg, ValType};

use crate::{Body, Draft, Form, Room};

/// A module that is made to be compiled.
#[derive(Clone, Debug)]
pub struct Bomb {
    /// What it is full of.
    pub name: &'static str,
    /// The module.
    pub bytes: Vec<u8>,
}

const WORD: MemArg = MemArg { offset: 0, align: 3, memory_index: 0 };

/// Each bomb, as large as `room` allows.
#[must_use]
pub fn bombs(room: &Room) -> Vec<Bomb> {
    bombs_as(Form::Native, room)
}

/// The same in a form.
#[must_use]
pub fn bombs_as(form: Form, room: &Room) -> Vec<Bomb> {
    let mut bombs = straight(room);
    bombs.extend(branching(room));
    bombs.extend(wide(room));
    bombs.into_iter().map(|(name, draft)| Bomb { name, bytes: draft.encode_as(form) }).collect()
}

/// A function of one parameter that is full of one sequence of instructions.
fn full(room: &Room, instructions: &[I<'_>]) -> Draft {
    let body = Body { params: vec![ValType::I32], locals: vec![(2, ValType::I64)], ..Body::default() };
    let body = body.fill(room.body_bytes, 0, instructions);
    Draft { pages: 1, globals: 4, ..Draft::copies(room, &body) }
}

/// Code without branches of its own.
fn straight(room: &Room) -> Vec<(&'static str, Draft)> {
    let sum = [I::LocalGet(1), I::LocalGet(2), I::I64Add, I::LocalSet(1)];
    let loads = [I::LocalGet(0), I::I64Load(WORD), I::LocalSet(1)];
    let stores = [I::LocalGet(0), I::LocalGet(1), I::I64Store(WORD)];
    let divisions = [I::LocalGet(1), I::LocalGet(2), I::I64DivS, I::LocalSet(2)];
    let globals = [I::GlobalGet(0), I::GlobalGet(1), I::I64Mul, I::GlobalSet(2)];
    let bulk = [I::LocalGet(0), I::LocalGet(0), I::LocalGet(0), I::MemoryFill(0)];
    let grows = [I::LocalGet(0), I::MemoryGrow(0), I::LocalSet(0)];
    let select = [I::LocalGet(1), I::LocalGet(2), I::LocalGet(0), I::Select, I::LocalSet(2)];
    let chained = [I::LocalGet(0), I::I32Load(MemArg { align: 2, ..WORD }), I::LocalSet(0)];
    let remainders = [I::LocalGet(1), I::LocalGet(2), I::I64RemS, I::LocalSet(2)];
    let counts = [I::LocalGet(1), I::I64Popcnt, I::LocalSet(1)];
    let copies = [I::LocalGet(0), I::LocalGet(0), I::LocalGet(0), I::MemoryCopy { src_mem: 0, dst_mem: 0 }];
    let indirect = [I::LocalGet(0), I::CallIndirect { type_index: 0, table_index: 0 }];
    let table = |draft: Draft| Draft { table: room.table, types: vec![(vec![], vec![])], ..draft };
    vec![
        ("sums", full(room, &sum)),
        ("loads", full(room, &loads)),
        ("chained loads", full(room, &chained)),
        ("stores", full(room, &stores)),
        ("divisions", full(room, &divisions)),
        ("remainders", full(room, &remainders)),
        ("counted bits", full(room, &counts)),
        ("globals", full(room, &globals)),
        ("bulk memory", full(room, &bulk)),
        ("copies of memory", full(room, &copies)),
        ("memory growth", full(room, &grows)),
        ("selects", full(room, &select)),
        ("calls", full(room, &[I::Call(0)])),
        ("indirect calls", table(full(room, &indirect))),
        ("operands", operands(room)),
        ("repeated constants", constants(room)),
        ("tiny functions", tiny(room)),
        ("data", data(room)),
    ]
}

/// Code that is all branches.
fn branching(room: &Room) -> Vec<(&'static str, Draft)> {
    let (empty, word) = (BlockType::Empty, BlockType::Result(ValType::I64));
    let skip = [I::Block(empty), I::LocalGet(0), I::BrIf(0), I::End];
    let again = [I::Loop(empty), I::LocalGet(0), I::BrIf(0), I::End];
    let choose = [I::LocalGet(0), I::If(word), I::LocalGet(1), I::Else, I::LocalGet(2), I::End, I::LocalSet(1)];
    let leave = [I::LocalGet(0), I::BrIf(0)];
    vec![
        ("skips", full(room, &skip)),
        ("loops", full(room, &again)),
        ("choices", full(room, &choose)),
        ("exits", full(room, &leave)),
        ("nested blocks", nested(room, &I::Block(empty))),
        ("nested loops", nested(room, &I::Loop(empty))),
        ("branch tables", tables(room)),
        ("traps", full(room, &[I::LocalGet(0), I::If(empty), I::Unreachable, I::End])),
        ("exits of nested loops", leaving(room)),
        ("operands across skips", waiting(room, room.locals, &skip)),
        ("operands across calls", waiting(room, room.locals, &[I::Call(0)])),
        ("masses of operands across skips", waiting(room, masses(room), &skip)),
        ("masses of operands across loops", waiting(room, masses(room), &again)),
        ("masses of operands across calls", waiting(room, masses(room), &[I::Call(0)])),
        ("locals across skips", across(room, &skip)),
        ("locals across loops", across(room, &again)),
        ("locals in nested loops", rotating(room)),
        ("locals across calls", across(room, &[I::Call(0)])),
        ("locals in every function", zeroed(room)),
    ]
}

/// Code that moves as many values at once as it may.
fn wide(room: &Room) -> Vec<(&'static str, Draft)> {
    let values = vec![ValType::I64; room.values as usize];
    let around = Body { params: vec![ValType::I32], ..Body::default() };
    let push: Vec<I<'_>> = values.iter().map(|_| I::I64Const(1)).collect();
    let drop: Vec<I<'_>> = values.iter().map(|_| I::Drop).collect();
    let reserve = 2 * values.len();
    let wide_call = around.clone().then(&push).fill(room.body_bytes, reserve, &[I::Call(1)]).then(&drop);
    let callee = Body { params: values.clone(), results: values.clone(), ..Body::default() };
    let gets: Vec<I<'_>> = (0..room.values).map(I::LocalGet).collect();
    let mut calls = Draft::copies(room, &wide_call);
    calls.functions.insert(1, callee.then(&gets));
    calls.functions.pop();
    let shuffle = [I::Block(BlockType::FunctionType(0)), I::LocalGet(0), I::BrIf(0), I::End];
    let wide_block = around.then(&push).fill(room.body_bytes, reserve, &shuffle).then(&drop);
    let mut blocks = Draft::copies(room, &wide_block);
    blocks.types = vec![(values.clone(), values)];
    vec![
        ("wide calls", calls),
        ("calls with parameters", passing(room)),
        ("wide blocks", blocks),
        ("exits of a wide block", carrying(room)),
    ]
}

/// Calls of a function that takes as much as it may.
fn passing(room: &Room) -> Draft {
    let params = vec![ValType::I64; room.parameters as usize];
    let mut call = vec![I::LocalGet(0); params.len()];
    call.push(I::Call(1));
    let body = Body { params: vec![ValType::I64], ..Body::default() }.fill(room.body_bytes, 0, &call);
    let mut draft = Draft::copies(room, &body);
    draft.functions.insert(1, Body { params, ..Body::default() });
    draft.functions.truncate(room.functions as usize);
    draft
}

/// As many operands as fit on the stack, then all of them added.
fn operands(room: &Room) -> Draft {
    let count = room.body_bytes / 4;
    let body = Body { params: vec![ValType::I32], ..Body::default() }.then(&[I::LocalGet(0), I::I64Load(WORD)]);
    let push = [I::LocalGet(0), I::I64Load(WORD)];
    let mut body = body.fill(room.body_bytes, room.body_bytes / 5, &push);
    let pushed = (body.code.len() / 5).min(count);
    body = body.then(&vec![I::I64Add; pushed - 1]).then(&[I::Drop]);
    Draft::copies(room, &body)
}

/// Values that are worth keeping, again and again.
fn constants(room: &Room) -> Draft {
    let mut body = Body { params: vec![ValType::I32], locals: vec![(2, ValType::I64)], ..Body::default() };
    let mut round = Body::default();
    for number in 0..2_000 {
        let value = [I::LocalGet(1), I::I64Const(number << 20), I::I64Mul, I::LocalGet(2), I::I64Xor, I::LocalSet(2)];
        round = round.then(&value);
    }
    let rounds = (room.body_bytes / round.code.len()).max(1);
    for _ in 0..rounds - 1 {
        body.code.extend_from_slice(&round.code);
    }
    Draft::copies(room, &body)
}

/// A block of many values, and branches that carry all of them out of it.
fn carrying(room: &Room) -> Draft {
    let values = vec![ValType::I64; room.values as usize];
    let push: Vec<I<'_>> = (0..room.values.into()).map(I::I64Const).collect();
    let mut body = Body { params: vec![ValType::I32], ..Body::default() };
    body = body.then(&push).then(&[I::Block(BlockType::FunctionType(0))]);
    let change = [I::I64Const(1), I::I64Add, I::LocalGet(0), I::BrIf(0)];
    body = body.fill(room.body_bytes, 2 * values.len(), &change);
    let mut draft = Draft::copies(room, &body.then(&[I::End]).then(&vec![I::Drop; values.len()]));
    draft.types = vec![(values.clone(), values)];
    draft
}

/// Operands that wait on the stack while everything else happens.
fn waiting(room: &Room, operands: u32, instructions: &[I<'_>]) -> Draft {
    let mut body = Body { params: vec![ValType::I32], ..Body::default() };
    for operand in 0..operands {
        body = body.then(&[I::LocalGet(0), I::I64Load(MemArg { offset: operand.into(), ..WORD })]);
    }
    body = body.fill(room.body_bytes, 2 * operands as usize, instructions);
    let sum = vec![I::I64Add; operands as usize - 1];
    Draft::copies(room, &body.then(&sum).then(&[I::Drop]))
}

/// As many operands as fill half of a function.
fn masses(room: &Room) -> u32 {
    u32::try_from(room.body_bytes / 16).unwrap_or(u32::MAX)
}

/// Loops in loops, and branches back to each of them from the innermost.
fn leaving(room: &Room) -> Draft {
    let depth = room.loops as usize;
    let body = Body { params: vec![ValType::I32], ..Body::default() };
    let mut body = body.then(&vec![I::Loop(BlockType::Empty); depth]);
    let round: Vec<I<'_>> = (0..room.loops).flat_map(|level| [I::LocalGet(0), I::BrIf(level)]).collect();
    body = body.fill(room.body_bytes, depth, &round);
    Draft::copies(room, &body.then(&vec![I::End; depth]))
}

fn tiny(room: &Room) -> Draft {
    let mut functions = vec![Body::default()];
    functions.resize(room.functions as usize, Body { params: vec![ValType::I32], ..Body::default() });
    Draft { functions, ..Draft::default() }
}

/// As much data as fits, at both ends of the largest memory.
fn data(room: &Room) -> Draft {
    let (bytes, end) = (room.module_bytes - 1_024, room.pages as i32 * 65_536);
    let (low, high) = (vec![0xda; bytes / 2], vec![0xda; bytes / 2]);
    let data = vec![(0, low), (end - (bytes / 2) as i32, high)];
    Draft { functions: vec![Body::default()], pages: room.pages, data, ..Draft::default() }
}

fn nested(room: &Room, open: &I<'_>) -> Draft {
    let mut body = Body { params: vec![ValType::I32], ..Body::default() };
    let most = if matches!(open, I::Loop(_)) { room.loops } else { room.depth };
    let depth = (most as usize).min(room.body_bytes / 8);
    let mut nest = Body::default().then(&vec![open.clone(); depth]);
    for _ in 0..depth {
        nest = nest.then(&[I::LocalGet(0), I::BrIf(0), I::End]);
    }
    // One after the other, as many as a function holds.
    for _ in 0..((room.body_bytes - 64) / nest.code.len()).max(1) {
        body.code.extend_from_slice(&nest.code);
    }
    Draft::copies(room, &body)
}

/// Tables that lead to every block around them.
fn tables(room: &Room) -> Draft {
    let depth = room.depth.min(1_000);
    let targets: Vec<u32> = (0..room.targets).map(|target| target % depth).collect();
    let body = Body { params: vec![ValType::I32], ..Body::default() };
    let body = body.then(&vec![I::Block(BlockType::Empty); depth as usize]);
    let branch = [I::Block(BlockType::Empty), I::LocalGet(0), I::BrTable(targets.into(), 0), I::End];
    let body = body.fill(room.body_bytes, 4 * depth as usize, &branch);
    Draft::copies(room, &body.then(&vec![I::End; depth as usize]))
}

/// All locals are in use from the first to the last of the given instructions.
fn across(room: &Room, instructions: &[I<'_>]) -> Draft {
    let mut body = Body { params: vec![ValType::I32], locals: vec![(room.locals, ValType::I64)], ..Body::default() };
    for local in 1..=room.locals {
        body = body.then(&[I::LocalGet(0), I::I64Load(MemArg { offset: local.into(), ..WORD }), I::LocalSet(local)]);
    }
    let mut end = Body::default();
    for local in 1..=room.locals {
        end = end.then(&[I::LocalGet(0), I::LocalGet(local), I::I64Store(WORD)]);
    }
    body = body.fill(room.body_bytes, end.code.len(), instructions);
    body.code.extend_from_slice(&end.code);
    Draft::copies(room, &body)
}

/// Loops in loops, each of which moves locals on.
fn rotating(room: &Room) -> Draft {
    let mut body = Body { params: vec![ValType::I32], locals: vec![(room.locals, ValType::I64)], ..Body::default() };
    let mut depth = 0;
    while depth < room.loops && body.code.len() + 16 * (depth as usize + 1) < room.body_bytes / 2 {
        let (from, to) = (1 + depth % room.locals, 1 + (depth * 7 + 3) % room.locals);
        body = body.then(&[I::Loop(BlockType::Empty), I::LocalGet(from), I::LocalSet(to)]);
        depth += 1;
    }
    for level in 0..depth {
        let local = 1 + (level * 5 + 1) % room.locals;
        body = body.then(&[I::LocalGet(local), I::I64Const(3), I::I64Add, I::LocalSet(1 + level % room.locals)]);
        body = body.then(&[I::LocalGet(0), I::BrIf(0), I::End]);
    }
    Draft::copies(room, &body)
}

/// The most locals for the fewest bytes.
fn zeroed(room: &Room) -> Draft {
    let body = Body { params: vec![ValType::I32], locals: vec![(room.locals, ValType::I64)], ..Body::default() };
    Draft::copies(room, &body.then(&[I::Loop(BlockType::Empty), I::LocalGet(0), I::BrIf(0), I::End]))
}
