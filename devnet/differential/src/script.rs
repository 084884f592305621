//! Draws modules that make sense of their host: each hook is a list of calls with arguments that are mostly right, whose
//! answers are alerted or decide about a veto. What wasm-smith draws ([`crate::generate`]) hardly ever gets that far.
//!
//! Memory: keys, amounts and addresses lie below [`ANSWERS`], in bytes that a module brings along and changes; what the
//! host writes goes to [`ANSWERS`] and behind.

use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, CustomSection, DataSection, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, ImportSection, Instruction as I, MemArg, MemorySection, MemoryType, Module, TypeSection, ValType,
};

use parapet_abi::{descriptor::SECTION, import::MODULE};

use crate::generate::DESCRIPTOR;

const I32: ValType = ValType::I32;
const I64: ValType = ValType::I64;
/// Where answers go.
const ANSWERS: i32 = 4_096;
/// Most calls of a hook.
const STEPS_MAX: u64 = 24;
/// First and last address of a page.
const PAGE_END: i32 = 65_536;

/// A function of the host: name, what its arguments are, whether it answers.
type Import = (&'static str, &'static [Arg], bool);

/// What an argument is: how it is drawn.
#[derive(Clone, Copy, Debug)]
enum Arg {
    Kind,
    Data,
    Fork,
    AnyFork,
    Frame,
    First,
    Count,
    RecordLen,
    Offset,
    /// 20 bytes, or 32, that are there.
    Place,
    Key,
    KeyLen,
    Seek,
    Out,
    OutLen,
    ValueLen,
    Gas,
    Period,
    Code,
    DetailLen,
    CallLen,
}

use Arg::{
    AnyFork, CallLen, Code, Count, Data, DetailLen, First, Fork, Frame, Gas, Key, KeyLen, Kind, Offset, Out, OutLen,
    Period, Place, RecordLen, Seek, ValueLen,
};

const IMPORTS: [Import; 24] = [
    ("trace_count", &[Kind], true),
    ("trace_read", &[Kind, First, Count, Out, RecordLen], true),
    ("trace_data", &[Data, First, Offset, Out, OutLen], true),
    ("config_read", &[Offset, Out, OutLen], true),
    ("state_storage", &[Fork, Place, Place, Out], false),
    ("state_balance", &[Fork, Place, Out], false),
    ("state_code_hash", &[Fork, Place, Out], false),
    ("state_storage_at", &[AnyFork, Frame, Place, Place, Out], false),
    ("state_balance_at", &[AnyFork, Frame, Place, Out], false),
    ("state_code_hash_at", &[AnyFork, Frame, Place, Out], false),
    ("view_call", &[AnyFork, Frame, Place, Key, CallLen, Gas, Out], true),
    ("view_output", &[Offset, Out, OutLen], true),
    ("store_get", &[Key, KeyLen, Out], true),
    ("store_set", &[Key, KeyLen, Place], false),
    ("store_add", &[Key, KeyLen, Place, Place], true),
    ("store_max", &[Key, KeyLen, Place], false),
    ("entry_get", &[Key, KeyLen, Offset, Out, OutLen], true),
    ("entry_set", &[Key, KeyLen, Place, ValueLen], false),
    ("entry_remove", &[Key, KeyLen], true),
    ("entry_seek", &[Seek, Key, KeyLen, Out, OutLen], true),
    ("window_add", &[Key, KeyLen, Place, Place, Period], true),
    ("keccak256", &[Place, OutLen, Out], false),
    ("alert", &[Code, Out, DetailLen], false),
    ("veto", &[Code, Out, DetailLen], false),
];
const ALERT: u32 = 22;
const VETO: u32 = 23;
/// Function that calls itself as often as its argument says.
const RECURSE: u32 = IMPORTS.len() as u32;

/// The module of a seed.
#[must_use]
pub fn script(seed: u64) -> Vec<u8> {
    let mut rng = Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let hooks: Vec<Function> = (0..3).map(|hook| hook_of(&mut rng, hook < 2)).collect();
    let data: Vec<u8> = (0..ANSWERS).map(|_| if rng.one_in(3) { rng.below(4) as u8 } else { 0 }).collect();
    encode(&hooks, &data)
}

