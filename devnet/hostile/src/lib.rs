//! Modules that attack the guard VM: its compiler, its limits, its stack and its memory.
//!
//! [`bombs`] are as large as a given [`Room`] allows and cost the compiler as much as they can for each byte; [`attacks`]
//! are small and cost when they run. Every module has what a guard must have, so that it is refused, if at all, for the one
//! thing it is about. Bytes depend on the arguments alone.

mod attacks;
mod bombs;
mod contract;
mod module;

pub use attacks::{Attack, End, attacks, attacks_as};
pub use bombs::{Bomb, bombs, bombs_as};
pub use module::{Body, Draft, Form, Room};
