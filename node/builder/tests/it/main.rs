//! The chain from outside: real blocks, executed and sealed.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

mod ahead;
mod amending;
mod blocks;
mod boundary;
mod checking;
mod deadlines;
mod faults;
mod fixture;
mod modes;
mod outlook;
mod payloads;
mod prefetch;
mod reorg;
mod snapshots;
