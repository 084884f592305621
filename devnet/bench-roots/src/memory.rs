//! What a long chain takes of memory, and how often its bytes are written.

use std::{io::Write, num::NonZeroU64, path::Path, time::Instant};

use alloy_consensus::{
    Eip658Value, Header, Receipt, ReceiptEnvelope, Sealed, SignableTransaction as _, TxEip1559, TxEnvelope,
};
use alloy_primitives::{Bytes, Signature, TxKind, U256};
use parapet_monitor::Fuel;
use parapet_state::{ChainStore, MemoryUse, StoreSettings, StoredBlock, WorldState};
use parapet_types::{AccountChange, AccountInfo, Destiny, Executed, StateChanges, Transaction};
use serde::Serialize;

use crate::{
    disk::{chain, written},
    error::BenchError,
    roots::address,
};

/// Accounts among which they are spread; each has a slot that they write.
const ACCOUNTS: u64 = 1_000_000;
/// Points of the curve.
const POINTS: u64 = 20;

/// How long a chain is, and of what blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Length {
    /// Transactions, rounded up to whole blocks.
    pub(crate) transactions: u64,
    /// Transactions of a block.
    pub(crate) per_block: NonZeroU64,
}

/// A point of the curve.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Point {
    /// Transactions so far.
    pub(crate) transactions: u64,
    /// Memory of the process, in bytes, where the system tells.
    pub(crate) process_bytes: Option<u64>,
    /// Pieces of files, trie nodes, values read, what is to be written, recent blocks: what settings bound.
    pub(crate) bounded_bytes: u64,
    /// Seconds since the chain began.
    pub(crate) seconds: f64,
    /// Keys and values as the store gave them.
    pub(crate) user_bytes: u64,
    /// Written to the log, which is each byte once.
    pub(crate) log_bytes: u64,
    /// Written to files, first and again.
    pub(crate) file_bytes: u64,
    /// What the folder holds.
    pub(crate) folder_bytes: u64,
}

impl Point {
    /// How often a byte was written.
    pub(crate) fn write_amplification(&self) -> f64 {
        (self.log_bytes + self.file_bytes) as f64 / self.user_bytes.max(1) as f64
    }
}

/// Writes a chain and looks at memory on the way.
pub(crate) fn run(
    length: Length,
    settings: StoreSettings,
    progress: &mut impl Write,
) -> Result<Vec<Point>, BenchError> {
    let Length { transactions, per_block } = length;
    writeln!(progress, "a chain of {transactions} transactions …")?;
    let (dir, began) = (tempfile::tempdir()?, Instant::now());
    let mut store = chain(dir.path(), WorldState::new(), settings)?;
    let blocks = transactions.div_ceil(per_block.get());
    let every = blocks.div_ceil(POINTS);
    let mut points = Vec::new();
    for number in 1..=blocks {
        append(&mut store, number, per_block.get())?;
        if number.is_multiple_of(every) || number == blocks {
            let used = written(&store)?;
            let point = Point {
                transactions: number * per_block.get(),
                process_bytes: process_bytes(),
                bounded_bytes: bounded(&used),
                seconds: began.elapsed().as_secs_f64(),
                user_bytes: used.user_bytes_written,
                log_bytes: used.log_bytes_written,
                file_bytes: used.file_bytes_written,
                folder_bytes: folder_bytes(&dir.path().join("chain"))?,
            };
            writeln!(progress, "{point:?}")?;
            points.push(point);
        }
    }
    Ok(points)
}

/// What settings bound.
const fn bounded(used: &MemoryUse) -> u64 {
    used.block_cache_bytes + used.trie_bytes + used.value_bytes + used.write_buffer_bytes + used.recent_bytes
}

fn append(store: &mut ChainStore, number: u64, per_block: u64) -> Result<(), BenchError> {
    let (head, before) = (store.head(), store.head_world());
    let mut changes = StateChanges::default();
    let mut transactions = Vec::new();
    for index in 0..per_block {
        let drawn = (number * per_block + index).wrapping_mul(0x9e37_79b9_7f4a_7c15) % ACCOUNTS;
        let of = address(usize::try_from(drawn).expect("below a million"));
        let nonce = before.account(&of)?.unwrap_or_default().nonce;
        let info = AccountInfo { nonce: nonce + 1, balance: U256::from(number), ..AccountInfo::default() };
        let storage = [(U256::from(index % 4), U256::from(number))].into();
        changes.accounts.insert(of, AccountChange { info: Some(info), wipe_storage: false, storage });
        let call = TxEip1559 { chain_id: 1, nonce, to: TxKind::Call(of), ..TxEip1559::default() };
        let signed = TxEnvelope::from(call.into_signed(Signature::test_signature()));
        transactions.push(Transaction::new_unchecked(signed, of));
    }
    let world = before.apply(&changes)?;
    let header = Header { parent_hash: head.hash(), number, state_root: world.root(), ..Header::default() };
    let block = StoredBlock {
        header: Sealed::new(header),
        receipts: (1..=per_block).map(receipt).collect(),
        executed: transactions.iter().map(|_| executed()).collect(),
        transactions,
        withdrawals: None,
        ommers: Vec::new(),
        chain_acts: Vec::new(),
    };
    store.commit(block, world)?;
    Ok(())
}

fn receipt(index: u64) -> ReceiptEnvelope {
    let receipt = Receipt { status: Eip658Value::Eip658(true), cumulative_gas_used: 21_000 * index, logs: Vec::new() };
    ReceiptEnvelope::Eip1559(receipt.with_bloom())
}

fn executed() -> Executed {
    Executed {
        destiny: Destiny::Succeeded,
        gas_used: 21_000,
        guard_gas_used: 0,
        guard_fuel: Fuel(0),
        output: Bytes::new(),
        logs: Vec::new(),
        created: None,
        verdicts: Vec::new(),
    }
}

/// Resident memory of this process.
fn process_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1_024)
}

/// Bytes of a folder's files. The database removes files while it is looked at.
fn folder_bytes(folder: &Path) -> Result<u64, BenchError> {
    let lengths = std::fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len()));
    Ok(lengths.sum())
}

#[cfg(test)]
mod tests {
    use parapet_state::SyncMode;

    use super::*;

    /// So little that a short chain needs more than it is allowed: nothing of it would be dropped otherwise.
    const BOUND: usize = 24 * 1_024 * 1_024;

    #[test]
    fn a_chain_is_written_within_the_bounds_of_memory() {
        let settings = StoreSettings { sync: SyncMode::System, ..StoreSettings::with_memory(BOUND) };
        let length = Length { transactions: 20_000, per_block: NonZeroU64::new(200).expect("it is above zero") };
        let points = run(length, settings, &mut std::io::sink()).expect("there is room for a short chain");
        assert_eq!(points.len() as u64, POINTS);
        assert!(points.iter().all(|point| point.bounded_bytes <= BOUND as u64), "{points:?}");
        let written = points.last().map_or(0, |point| point.user_bytes);
        assert!(written > BOUND as u64, "the chain is longer than what memory holds of it: {points:?}");
        assert!(points.windows(2).all(|pair| pair[0].log_bytes < pair[1].log_bytes), "{points:?}");
    }
}
