//! The command line against a scripted node, the committed modules against their sources.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "a skip is said")]

mod artifacts;
mod building;
mod commands;
mod parameters;
mod queries;
mod scripted_node;
mod shipped_guards;
