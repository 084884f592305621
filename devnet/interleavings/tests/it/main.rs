//! The executor's concurrency, schedule by schedule.

mod cells;
mod memory_model;
mod optimism;
mod schedule;
