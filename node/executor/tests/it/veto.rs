//! A veto is transaction-wide (I3), a fault never lets anything through (I4).

use alloy_consensus::{SignableTransaction as _, TxEip7702, TxEnvelope, transaction::Recovered};
use alloy_eips::eip7702::Authorization;
use alloy_primitives::{Address, Signature, TxKind, U256};
use alloy_signer::SignerSync as _;
use alloy_signer_local::PrivateKeySigner;
use parapet_monitor::{Decision, Fault, Monitor, NoMonitor, StateUpdate};
use parapet_types::{Destiny, REGISTRY};

use crate::world::{ETHER, GAS_PRICE, Hook, MINER, ONE, SENDER, Scripted, TWO, asm, execute, transaction, veto, world};

fn veto_frame(wanted: u32) -> Hook {
    Box::new(move |_, frame, _| Ok(if frame == wanted { Decision::Veto(veto()) } else { Decision::Proceed }))
}

fn veto_always() -> Hook {
    Box::new(|_, _, _| Ok(Decision::Veto(veto())))
}

/// ONE writes, calls TWO, swallows whatever comes of it, writes again. TWO writes and stops.
fn try_catch_world() -> parapet_state::WorldState {
    let one = asm::join(&[&asm::sstore(0, 1), &asm::call(TWO, 5), &asm::POP, &asm::sstore(1, 1), &asm::STOP]);
    world(&[(ONE, one), (TWO, asm::join(&[&asm::sstore(0, 9), &asm::STOP]))])
}

/// Only the sender's nonce and fee, and the fee recipient's gain, are left of the transaction.
fn assert_nothing_but_gas(world: &parapet_state::WorldState, monitor: &dyn Monitor, to: TxKind) -> u64 {
    let block = execute(world, &[transaction(0, to, 3, &[])], monitor);
    let included = &block.included[0];
    let expected = Destiny::from(&veto());
    assert_eq!(included.executed.destiny, expected);
    assert_eq!(included.executed.output, veto().output());
    assert!(!included.receipt.status());
    assert!(included.receipt.logs().is_empty());
    assert_eq!(included.executed.created, None);
    let after = world.apply(&block.changes).unwrap();
    let gas_used = included.executed.gas_used;
    let sender = after.account(&SENDER).unwrap().unwrap();
    assert_eq!(sender.nonce, 1, "the nonce steps");
    assert_eq!(sender.balance, U256::from(100 * ETHER - u128::from(gas_used) * GAS_PRICE), "gas is paid, value is not");
    assert_eq!(
        after.account(&MINER).unwrap().unwrap().balance,
        U256::from(u128::from(gas_used) * (GAS_PRICE - 1_000_000_000))
    );
    for account in [ONE, TWO] {
        assert_eq!(after.account(&account).unwrap(), world.account(&account).unwrap());
        assert_eq!(after.storage(&account, U256::ZERO).unwrap(), U256::ZERO);
        assert_eq!(after.storage(&account, U256::ONE).unwrap(), U256::ZERO);
    }
    assert_eq!(after.account(&SENDER.create(0)).unwrap(), None);
    gas_used
}

#[test]
fn veto_at_a_nested_call_cannot_be_caught() {
    let monitor = Scripted { on_call: veto_frame(1), ..Scripted::default() };
    assert_nothing_but_gas(&try_catch_world(), &monitor, TxKind::Call(ONE));
}

#[test]
fn veto_at_the_end_of_a_nested_call_cannot_be_caught() {
    let monitor = Scripted { on_call_end: veto_frame(1), ..Scripted::default() };
    assert_nothing_but_gas(&try_catch_world(), &monitor, TxKind::Call(ONE));
}

#[test]
fn veto_of_the_outermost_call_costs_only_intrinsic_gas() {
    let monitor = Scripted { on_call: veto_frame(0), ..Scripted::default() };
    assert_eq!(assert_nothing_but_gas(&try_catch_world(), &monitor, TxKind::Call(ONE)), 21_000);
}

