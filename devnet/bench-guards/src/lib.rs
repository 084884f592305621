//! Measures what guards cost: looking for them, waking them, running them, compiling them.
//!
//! Path of a figure: a [`scene`] puts guards on a chain and a transaction before the judge, as the executor would;
//! [`judging`] times it, [`blocks`] times whole blocks under the executor, [`compiling`] compiles what vetting accepts at
//! worst, each in a process of its own; [`metering`] runs guards on wasmtime itself, with and without fuel; [`prices`] holds
//! what fuel buys against what gas buys. Whatever is compared is run in turns ([`timing`]); a figure is a median.
//! [`report`] holds what came out against what was aimed at.

pub mod blocks;
pub mod compiling;
mod error;
pub mod guards;
pub mod judging;
pub mod metering;
pub mod prices;
pub mod report;
pub mod scene;
pub mod timing;

pub use error::BenchError;
