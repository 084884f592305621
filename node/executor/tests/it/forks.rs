//! State and static calls at forks inside of a transaction, against what was there when the frame started or ended.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use parapet_abi::{FrameRecord, FrameStatus, NO_FRAME};
use parapet_monitor::{CallRequest, CallStatus, Decision, Fault, Fork, NoMonitor, StateView, Trace, VIEW_GAS_MAX};
use parapet_random::Random;

use crate::world::{ETHER, ONE, SENDER, Scripted, TWO, asm, execute, transaction, world};

/// Answers with the balance of the account in its calldata.
const PROBE: Address = Address::repeat_byte(0x99);
/// Contracts of a generated world.
const CONTRACTS: u8 = 5;
/// Slots that they write.
const SLOTS: u8 = 3;

/// With calldata it answers the slot named there; without, it does `act`.
fn contract(act: &[u8]) -> Vec<u8> {
    // CALLDATASIZE ISZERO PUSH1 15 JUMPI; answer slot; JUMPDEST
    let mut code = vec![0x36, 0x15, 0x60, 0x0f, 0x57, 0x5f, 0x35, 0x54, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3, 0x00, 0x5b];
    code.extend(act);
    code
}

fn probe() -> Vec<u8> {
    vec![0x5f, 0x35, 0x31, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]
}

fn address(number: u8) -> Address {
    Address::repeat_byte(0x10 + number)
}

/// `CREATE` of a contract whose init code writes a slot, with a wei; leaves its address.
fn create(value: u8) -> Vec<u8> {
    // PUSH5 (PUSH1 value PUSH0 SSTORE STOP) PUSH0 MSTORE; CREATE(1, 27, 5)
    vec![0x64, 0x60, value, 0x5f, 0x55, 0x00, 0x5f, 0x52, 0x60, 0x05, 0x60, 0x1b, 0x60, 0x01, 0xf0]
}

/// What contract `number` does: it calls only contracts behind it, so that every program ends.
fn act(random: &mut Random, number: u8) -> Vec<u8> {
    let mut code = Vec::new();
    for _ in 0..1 + random.below(5) {
        match random.below(8) {
            0..=2 => code.extend(asm::sstore(random.small(SLOTS), random.small(4))),
            3..=5 if number + 1 < CONTRACTS => {
                let to = number + 1 + random.small(CONTRACTS - number - 1);
                code.extend(asm::join(&[&asm::call(address(to), random.below(3)), &asm::POP]));
            }
            6 => code.extend(asm::join(&[&create(random.small(9)), &asm::POP])),
            _ => code.extend(asm::join(&[&asm::call(SENDER, 1), &asm::POP])),
        }
    }
    match random.below(6) {
        0 | 1 => code.extend(asm::REVERT),
        2 => code.extend(asm::selfdestruct(address(random.small(CONTRACTS)))),
        3 => code.push(0xfe),
        _ => code.extend(asm::STOP),
    }
    code
}

/// Everything that a test looks at, as words.
type Picture = BTreeMap<(Address, u8), B256>;

fn watched() -> Vec<Address> {
    let created = (0..CONTRACTS).flat_map(|number| (1..4).map(move |nonce| address(number).create(nonce)));
    (0..CONTRACTS).map(address).chain(created).chain([SENDER]).collect()
}

fn picture(view: &mut dyn StateView, fork: Fork) -> Result<Picture, Fault> {
    let mut picture = Picture::new();
    for account in watched() {
        picture.insert((account, 100), view.balance(fork, account)?.into());
        picture.insert((account, 101), view.code_hash(fork, account)?);
        for slot in 0..SLOTS {
            picture.insert((account, slot), view.storage(fork, account, U256::from(slot))?.into());
        }
    }
    Ok(picture)
}

