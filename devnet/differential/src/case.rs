//! What a generated guard judges: one transaction, rich enough that every host call has something to answer.

use std::{collections::BTreeMap, ops::Bound};

use alloy_primitives::{Address, B256, Bytes, U256};
use parapet_abi::{
    AccessRecord, AccountRecord, AuthorizationRecord, CodeChangeRecord, ContextRecord, DelegateRecord, FlowReason,
    FlowRecord, FrameRecord, FrameStatus, LogRecord, PreimageRecord, SlotChangeRecord,
};
use parapet_monitor::{
    CallOutcome, CallStatus, Fork, MemoryAccount, MemoryAccounts, MemoryState, Subscriptions, Trace,
};
use parapet_store::{Entries, Order, Overlay, OverlayWords, Scan, state_slot, window_slot};
use parapet_vm::HookCall;

use crate::{
    forked::Forked,
    reference::{KeptWindows, Window},
};

/// Timestamp of the block.
const TIMESTAMP: u64 = 1_000;

/// The frame that has not ended, where a case has so many.
pub(crate) const RUNNING: u64 = 2;

/// The hooks of a transaction, and those of an attachment.
const IN_TRANSACTION: &[HookCall] = &[HookCall::OnCall(0), HookCall::OnCallEnd(0), HookCall::OnTx];
const AT_ATTACHMENT: &[HookCall] = &[HookCall::Init];
/// One case in so many is an attachment.
const ATTACHMENT_IN: u64 = 13;

/// Words of guard state, by key.
pub type KeptWords = BTreeMap<Vec<u8>, U256>;
/// Ordered entries of guard state.
pub type KeptEntries = BTreeMap<Vec<u8>, Vec<u8>>;

/// A transaction, the state around it, and the attachment that judges it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The hooks that are called, in order.
    pub hooks: &'static [HookCall],
    /// What is recorded.
    pub trace: Trace,
    /// State before and after.
    pub state: Forked,
    /// The attachment.
    pub attachment: B256,
    /// Its accounts.
    pub accounts: Vec<AccountRecord>,
    /// Its configuration.
    pub configuration: Bytes,
    /// What it reads.
    pub subscriptions: Subscriptions,
    /// Account that holds guard state.
    pub store: Address,
    /// Words of guard state before the transaction, by key.
    pub words: KeptWords,
    /// Windows before it, by key.
    pub windows: KeptWindows,
    /// Ordered entries before it.
    pub entries: KeptEntries,
}

impl Case {
    /// One of the cases: they differ in what the attachment subscribed to, and in how much there is to read.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let byte = seed as u8;
        let subscriptions = match seed % 6 {
            0 => Subscriptions::NONE,
            1 => Subscriptions::ACCESSES,
            2 => Subscriptions::FLOWS,
            3 => Subscriptions::PREIMAGES,
            4 => Subscriptions::FLOWS.union(Subscriptions::FEES),
            _ => Subscriptions::ACCESSES.union(Subscriptions::FLOWS),
        };
        // Zero is an address and a key that random memory often holds.
        let mut state = MemoryState::default();
        let account = |balance: u64, word: u64| MemoryAccount {
            balance: U256::from(balance),
            code: Bytes::from(vec![byte; 3]),
            storage: [(U256::ZERO, U256::from(word))].into(),
        };
        state.pre_tx.insert(Address::ZERO, account(5, 7));
        state.now.insert(Address::ZERO, account(6, 8));
        for frame in 0..5 {
            let at = |fork, balance| (fork, MemoryAccounts::from([(Address::ZERO, account(balance, balance + 1))]));
            state.at.extend([
                at(Fork::BeforeFrame(frame), 10 + u64::from(frame)),
                at(Fork::AfterFrame(frame), 20 + u64::from(frame)),
            ]);
        }
        state.answers = answers();
        let (words, windows, entries) = if seed % 4 < 2 { kept(seed) } else { Default::default() };
        let mut case = Self {
            hooks: if seed % ATTACHMENT_IN == 5 { AT_ATTACHMENT } else { IN_TRANSACTION },
            trace: trace(seed),
            state: Forked(state),
            attachment: B256::repeat_byte(0xa7),
            accounts: vec![AccountRecord::default(), AccountRecord { address: [byte; 20].into() }],
            configuration: Bytes::from((0..100).map(|index| byte.wrapping_add(index)).collect::<Vec<u8>>()),
            subscriptions,
            store: Address::repeat_byte(0x5a),
            words,
            windows,
            entries,
        };
        case.keep();
        case
    }

    /// Puts the words and entries into the state.
    fn keep(&mut self) {
        let mut account = MemoryAccount::default();
        let words = self.words.iter().map(|(key, word)| (state_slot(self.attachment, key), *word));
        account.storage.extend(words);
        let windows = self.windows.iter().map(|(key, window)| (window_slot(self.attachment, key), window.to_word()));
        account.storage.extend(windows);
        let (mut overlay, mut empty) = (Overlay::default(), MemoryState::default());
        let mut words = OverlayWords { overlay: &mut overlay, view: &mut empty, account: self.store };
        for (key, value) in &self.entries {
            Entries::new(self.attachment, &mut words).set(key, value).expect("state in memory can be read");
        }
        for update in overlay.into_updates() {
            let word = update.ops.iter().fold(U256::ZERO, |word, op| op.apply(word).expect("it was accepted"));
            account.storage.insert(update.slot, word);
        }
        self.state.0.pre_tx.insert(self.store, account.clone());
        self.state.0.now.insert(self.store, account);
    }

    /// The ordered entries that an account's storage holds.
    pub(crate) fn entries_in(&self, account: MemoryAccount) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut overlay = Overlay::default();
        let mut state = MemoryState::unchanged([(self.store, account)].into());
        let mut words = OverlayWords { overlay: &mut overlay, view: &mut state, account: self.store };
        let mut entries = Entries::new(self.attachment, &mut words);
        let mut scan = Scan::new(Bound::Unbounded, Bound::Unbounded, Order::Ascending);
        std::iter::from_fn(|| scan.next(&mut entries).expect("what was settled is in order")).collect()
    }
}

