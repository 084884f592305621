//! Draws modules that make sense of their host: each hook is a list of calls with arguments that are mostly right, whose
//! answers are alerted or decide about a veto.
//!
//! Memory: keys, amounts and addresses lie below [`ANSWERS`], in bytes that a module brings along and changes; what the
//! host writes goes to [`ANSWERS`] and behind.

use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, CustomSection, DataSection, ExportKind, ExportSection, Function,
    FunctionSection, Instruction as I, MemArg, MemorySection, MemoryType, Module, ValType,
};

use parapet_abi::descriptor::SECTION;

use crate::{
    case::{RUNNING, frames},
    generate::DESCRIPTOR,
    imports::{self, Arg, IMPORTS},
    rng::Rng,
};

use Arg::{
    AnyFork, CallLen, Code, Count, Data, DetailLen, First, Fork, Frame, Gas, Key, KeyLen, Kind, Offset, Out, OutLen,
    Period, Place, RecordLen, Seek, ValueLen,
};

const I32: ValType = ValType::I32;
/// Where answers go.
const ANSWERS: i32 = 4_096;
/// Most calls of a hook.
const STEPS_MAX: u64 = 24;
/// One argument in so many is wrong; of vetoes, which few hooks reach, one of each veto is: most often the place.
const WRONG_IN: u64 = 30;
const WRONG_OF_VETO: [i32; 4] = [0, 1, 1, 2];
/// First and last address of a page.
const PAGE_END: i32 = 65_536;
/// Words of memory, of those that are amounts and bounds, that hold less than 2^16 at first.
const SMALL_WORDS: std::ops::Range<i32> = 4..8;

/// Imports of words, from the first, and of ordered entries.
const STORE_GET: u32 = 12;
const STORE_SET: u32 = STORE_GET + 1;
const ENTRIES: std::ops::Range<u32> = 16..20;
const ENTRY_SET: u32 = ENTRIES.start + 1;
const ALERT: u32 = 22;
const VETO: u32 = 23;
/// Function that calls itself as often as its argument says.
const RECURSE: u32 = IMPORTS.len() as u32;

/// The module of a seed.
#[must_use]
pub fn script(seed: u64) -> Vec<u8> {
    let manner = Manner { careful: seed & 1 == 1, entries: seed & 2 == 0, ended: frames(seed).min(RUNNING) };
    let mut draw = Drawing { numbers: Rng::of(seed), manner };
    let hooks: Vec<Function> = (0..3).map(|hook| hook_of(&mut draw, hook < 2)).collect();
    encode(&hooks, &data(&mut draw))
}

/// How a module is drawn: a quarter of all seeds has each manner.
#[derive(Clone, Copy, Debug)]
struct Manner {
    /// No argument is wrong, and nothing is done without end, so that most hooks return or veto.
    careful: bool,
    /// Ordered entries are used, and not only words.
    entries: bool,
    /// Frames of its case, from the first, that have ended.
    ended: u64,
}

/// What modules are drawn from.
#[derive(Debug)]
struct Drawing {
    numbers: Rng,
    manner: Manner,
}

/// What memory holds at first: sparse small bytes, and [`SMALL_WORDS`] that are small as numbers, for bounds that are met.
fn data(draw: &mut Drawing) -> Vec<u8> {
    let small = |place: i32| SMALL_WORDS.contains(&(place / 32)) && place % 32 < 30;
    (0..ANSWERS)
        .map(|place| if draw.numbers.one_in(3) && !small(place) { draw.numbers.below(4) as u8 } else { 0 })
        .collect()
}

/// A hook: calls, of which each answer is kept, and then an alert of all that was answered.
fn hook_of(draw: &mut Drawing, takes_frame: bool) -> Function {
    let answer = u32::from(takes_frame);
    let mut function = Function::new([(2, I32)]);
    let code = &mut function;
    for _ in 0..1 + draw.numbers.below(STEPS_MAX) {
        step(draw, code, answer);
    }
    let told = [I::I32Const(9), I::I32Const(ANSWERS), I::I32Const(256), I::Call(ALERT)];
    put(code, &told);
    code.instruction(&I::End);
    function
}