/// The same by static calls, as far as they can tell.
fn called(view: &mut dyn StateView, fork: Fork) -> Result<Picture, Fault> {
    let mut picture = Picture::new();
    let mut ask = |to: Address, word: U256| -> Result<B256, Fault> {
        let input = Bytes::copy_from_slice(&word.to_be_bytes::<32>());
        let outcome = view.call(fork, &CallRequest { to, input, gas: 100_000 })?;
        assert_eq!(outcome.status, CallStatus::Succeeded);
        Ok(B256::from_slice(&outcome.output))
    };
    for account in watched() {
        picture.insert((account, 100), ask(PROBE, U256::from_be_bytes(account.into_word().0))?);
    }
    for number in 0..CONTRACTS {
        for slot in 0..SLOTS {
            picture.insert((address(number), slot), ask(address(number), U256::from(slot))?);
        }
    }
    Ok(picture)
}

/// The fork whose picture must be seen at a fork: itself, or the end of the outermost frame around it that reverted.
fn expected(frames: &[FrameRecord], frame: u32, is_after: bool) -> (u32, bool) {
    let (mut found, mut around) = ((frame, is_after), frame);
    loop {
        let record = &frames[around as usize];
        let reverted = record.status != u8::from(FrameStatus::Succeeded);
        if reverted && (around != frame || is_after) {
            found = (around, true);
        }
        if record.parent == NO_FRAME {
            return found;
        }
        around = record.parent;
    }
}

/// Runs the generated world of a seed; tells how many forks were compared, and how many of them were inside reverts.
fn compare(seed: u64) -> (usize, usize) {
    let mut random = Random(seed);
    let contracts = (0..CONTRACTS).map(|number| (address(number), contract(&act(&mut random, number))));
    let contracts: Vec<_> = contracts.chain([(PROBE, probe())]).collect();
    let pictures: Arc<Mutex<BTreeMap<(u32, bool), Picture>>> = Arc::default();
    let compared: Arc<Mutex<(usize, usize)>> = Arc::default();
    let take = |is_after: bool| {
        let pictures = pictures.clone();
        move |_: &Trace, frame: u32, view: &mut dyn StateView| {
            pictures.lock().unwrap().insert((frame, is_after), picture(view, Fork::Now)?);
            Ok(Decision::Proceed)
        }
    };
    let (kept, counted) = (pictures.clone(), compared.clone());
    let monitor = Scripted {
        on_call: Box::new(take(false)),
        on_call_end: Box::new(take(true)),
        on_tx: Box::new(move |trace, _, view| {
            let kept = kept.lock().unwrap();
            let mut counted = counted.lock().unwrap();
            for frame in 0..u32::try_from(trace.frames.len()).unwrap() {
                for is_after in [false, true] {
                    let fork = if is_after { Fork::AfterFrame(frame) } else { Fork::BeforeFrame(frame) };
                    let place = expected(&trace.frames, frame, is_after);
                    let (was, is) = (&kept[&place], picture(view, fork)?);
                    assert_eq!(*was, is, "seed {seed}: {fork:?} is as at {place:?}");
                    for (key, word) in called(view, fork)? {
                        assert_eq!(was[&key], word, "seed {seed}: a call at {fork:?} about {key:?}");
                    }
                    counted.0 += 1;
                    counted.1 += usize::from(place != (frame, is_after));
                }
            }
            assert_eq!(kept[&(0, true)], picture(view, Fork::Now)?);
            Ok(Decision::Proceed)
        }),
        ..Scripted::default()
    };
    let transactions = [transaction(0, TxKind::Call(address(0)), 7, &[])];
    let watched = execute(&world(&contracts), &transactions, &monitor);
    let alone = execute(&world(&contracts), &transactions, &NoMonitor);
    assert_eq!((watched.included, watched.changes), (alone.included, alone.changes), "seed {seed}");
    *compared.lock().unwrap()
}

#[test]
fn forks_show_what_was_there_when_the_frame_started_or_ended() {
    let (mut forks, mut reverted) = (0, 0);
    for seed in 0..150 {
        let compared = compare(seed);
        (forks, reverted) = (forks + compared.0, reverted + compared.1);
    }
    assert!(forks > 1_000 && reverted > 100, "the worlds are worth comparing: {forks} forks, {reverted} reverted");
}

