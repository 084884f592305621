//! The executor's files, as they stand.
#![allow(dead_code, reason = "the executor uses more of its files than the models do")]

#[path = "../../../node/executor/src/parallel/account.rs"]
pub(crate) mod account;
#[path = "../../../node/executor/src/parallel/ahead.rs"]
pub(crate) mod ahead;
#[path = "../../../node/executor/src/parallel/arena.rs"]
pub(crate) mod arena;
#[path = "../../../node/executor/src/parallel/crew.rs"]
pub(crate) mod crew;
pub(crate) mod memory;
#[path = "../../../node/executor/src/parallel/place.rs"]
pub(crate) mod place;
#[path = "../../../node/executor/src/parallel/queue.rs"]
pub(crate) mod queue;
#[path = "../../../node/executor/src/parallel/reads.rs"]
pub(crate) mod reads;
#[path = "../../../node/executor/src/parallel/schedule.rs"]
pub(crate) mod schedule;
#[path = "../../../node/executor/src/parallel/slot.rs"]
pub(crate) mod slot;
#[path = "../../../node/executor/src/parallel/table.rs"]
pub(crate) mod table;
