//! Keys that are met for the first time, and the arena of their cells.

use parapet_interleavings::{
    explore::{Memory, explore},
    interning,
};

#[test]
fn threads_that_intern_one_key_are_given_one_cell_and_never_see_it_unfinished() {
    explore(1_500, Memory::Both, interning::one_key_has_one_place);
}

#[test]
fn so_they_are_where_there_is_no_free_word() {
    explore(400, Memory::Both, interning::one_key_has_one_place_where_words_have_run_out);
}

#[test]
fn an_arena_that_is_used_again_holds_nothing_of_the_block_before() {
    explore(1_000, Memory::Both, interning::what_is_emptied_is_used_again_and_nothing_is_there_twice);
}

#[test]
fn an_entry_of_an_arena_is_there_for_others_once_it_is_whole() {
    explore(1_500, Memory::Both, interning::who_goes_through_an_arena_finds_whole_entries);
}

#[test]
fn no_place_of_an_arena_is_given_to_two() {
    explore(1_500, Memory::Both, interning::no_place_is_given_twice);
}