#[test]
fn veto_after_execution_reverts_what_had_succeeded() {
    let world = try_catch_world();
    let monitor = Scripted { on_tx: veto_always(), ..Scripted::default() };
    let vetoed = assert_nothing_but_gas(&world, &monitor, TxKind::Call(ONE));
    let free = execute(&world, &[transaction(0, TxKind::Call(ONE), 3, &[])], &NoMonitor);
    assert_eq!(vetoed, free.included[0].executed.gas_used, "gas that was spent stays spent");
}

#[test]
fn veto_of_a_creation_still_steps_the_nonce() {
    let world = try_catch_world();
    for monitor in [
        Scripted { on_call: veto_frame(0), ..Scripted::default() },
        Scripted { on_call_end: veto_frame(0), ..Scripted::default() },
        Scripted { on_tx: veto_always(), ..Scripted::default() },
    ] {
        assert_nothing_but_gas(&world, &monitor, TxKind::Create);
    }
}

#[test]
fn veto_unwinds_with_the_gas_of_a_chain_of_reverts() {
    // The oracle: TWO reverts at once, and ONE reverts after the call, without a monitor.
    let call = asm::call(TWO, 0);
    let one_passes_on = asm::join(&[&call, &asm::REVERT]);
    let plain = world(&[(ONE, one_passes_on.clone()), (TWO, asm::REVERT.to_vec())]);
    let reverted = execute(&plain, &[transaction(0, TxKind::Call(ONE), 0, &[])], &NoMonitor);
    let monitor = Scripted { on_call: veto_frame(1), ..Scripted::default() };
    let vetoed = execute(&plain, &[transaction(0, TxKind::Call(ONE), 0, &[])], &monitor);
    // The vetoed run executes neither TWO's nor ONE's PUSH0 PUSH0 REVERT (2 gas each PUSH0).
    assert_eq!(vetoed.included[0].executed.gas_used + 8, reverted.included[0].executed.gas_used);
}

#[test]
fn authorizations_of_a_vetoed_transaction_stay() {
    let signer = PrivateKeySigner::random();
    let world = try_catch_world();
    let authorization = Authorization { chain_id: U256::from(31_337), address: TWO, nonce: 0 };
    let signature = signer.sign_hash_sync(&authorization.signature_hash()).unwrap();
    let tx = TxEip7702 {
        chain_id: 31_337,
        gas_limit: 500_000,
        max_fee_per_gas: GAS_PRICE,
        to: ONE,
        authorization_list: vec![authorization.into_signed(signature)],
        ..TxEip7702::default()
    };
    let signed = TxEnvelope::Eip7702(tx.into_signed(Signature::test_signature()));
    for monitor in [
        Scripted { on_call: veto_frame(0), ..Scripted::default() },
        Scripted { on_tx: veto_always(), ..Scripted::default() },
    ] {
        let block = execute(&world, &[Recovered::new_unchecked(signed.clone(), SENDER)], &monitor);
        assert_eq!(block.included[0].executed.destiny, Destiny::from(&veto()));
        let authority = world.apply(&block.changes).unwrap().account(&signer.address()).unwrap().unwrap();
        assert_eq!(authority.nonce, 1);
        assert_ne!(authority.code_hash, alloy_primitives::KECCAK256_EMPTY);
    }
}

#[test]
fn the_next_transaction_of_the_block_runs_as_if_nothing_had_been() {
    let monitor = Scripted {
        on_call: Box::new(|trace, frame, _| {
            let first = trace.context.nonce == 0 && frame == 1;
            Ok(if first { Decision::Veto(veto()) } else { Decision::Proceed })
        }),
        ..Scripted::default()
    };
    let world = try_catch_world();
    let block = execute(
        &world,
        &[transaction(0, TxKind::Call(ONE), 0, &[]), transaction(1, TxKind::Call(ONE), 0, &[])],
        &monitor,
    );
    assert!(!block.included[0].receipt.status());
    assert!(block.included[1].receipt.status());
    let after = world.apply(&block.changes).unwrap();
    assert_eq!(after.storage(&TWO, U256::ZERO).unwrap(), U256::from(9));
    assert_eq!(after.storage(&ONE, U256::ONE).unwrap(), U256::ONE);
}

