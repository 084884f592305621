//! Runs guards on a second engine, an interpreter, and compares what they say with what the guard VM makes of them.
//!
//! [`generate`] draws a module of every part of Wasm, [`script`] one that makes sense of its host; [`Case`] is what they
//! judge; [`guard_vm`] and [`interpreter`] run them, each with a host of its own: the interpreter's ([`mod@reference`]) was
//! written from the specification, and shares nothing with the guard VM's but the names of slots. [`compare`] tells
//! whether both said the same.
//!
//! Fuel is not compared: it is the guard VM's own. Nor are programs that exhaust fuel or stack on one of the engines, since
//! how deep a stack is differs between them. How many words a change of entries takes is the guard VM's own, too.

mod case;
mod generate;
mod guard_vm;
mod interpreter;
pub mod reference;
mod said;
mod script;

pub use case::{Case, KeptEntries, KeptWords};
pub use generate::generate;
pub use guard_vm::{guard_vm, guard_vm_within};
pub use interpreter::interpreter;
pub use said::{Agreement, End, Said, Trap, compare};
pub use script::script;
