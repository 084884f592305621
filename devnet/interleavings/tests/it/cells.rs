//! The versioned cells.

use parapet_interleavings::{
    cells,
    explore::{Memory, explore},
};

#[test]
fn a_reader_sees_no_write_of_its_own_version_or_above_and_no_part_of_one() {
    explore(1_500, Memory::Both, cells::readers_see_only_whole_writes_below_them);
}

#[test]
fn folding_what_is_settled_hides_nothing_from_readers_above() {
    explore(1_000, Memory::Both, cells::folding_hides_nothing_from_readers_above);
}

#[test]
fn equal_stamps_of_an_account_mean_equal_views_even_while_writes_are_taken_back() {
    explore(1_500, Memory::Both, cells::equal_stamps_of_an_account_mean_equal_views);
}

#[test]
fn equal_stamps_of_a_slot_mean_equal_views_even_while_writes_are_taken_back() {
    explore(1_500, Memory::Both, cells::equal_stamps_of_a_slot_mean_equal_views);
}

#[test]
fn folding_settled_changes_of_a_slot_hides_nothing_from_readers_above() {
    explore(1_000, Memory::Both, cells::folding_changes_of_a_slot_hides_nothing_from_readers_above);
}
