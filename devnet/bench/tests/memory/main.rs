//! What workers keep from block to block. A program of its own, so that nobody else allocates meanwhile.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::num::NonZeroUsize;

use parapet_bench::soak::{self, Soaked};
use parapet_executor::Workers;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Enough for what is learned of calls, and for the codes that are kept, to be dropped several times.
const BLOCKS: usize = 3_000;
/// About twice what a block of 64 transactions takes.
const BLOCK_BYTES_MAX: usize = 8 << 20;
/// More than twice what is kept when there is most of it.
const LIVE_BYTES_MAX: usize = 68 << 20;

#[test]
fn nothing_grows_with_the_number_of_blocks() {
    let workers = Workers::new(NonZeroUsize::new(2).unwrap());
    let blocks = NonZeroUsize::new(BLOCKS).unwrap();
    let soaked = soak::run(blocks, &workers, &ALLOCATOR, &mut Vec::new()).unwrap();
    assert!(!soaked.grew(), "{soaked:?}");
    assert!(soaked.block_bytes_max < BLOCK_BYTES_MAX, "{soaked:?}");
    assert!(soaked.live_bytes_max.iter().all(|bytes| *bytes < LIVE_BYTES_MAX), "{soaked:?}");
    assert_eq!(soaked.transactions, BLOCKS * 64);
}

#[test]
fn growth_is_seen_between_the_second_and_the_last_third() {
    let soaked = |live_bytes_mean| Soaked { live_bytes_mean, ..Soaked::default() };
    assert!(!soaked([5, 100, 105]).grew(), "warming up is no growth, nor is a little room in a table");
    assert!(soaked([5, 100, 106]).grew());
    assert!(!soaked([900, 100, 50]).grew());
}
