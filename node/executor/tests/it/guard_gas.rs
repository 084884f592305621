//! Guards are paid by the transaction, beside its execution.

use alloy_primitives::{TxKind, U256};
use parapet_abi::import::CODE_OUT_OF_GAS;
use parapet_monitor::{
    Allowance, Bound, Decision, Examination, Fuel, FuelSpent, Judging, Monitor, NoMonitor, StateView,
};
use parapet_state::WorldState;
use parapet_types::{BLOCK_FUEL_MAX, Destiny, Executed, FuelPerGas, REGISTRY, Transaction};

use crate::world::{
    ETHER, GAS_PRICE, MINER, ONE, SENDER, Scripted, TWO, asm, execute, params, transaction, veto, with_gas_limit, world,
};

const LIMIT: u64 = 1_000_000;

fn ratio() -> FuelPerGas {
    params().guards.fuel_per_gas
}

fn binding(fuel: u64) -> Scripted {
    Scripted { spent: FuelSpent { binding: Fuel(fuel), observing: Fuel(0) }, ..Scripted::default() }
}

fn observing(fuel: u64) -> Scripted {
    Scripted { spent: FuelSpent { binding: Fuel(0), observing: Fuel(fuel) }, ..Scripted::default() }
}

/// Executes one transaction and holds what the sender lost and the fee recipient gained against the gas it used.
fn run(world: &WorldState, transaction: &Transaction, monitor: &dyn Monitor) -> Executed {
    let block = execute(world, std::slice::from_ref(transaction), monitor);
    let included = &block.included[0];
    let executed = included.executed.clone();
    assert_eq!(included.receipt.cumulative_gas_used(), executed.gas_used, "the receipt has it");
    assert_eq!(block.gas_used, executed.gas_used, "the block has it");
    let after = world.apply(&block.changes).unwrap();
    let paid = U256::from(100 * ETHER) - after.account(&SENDER).unwrap().unwrap().balance;
    assert_eq!(paid, U256::from(u128::from(executed.gas_used) * GAS_PRICE), "the sender paid it");
    let earned = after.account(&MINER).unwrap().unwrap().balance;
    assert_eq!(earned, U256::from(u128::from(executed.gas_used) * (GAS_PRICE - 1_000_000_000)));
    executed
}

fn out_of_gas(executed: &Executed) -> String {
    let Destiny::Vetoed { guard, code, detail, .. } = &executed.destiny else {
        panic!("it should have been refused: {executed:?}")
    };
    assert_eq!((*guard, *code), (REGISTRY, CODE_OUT_OF_GAS));
    String::from_utf8(detail.to_vec()).unwrap()
}

/// ONE writes, calls TWO, which writes, and writes again.
fn nested() -> WorldState {
    let one = asm::join(&[&asm::sstore(0, 1), &asm::call(TWO, 0), &asm::POP, &asm::sstore(1, 1), &asm::STOP]);
    world(&[(ONE, one), (TWO, asm::join(&[&asm::sstore(0, 9), &asm::STOP]))])
}

fn call_one() -> Transaction {
    transaction(0, TxKind::Call(ONE), 0, &[])
}

#[test]
fn fuel_is_converted_once_per_transaction_and_rounded_up() {
    let world = nested();
    let free = run(&world, &call_one(), &NoMonitor);
    assert_eq!((free.guard_gas_used, free.guard_fuel), (0, Fuel(0)));
    let one_too_many = 10_000 * ratio().0.get() + 1;
    let guarded = run(&world, &call_one(), &binding(one_too_many));
    assert_eq!(guarded.guard_gas_used, 10_001);
    assert_eq!(guarded.guard_fuel, Fuel(one_too_many));
    assert_eq!(guarded.gas_used, free.gas_used + 10_001);
    assert_eq!(guarded.destiny, Destiny::Succeeded);
}

#[test]
fn what_guards_may_spend_is_what_no_frame_has_spent() {
    let world = nested();
    let monitor = Scripted::default();
    let executed = run(&world, &call_one(), &monitor);
    let allowed = monitor.allowed.lock().unwrap().clone();
    let payable: Vec<u64> = allowed.iter().map(|allowance| ratio().gas(allowance.fuel)).collect();
    let trace = monitor.seen.lock().unwrap().clone().unwrap();
    let [first, last] = [payable[0], payable[4]];
    assert_eq!(first, LIMIT - 21_000, "before the first frame only the intrinsic gas is spent");
    assert_eq!(last, LIMIT - executed.gas_used, "after execution it is what is left");
    // Two frames: each is met as it starts and as it ends, and then the transaction.
    assert_eq!(payable.len(), 5);
    assert!(payable.is_sorted_by(|before, after| before >= after), "{payable:?}");
    // Between start and end of the inner frame exactly its own gas was spent, though most gas waited in its caller.
    assert_eq!(payable[1] - payable[2], trace.frames[1].gas_used);
    assert!(allowed.iter().all(|allowance| allowance.bound == Bound::Gas));
}

