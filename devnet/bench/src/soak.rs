//! Many blocks on the same workers, each of accounts, code and calls that no block had before: whether what workers keep
//! from block to block, and what a block takes while it runs, stay within bounds.
//!
//! What is live is counted by whoever allocates, and handed in. What workers learn is dropped when there is too much of
//! it, so that the amount goes up and down, with peaks that depend on the hashes drawn: thirds of the run are compared by
//! their means.

use std::{io::Write, num::NonZeroUsize};

use alloy_consensus::{SignableTransaction as _, TxEnvelope, TxLegacy, transaction::Recovered};
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256, keccak256};
use parapet_executor::{Mode, Workers, run_block};
use parapet_monitor::NoMonitor;
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, BlockContext, ChainParams, ExecutionLimits, FlatState, GuardParams,
    Hardfork, StateChanges, Transaction,
};
use peak_alloc::PeakAlloc;
use serde::Serialize;

use crate::{BenchError, Case};

/// Transactions of each kind in a block.
const EACH: u64 = 16;
/// Runs before anything is recorded: buffers have grown to what such blocks need.
const WARM_UP: usize = 50;
/// How often progress is told.
const REPORTS: usize = 10;
/// How much higher the last third may be than the one before, in percent: tables keep the room they once needed, and how
/// much that is depends on hashes.
const GROWTH_PERCENT_MAX: usize = 5;
const CHAIN_ID: u64 = 1;
const GAS_LIMIT: u64 = 30_000_000;
/// In wei per gas.
const BASE_FEE: u64 = 7;
/// Adds one to slot 0: PUSH0 SLOAD PUSH1 1 ADD PUSH0 SSTORE STOP.
const INCREMENT: [u8; 8] = [0x5f, 0x54, 0x60, 0x01, 0x01, 0x5f, 0x55, 0x00];

/// Counts what is allocated.
pub trait Memory {
    /// Bytes that are allocated now.
    fn live_bytes(&self) -> usize;

    /// The most that were at once since it was last asked.
    fn take_peak_bytes(&self) -> usize;
}

impl Memory for PeakAlloc {
    fn live_bytes(&self) -> usize {
        self.current_usage()
    }

    fn take_peak_bytes(&self) -> usize {
        let peak = self.peak_usage();
        self.reset_peak_usage();
        peak
    }
}

/// What a run came to. Bytes are those that the allocator handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Soaked {
    /// Blocks executed.
    pub blocks: usize,
    /// Transactions in them.
    pub transactions: usize,
    /// Live between blocks, on average, by thirds of the run.
    pub live_bytes_mean: [usize; 3],
    /// The same, at most.
    pub live_bytes_max: [usize; 3],
    /// The most that a block took while it ran, beyond what was live before it: its state and transactions are not in it.
    pub block_bytes_max: usize,
    /// Accounts and slots that such a block meets, at most.
    pub cells_max: usize,
}

impl Soaked {
    /// Whether more was live in the last third of the run than in the one before.
    #[must_use]
    pub const fn grew(&self) -> bool {
        let [_, before, last] = self.live_bytes_mean;
        last * 100 > before * (100 + GROWTH_PERCENT_MAX)
    }
}

/// Executes so many blocks. Progress is told line by line.
///
/// # Errors
/// [`BenchError`] where a block cannot be executed, or a transaction of it fails.
pub fn run(
    blocks: NonZeroUsize,
    workers: &Workers,
    memory: &dyn Memory,
    progress: &mut dyn Write,
) -> Result<Soaked, BenchError> {
    let blocks = blocks.get();
    let mut soaked = Soaked { blocks, ..Soaked::default() };
    let mut sums = [(0, 0); 3];
    for number in 0..WARM_UP + blocks {
        // The block's own state and transactions are dropped before anything is counted.
        let Block { transactions, cells, bytes } = execute(number as u64, workers, memory)?;
        let Some(number) = number.checked_sub(WARM_UP) else { continue };
        let live = memory.live_bytes();
        let third = (number * 3 / blocks).min(2);
        let (sum, count) = &mut sums[third];
        (*sum, *count) = (*sum + live, *count + 1);
        soaked.live_bytes_max[third] = soaked.live_bytes_max[third].max(live);
        soaked.block_bytes_max = soaked.block_bytes_max.max(bytes);
        soaked.cells_max = soaked.cells_max.max(cells);
        soaked.transactions += transactions;
        if (number + 1).is_multiple_of(blocks.div_ceil(REPORTS)) {
            writeln!(
                progress,
                "{} blocks: {live} bytes live between blocks, {bytes} while the last one ran",
                number + 1
            )?;
        }
    }
    soaked.live_bytes_mean = sums.map(|(sum, count): (usize, usize)| sum.checked_div(count).unwrap_or_default());
    Ok(soaked)
}

