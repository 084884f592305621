//! What the worst modules cost that vetting accepts, each compiled in a process of its own: CPU time, and memory beyond
//! what the process took before.

use std::{
    env, fs,
    process::{Command, Stdio},
};

use alloy_primitives::{Bytes, keccak256};
use cpu_time::ProcessTime;
use parapet_cosmwasm::limits as contract;
use parapet_hostile::{Bomb, Form, Room, bombs_as};
use parapet_vm::{Engine, EngineSettings, limits};

use crate::{BenchError, report::Row};

/// Most CPU time that compiling a module should take, in milliseconds.
const CPU_MAX_MS: f64 = 1_000.0;
/// Most memory that compiling a module should take, in MiB.
pub const MEMORY_MAX_MIB: f64 = 256.0;

/// As much of everything as vetting accepts of a native guard.
const NATIVE: Room = Room {
    module_bytes: limits::MODULE_BYTES_MAX,
    functions: limits::FUNCTIONS_MAX,
    body_bytes: limits::BODY_BYTES_MAX,
    locals: limits::LOCALS_MAX,
    parameters: limits::VALUES_MAX,
    values: limits::VALUES_MAX,
    depth: limits::DEPTH_MAX,
    loops: limits::LOOP_DEPTH_MAX,
    targets: limits::BRANCH_TARGETS_MAX,
    pages: limits::MEMORY_PAGES_MAX,
    table: limits::TABLE_ELEMENTS_MAX,
};

/// As much as vetting accepts of a contract, with room for its entry points.
const CONTRACT: Room = Room {
    module_bytes: contract::MODULE_BYTES_MAX - ENTRY_POINT_BYTES,
    functions: contract::FUNCTIONS_MAX as u32 - ENTRY_POINTS,
    body_bytes: contract::BODY_BYTES_MAX,
    locals: contract::FUNCTION_LOCALS_MAX as u32,
    parameters: contract::FUNCTION_PARAMETERS_MAX as u32,
    values: contract::FUNCTION_RESULTS_MAX as u32,
    pages: contract::MEMORY_PAGES_MAX as u64,
    table: contract::TABLE_ELEMENTS_MAX as u64,
    ..NATIVE
};

/// Most entry points of a contract, and most bytes that they take.
const ENTRY_POINTS: u32 = 8;
const ENTRY_POINT_BYTES: usize = 1_024;
/// Least body of a function, in bytes, and fewest locals, that are tried.
const BODY_BYTES_MIN: usize = 1_024;
const LOCALS_MIN: u32 = 16;
/// Ending of the names of bombs that are one function.
const ONE: &str = ", in one function";
/// Ending of the names of bombs that are contracts.
const AS_CONTRACT: &str = ", as a contract";

/// What compiling one module took.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// CPU time, in milliseconds.
    pub cpu_ms: f64,
    /// Memory, in MiB.
    pub memory_mib: f64,
}

/// The figures of the worst of each form, and of each module if wanted.
///
/// # Errors
/// [`BenchError`].
pub fn rows(each: Each) -> Result<Vec<Row>, BenchError> {
    let mut rows = worst(Form::Native, each)?.into_rows("module", ["compile_worst_ms", "compile_worst_mib"]);
    let keys = ["compile_worst_contract_ms", "compile_worst_contract_mib"];
    rows.extend(worst(Form::Contract, each)?.into_rows("contract", keys));
    Ok(rows)
}

/// What takes most, and figures of each.
#[derive(Default)]
struct Worst {
    cpu_ms: (f64, String),
    memory_mib: (f64, String),
    each: Vec<Row>,
}

fn worst(form: Form, each: Each) -> Result<Worst, BenchError> {
    let mut worst = Worst::default();
    for name in names_of_bombs(form) {
        let Some(bomb) = named(&name) else { continue };
        let taken = in_child(&name)?;
        if each == Each::Shown {
            let note = format!("{:.0} MiB, {} bytes", taken.memory_mib, bomb.bytes.len());
            worst.each.push(Row::new(format!("compiling: {name}"), taken.cpu_ms, "ms").note(note));
        }
        if taken.cpu_ms > worst.cpu_ms.0 {
            worst.cpu_ms = (taken.cpu_ms, name.clone());
        }
        if taken.memory_mib > worst.memory_mib.0 {
            worst.memory_mib = (taken.memory_mib, name);
        }
    }
    Ok(worst)
}