#[test]
fn a_frame_that_halts_gives_nothing_back() {
    let one = asm::join(&[&asm::call(TWO, 0), &asm::POP, &asm::STOP]);
    let world = world(&[(ONE, one), (TWO, vec![0xfe])]);
    let monitor = Scripted::default();
    let executed = run(&world, &call_one(), &monitor);
    let allowed = monitor.allowed.lock().unwrap().clone();
    assert_eq!(ratio().gas(allowed[4].fuel), LIMIT - executed.gas_used);
    assert!(executed.gas_used > LIMIT / 2, "the inner frame took 63 of 64 parts of what was left");
    assert!(allowed[2].fuel < Fuel(allowed[1].fuel.0 / 32), "{allowed:?}");
}

#[test]
fn a_transaction_that_cannot_pay_fails_with_all_its_gas_and_says_how_much_it_needs() {
    let world = nested();
    let free = run(&world, &call_one(), &NoMonitor).gas_used;
    let fuel = 20_000 * ratio().0.get();
    let needed = free + 20_000;
    let refused = run(&world, &with_gas_limit(&call_one(), needed - 1), &binding(fuel));
    let words = out_of_gas(&refused);
    assert!(words.contains(&format!("at least {needed} instead of {}", needed - 1)), "{words}");
    assert_eq!(refused.gas_used, needed - 1, "all of its gas");
    assert!(refused.logs.is_empty());
    let paid = run(&world, &with_gas_limit(&call_one(), needed), &binding(fuel));
    assert_eq!((paid.destiny.clone(), paid.gas_used), (Destiny::Succeeded, needed));
}

#[test]
fn a_refusal_leaves_nothing_but_gas() {
    let world = nested();
    let block = execute(&world, &[call_one()], &binding(BLOCK_FUEL_MAX.0));
    let after = world.apply(&block.changes).unwrap();
    assert_eq!(out_of_gas(&block.included[0].executed).split(':').next(), Some("out of gas"));
    assert_eq!(after.storage(&ONE, U256::ZERO).unwrap(), U256::ZERO);
    assert_eq!(after.account(&SENDER).unwrap().unwrap().nonce, 1);
}

#[test]
fn a_callee_with_a_fixed_amount_of_gas_finds_all_of_it() {
    // TWO remembers how much gas it was given with the stipend of a transfer, as far as that lets it: it logs nothing,
    // and only just stops. With one gas less it would halt and the transfer would fail.
    let stipend = [0x5b_u8; 2_300];
    let one = asm::join(&[
        &[0x5f, 0x5f, 0x5f, 0x5f, 0x60, 1, 0x73],
        TWO.as_slice(),
        // No gas but the stipend: CALL with gas 0.
        &[0x5f, 0xf1],
        // Its success, to slot 0.
        &[0x5f, 0x55, 0x00],
    ]);
    let world = world(&[(ONE, one), (TWO, stipend.to_vec())]);
    let fuel = 500_000 * ratio().0.get();
    let block = execute(&world, &[call_one()], &binding(fuel));
    assert_eq!(block.included[0].executed.guard_gas_used, 500_000);
    assert_eq!(
        world.apply(&block.changes).unwrap().storage(&ONE, U256::ZERO).unwrap(),
        U256::ONE,
        "the transfer succeeded"
    );
}

#[test]
fn refunds_are_those_of_the_execution_alone() {
    // Sets a slot and clears it again: the refund reaches its cap, a fifth of the execution's gas.
    let one = asm::join(&[&asm::sstore(0, 1), &asm::sstore(0, 0), &asm::STOP]);
    let world = world(&[(ONE, one)]);
    let free = run(&world, &call_one(), &NoMonitor);
    let guarded = run(&world, &call_one(), &binding(100_000 * ratio().0.get()));
    assert_eq!(guarded.gas_used, free.gas_used + 100_000, "guards' gas does not raise the cap");
}

#[test]
fn guards_come_on_top_of_the_floor() {
    let world = world(&[(ONE, asm::STOP.to_vec())]);
    let data = vec![1; 2_000];
    let sent = transaction(0, TxKind::Call(ONE), 0, &data);
    let free = run(&world, &sent, &NoMonitor);
    let floor = 21_000 + 2_000 * 40;
    assert_eq!(free.gas_used, floor, "EIP-7623");
    let guarded = run(&world, &sent, &binding(5_000 * ratio().0.get()));
    assert_eq!(guarded.gas_used, floor + 5_000);
    // What lies between the execution and the floor cannot be spent on guards.
    let refused = run(&world, &with_gas_limit(&sent, floor + 4_999), &binding(5_000 * ratio().0.get()));
    assert!(out_of_gas(&refused).contains(&format!("at least {}", floor + 5_000)));
    assert_eq!(refused.gas_used, floor + 4_999);
}