#[test]
fn before_the_transaction_calls_see_neither_fee_nor_value() {
    let monitor = Scripted {
        on_tx: Box::new(|_, _, view| {
            let input = Bytes::copy_from_slice(SENDER.into_word().as_slice());
            let request = CallRequest { to: PROBE, input, gas: 100_000 };
            let mut wei = |fork| view.call(fork, &request).map(|outcome| U256::from_be_slice(&outcome.output));
            assert_eq!(wei(Fork::PreTx)?, U256::from(100 * ETHER));
            assert!(wei(Fork::BeforeFrame(0))? < U256::from(100 * ETHER), "the fee was taken before the first frame");
            assert_eq!(wei(Fork::BeforeFrame(0))?, wei(Fork::Now)? + U256::from(7));
            Ok(Decision::Proceed)
        }),
        ..Scripted::default()
    };
    let block = execute(
        &world(&[(ONE, asm::STOP.to_vec()), (PROBE, probe())]),
        &[transaction(0, TxKind::Call(ONE), 7, &[])],
        &monitor,
    );
    assert!(block.included[0].executed.succeeded());
}

#[test]
fn static_calls_change_nothing_and_are_bounded() {
    // SSTORE in a static call; an endless loop; a revert with a word.
    let writing = asm::join(&[&asm::sstore(0, 1), &asm::STOP]);
    let endless = vec![0x5b, 0x5f, 0x56];
    let reverting = vec![0x60, 0x2a, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xfd];
    let (looping, refusing) = (Address::repeat_byte(0x77), Address::repeat_byte(0x78));
    let monitor = Scripted {
        on_tx: Box::new(move |_, _, view| {
            let mut call = |to: Address, gas: u64| view.call(Fork::Now, &CallRequest { to, input: Bytes::new(), gas });
            let write = call(TWO, 50_000)?;
            assert_eq!((write.status, write.gas_used), (CallStatus::Halted, 50_000));
            let endless = call(looping, u64::MAX)?;
            assert_eq!((endless.status, endless.gas_used), (CallStatus::Halted, VIEW_GAS_MAX));
            let revert = call(refusing, 50_000)?;
            assert_eq!((revert.status, revert.output.last()), (CallStatus::Reverted, Some(&0x2a)));
            assert!(revert.gas_used < 100);
            let nobody = call(Address::repeat_byte(0x79), 50_000)?;
            assert_eq!((nobody.status, nobody.gas_used, nobody.output.len()), (CallStatus::Succeeded, 0, 0));
            Ok(Decision::Proceed)
        }),
        ..Scripted::default()
    };
    let contracts = [(ONE, asm::STOP.to_vec()), (TWO, writing), (looping, endless), (refusing, reverting)];
    let transactions = [transaction(0, TxKind::Call(ONE), 0, &[])];
    let watched = execute(&world(&contracts), &transactions, &monitor);
    assert_eq!(watched.changes, execute(&world(&contracts), &transactions, &NoMonitor).changes);
}

#[test]
fn gas_of_a_static_call_does_not_depend_on_what_the_transaction_has_touched() {
    let reading = contract(&asm::STOP);
    let gas: Arc<Mutex<Vec<u64>>> = Arc::default();
    let kept = gas.clone();
    let ask = move |_: &Trace, _: u32, view: &mut dyn StateView| {
        let request = CallRequest { to: TWO, input: Bytes::from(vec![0; 32]), gas: 100_000 };
        kept.lock().unwrap().push(view.call(Fork::Now, &request)?.gas_used);
        Ok(Decision::Proceed)
    };
    let monitor = Scripted { on_call: Box::new(ask.clone()), on_tx: Box::new(ask), ..Scripted::default() };
    // Calls TWO with 32 bytes of calldata, which reads and so warms its slot 0.
    let mut warming = vec![0x5f, 0x5f, 0x60, 0x20, 0x5f, 0x5f, 0x73];
    warming.extend(TWO);
    warming.extend([0x5a, 0xf1, 0x00]);
    execute(&world(&[(ONE, warming), (TWO, reading)]), &[transaction(0, TxKind::Call(ONE), 0, &[])], &monitor);
    let gas = gas.lock().unwrap().clone();
    assert_eq!(gas.len(), 3);
    assert!(gas[0] > 2_100 && gas.iter().all(|used| *used == gas[0]), "{gas:?}");
}