impl Worst {
    fn into_rows(self, what: &str, [ms, mib]: [&'static str; 2]) -> Vec<Row> {
        let time = Row::new(format!("the worst {what} to compile"), self.cpu_ms.0, "ms");
        let memory = Row::new(format!("the {what} that takes most memory"), self.memory_mib.0, "MiB");
        let worst = [
            time.key(ms).at_most(CPU_MAX_MS).note(self.cpu_ms.1),
            memory.key(mib).at_most(MEMORY_MAX_MIB).note(self.memory_mib.1),
        ];
        self.each.into_iter().chain(worst).collect()
    }
}

/// Every bomb of a form, its code cut into functions and in one.
#[must_use]
pub fn names_of_bombs(form: Form) -> Vec<String> {
    let ending = match form {
        Form::Native => "",
        Form::Contract => AS_CONTRACT,
    };
    let names = bombs_as(form, &room(form)).into_iter().map(|bomb| bomb.name);
    names.flat_map(|name| ["", ONE].map(|shape| format!("{name}{shape}{ending}"))).collect()
}

/// The largest accepted bomb of a name. `None`: there is none of any size.
fn named(name: &str) -> Option<Bomb> {
    let (name, form) = form_of(name);
    match name.strip_suffix(ONE) {
        Some(kind) => largest(kind, form, Shape::One),
        None => largest(name, form, Shape::Many),
    }
}

/// What a name says of the form, and the rest of it.
fn form_of(name: &str) -> (&str, Form) {
    name.strip_suffix(AS_CONTRACT).map_or((name, Form::Native), |rest| (rest, Form::Contract))
}

const fn room(form: Form) -> Room {
    match form {
        Form::Native => NATIVE,
        Form::Contract => CONTRACT,
    }
}

fn is_accepted(form: Form, bytes: &[u8]) -> bool {
    match form {
        Form::Native => parapet_vm::vet(bytes).is_ok(),
        Form::Contract => parapet_cosmwasm::vet(keccak256(bytes), bytes).is_ok(),
    }
}

fn largest(name: &str, form: Form, shape: Shape) -> Option<Bomb> {
    let mut room = room(form);
    while room.body_bytes >= BODY_BYTES_MIN {
        if shape == Shape::One {
            room.module_bytes = room.module_bytes.min(room.body_bytes + BODY_BYTES_MIN);
        }
        let bomb = bombs_as(form, &room).into_iter().find(|bomb| bomb.name == name)?;
        if is_accepted(form, &bomb.bytes) {
            return Some(bomb);
        }
        room.module_bytes = smaller(room.module_bytes);
        room.body_bytes = smaller(room.body_bytes);
        room.locals = (room.locals / 8 * 7).max(LOCALS_MIN);
    }
    None
}

/// A little smaller, so that what is accepted in the end comes close to what would just be refused.
const fn smaller(bytes: usize) -> usize {
    bytes / 8 * 7
}

/// How a bomb's code is distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Over functions.
    Many,
    /// One function has it all.
    One,
}

/// Whether each module is shown, or the worst only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Each {
    /// Each.
    Shown,
    /// The worst.
    Hidden,
}

/// Runs this very program again, to compile one module.
fn in_child(name: &str) -> Result<Taken, BenchError> {
    let failed = |reason: String| BenchError::Child { name: name.to_owned(), reason };
    let program = env::current_exe().map_err(|error| failed(error.to_string()))?;
    let mut child = Command::new(program);
    child.args(["--compile", name]).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = child.output().map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut figures = text.split_whitespace().map(str::parse);
    match (output.status.success(), figures.next(), figures.next()) {
        (true, Some(Ok(cpu_ms)), Some(Ok(memory_mib))) => Ok(Taken { cpu_ms, memory_mib }),
        _ => Err(failed(format!("{}: {text}", output.status))),
    }
}

/// Compiles one module, in this process.
///
/// # Errors
/// [`BenchError::Module`] if there is none of that name, or it is not usable.
pub fn one(name: &str) -> Result<Taken, BenchError> {
    let unusable = |reason: String| BenchError::Module { name: name.to_owned(), reason };
    let bomb = named(name).ok_or_else(|| unusable("none of that name is accepted".to_owned()))?;
    let bytes = Bytes::from(bomb.bytes);
    match form_of(name).1 {
        Form::Native => {
            let engine = Engine::new(EngineSettings::default())?;
            timed(|| engine.load(keccak256(&bytes), bytes).map_err(|refusal| refusal.to_string())?.prepare())
        }
        Form::Contract => {
            let engine = parapet_cosmwasm::Engine::new();
            timed(|| engine.load(keccak256(&bytes), bytes).map_err(|refusal| refusal.to_string())?.prepare())
        }
    }
    .map_err(unusable)
}

fn timed(compile: impl FnOnce() -> Result<(), String>) -> Result<Taken, String> {
    let before = resident_mib();
    let start = ProcessTime::now();
    compile()?;
    Ok(Taken { cpu_ms: start.elapsed().as_secs_f64() * 1_000.0, memory_mib: peak_mib() - before })
}

/// Memory that is in use now.
fn resident_mib() -> f64 {
    status_mib("VmRSS:")
}

/// Most memory that was in use at once.
fn peak_mib() -> f64 {
    status_mib("VmHWM:")
}

/// A size that the system tells of this process; nothing where it does not.
fn status_mib(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|size| size.parse::<f64>().ok()).unwrap_or_default() / 1_024.0
}