#[test]
fn who_cannot_act_does_not_act_by_being_dear() {
    let world = nested();
    let free = run(&world, &call_one(), &NoMonitor);
    let cheap = run(&world, &call_one(), &observing(7_000 * ratio().0.get()));
    assert_eq!((cheap.destiny.clone(), cheap.gas_used), (Destiny::Succeeded, free.gas_used + 7_000));
    let dear = run(&world, &call_one(), &observing(BLOCK_FUEL_MAX.0));
    assert_eq!((dear.destiny.clone(), dear.gas_used), (Destiny::Succeeded, LIMIT), "it pays what it can");
}

#[test]
fn a_transaction_that_failed_by_itself_pays_what_it_can() {
    let reverting = world(&[(ONE, asm::REVERT.to_vec())]);
    let free = run(&reverting, &call_one(), &NoMonitor);
    let reverted = run(&reverting, &call_one(), &binding(3_000 * ratio().0.get()));
    assert_eq!((reverted.destiny.clone(), reverted.gas_used), (Destiny::Reverted, free.gas_used + 3_000));
    let reverted = run(&reverting, &call_one(), &binding(BLOCK_FUEL_MAX.0));
    assert_eq!((reverted.destiny.clone(), reverted.gas_used), (Destiny::Reverted, LIMIT));
    let halting = world(&[(ONE, vec![0xfe])]);
    let halted = run(&halting, &call_one(), &binding(3_000));
    assert!(matches!(halted.destiny, Destiny::Halted { .. }));
    assert_eq!((halted.gas_used, halted.guard_gas_used), (LIMIT, 0), "nothing is left to pay with");
}

#[test]
fn a_vetoed_transaction_pays_for_its_guards() {
    let world = nested();
    let on_call = || -> crate::world::Hook {
        Box::new(|_, frame, _| Ok(if frame == 1 { Decision::Veto(veto()) } else { Decision::Proceed }))
    };
    let free = run(&world, &call_one(), &Scripted { on_call: on_call(), ..Scripted::default() });
    let guarded = run(&world, &call_one(), &Scripted { on_call: on_call(), ..binding(9_000 * ratio().0.get()) });
    assert_eq!(guarded.destiny, free.destiny);
    assert_eq!(guarded.gas_used, free.gas_used + 9_000);
}

#[test]
fn the_guards_of_one_transaction_never_get_more_than_a_block_holds() {
    let world = nested();
    let monitor = Scripted::default();
    let plenty = BLOCK_FUEL_MAX.0 / ratio().0.get() + LIMIT;
    let transaction = with_gas_limit(&call_one(), plenty.min(16_000_000));
    run(&world, &transaction, &monitor);
    let first = monitor.allowed.lock().unwrap()[0];
    let payable = ratio().fuel(transaction_gas(&transaction) - 21_000);
    let expected = if payable > BLOCK_FUEL_MAX {
        Allowance { fuel: BLOCK_FUEL_MAX, bound: Bound::Chain }
    } else {
        Allowance { fuel: payable, bound: Bound::Gas }
    };
    assert_eq!(first, expected);
}

fn transaction_gas(transaction: &Transaction) -> u64 {
    use alloy_consensus::Transaction as _;
    transaction.gas_limit()
}

/// Nothing wakes, and `init` of what a transaction attaches takes this much.
struct Init(Fuel);

impl Monitor for Init {
    fn open(
        &self,
        _: &parapet_abi::ContextRecord,
        _: &mut dyn StateView,
    ) -> Result<Option<Box<dyn Judging + '_>>, parapet_monitor::Fault> {
        Ok(None)
    }

    fn admit(
        &self,
        _: &parapet_abi::ContextRecord,
        allowance: Allowance,
        _: &mut dyn StateView,
    ) -> Result<Examination, parapet_monitor::Fault> {
        Ok(Examination { decision: Decision::Proceed, fuel: Fuel(self.0.0.min(allowance.fuel.0.saturating_add(1))) })
    }
}

#[test]
fn who_attaches_pays_for_init() {
    let world = world(&[(REGISTRY, asm::join(&[&asm::sstore(0, 1), &asm::STOP]))]);
    let sent = transaction(0, TxKind::Call(REGISTRY), 0, &[]);
    let free = run(&world, &sent, &NoMonitor);
    let admitted = run(&world, &sent, &Init(Fuel(40_000 * ratio().0.get())));
    assert_eq!((admitted.destiny.clone(), admitted.gas_used), (Destiny::Succeeded, free.gas_used + 40_000));
    let refused = run(&world, &sent, &Init(Fuel(u64::MAX)));
    out_of_gas(&refused);
    assert_eq!(refused.gas_used, LIMIT);
}
