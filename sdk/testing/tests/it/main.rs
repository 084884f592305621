//! Builders of transactions against guards that look at all of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod chain;
mod recorded;
mod traces;
