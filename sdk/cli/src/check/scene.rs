//! Transactions made up to see how a guard's cost grows: somebody calls the guarded account again and again, and each call
//! pays it, logs, and changes a slot.

use alloy_primitives::{Address, Bytes, U256, keccak256};
use parapet_abi::{
    AccessKind, AccessRecord, Asset, ContextRecord, FlowReason, FlowRecord, FrameKind, FrameRecord, FrameStatus,
    LogRecord, NO_FRAME, SlotChangeRecord, TX_TYPE_CHAIN,
};
use parapet_monitor::{MemoryAccount, MemoryState, Trace};

/// The account that the guard guards.
pub(crate) const ACCOUNT: Address = Address::repeat_byte(0xac);
/// Who calls it.
const ROUTER: Address = Address::repeat_byte(0x40);
const SENDER: Address = Address::repeat_byte(0x5e);
/// Calldata of each call: a selector and two words.
const INPUT_BYTES: usize = 68;
const GAS: u64 = 100_000;

/// What happens next in a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A frame of the account starts.
    Starts(u32),
    /// It ends.
    Ends(u32),
    /// All of it has executed.
    Executed,
}

/// A transaction under way.
pub(crate) struct Scene {
    pub(crate) trace: Trace,
    calls: u32,
    seq: u32,
    next: Option<Event>,
}

impl Scene {
    /// One that calls the account so many times.
    pub(crate) fn with_calls(calls: u32) -> Self {
        let context = ContextRecord {
            chain_id: 31_337,
            block_number: 1,
            timestamp: 1_700_000_000,
            gas_limit: GAS.saturating_mul(u64::from(calls)),
            sender: SENDER.into_array().into(),
            target: ROUTER.into_array().into(),
            ..ContextRecord::default()
        };
        debug_assert_ne!(context.tx_type, TX_TYPE_CHAIN, "it is a transaction");
        let mut scene = Self { trace: Trace { context, ..Trace::default() }, calls, seq: 0, next: None };
        scene.start(SENDER, ROUTER, NO_FRAME);
        scene
    }

    /// Goes on to the next event.
    pub(crate) fn step(&mut self) -> Option<Event> {
        let next = match self.next {
            None => Event::Starts(self.start(ROUTER, ACCOUNT, 0)),
            Some(Event::Starts(frame)) => {
                self.end(frame);
                Event::Ends(frame)
            }
            Some(Event::Ends(frame)) if frame < self.calls => Event::Starts(self.start(ROUTER, ACCOUNT, 0)),
            Some(Event::Ends(_)) => {
                self.end(0);
                self.close();
                Event::Executed
            }
            Some(Event::Executed) => return None,
        };
        self.next = Some(next);
        self.next
    }

    fn seq(&mut self) -> u32 {
        self.seq += 1;
        self.seq
    }

    fn start(&mut self, caller: Address, target: Address, parent: u32) -> u32 {
        let id = u32::try_from(self.trace.frames.len()).unwrap_or(NO_FRAME);
        let record = FrameRecord {
            id,
            parent,
            start_seq: self.seq(),
            depth: u32::from(parent != NO_FRAME),
            selector: [0xa9, 0x05, 0x9c, 0xbb],
            kind: FrameKind::Call.into(),
            input_len: INPUT_BYTES as u32,
            gas_limit: GAS,
            caller: caller.into_array().into(),
            target: target.into_array().into(),
            code_address: target.into_array().into(),
            value: U256::from(u8::from(target == ACCOUNT)).to_be_bytes(),
            ..FrameRecord::default()
        };
        self.trace.frames.push(record);
        let mut input = vec![0; INPUT_BYTES];
        input[..4].copy_from_slice(&record.selector);
        self.trace.inputs.push(input.into());
        self.trace.outputs.push(Bytes::new());
        id
    }

    fn end(&mut self, frame: u32) {
        if frame > 0 {
            let access = AccessRecord {
                seq: self.seq(),
                frame,
                kind: AccessKind::StorageWrite.into(),
                address: ACCOUNT.into_array().into(),
                slot: slot(frame),
                new: U256::ONE.to_be_bytes(),
                ..AccessRecord::default()
            };
            self.trace.accesses.push(access);
        }
        let end_seq = self.seq();
        let record = &mut self.trace.frames[frame as usize];
        (record.end_seq, record.status, record.gas_used) = (end_seq, FrameStatus::Succeeded.into(), GAS / 2);
    }

    /// What can only be told at the end.
    fn close(&mut self) {
        self.trace.context.status = FrameStatus::Succeeded.into();
        let (router, account) = (ROUTER.into_array().into(), ACCOUNT.into_array().into());
        for frame in 1..=self.calls {
            let seq = self.trace.frames[frame as usize].start_seq;
            self.trace.flows.push(FlowRecord {
                seq,
                frame,
                asset: Asset::Ether.into(),
                reason: FlowReason::Call.into(),
                from: router,
                to: account,
                amount: U256::ONE.to_be_bytes(),
                ..FlowRecord::default()
            });
            let transfer = keccak256("Transfer(address,address,uint256)").0;
            let topics = [transfer, ROUTER.into_word().0, SENDER.into_word().0, [0; 32]];
            self.trace.logs.push(LogRecord { seq, frame, topic_count: 3, data_len: 32, address: account, topics });
            self.trace.log_data.push(Bytes::from(U256::ONE.to_be_bytes_vec()));
            let (old, new) = ([0; 32], U256::ONE.to_be_bytes());
            self.trace.slot_changes.push(SlotChangeRecord { address: account, slot: slot(frame), old, new });
        }
        self.trace.slot_changes.sort_unstable_by_key(|change| change.slot);
    }
}

/// The slot that a call changes.
fn slot(frame: u32) -> [u8; 32] {
    keccak256(U256::from(frame).to_be_bytes::<32>()).0
}

/// A state in which the account is there.
pub(crate) fn state() -> MemoryState {
    let account = MemoryAccount {
        balance: U256::from(10).pow(U256::from(18)),
        code: Bytes::from_static(&[0]),
        ..Default::default()
    };
    MemoryState::unchanged([(ACCOUNT, account)].into_iter().collect())
}
