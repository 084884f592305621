//! The bound on graphs made by hand, the simulator against it, footprints of blocks made by hand, and the lean loop
//! against the executor on generated blocks.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    missing_docs,
    reason = "tests over small numbers; a skip is said"
)]

mod agreement;
mod bounds;
mod closure;
mod dependencies;
mod ground;
mod real_blocks;
mod reports;
mod simulation;
mod suites;