/// What one block came to.
struct Block {
    transactions: usize,
    cells: usize,
    bytes: usize,
}

fn execute(number: u64, workers: &Workers, memory: &dyn Memory) -> Result<Block, BenchError> {
    let case = block(number);
    let before = memory.live_bytes();
    memory.take_peak_bytes();
    let run = run_block(&case.input(), &NoMonitor, Mode::Parallel(workers))?;
    let bytes = memory.take_peak_bytes().saturating_sub(before);
    let cells = run.report().map_or(0, |report| report.accounts + report.slots);
    let transactions = case.transactions.len();
    match run.executed().filter(|executed| executed.succeeded()).count() {
        succeeded if succeeded == transactions => Ok(Block { transactions, cells, bytes }),
        succeeded => Err(BenchError::Disagreement {
            workload: format!("block {number} of the soak"),
            side: "the parallel executor".to_owned(),
            difference: format!("{} transactions, which failed", transactions - succeeded),
        }),
    }
}

/// A block of which no other has anything but the fee recipient: transfers, calls of contracts with code of their own,
/// calls of functions of one contract, creations.
fn block(number: u64) -> Case {
    let mut genesis = StateChanges::default();
    let mut transactions = Vec::new();
    let common = put(&mut genesis, name(number, "common"), &INCREMENT, 0);
    for index in 0..EACH {
        let of = |what: &str| name(number * EACH + index, what);
        let tag = keccak256((number * EACH + index).to_be_bytes());
        // Never run: what makes the code another one.
        let code = [&INCREMENT[..], &tag[..]].concat();
        let own = put(&mut genesis, of("contract"), &code, 0);
        let calls = [
            (TxKind::Call(of("recipient")), 1, Bytes::new()),
            (TxKind::Call(own), 0, Bytes::copy_from_slice(&tag[..4])),
            (TxKind::Call(common), 0, Bytes::copy_from_slice(&tag[4..8])),
            (TxKind::Create, 0, creation(&code)),
        ];
        for (kind, (to, value, input)) in calls.into_iter().enumerate() {
            let sender = put(&mut genesis, of(["a", "b", "c", "d"][kind]), &[], 1_000_000_000);
            transactions.push(transaction(sender, to, value, input));
        }
    }
    let params = ChainParams {
        chain_id: CHAIN_ID,
        hardfork: Hardfork::Cancun,
        block_gas_limit: GAS_LIMIT,
        guards: GuardParams::DEFAULT,
        deposit_contract: ChainParams::MAINNET_DEPOSITS,
        limits: ExecutionLimits::ETHEREUM,
    };
    let block = BlockContext {
        number: number + 1,
        timestamp: number + 1,
        beneficiary: Address::repeat_byte(0xfe),
        gas_limit: GAS_LIMIT,
        base_fee: BASE_FEE,
        excess_blob_gas: Some(0),
        ..BlockContext::default()
    };
    let (state, ancestors) = (FlatState::from(&genesis), Ancestors::new());
    let name = format!("soak-{number}");
    Case { name, params, state, ancestors, block, transactions, signed: Vec::new() }
}

fn name(number: u64, what: &str) -> Address {
    Address::from_word(keccak256([&number.to_be_bytes()[..], what.as_bytes()].concat()))
}

fn put(genesis: &mut StateChanges, address: Address, code: &[u8], balance: u64) -> Address {
    let code_hash = keccak256(code);
    genesis.code.insert(code_hash, Bytes::copy_from_slice(code));
    let info = AccountInfo { nonce: 0, balance: U256::from(balance), code_hash };
    genesis.accounts.insert(address, AccountChange { info: Some(info), ..AccountChange::default() });
    address
}

/// Init code that leaves this code: it copies what follows it to memory and returns that.
fn creation(code: &[u8]) -> Bytes {
    let length = u8::try_from(code.len()).expect("the codes here are short");
    // PUSH1 length, DUP1, PUSH1 9, PUSH0, CODECOPY, PUSH0, RETURN: nine bytes with the operands.
    let head = [0x60, length, 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3];
    [&head[..], code].concat().into()
}

fn transaction(sender: Address, to: TxKind, value: u64, input: Bytes) -> Transaction {
    let (chain_id, gas_limit, value) = (Some(CHAIN_ID), 200_000, U256::from(value));
    let transaction = TxLegacy { chain_id, nonce: 0, gas_price: u128::from(BASE_FEE) + 1, gas_limit, to, value, input };
    let envelope = TxEnvelope::Legacy(transaction.into_signed(Signature::test_signature()));
    Recovered::new_unchecked(envelope, sender)
}