fn put(code: &mut Function, instructions: &[I<'_>]) {
    for instruction in instructions {
        code.instruction(instruction);
    }
}

fn step(draw: &mut Drawing, code: &mut Function, answer: u32) {
    match draw.numbers.below(40) {
        0 => grow(draw, code, answer),
        1 if draw.manner.careful => scribble(draw, code),
        1 => recurse(draw, code),
        2 | 10 => conditional_veto(draw, code),
        3 => many_words(draw, code, answer),
        4 => probe(draw, code, answer),
        5..=9 => scribble(draw, code),
        _ => call(draw, code, answer),
    }
}

/// Calls the host, and keeps what it answers.
fn call(draw: &mut Drawing, code: &mut Function, answer: u32) {
    // `veto` has steps of its own; entries, which fewer modules use, come twice as often.
    let drawn = draw.numbers.below(u64::from(VETO) + ENTRIES.len() as u64) as u32;
    let index = match if drawn < VETO { drawn } else { drawn - VETO + ENTRIES.start } {
        entry if ENTRIES.contains(&entry) && !draw.manner.entries => entry - ENTRIES.start + STORE_GET,
        index => index,
    };
    let (_, args, answers) = IMPORTS[index as usize];
    for arg in args {
        code.instruction(&argument(draw, *arg, WRONG_IN));
    }
    code.instruction(&I::Call(index));
    if answers {
        keep(draw, code, answer);
    }
}

/// Keeps the answer on the stack among those that will be alerted.
fn keep(draw: &mut Drawing, code: &mut Function, answer: u32) {
    let place = ANSWERS + 4 * draw.numbers.below(32) as i32;
    let store = MemArg { offset: 0, align: 2, memory_index: 0 };
    let kept = [I::LocalSet(answer), I::I32Const(place), I::LocalGet(answer), I::I32Store(store)];
    put(code, &kept);
}

/// One argument: wrong ones in so many, if the manner allows any.
fn argument(draw: &mut Drawing, arg: Arg, wrong_in: u64) -> I<'static> {
    let wrong = !draw.manner.careful && draw.numbers.one_in(wrong_in);
    let value = match arg {
        Kind => draw.numbers.below(13) as i32,
        Data => draw.numbers.below(4) as i32,
        Fork => draw.numbers.below(if wrong { 5 } else { 2 }) as i32,
        AnyFork if wrong => draw.numbers.below(5) as i32,
        AnyFork => draw.numbers.below(if draw.manner.ended == 0 { 2 } else { 4 }) as i32,
        Frame if wrong => draw.numbers.pick(&[-1, 2, 3, 4]),
        Frame => draw.numbers.below(draw.manner.ended.max(1)) as i32,
        First => draw.numbers.pick(&[0, 0, 1, 2, 5, -1]),
        Count if wrong => 65_537,
        Count => draw.numbers.pick(&[0, 1, 2, 3, 5, 100]),
        RecordLen => draw.numbers.pick(&[0, 8, 24, 100, 192, 320]),
        Offset => draw.numbers.pick(&[0, 0, 1, 33, 99, 200, -1]),
        Place if wrong => draw.numbers.pick(&[PAGE_END - 1, PAGE_END, -1]),
        Place => 32 * draw.numbers.below(8) as i32,
        Key if wrong => draw.numbers.pick(&[PAGE_END - 2, -1]),
        Key => draw.numbers.pick(&[0, 4, 8, 300, 1_000, 2_000]),
        KeyLen if wrong => draw.numbers.pick(&[0, 256, 257, -1]),
        KeyLen => 1 + draw.numbers.below(4) as i32,
        CallLen if wrong => 131_073,
        CallLen => draw.numbers.pick(&[0, 4, 4, 4, 4]),
        Seek => draw.numbers.below(if wrong { 6 } else { 4 }) as i32,
        Out if wrong => draw.numbers.pick(&[PAGE_END - 10, PAGE_END, -1]),
        Out => ANSWERS + 8 * draw.numbers.below(24) as i32,
        OutLen => draw.numbers.pick(&[0, 1, 20, 32, 64, 300]),
        ValueLen if wrong => 8_193,
        ValueLen => draw.numbers.pick(&[0, 1, 28, 29, 32, 60, 500]),
        Code if wrong => draw.numbers.pick(&[65_280, 70_000]),
        Code => draw.numbers.pick(&[0, 1, 2, 7, 65_279]),
        DetailLen if wrong => 1_025,
        DetailLen => draw.numbers.pick(&[0, 1, 64, 256, 1_024]),
        Gas if wrong => return I::I64Const(30_000_001),
        Gas => return I::I64Const([0, 5, 100_000, 30_000_000][draw.numbers.below(4) as usize]),
        Period if wrong => return I::I64Const(0),
        Period => return I::I64Const([1, 60, 3_600, -1][draw.numbers.below(4) as usize]),
    };
    I::I32Const(value)
}

/// Asks for memory, and writes at its end.
fn grow(draw: &mut Drawing, code: &mut Function, answer: u32) {
    let pages = draw.numbers.pick(&[0, 1, 3, 62, 63, 64, if draw.manner.careful { 2 } else { -1 }]);
    code.instruction(&I::I32Const(pages));
    code.instruction(&I::MemoryGrow(0));
    keep(draw, code, answer);
    code.instruction(&I::MemorySize(0));
    keep(draw, code, answer);
}

/// Calls deep into the stack: sometimes deeper than there is any.
fn recurse(draw: &mut Drawing, code: &mut Function) {
    code.instruction(&I::I32Const(draw.numbers.pick(&[1, 10, 100, 100, 100, 1_000_000_000])))
        .instruction(&I::Call(RECURSE));
}

