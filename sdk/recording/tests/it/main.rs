//! Recordings as files: what goes in comes out, and what does not fit together is refused.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::collections::BTreeMap;

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope, transaction::Recovered};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use parapet_abi::{ContextRecord, FrameRecord, LogRecord, NO_FRAME};
use parapet_monitor::Trace;
use parapet_recording::{
    ANCESTORS_MAX, Environment, NotRecorded, Observer, PRESTATE_SLOTS_MAX, Prestate, RECORDING_BYTES_MAX,
    RECORDING_VERSION, RecordedAccount, Recording, RecordingError, Subject, Traced,
};
use parapet_types::{
    AccountChange, AccountInfo, ChainParams, Destiny, ExecutionLimits, FlatState, GuardParams, Hardfork, REGISTRY,
    StateChanges, StateReader,
};
use proptest::prelude::*;

const SENDER: Address = Address::repeat_byte(0x51);
const VAULT: Address = Address::repeat_byte(0x01);
const NOBODY: Address = Address::repeat_byte(0x99);
const CODE: &[u8] = &[0x60, 1, 0x5f, 0x55, 0x00];

/// A sender with ether, and a vault with code and one slot.
fn world() -> FlatState {
    let code_hash = keccak256(CODE);
    let rich = AccountInfo { balance: U256::from(10_u128.pow(20)), ..AccountInfo::default() };
    let vault = AccountInfo { nonce: 1, balance: U256::ZERO, code_hash };
    let storage = BTreeMap::from([(U256::from(7), U256::from(8))]);
    let accounts = BTreeMap::from([
        (SENDER, AccountChange { info: Some(rich), ..AccountChange::default() }),
        (VAULT, AccountChange { info: Some(vault), storage, ..AccountChange::default() }),
    ]);
    FlatState::from(&StateChanges { accounts, code: BTreeMap::from([(code_hash, Bytes::from_static(CODE))]) })
}

fn trace() -> Trace {
    let frame = |id: u32, parent| FrameRecord { id, parent, input_len: 1, ..FrameRecord::default() };
    Trace {
        context: ContextRecord { block_number: 9, ..ContextRecord::default() },
        frames: vec![frame(0, NO_FRAME), frame(1, 0)],
        inputs: vec![Bytes::from_static(&[1]), Bytes::from_static(&[2])],
        outputs: vec![Bytes::new(), Bytes::from_static(&[3])],
        logs: vec![LogRecord { frame: 1, topic_count: 1, ..LogRecord::default() }],
        log_data: vec![Bytes::from_static(b"said")],
        ..Trace::default()
    }
}

fn recording() -> Recording {
    let (world, tx) = (world(), TxEip1559 { to: TxKind::Call(VAULT), ..TxEip1559::default() });
    let signed = TxEnvelope::Eip1559(tx.into_signed(Signature::test_signature()));
    let observer = Observer::new(&world);
    let code_hash = observer.account(&VAULT).unwrap().unwrap().code_hash;
    observer.code(code_hash).unwrap();
    observer.storage(&VAULT, U256::from(7)).unwrap();
    observer.account(&NOBODY).unwrap();
    Recording {
        recording: RECORDING_VERSION,
        chain: ChainParams {
            chain_id: 1,
            hardfork: Hardfork::Osaka,
            block_gas_limit: 30_000_000,
            guards: GuardParams::DEFAULT,
            deposit_contract: ChainParams::MAINNET_DEPOSITS,
            limits: ExecutionLimits::ETHEREUM,
        },
        block: Environment { number: 9, excess_blob_gas: Some(0), ..Environment::default() },
        ancestors: BTreeMap::from([(8, B256::repeat_byte(8))]),
        transaction: Subject::from(&Recovered::new_unchecked(signed, SENDER)),
        destiny: Destiny::Halted { reason: "OutOfGas".to_owned() },
        gas_used: 21_000,
        prestate: observer.finish().unwrap(),
        trace: Traced::from(&trace()),
    }
}

fn refused(changed: impl FnOnce(&mut Recording)) -> RecordingError {
    let mut recording = recording();
    changed(&mut recording);
    Recording::read(&serde_json::to_vec(&recording).unwrap()).unwrap_err()
}

#[test]
fn what_is_written_is_read() {
    let written = recording().write().unwrap();
    let read = Recording::read(&written).unwrap();
    assert_eq!(read, recording());
    assert_eq!(read.write().unwrap(), written);
    assert_eq!(read.transaction().unwrap().signer(), SENDER);
    let (found, expected) = (read.trace().unwrap(), trace());
    assert_eq!((found.frames, found.logs, found.context), (expected.frames, expected.logs, expected.context));
    assert_eq!((found.inputs, found.log_data), (expected.inputs, expected.log_data));
}

