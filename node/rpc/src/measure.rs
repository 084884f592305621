//! What is told of requests and connections, for whoever collects metrics. Where nobody does, this costs nothing.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use jsonrpsee::MethodResponse;
use metrics::{
    Counter, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

pub(crate) const CONNECTIONS: &str = "parapet_rpc_connections";
pub(crate) const REFUSED_CONNECTIONS: &str = "parapet_rpc_refused_connections_total";
pub(crate) const REFUSED_CALLS: &str = "parapet_rpc_refused_calls_total";
pub(crate) const READS: &str = "parapet_rpc_reads";
pub(crate) const REFUSED_READS: &str = "parapet_rpc_refused_reads_total";
pub(crate) const LATE_READS: &str = "parapet_rpc_late_reads_total";
const CALLS: &str = "parapet_rpc_calls_total";
const FAILED_CALLS: &str = "parapet_rpc_failed_calls_total";
const CALL_WALL: &str = "parapet_rpc_call_wall_seconds";

/// The method of a call to what there is not.
const UNKNOWN: &str = "unknown";

/// Tells the recorder that is installed what each metric means, and begins every count at zero.
pub(crate) fn describe() {
    describe_gauge!(CONNECTIONS, Unit::Count, "Connections that are open");
    describe_counter!(REFUSED_CONNECTIONS, Unit::Count, "Connections refused because too many were open");
    describe_counter!(
        REFUSED_CALLS,
        Unit::Count,
        "Calls refused because clients had not taken too many bytes of answers"
    );
    describe_gauge!(READS, Unit::Count, "Reads that run or wait for a thread");
    describe_counter!(REFUSED_READS, Unit::Count, "Reads refused because too many waited");
    describe_counter!(LATE_READS, Unit::Count, "Reads that took longer than they may");
    describe_counter!(CALLS, Unit::Count, "Calls, by method");
    describe_counter!(FAILED_CALLS, Unit::Count, "Calls answered with an error, by method");
    describe_histogram!(CALL_WALL, Unit::Seconds, "Wall time from a call to its answer, by method");
    for name in [REFUSED_CONNECTIONS, REFUSED_CALLS, REFUSED_READS, LATE_READS] {
        counter!(name).absolute(0);
    }
    for name in [CONNECTIONS, READS] {
        gauge!(name).set(0.0);
    }
}

/// What is told of the calls of one method. It is named to the recorder when it is called for the first time.
pub(crate) struct Meter {
    method: &'static str,
    answered: OnceLock<(Counter, Histogram)>,
    failed: OnceLock<Counter>,
}

impl Meter {
    pub(crate) const fn of(method: &'static str) -> Self {
        Self { method, answered: OnceLock::new(), failed: OnceLock::new() }
    }

    /// For methods that there are not: names that clients make up would be without end.
    pub(crate) const fn of_unknown() -> Self {
        Self::of(UNKNOWN)
    }

    /// Tells of a call that was answered.
    pub(crate) fn note(&self, began: Instant, answer: &MethodResponse) {
        self.note_answered(began.elapsed(), 1);
        if answer.is_error() {
            let method = self.method;
            self.failed.get_or_init(|| counter!(FAILED_CALLS, "method" => method)).increment(1);
        }
    }

    /// Tells of calls that were answered, and how long they took together.
    pub(crate) fn note_answered(&self, took: Duration, number: u32) {
        let method = self.method;
        let (calls, wall) = self
            .answered
            .get_or_init(|| (counter!(CALLS, "method" => method), histogram!(CALL_WALL, "method" => method)));
        calls.increment(number.into());
        wall.record(took / number.max(1));
    }
}
