//! Forks of scripted chains: honest ones, whose every answer must arrive, and hostile ones, which must not be believed or
//! waited for.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod chain;
mod honest;
mod hostile;
mod repeat;
mod server;
mod tls;