/// Vetoes if a byte of what was answered has a bit set.
fn conditional_veto(draw: &mut Drawing, code: &mut Function) {
    let byte = MemArg { offset: 0, align: 0, memory_index: 0 };
    let place = ANSWERS + draw.numbers.below(128) as i32;
    let asked = [I::I32Const(place), I::I32Load8U(byte), I::I32Const(1 << draw.numbers.below(8)), I::I32And];
    put(code, &asked);
    code.instruction(&I::If(BlockType::Empty));
    let wrong = draw.numbers.pick(&WRONG_OF_VETO);
    for (index, arg) in (0..).zip([Code, Out, DetailLen]) {
        code.instruction(&argument(draw, arg, if index == wrong { 1 } else { u64::MAX }));
    }
    code.instruction(&I::Call(VETO)).instruction(&I::End);
}

/// Writes many words, alerts often, or sets many entries: up to a limit, or beyond.
fn many_words(draw: &mut Drawing, code: &mut Function, answer: u32) {
    let counter = answer + 1;
    let many = [(STORE_SET, 300), (ALERT, 40), (ENTRY_SET, 60)];
    let (what, most) = many[draw.numbers.below(if draw.manner.entries { 3 } else { 2 }) as usize];
    let rounds = 1 + draw.numbers.below(if draw.manner.careful { 6 } else { most }) as i32;
    let word = MemArg { offset: 0, align: 2, memory_index: 0 };
    let start = [I::I32Const(0), I::LocalSet(counter), I::Loop(BlockType::Empty)];
    let key = [I::I32Const(2_000), I::LocalGet(counter), I::I32Store(word)];
    put(code, &start);
    put(code, &key);
    let args = match what {
        STORE_SET => vec![2_000, 4, 64],
        ALERT => vec![3, 2_000, 4],
        _ => vec![2_000, 4, 64, draw.numbers.pick(&[0, 20, 40])],
    };
    for arg in args {
        code.instruction(&I::I32Const(arg));
    }
    let next = [
        I::Call(what),
        I::LocalGet(counter),
        I::I32Const(1),
        I::I32Add,
        I::LocalTee(counter),
        I::I32Const(rounds),
        I::I32LtU,
        I::BrIf(0),
        I::End,
    ];
    put(code, &next);
}

/// Reads memory near its end.
fn probe(draw: &mut Drawing, code: &mut Function, answer: u32) {
    let word = MemArg { offset: 0, align: 0, memory_index: 0 };
    let beyond = if draw.manner.careful { PAGE_END - 5 } else { PAGE_END - 3 };
    let far = if draw.manner.careful { 0 } else { 4 * PAGE_END - 4 };
    let place = draw.numbers.pick(&[PAGE_END - 4, PAGE_END - 4, PAGE_END - 8, beyond, far]);
    code.instruction(&I::I32Const(place)).instruction(&I::I32Load(word));
    keep(draw, code, answer);
}

/// Writes into keys, amounts and addresses.
fn scribble(draw: &mut Drawing, code: &mut Function) {
    let word = MemArg { offset: 0, align: 0, memory_index: 0 };
    let value = draw.numbers.pick(&[0, 0, 1, 0x0101_0101, 0x0202_0202, -1]);
    code.instruction(&I::I32Const(draw.numbers.pick(&[0, 4, 28, 60, 92, 124, 300, 2_000])));
    code.instruction(&I::I32Const(value)).instruction(&I::I32Store(word));
}

fn encode(hooks: &[Function], data: &[u8]) -> Vec<u8> {
    let (mut types, imports) = imports::sections();
    let (takes_frame, takes_nothing) = (IMPORTS.len() as u32, IMPORTS.len() as u32 + 1);
    types.ty().function([I32], []);
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    for ty in [takes_frame, takes_frame, takes_frame, takes_nothing] {
        functions.function(ty);
    }
    let mut code = CodeSection::new();
    let mut recurse = Function::new([]);
    let deeper = [I::LocalGet(0), I::If(BlockType::Empty), I::LocalGet(0), I::I32Const(1), I::I32Sub, I::Call(RECURSE)];
    put(&mut recurse, &deeper);
    put(&mut recurse, &[I::End, I::End]);
    code.function(&recurse);
    for hook in hooks {
        code.function(hook);
    }
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    for (hook, name) in (RECURSE + 1..).zip(["on_call", "on_call_end", "on_tx"]) {
        exports.export(name, ExportKind::Func, hook);
    }
    exports.export("init", ExportKind::Func, RECURSE + 3);
    let mut segments = DataSection::new();
    segments.active(0, &ConstExpr::i32_const(0), data.iter().copied());
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&memories).section(&exports);
    module.section(&code).section(&segments);
    let descriptor = CustomSection { name: SECTION.into(), data: DESCRIPTOR.as_bytes().into() };
    module.section(&descriptor);
    module.finish()
}
