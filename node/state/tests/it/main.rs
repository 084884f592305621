//! The crate as others use it. Random runs print their seed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ahead;
mod chain;
mod crash;
mod damage;
mod former;
mod history;
mod kept;
mod model;
mod over;
mod refusal;
mod restart;
mod unwind;
mod verify;
mod world;
