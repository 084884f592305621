//! The executor's concurrency, schedule by schedule.

mod cells;
mod interning;
mod memory_model;
mod optimism;
mod schedule;
