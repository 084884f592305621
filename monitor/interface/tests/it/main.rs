//! What the interface promises to monitors and to their guards.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod shown;
mod triggers;
