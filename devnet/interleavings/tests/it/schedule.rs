//! The schedule and the loop of a thread.

use parapet_interleavings::{
    block::{self, Cause, Failure, Plan},
    explore::{Memory, explore},
};

/// Gas so small that several are claimed at once, and nobody is woken for one of them.
const LIGHT: u64 = 60_000;

fn settles(schedules: usize, plan: Plan, threads: usize) {
    explore(schedules, Memory::Both, move || block::runs_to_its_end(&plan, threads));
}

#[test]
fn every_transaction_is_settled_once_and_in_order_after_at_most_two_runs() {
    settles(1_200, Plan::plain(6), 2);
    settles(800, Plan::plain(6), 3);
}

#[test]
fn transactions_claimed_together_are_settled_once_and_in_order() {
    settles(1_200, Plan { gas: vec![LIGHT; 8], chunk: 4, ..Plan::plain(8) }, 3);
}

#[test]
fn what_is_left_to_the_one_who_ran_it_is_settled_by_it_or_by_another() {
    settles(1_200, Plan { gas: vec![LIGHT; 8], chunk: 4, window: 8, lag: 8, ..Plan::plain(8) }, 2);
    settles(1_200, Plan { gas: vec![LIGHT; 8], chunk: 4, window: 8, lag: 4, ..Plan::plain(8) }, 3);
}

#[test]
fn deferred_transactions_run_when_what_they_wait_for_has_run_or_at_the_frontier() {
    let chain = (0..6_u32).map(|index| index.checked_sub(1)).collect();
    settles(1_200, Plan { after: chain, window: 6, ..Plan::plain(6) }, 3);
    let star = (0..6_u32).map(|index| (index > 0).then_some(0)).collect();
    settles(1_200, Plan { after: star, gas: vec![LIGHT; 6], window: 6, chunk: 6, ..Plan::plain(6) }, 3);
}

#[test]
fn those_who_are_made_to_wait_come_back_when_the_wait_is_over() {
    explore(2_000, Memory::Both, block::those_who_wait_come_back);
}

#[test]
fn those_who_come_back_are_claimed_once_and_nobody_spins_meanwhile() {
    explore(4_000, Memory::Both, block::those_who_come_back_are_claimed_once);
}

#[test]
fn a_stretch_that_is_run_as_one_is_never_started_by_others() {
    settles(800, Plan { as_one: vec![true, true, false, false], ..Plan::plain(8) }, 2);
    settles(800, Plan { as_one: vec![false, true, false, true], ..Plan::plain(8) }, 3);
}

#[test]
fn blocks_of_one_transaction_and_of_none_come_to_their_end() {
    settles(300, Plan::plain(1), 3);
    settles(300, Plan::plain(0), 2);
}

#[test]
fn nobody_goes_on_where_settling_failed() {
    for index in [0, 2] {
        let plan = Plan::plain(4);
        explore(1_000, Memory::Both, move || block::is_given_up(&plan, 3, Failure::Settling(index)));
    }
    let plan = Plan { as_one: vec![false, true, true], ..Plan::plain(6) };
    explore(1_000, Memory::Both, move || block::is_given_up(&plan, 3, Failure::Settling(3)));
}

#[test]
fn everybody_stops_when_running_ahead_fails() {
    // Where it is never run ahead, the block comes to its end.
    let plan = Plan::plain(4);
    explore(1_000, Memory::Both, move || block::is_given_up(&plan, 3, Failure::Speculating(1)));
}

#[test]
fn everybody_stops_when_the_block_is_given_up_from_outside() {
    let after = (0..6_u32).map(|index| index.checked_sub(1)).collect();
    let plan = Plan { after, window: 6, ..Plan::plain(6) };
    explore(1_500, Memory::Both, move || block::is_given_up(&plan, 2, Failure::GivenUp));
}

#[test]
fn what_is_done_is_settled_by_the_last_to_leave_the_frontier() {
    // Under weak orderings the two may miss each other, as `a_lock_that_is_tried_after_a_write_may_look_taken` shows: then
    // the frontier waits until one of them looks again, at the latest before it rests. That nobody then sleeps on it is
    // what the tests of whole blocks show.
    explore(30_000, Memory::Sequential, block::what_is_done_is_settled_by_the_last_to_leave_the_frontier);
}

#[test]
fn a_sleeper_wakes_when_more_may_be_claimed() {
    explore(1_500, Memory::Both, || block::wakes(Cause::Limit));
}

#[test]
fn a_sleeper_wakes_when_waits_are_over() {
    explore(1_500, Memory::Both, || block::wakes(Cause::Ready));
}

#[test]
fn a_sleeper_wakes_when_the_block_is_over() {
    explore(1_500, Memory::Both, || block::wakes(Cause::End));
}
