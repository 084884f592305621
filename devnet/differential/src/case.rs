//! What a generated guard judges: one transaction, rich enough that every host call has something to answer.

use alloy_primitives::{Address, B256, Bytes, U256};
use parapet_abi::{
    AccessRecord, AccountRecord, CodeChangeRecord, ContextRecord, FlowRecord, FrameRecord, LogRecord, SlotChangeRecord,
};
use parapet_monitor::{MemoryAccount, MemoryState, Subscriptions, Trace};

/// A transaction, the state around it, and the attachment that judges it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is recorded.
    pub trace: Trace,
    /// State before and after.
    pub state: MemoryState,
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
}

impl Case {
    /// One of the cases: they differ in what the attachment subscribed to, and in how much there is to read.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let byte = seed as u8;
        let subscriptions = match seed % 4 {
            0 => Subscriptions::NONE,
            1 => Subscriptions::ACCESSES,
            2 => Subscriptions::FLOWS,
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
        Self {
            trace: trace(seed),
            state,
            attachment: B256::repeat_byte(0xa7),
            accounts: vec![AccountRecord::default(), AccountRecord { address: [byte; 20].into() }],
            configuration: Bytes::from((0..100).map(|index| byte.wrapping_add(index)).collect::<Vec<u8>>()),
            subscriptions,
            store: Address::repeat_byte(0x5a),
        }
    }
}

fn trace(seed: u64) -> Trace {
    let many = (seed % 5) as u32;
    let words = |index: u32| Bytes::from(vec![index as u8 + 1; 40 * index as usize]);
    Trace {
        context: ContextRecord { chain_id: 1, block_number: seed, timestamp: 1_000, ..ContextRecord::default() },
        frames: (0..many).map(|id| FrameRecord { id, depth: id, gas_limit: seed, ..FrameRecord::default() }).collect(),
        inputs: (0..many).map(words).collect(),
        outputs: (0..many).map(|index| words(index + 1)).collect(),
        accesses: (0..many).map(|seq| AccessRecord { seq, ..AccessRecord::default() }).collect(),
        flows: (0..many).map(|seq| FlowRecord { seq, amount: [3; 32], ..FlowRecord::default() }).collect(),
        logs: (0..many).map(|seq| LogRecord { seq, topic_count: 2, ..LogRecord::default() }).collect(),
        log_data: (0..many).map(words).collect(),
        code_changes: (0..many).map(|seq| CodeChangeRecord { seq, ..CodeChangeRecord::default() }).collect(),
        slot_changes: (0..many)
            .map(|index| SlotChangeRecord { new: [index as u8; 32], ..SlotChangeRecord::default() })
            .collect(),
        ..Trace::default()
    }
}
