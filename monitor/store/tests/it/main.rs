//! A guard's own state, over state in memory.

mod entries;
mod overlay;
