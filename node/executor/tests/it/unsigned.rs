//! Transactions that nobody signed: contracts send them, and every mode has them do the same.

use std::num::NonZeroUsize;

use alloy_consensus::TxEnvelope;
use alloy_primitives::{Address, Bytes, TxKind, U256};
use parapet_executor::{Admission, BlockInput, Listing, Mode, Point, TxError, Workers, execute_block};
use parapet_monitor::{Monitor, NoMonitor};
use parapet_types::{AccountInfo, Ancestors, ExecutedBlock, Transaction};

use crate::world::{ETHER, ONE, SENDER, Scripted, TWO, asm, block, params, transaction, unsigned, veto, world};

/// `CREATE(0, 0, 0)`, which steps the running account's nonce.
const CREATE: [u8; 5] = [0x5f, 0x5f, 0x5f, 0xf0, 0x50];

fn run(transactions: &[Transaction], monitor: &dyn Monitor, mode: Mode<'_>) -> ExecutedBlock<TxError> {
    let creator = asm::join(&[&CREATE, &asm::sstore(0, 1), &asm::STOP]);
    let world = world(&[(ONE, creator), (TWO, asm::join(&[&asm::log0(), &asm::STOP]))]);
    let at = Point { params: &params(), world: &world, ancestors: &Ancestors::new(), block: &block() };
    let input =
        BlockInput { at, transactions, admission: Admission::Build, access_list: Listing::Ignore, deadline: None };
    execute_block(&input, monitor, mode).unwrap()
}

/// As any number of threads has it.
fn agreed(transactions: &[Transaction], monitor: &dyn Monitor) -> ExecutedBlock<TxError> {
    let sequential = run(transactions, monitor, Mode::Sequential);
    for threads in [1, 2, 4] {
        let workers = Workers::new(NonZeroUsize::new(threads).unwrap());
        // The second time what was learned from the first may make a stretch of it.
        for _ in 0..2 {
            let parallel = run(transactions, monitor, Mode::Parallel(&workers));
            assert_eq!(parallel.included, sequential.included, "{threads} threads");
            assert_eq!(parallel.changes, sequential.changes, "{threads} threads");
            assert_eq!(parallel.left_out.len(), sequential.left_out.len(), "{threads} threads");
        }
    }
    sequential
}

fn account(block: &ExecutedBlock<TxError>, address: Address) -> AccountInfo {
    block.changes.accounts[&address].info.unwrap()
}

/// A transfer, a call and a creation of a contract's own, its nonce stepped by others between them.
fn of_contracts() -> Vec<Transaction> {
    let call = TxKind::Call;
    vec![
        unsigned(&transaction(1, call(Address::repeat_byte(9)), 5, &[]), ONE),
        // It creates: the nonce of ONE is 3 after it.
        transaction(0, call(ONE), 0, &[]),
        unsigned(&transaction(3, call(TWO), 7, &[1]), ONE),
        unsigned(&transaction(1, call(ONE), 0, &[]), TWO),
        // TWO had ONE create once more.
        unsigned(&transaction(5, TxKind::Create, 0, &[0]), ONE),
        unsigned(&transaction(2, call(ONE), 1, &[]), TWO),
        unsigned(&transaction(3, call(SENDER), 1, &[]), TWO),
    ]
}

#[test]
fn contracts_send_what_nobody_signed_and_every_mode_agrees() {
    let block = agreed(&of_contracts(), &NoMonitor);
    assert_eq!(block.left_out.len(), 0, "{:?}", block.left_out);
    assert!(block.included.iter().all(|included| included.executed.succeeded()));
    assert_eq!(account(&block, ONE).nonce, 7, "three of its own, and three creations");
    assert_eq!(account(&block, TWO).nonce, 4);
    assert_eq!(account(&block, Address::repeat_byte(9)).balance, U256::from(5));
}

#[test]
fn guards_judge_what_nobody_signed() {
    let monitor = Scripted {
        on_tx: Box::new(|trace, _, _| {
            let vetoed = trace.context.sender == TWO.into_array().into();
            Ok(if vetoed { parapet_monitor::Decision::Veto(veto()) } else { parapet_monitor::Decision::Proceed })
        }),
        ..Scripted::default()
    };
    let block = agreed(&of_contracts()[..4], &monitor);
    let succeeded: Vec<_> = block.included.iter().map(|included| included.executed.succeeded()).collect();
    assert_eq!(succeeded, [true, true, true, false]);
    assert_eq!(account(&block, TWO).nonce, 2, "a vetoed transaction's nonce is used");
}

#[test]
fn a_signed_transaction_of_a_contract_is_refused() {
    let signed = |nonce| {
        let TxEnvelope::Eip1559(tx) = transaction(nonce, TxKind::Call(TWO), 1, &[]).into_inner() else {
            unreachable!()
        };
        Transaction::new_unchecked(TxEnvelope::Eip1559(tx), ONE)
    };
    // The rule is the transaction's, not the session's: what came before changes nothing.
    let transactions = [unsigned(&transaction(1, TxKind::Call(TWO), 1, &[]), ONE), signed(2)];
    let block = agreed(&transactions, &NoMonitor);
    assert_eq!(block.included.len(), 1);
    let [left] = &block.left_out[..] else { panic!("one is left out") };
    assert!(left.reason.to_string().contains("code"), "{}", left.reason);
}

#[test]
fn what_nobody_signed_pays_as_others_do() {
    let poor = Address::repeat_byte(0x77);
    let block = agreed(&[unsigned(&transaction(0, TxKind::Call(TWO), 0, &[]), poor)], &NoMonitor);
    assert_eq!(block.included.len(), 0);
    let input = Bytes::from_static(&[1]);
    let block = agreed(&[unsigned(&transaction(1, TxKind::Call(ONE), 0, &input), TWO)], &NoMonitor);
    let paid = U256::from(ETHER) - account(&block, TWO).balance;
    assert_eq!(paid, U256::from(2_000_000_000_u64) * U256::from(block.gas_used));
}
