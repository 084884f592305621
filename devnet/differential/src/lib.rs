//! Runs guards on a second engine, an interpreter, and compares what they say with what the guard VM makes of them.
//!
//! [`generate`] draws a module of every part of Wasm, [`script`] one that makes sense of its host; [`Case`] is what they
//! judge; [`guard_vm`] and [`interpreter()`] run them, each with a host of its own: the interpreter's ([`mod@reference`])
//! was written from `sdk/abi/SPECIFICATION.md` alone, by somebody who had not read the guard VM, and shares nothing with the
//! guard VM's but the names of slots. What the text left open was asked of it, and its section 11 lists the questions.
//! [`compare`] tells whether both said the same.
//!
//! Fuel is compared by the specification's prices ([`interpreter_run`]): the module is written anew so that it counts itself,
//! and the engine's own fuel is not asked. Not compared are how many words a change of entries takes, which is the guard
//! VM's own, and programs that exhaust fuel or stack on one of the engines, since how deep a stack is differs between them.
//!
//! Known and open: of modules that wasm-smith draws with `disallow_traps`, which these are not, a few spend more on the guard
//! VM than the specification says.

mod case;
mod generate;
mod guard_vm;
mod interpreter;
mod metered;
pub mod reference;
mod said;
mod script;

pub use case::{Case, KeptEntries, KeptWords};
pub use generate::generate;
pub use guard_vm::{guard_vm, guard_vm_within};
pub use interpreter::{Answers, Calls, FUEL, Run, interpreter, interpreter_run};
pub use reference::{KeptWindows, Window};
pub use said::{Agreement, End, Said, Trap, compare};
pub use script::script;
