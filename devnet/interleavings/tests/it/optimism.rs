//! Optimistic execution: whatever the schedule, the result is that of one transaction after the other.

use parapet_interleavings::{
    bank::{self, CONTRACT, FEE_RECIPIENT, Program, Transaction, World},
    block::Plan,
    explore::{Memory, explore},
};

/// Transactions of these senders.
fn block(programs: &[(u32, Program)]) -> Vec<Transaction> {
    let mut sent = [0; 2];
    let transaction = |(sender, program): &(u32, Program)| {
        let nonce = sent[*sender as usize];
        sent[*sender as usize] += 1;
        Transaction { sender: *sender, nonce, program: *program }
    };
    programs.iter().map(transaction).collect()
}

fn is_serializable(schedules: usize, wei: u64, programs: &[(u32, Program)], threads: usize) {
    let transactions = block(programs);
    let plan = Plan::plain(u32::try_from(transactions.len()).expect("a model is small"));
    let world = World::with(wei);
    explore(schedules, Memory::Both, move || {
        bank::is_as_one_after_the_other(&world, &transactions, &plan, threads);
    });
}

const fn send(to: u32, wei: u64) -> Program {
    Program::Transfer { to, wei }
}

#[test]
fn transfers_to_and_fro_that_are_sometimes_refused_are_as_one_after_the_other() {
    is_serializable(1_000, 5, &[(0, send(1, 4)), (1, send(0, 8)), (0, send(1, 7)), (1, send(0, 3))], 2);
    is_serializable(700, 3, &[(0, send(1, 3)), (1, send(0, 5)), (1, send(0, 1)), (0, send(1, 5))], 3);
}

#[test]
fn a_counter_in_a_slot_counts_everybody() {
    is_serializable(1_000, 5, &[(0, Program::CountUp), (1, Program::CountUp), (0, Program::CountUp)], 3);
}

#[test]
fn balances_that_are_looked_at_are_exact_the_fee_recipients_too() {
    let look = |of| Program::StoreBalance { of };
    let programs = [(0, send(1, 2)), (1, look(FEE_RECIPIENT)), (0, Program::CountUp), (0, look(1))];
    is_serializable(1_000, 5, &programs, 3);
}

#[test]
fn storage_that_is_wiped_is_seen_wiped_by_later_transactions_only() {
    let programs = [(0, Program::CountUp), (1, Program::Wipe), (0, Program::CountUp), (1, Program::CountUp)];
    is_serializable(1_000, 5, &programs, 3);
}

#[test]
fn what_a_stale_incarnation_wrote_misleads_nobody_for_good() {
    let programs =
        [(0, Program::CountUp), (1, Program::SendIfOdd { to: 0, wei: 4 }), (0, send(1, 7)), (1, send(CONTRACT, 6))];
    is_serializable(1_000, 4, &programs, 3);
}

#[test]
fn generated_blocks_are_as_one_after_the_other() {
    for threads in [2, 3] {
        explore(2_000, Memory::Both, move || {
            let (world, transactions, plan) = bank::generated(6);
            bank::is_as_one_after_the_other(&world, &transactions, &plan, threads);
        });
    }
}
