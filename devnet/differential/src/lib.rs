//! Runs guards on a second engine, an interpreter, and compares what they say with what the guard VM makes of them.
//!
//! [`generate`] draws a module of every part of Wasm and puts calls of the host into it, [`script`] one that is made of such
//! calls; [`Case`] is what they judge; [`guard_vm`] and [`interpreter()`] run them, each with a host of its own; [`compare`]
//! tells whether both said the same, and [`Campaign`] does all that for one seed after another.
//!
//! The interpreter's host ([`mod@reference`]) answers, checks and traps as `sdk/abi/SPECIFICATION.md` says: it was written from
//! that alone, by somebody who had not read the guard VM. What the text left open was asked, and its section 11 lists the
//! questions. Fuel is counted by the specification's prices ([`interpreter_run`]), in a module that is written anew so that it
//! counts itself; the engine's own fuel is not asked. When fuel is charged was fitted to the guard VM by comparing, and the
//! specification then made to say it. Words of entries, forks, `init` and runs with too little fuel were added by somebody who
//! knew both. Shared with the guard VM are the trace, the state that is looked at, slots, and the layout of entries.
//!
//! Where fuel or stack ran out only the ends of hooks are compared, up to the first that one of the engines did not finish: how
//! deep the stack is differs between them. Not compared are descriptors, which only the node reads.

mod campaign;
mod case;
mod enliven;
mod forked;
mod frame;
mod generate;
mod guard_vm;
mod imports;
mod interpreter;
mod metered;
pub mod reference;
mod rng;
mod said;
mod script;

pub use campaign::{Campaign, Difference, Met, Source};
pub use case::{Case, KeptEntries, KeptWords};
pub use forked::Forked;
pub use generate::generate;
pub use guard_vm::{guard_vm, guard_vm_within};
pub use interpreter::{Answers, Calls, FUEL, Run, interpreter, interpreter_run, interpreter_within};
pub use reference::{KeptWindows, Window};
pub use said::{Agreement, End, Said, Trap, compare};
pub use script::script;