/// What is kept before the transaction: keys that drawn modules ask for, too.
fn kept(seed: u64) -> (KeptWords, KeptWindows, KeptEntries) {
    let words = (0..4).map(|key| (vec![key; 4], U256::from(key) << 7)).collect();
    let entries =
        (0..6_u8).map(|key| (vec![key; usize::from(key % 3) + 1], vec![key; 40 * usize::from(key)])).collect();
    (words, windows(seed), entries)
}

/// Windows that some seconds ago held something: levels from none to the highest, times from none to too long.
fn windows(seed: u64) -> KeptWindows {
    let levels = [0_u64, 1, 20, 300, 5_000, 60_000].map(U256::from);
    let levels = [levels.as_slice(), &[U256::MAX >> 64, U256::from(1) << 191]].concat();
    let seconds = [0, 1, 7, 29, 59, 60, 61, 599, 1_000];
    let window = |index: u64| Window {
        level: levels[((seed / 4 + index) % levels.len() as u64) as usize],
        since: TIMESTAMP - seconds[((seed / 32 + index) % seconds.len() as u64) as usize],
    };
    (0..12).map(|index| (vec![(index % 3) as u8; 1 + (index / 3) as usize], window(index))).collect()
}

/// What static calls of the zero address answer, by calldata: its first byte says how they end.
fn answers() -> BTreeMap<(Fork, Address, Bytes), CallOutcome> {
    let answer = |fork, status, byte: u8| {
        let output = if status == CallStatus::Halted { Bytes::new() } else { Bytes::from(vec![byte; 70]) };
        let outcome = CallOutcome { status, output, gas_used: 100 + u64::from(byte) };
        ((fork, Address::ZERO, Bytes::from(vec![byte; 4])), outcome)
    };
    let statuses = [CallStatus::Succeeded, CallStatus::Reverted, CallStatus::Halted];
    let forks = [Fork::PreTx, Fork::Now, Fork::BeforeFrame(0), Fork::AfterFrame(1)];
    forks.into_iter().flat_map(|fork| (0..3).map(move |byte| answer(fork, statuses[usize::from(byte)], byte))).collect()
}

/// Frames of the case of a seed.
pub(crate) const fn frames(seed: u64) -> u64 {
    seed % 5
}

fn trace(seed: u64) -> Trace {
    let many = frames(seed) as u32;
    let words = |index: u32| Bytes::from(vec![index as u8 + 1; 40 * index as usize]);
    Trace {
        context: ContextRecord { chain_id: 1, block_number: seed, timestamp: TIMESTAMP, ..ContextRecord::default() },
        frames: (0..many).map(frame).collect(),
        inputs: (0..many).map(words).collect(),
        outputs: (0..many).map(|index| words(index + 1)).collect(),
        accesses: (0..many).map(|seq| AccessRecord { seq, ..AccessRecord::default() }).collect(),
        flows: (0..=many).map(|seq| flow(seq, if seq == many { FlowReason::Fee } else { FlowReason::Log })).collect(),
        fee_flows: 1,
        logs: (0..many).map(|seq| LogRecord { seq, topic_count: 2, ..LogRecord::default() }).collect(),
        log_data: (0..many).map(words).collect(),
        code_changes: (0..many).map(|seq| CodeChangeRecord { seq, ..CodeChangeRecord::default() }).collect(),
        slot_changes: (0..many)
            .map(|index| SlotChangeRecord { new: [index as u8; 32], ..SlotChangeRecord::default() })
            .collect(),
        preimages: (0..many).map(|seq| PreimageRecord { seq, key: [9; 32], ..PreimageRecord::default() }).collect(),
        authorizations: (0..many).map(|index| AuthorizationRecord { index, ..Default::default() }).collect(),
        delegates: (0..many).map(|frame| DelegateRecord { frame, ..DelegateRecord::default() }).collect(),
        ..Trace::default()
    }
}

/// All have ended but the third, [`RUNNING`].
fn frame(id: u32) -> FrameRecord {
    let status = if u64::from(id) == RUNNING { FrameStatus::Running } else { FrameStatus::Succeeded };
    FrameRecord { id, depth: id, status: status.into(), gas_limit: 77, ..FrameRecord::default() }
}

fn flow(seq: u32, reason: FlowReason) -> FlowRecord {
    FlowRecord { seq, reason: reason.into(), amount: [3; 32], ..FlowRecord::default() }
}
