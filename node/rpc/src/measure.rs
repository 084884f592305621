//! What is told of requests and connections, for whoever collects metrics. Where nobody does, this costs nothing.

use std::time::Instant;

use jsonrpsee::MethodResponse;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

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

/// Tells of a call that was answered. `method` is the name of one that is served; names that clients make up would be
/// without end.
pub(crate) fn note_call(method: Option<&'static str>, began: Instant, answer: &MethodResponse) {
    let method = method.unwrap_or(UNKNOWN);
    counter!(CALLS, "method" => method).increment(1);
    if answer.is_error() {
        counter!(FAILED_CALLS, "method" => method).increment(1);
    }
    histogram!(CALL_WALL, "method" => method).record(began.elapsed());
}
