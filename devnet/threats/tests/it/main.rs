//! What attackers may try. Each block runs sequentially and in parallel, and must come to the same.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod authority;
mod bypass;
mod catching;
mod demotion;
mod escape;
mod griefing;
mod local;
mod reorg;
mod selectors;
mod siege;
mod state;
mod table;
mod waiting;