#[test]
fn what_was_looked_at_is_answered_as_it_was_and_nothing_else_is() {
    let prestate = recording().prestate;
    let code_hash = keccak256(CODE);
    assert_eq!(prestate.account(&VAULT).unwrap(), world().account(&VAULT).unwrap());
    assert_eq!(prestate.storage(&VAULT, U256::from(7)).unwrap(), U256::from(8));
    assert_eq!(prestate.code(code_hash).unwrap().unwrap().as_ref(), CODE);
    assert_eq!(prestate.account(&NOBODY).unwrap(), None);
    assert_eq!(prestate.storage(&NOBODY, U256::ZERO).unwrap(), U256::ZERO, "nobody has no storage");
    assert!(!prestate.has_storage(&NOBODY).unwrap());
    let why = |error: parapet_types::ReadError| *error.0.downcast::<NotRecorded>().unwrap();
    assert_eq!(why(prestate.account(&SENDER).unwrap_err()), NotRecorded::Account(SENDER));
    let slot = U256::from(6);
    assert_eq!(why(prestate.storage(&VAULT, slot).unwrap_err()), NotRecorded::Slot { account: VAULT, slot });
    assert_eq!(why(prestate.code(B256::ZERO).unwrap_err()), NotRecorded::Code(B256::ZERO));
    let words = NotRecorded::Account(SENDER).to_string();
    assert!(words.contains("--with"), "it says what to do: {words}");
}

#[test]
fn guard_state_begins_empty() {
    assert_eq!(recording().prestate.storage(&REGISTRY, U256::from(5)).unwrap(), U256::ZERO);
    let mut recorded = Prestate::default();
    let storage = BTreeMap::from([(U256::from(5), U256::from(6))]);
    recorded.accounts.insert(REGISTRY, RecordedAccount { storage, ..RecordedAccount::default() });
    assert_eq!(recorded.storage(&REGISTRY, U256::from(5)).unwrap(), U256::from(6), "what was recorded stands");
}

#[test]
fn an_observer_that_has_seen_too_much_answers_on_and_gives_no_recording() {
    let world = world();
    let observer = Observer::new(&world);
    for slot in 0..=PRESTATE_SLOTS_MAX {
        observer.storage(&VAULT, U256::from(slot)).unwrap();
    }
    assert_eq!(observer.storage(&VAULT, U256::from(7)).unwrap(), U256::from(8));
    assert!(matches!(observer.finish(), Err(RecordingError::TooMany { what: "storage words", .. })));
}

#[test]
fn what_does_not_fit_together_is_refused_by_what_is_wrong() {
    assert!(matches!(refused(|file| file.recording = 2), RecordingError::Version(2)));
    assert!(matches!(refused(|file| file.trace.inputs.clear()), RecordingError::Trace(_)));
    assert!(matches!(refused(|file| file.trace.log_data.clear()), RecordingError::Trace(_)));
    assert!(matches!(refused(|file| file.trace.fee_flows = 1), RecordingError::Trace(_)));
    assert!(matches!(refused(|file| file.trace.region = Bytes::from_static(b"none")), RecordingError::Trace(_)));
    assert!(matches!(refused(|file| file.transaction.hash = B256::ZERO), RecordingError::OtherTransaction { .. }));
    assert!(matches!(refused(|file| file.transaction.raw = Bytes::new()), RecordingError::Transaction(_)));
    let many = (0..=ANCESTORS_MAX as u64).map(|number| (number, B256::ZERO)).collect();
    assert!(matches!(refused(|file| file.ancestors = many), RecordingError::TooMany { .. }));
    let exchanged = |file: &mut Recording| {
        file.prestate.code.insert(keccak256(CODE), Bytes::from_static(&[0]));
    };
    assert!(matches!(refused(exchanged), RecordingError::Code(_)));
    assert!(matches!(Recording::read(b"{}"), Err(RecordingError::Json(_))));
    let long = vec![b' '; RECORDING_BYTES_MAX + 1];
    assert!(matches!(Recording::read(&long), Err(RecordingError::TooLong(_))));
}

#[test]
fn records_that_name_frames_that_are_not_there_are_refused() {
    let broken: [fn(&mut Trace); 4] = [
        |trace| trace.frames[1].parent = 1,
        |trace| trace.frames[1].id = 7,
        |trace| trace.logs[0].frame = 2,
        |trace| trace.logs[0].topic_count = 5,
    ];
    for (case, breaks) in broken.into_iter().enumerate() {
        let mut trace = trace();
        breaks(&mut trace);
        assert!(matches!(Traced::from(&trace).trace(), Err(RecordingError::Trace(_))), "case {case}");
    }
}

proptest! {
    #[test]
    fn bytes_of_any_kind_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _either: Result<_, _> = Recording::read(&bytes);
    }

    #[test]
    fn a_changed_file_is_read_or_refused(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = recording().write().unwrap();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        // What is read can be used without looking.
        if let Ok(read) = Recording::read(&bytes) {
            prop_assert!(read.trace().is_ok() && read.transaction().is_ok());
        }
        bytes.truncate(cut.index(bytes.len()));
        let _either: Result<_, _> = Recording::read(&bytes);
    }

    #[test]
    fn a_changed_region_is_read_or_refused(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut traced = Traced::from(&trace());
        let mut region = traced.region.to_vec();
        let place = place.index(region.len());
        region[place] = byte;
        traced.region = region.into();
        if let Ok(read) = traced.trace() {
            for frame in &read.frames {
                prop_assert!(frame.parent == NO_FRAME || (frame.parent as usize) < read.frames.len());
            }
        }
    }
}
