//! What is to be reached on two threads with about 200 Mgas, and what a peer reaches there.

use serde::Serialize;

/// Threads for which the targets hold.
pub const TARGET_THREADS: usize = 2;
/// Most CPU time on serial blocks, as a multiple of the sequential run's.
pub const SERIAL_CPU_MAX: f64 = 1.2;
/// Least ratio of every real block.
pub const REAL_BLOCK_RATIO_MIN: f64 = 0.95;
/// Where the peer's figures come from. They are given to two digits, ±5–10%.
pub const PEER_SOURCE: &str =
    "risechain/pevm (revm 38) against a lean revm loop, two threads on a machine with two cores";

/// What a workload is held against.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Target {
    /// Least ratio of sequential to parallel time.
    pub ratio_min: f64,
    /// Whether nothing can be gained, so that CPU time is bounded too.
    pub serial: bool,
    /// The peer's ratio; two where it was measured on several such workloads: the least and the greatest.
    pub peer: Option<[f64; 2]>,
}

/// The target of a workload, if it has one.
#[must_use]
pub fn target(workload: &str) -> Option<Target> {
    let (ratio_min, serial, peer) = match workload {
        "transfers-independent" => (1.2, false, Some([0.31, 0.31])),
        "transfers-independent-with-recovery" => (1.8, false, None),
        "transfers-chain" | "transfers-one-sender" | "transfers-one-recipient" => (0.97, true, Some([0.21, 0.23])),
        "erc20-independent" => (1.65, false, Some([0.97, 0.97])),
        "erc20-chain" | "erc20-one-recipient" => (0.97, true, Some([0.52, 0.61])),
        "swaps-independent" => (1.9, false, Some([1.79, 1.79])),
        "swaps-16-pools" => (1.85, false, Some([1.69, 1.69])),
        "swaps-one-pool" => (0.97, true, Some([0.83, 0.83])),
        "mainnet" => (1.6, false, Some([0.86, 0.86])),
        _ => return None,
    };
    Some(Target { ratio_min, serial, peer })
}
