//! The program from outside, and the rules of the workspace it stands in.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that fails here has failed; a skip is said")]

mod book;
mod conformance;
mod db;
mod faults;
mod first_guard;
mod forks;
mod guards;
mod kills;
mod layers;
mod life;
mod metrics;
mod migrate;
mod node;
mod packaging;
mod process;
mod replay;
mod rpc_compat;
mod tryouts;
mod unwinds;
mod usage;
mod waiting;
mod watching;
