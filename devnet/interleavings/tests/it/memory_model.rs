//! The checker itself: it shows what the memory model allows, and nothing else.

use std::sync::{Arc, atomic::Ordering};

use parapet_interleavings::{
    explore::{Memory, explore},
    litmus::{self, Seen},
};

/// Whether any schedule shows what the program looks for.
fn shows(memory: Memory, program: impl Fn(&Seen) + Clone + Send + Sync + 'static) -> bool {
    let seen = Arc::new(Seen::default());
    let noted = Arc::clone(&seen);
    explore(600, memory, move || program(&noted));
    seen.ever()
}

#[test]
fn a_flag_without_its_data_is_seen_unless_it_is_released_and_acquired() {
    use Ordering::{Acquire, Relaxed, Release};
    for (write, read, expected) in
        [(Relaxed, Relaxed, true), (Release, Relaxed, true), (Relaxed, Acquire, true), (Release, Acquire, false)]
    {
        let program = move |seen: &Seen| litmus::message_passing(write, read, seen);
        assert_eq!(shows(Memory::Weak, program), expected, "{write:?} and {read:?}");
        assert!(!shows(Memory::Sequential, program));
    }
}

#[test]
fn two_that_write_and_then_read_miss_each_other_unless_all_of_it_is_in_one_order() {
    use Ordering::{Acquire, Release, SeqCst};
    for (write, read, expected) in
        [(Release, Acquire, true), (SeqCst, Acquire, true), (Release, SeqCst, true), (SeqCst, SeqCst, false)]
    {
        let program = move |seen: &Seen| litmus::store_buffering(write, read, seen);
        assert_eq!(shows(Memory::Weak, program), expected, "{write:?} and {read:?}");
        assert!(!shows(Memory::Sequential, program));
    }
}

#[test]
fn one_word_never_goes_back() {
    assert!(!shows(Memory::Weak, litmus::coherence));
}

#[test]
fn what_was_released_survives_an_exchange_by_another() {
    assert!(!shows(Memory::Weak, litmus::release_sequence));
}

#[test]
fn a_lock_orders_what_is_done_under_it() {
    assert!(!shows(Memory::Weak, litmus::locked_additions));
    assert!(!shows(Memory::Weak, litmus::handing_over));
}

#[test]
fn a_lock_that_is_tried_after_a_write_may_look_taken() {
    assert!(shows(Memory::Weak, litmus::lock_tried_after_a_write));
    assert!(!shows(Memory::Sequential, litmus::lock_tried_after_a_write));
}

#[test]
fn a_cell_is_written_before_whoever_acquires_its_flag_reads_it() {
    explore(600, Memory::Both, || litmus::cell_behind_a_flag(Ordering::Release, Ordering::Acquire));
}

#[test]
#[should_panic(expected = "a cell is read of which the reader does not know that it was written")]
fn a_cell_behind_a_flag_that_is_not_released_is_a_race() {
    explore(600, Memory::Weak, || litmus::cell_behind_a_flag(Ordering::Relaxed, Ordering::Acquire));
}

#[test]
#[should_panic(expected = "a cell is read of which the reader does not know that it was written")]
fn a_cell_behind_a_flag_that_is_not_acquired_is_a_race() {
    explore(600, Memory::Weak, || litmus::cell_behind_a_flag(Ordering::Release, Ordering::Relaxed));
}
