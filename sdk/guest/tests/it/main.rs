//! The guest library against its scripted host and against alloy's ABI encoding.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod configuration;
mod decoding;
mod examples;
mod forks;
mod hooks;
