//! Runs guards on a second engine, an interpreter, and compares what they say with what the guard VM makes of them.
//!
//! [`generate`] draws a module; [`Case`] is what it judges; [`guard_vm`] and [`interpreter`] run it, each with a host of its
//! own: the interpreter's ([`mod@reference`]) was written from the documentation of `parapet_abi`, and shares nothing with
//! the guard VM's. [`compare`] is true if both said the same.
//!
//! Fuel is not compared: it is the guard VM's own. Nor are programs that exhaust fuel or stack on one of the engines, since
//! how deep a stack is differs between them.

mod case;
mod generate;
mod guard_vm;
mod interpreter;
pub mod reference;
mod said;

pub use case::Case;
pub use generate::generate;
pub use guard_vm::guard_vm;
pub use interpreter::interpreter;
pub use said::{Agreement, End, Said, Trap, compare};
