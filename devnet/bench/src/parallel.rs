//! The executor's files that decide who runs what when, as they stand, on virtual [`cores`](crate::cores) by way of
//! [`sync`](crate::sync).
#![allow(dead_code, reason = "the executor uses more of its files than the simulator does")]

#[path = "../../../node/executor/src/parallel/ahead.rs"]
pub(crate) mod ahead;
#[path = "../../../node/executor/src/parallel/authorities.rs"]
pub(crate) mod authorities;
#[path = "../../../node/executor/src/parallel/crew.rs"]
pub(crate) mod crew;
#[path = "../../../node/executor/src/parallel/marks.rs"]
pub(crate) mod marks;
#[path = "../../../node/executor/src/parallel/place.rs"]
pub(crate) mod place;
#[path = "../../../node/executor/src/parallel/plan.rs"]
pub(crate) mod plan;
#[path = "../../../node/executor/src/parallel/planner.rs"]
pub(crate) mod planner;
#[path = "../../../node/executor/src/parallel/profile.rs"]
pub(crate) mod profile;
#[path = "../../../node/executor/src/parallel/queue.rs"]
pub(crate) mod queue;
#[path = "../../../node/executor/src/parallel/schedule.rs"]
pub(crate) mod schedule;
