//! What the worst modules cost that vetting accepts, each compiled in a process of its own: CPU time, and memory beyond
//! what the process took before.

use std::{
    env, fs,
    process::{Command, Stdio},
};

use alloy_primitives::{Bytes, keccak256};
use cpu_time::ProcessTime;
use parapet_hostile::{Bomb, Room, bombs};
use parapet_vm::{Engine, EngineSettings, limits, vet};

use crate::{BenchError, report::Row};

/// Most CPU time that compiling a module should take, in milliseconds.
const CPU_MAX_MS: f64 = 1_000.0;
/// Most memory that compiling a module should take, in MiB.
pub const MEMORY_MAX_MIB: f64 = 256.0;

/// As much of everything as vetting accepts.
pub const ROOM: Room = Room {
    module_bytes: limits::MODULE_BYTES_MAX,
    functions: limits::FUNCTIONS_MAX,
    body_bytes: limits::BODY_BYTES_MAX,
    locals: limits::LOCALS_MAX,
    values: limits::VALUES_MAX,
    depth: limits::DEPTH_MAX,
    loops: limits::LOOP_DEPTH_MAX,
    targets: limits::BRANCH_TARGETS_MAX,
    pages: limits::MEMORY_PAGES_MAX,
    table: limits::TABLE_ELEMENTS_MAX,
};

/// Least body of a function, in bytes, and fewest locals, that are tried.
const BODY_BYTES_MIN: usize = 1_024;
const LOCALS_MIN: u32 = 16;
/// Ending of the names of bombs that are one function.
const ONE: &str = ", in one function";

/// What compiling one module took.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// CPU time, in milliseconds.
    pub cpu_ms: f64,
    /// Memory, in MiB.
    pub memory_mib: f64,
}

/// The figures of the worst, and of each if wanted.
///
/// # Errors
/// [`BenchError`].
pub fn rows(each: Each) -> Result<Vec<Row>, BenchError> {
    let mut rows = Vec::new();
    let mut worst = Taken { cpu_ms: 0.0, memory_mib: 0.0 };
    let mut names = (String::new(), String::new());
    for name in names_of_bombs() {
        let Some(bomb) = named(&name) else { continue };
        let taken = in_child(&name)?;
        if taken.cpu_ms > worst.cpu_ms {
            (worst.cpu_ms, names.0) = (taken.cpu_ms, name.clone());
        }
        if taken.memory_mib > worst.memory_mib {
            (worst.memory_mib, names.1) = (taken.memory_mib, name.clone());
        }
        if each == Each::Shown {
            let note = format!("{:.0} MiB, {} bytes", taken.memory_mib, bomb.bytes.len());
            rows.push(Row::new(format!("compiling: {name}"), taken.cpu_ms, "ms").note(note));
        }
    }
    rows.push(
        Row::new("the worst module to compile", worst.cpu_ms, "ms")
            .key("compile_worst_ms")
            .at_most(CPU_MAX_MS)
            .note(names.0),
    );
    rows.push(
        Row::new("the module that takes most memory", worst.memory_mib, "MiB")
            .key("compile_worst_mib")
            .at_most(MEMORY_MAX_MIB)
            .note(names.1),
    );
    Ok(rows)
}

/// Every bomb, its code cut into functions and in one.
#[must_use]
pub fn names_of_bombs() -> Vec<String> {
    let names = bombs(&ROOM).into_iter().map(|bomb| bomb.name);
    names.flat_map(|name| [name.to_owned(), format!("{name}{ONE}")]).collect()
}

/// The largest accepted bomb of a name.
fn named(name: &str) -> Option<Bomb> {
    match name.strip_suffix(ONE) {
        Some(kind) => largest(kind, Shape::One),
        None => largest(name, Shape::Many),
    }
}

/// The largest bomb of a kind and shape that vetting accepts. `None`: there is none of any size.
fn largest(name: &str, shape: Shape) -> Option<Bomb> {
    let mut room = ROOM;
    while room.body_bytes >= BODY_BYTES_MIN {
        if shape == Shape::One {
            room.module_bytes = room.module_bytes.min(room.body_bytes + BODY_BYTES_MIN);
        }
        let bomb = bombs(&room).into_iter().find(|bomb| bomb.name == name)?;
        if vet(&bomb.bytes).is_ok() {
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
    let engine = Engine::new(EngineSettings::default())?;
    let before = resident_mib();
    let start = ProcessTime::now();
    let guard = engine.load(keccak256(&bytes), bytes).map_err(|refusal| unusable(refusal.to_string()))?;
    guard.prepare().map_err(unusable)?;
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