#[test]
fn fault_leaves_the_transaction_out_and_the_block_goes_on() {
    let fails = |at: u32| -> Hook {
        Box::new(move |trace, frame, _| {
            if trace.context.nonce == 0 && frame == at {
                return Err(Fault::Engine { attachment: Default::default(), reason: "out of instances".into() });
            }
            Ok(Decision::Proceed)
        })
    };
    let other = transaction(1, TxKind::Call(Address::repeat_byte(9)), 7, &[]);
    for monitor in [
        Scripted { on_call: fails(1), ..Scripted::default() },
        Scripted { on_call_end: fails(0), ..Scripted::default() },
        Scripted { on_tx: fails(0), ..Scripted::default() },
    ] {
        let world = try_catch_world();
        let block = execute(&world, &[transaction(0, TxKind::Call(ONE), 0, &[]), other.clone()], &monitor);
        // Nonce 1 cannot run without nonce 0, so both are left out, for different reasons.
        assert!(block.included.is_empty());
        assert!(block.left_out[0].reason.to_string().contains("out of instances"));
        assert!(block.left_out[1].reason.to_string().contains("nonce"));
        for left_out in &block.left_out {
            assert_eq!(left_out.reason.consequence(), parapet_executor::Consequence::Retry);
        }
        assert_eq!(world.apply(&block.changes).unwrap().account(&SENDER).unwrap(), world.account(&SENDER).unwrap());
    }
}

#[test]
fn guard_state_is_written_only_when_the_transaction_succeeds() {
    let update = StateUpdate::set(U256::from(77), U256::from(5));
    let registry = (REGISTRY, asm::STOP.to_vec());
    let fails = world(&[(ONE, asm::REVERT.to_vec()), registry.clone()]);
    let passes = world(&[(ONE, asm::STOP.to_vec()), registry]);
    let watches = Scripted { updates: vec![update.clone()], ..Scripted::default() };
    let vetoes = Scripted { updates: vec![update], on_tx: veto_always(), ..Scripted::default() };
    for (world, monitor, expected) in [(&passes, &watches, 5), (&fails, &watches, 0), (&passes, &vetoes, 0)] {
        let block = execute(world, &[transaction(0, TxKind::Call(ONE), 0, &[])], monitor);
        let after = world.apply(&block.changes).unwrap();
        assert_eq!(after.storage(&REGISTRY, U256::from(77)).unwrap(), U256::from(expected));
    }
}

#[test]
fn a_change_of_the_registry_is_admitted_or_refused_whole() {
    let changes = asm::join(&[&asm::sstore(0, 1), &asm::STOP]);
    let calls_it = asm::join(&[&asm::sstore(0, 1), &asm::call(REGISTRY, 0), &asm::STOP]);
    let world = world(&[(ONE, calls_it), (TWO, asm::sstore(0, 1)), (REGISTRY, changes)]);
    let refuses = Scripted { admit: Box::new(|| Ok(Decision::Veto(veto()))), ..Scripted::default() };
    let block = execute(
        &world,
        &[transaction(0, TxKind::Call(ONE), 0, &[]), transaction(1, TxKind::Call(TWO), 0, &[])],
        &refuses,
    );
    assert_eq!(block.included[0].executed.destiny, Destiny::from(&veto()));
    assert!(block.included[1].executed.succeeded(), "the registry was not touched");
    let after = world.apply(&block.changes).unwrap();
    assert_eq!(after.storage(&REGISTRY, U256::ZERO).unwrap(), U256::ZERO);
    assert_eq!(after.storage(&TWO, U256::ZERO).unwrap(), U256::ONE);
}
