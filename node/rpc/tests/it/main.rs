//! The server over a real port, asked by a real client library.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

mod amend;
mod bad_input;
mod batches;
mod blobs;
mod blocks;
mod bundles;
mod config;
mod debug;
mod dev;
mod dump;
mod engine;
mod execute;
mod fixture;
mod forks;
mod hostile;
mod impersonation;
mod ipc;
mod logs;
mod lookups;
mod openrpc;
mod ots;
mod page;
mod pool;
mod queries;
mod quick;
mod reorg;
mod send;
mod siege;
mod simulate;
mod state;
mod subscribe;
mod testing;
mod tryouts;
mod upcoming;
mod veto;