/// A hook: calls, of which each answer is kept, and then an alert of all that was answered.
fn hook_of(rng: &mut Rng, takes_frame: bool) -> Function {
    let answer = u32::from(takes_frame);
    let mut function = Function::new([(2, I32)]);
    let code = &mut function;
    for _ in 0..1 + rng.below(STEPS_MAX) {
        step(rng, code, answer);
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

fn step(rng: &mut Rng, code: &mut Function, answer: u32) {
    match rng.below(40) {
        0 => grow(rng, code, answer),
        1 => recurse(rng, code),
        2 => conditional_veto(rng, code),
        3 => many_words(rng, code, answer),
        4 => probe(rng, code, answer),
        5..=9 => scribble(rng, code),
        _ => call(rng, code, answer),
    }
}

/// Calls the host, and keeps what it answers.
fn call(rng: &mut Rng, code: &mut Function, answer: u32) {
    // `veto` has steps of its own.
    let index = rng.below(u64::from(VETO)) as u32;
    let (_, args, answers) = IMPORTS[index as usize];
    for arg in args {
        code.instruction(&argument(rng, *arg));
    }
    code.instruction(&I::Call(index));
    if answers {
        keep(rng, code, answer);
    }
}

/// Keeps the answer on the stack among those that will be alerted.
fn keep(rng: &mut Rng, code: &mut Function, answer: u32) {
    let place = ANSWERS + 4 * rng.below(32) as i32;
    let store = MemArg { offset: 0, align: 2, memory_index: 0 };
    let kept = [I::LocalSet(answer), I::I32Const(place), I::LocalGet(answer), I::I32Store(store)];
    put(code, &kept);
}

fn argument(rng: &mut Rng, arg: Arg) -> I<'static> {
    let wrong = rng.one_in(60);
    let value = match arg {
        Kind => rng.below(13) as i32,
        Data => rng.below(4) as i32,
        Fork => rng.below(if wrong { 5 } else { 2 }) as i32,
        AnyFork => rng.below(if wrong { 5 } else { 4 }) as i32,
        Frame => rng.pick(&[0, 0, 1, 1, 3, if wrong { -1 } else { 0 }, if wrong { 2 } else { 1 }]),
        First => rng.pick(&[0, 0, 1, 2, 5, -1]),
        Count => rng.pick(&[0, 1, 2, 5, 100, if wrong { 65_537 } else { 3 }]),
        RecordLen => rng.pick(&[0, 8, 24, 100, 192, 320]),
        Offset => rng.pick(&[0, 0, 1, 33, 99, 200, -1]),
        Place if wrong => rng.pick(&[PAGE_END - 1, PAGE_END, -1]),
        Place => 32 * rng.below(8) as i32,
        Key if wrong => rng.pick(&[PAGE_END - 2, -1]),
        Key => rng.pick(&[0, 4, 8, 300, 1_000, 2_000]),
        KeyLen if wrong => rng.pick(&[0, 256, 257, -1]),
        KeyLen => 1 + rng.below(4) as i32,
        CallLen => rng.pick(&[0, 4, 4, 4, if wrong { 131_073 } else { 4 }]),
        Seek => rng.below(if wrong { 6 } else { 4 }) as i32,
        Out if wrong => rng.pick(&[PAGE_END - 10, PAGE_END, -1]),
        Out => ANSWERS + 8 * rng.below(24) as i32,
        OutLen => rng.pick(&[0, 1, 20, 32, 64, 300]),
        ValueLen => rng.pick(&[0, 1, 28, 29, 60, 500, if wrong { 8_193 } else { 32 }]),
        Code => rng.pick(&[0, 7, 65_279, if wrong { 65_280 } else { 1 }, if wrong { 70_000 } else { 2 }]),
        DetailLen => rng.pick(&[0, 1, 64, 256, if wrong { 1_025 } else { 1_024 }]),
        Gas => return I::I64Const([0, 100_000, 30_000_000, if wrong { 30_000_001 } else { 5 }][rng.below(4) as usize]),
        Period => return I::I64Const([if wrong { 0 } else { 1 }, 60, 3_600, -1][rng.below(4) as usize]),
    };
    I::I32Const(value)
}

/// Asks for memory, and writes at its end.
fn grow(rng: &mut Rng, code: &mut Function, answer: u32) {
    code.instruction(&I::I32Const(rng.pick(&[0, 1, 3, 62, 63, 64, -1])));
    code.instruction(&I::MemoryGrow(0));
    keep(rng, code, answer);
    code.instruction(&I::MemorySize(0));
    keep(rng, code, answer);
}

/// Calls deep into the stack: sometimes deeper than there is any.
fn recurse(rng: &mut Rng, code: &mut Function) {
    code.instruction(&I::I32Const(rng.pick(&[1, 10, 100, 100, 100, 1_000_000_000]))).instruction(&I::Call(RECURSE));
}

/// Vetoes if a byte of what was answered has a bit set.
fn conditional_veto(rng: &mut Rng, code: &mut Function) {
    let byte = MemArg { offset: 0, align: 0, memory_index: 0 };
    let place = ANSWERS + rng.below(128) as i32;
    let asked = [I::I32Const(place), I::I32Load8U(byte), I::I32Const(1 << rng.below(8)), I::I32And];
    put(code, &asked);
    code.instruction(&I::If(BlockType::Empty));
    for arg in [Code, Out, DetailLen] {
        code.instruction(&argument(rng, arg));
    }
    code.instruction(&I::Call(VETO)).instruction(&I::End);
}

/// Writes many words, alerts often, or sets many entries: up to a limit, or beyond.
fn many_words(rng: &mut Rng, code: &mut Function, answer: u32) {
    let counter = answer + 1;
    let (store, alert, entry) = (13, ALERT, 17);
    let (what, most) = [(store, 300), (alert, 40), (entry, 60)][rng.below(3) as usize];
    let rounds = 1 + rng.below(most) as i32;
    let word = MemArg { offset: 0, align: 2, memory_index: 0 };
    let start = [I::I32Const(0), I::LocalSet(counter), I::Loop(BlockType::Empty)];
    let key = [I::I32Const(2_000), I::LocalGet(counter), I::I32Store(word)];
    put(code, &start);
    put(code, &key);
    let args = match what {
        13 => vec![2_000, 4, 64],
        22 => vec![3, 2_000, 4],
        _ => vec![2_000, 4, 64, rng.pick(&[0, 20, 40])],
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
fn probe(rng: &mut Rng, code: &mut Function, answer: u32) {
    let word = MemArg { offset: 0, align: 0, memory_index: 0 };
    let place = rng.pick(&[PAGE_END - 4, PAGE_END - 4, PAGE_END - 8, PAGE_END - 3, 4 * PAGE_END - 4]);
    code.instruction(&I::I32Const(place)).instruction(&I::I32Load(word));
    keep(rng, code, answer);
}

/// Writes into keys, amounts and addresses.
fn scribble(rng: &mut Rng, code: &mut Function) {
    let word = MemArg { offset: 0, align: 0, memory_index: 0 };
    let value = rng.pick(&[0, 0, 1, 0x0101_0101, 0x0202_0202, -1]);
    code.instruction(&I::I32Const(rng.pick(&[0, 4, 28, 60, 92, 124, 300, 2_000])));
    code.instruction(&I::I32Const(value)).instruction(&I::I32Store(word));
}

fn encode(hooks: &[Function], data: &[u8]) -> Vec<u8> {
    let (mut types, mut imports) = (TypeSection::new(), ImportSection::new());
    for (index, (name, args, answers)) in (0..).zip(IMPORTS) {
        let params = args.iter().map(|arg| if matches!(arg, Gas | Period) { I64 } else { I32 });
        types.ty().function(params, answers.then_some(I32));
        imports.import(MODULE, name, EntityType::Function(index));
    }
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
    let mut segments = DataSection::new();
    segments.active(0, &ConstExpr::i32_const(0), data.iter().copied());
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&memories).section(&exports);
    module.section(&code).section(&segments);
    let descriptor = CustomSection { name: SECTION.into(), data: DESCRIPTOR.as_bytes().into() };
    module.section(&descriptor);
    module.finish()
}

/// xorshift64*: the same numbers on every machine.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn pick(&mut self, from: &[i32]) -> i32 {
        from[self.below(from.len() as u64) as usize]
    }
}
