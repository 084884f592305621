//! What is told of every block's execution, for whoever collects metrics. Where nobody does, this costs nothing.
//!
//! Invariant: what is measured decides nothing.

use std::time::Instant;

use cpu_time::ProcessTime;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use parapet_executor::RunReport;
use parapet_state::MemoryUse;
use parapet_types::ExecutedBlock;

const THREADS: &str = "parapet_executor_threads";
const BLOCKS: &str = "parapet_executor_blocks_total";
const TRANSACTIONS: &str = "parapet_executor_transactions_total";
const LEFT_OUT: &str = "parapet_executor_left_out_transactions_total";
const GAS: &str = "parapet_executor_gas_total";
const SPECULATED: &str = "parapet_executor_speculated_incarnations_total";
const SETTLED: &str = "parapet_executor_settled_incarnations_total";
const AS_ONE: &str = "parapet_executor_as_one_transactions_total";
const WAITS: &str = "parapet_executor_waits_total";
const HINTS_RIGHT: &str = "parapet_executor_right_hints_total";
const HINTS_WRONG: &str = "parapet_executor_wrong_hints_total";
const CONFLICTS: &str = "parapet_executor_conflicts_total";
const BLOCK_WALL: &str = "parapet_executor_block_wall_seconds";
const BLOCK_CPU: &str = "parapet_executor_block_cpu_seconds";
const BLOCK_TRANSACTIONS: &str = "parapet_executor_block_transactions";
const BLOCK_GAS: &str = "parapet_executor_block_gas";
const BLOCK_ACCOUNTS: &str = "parapet_executor_block_accounts";
const BLOCK_SLOTS: &str = "parapet_executor_block_slots";
const STORE_BLOCK_CACHE: &str = "parapet_store_block_cache_bytes";
const STORE_WRITE_BUFFER: &str = "parapet_store_write_buffer_bytes";
const STORE_TRIE: &str = "parapet_store_trie_bytes";
const STORE_RECENT: &str = "parapet_store_recent_blocks_bytes";
const STORE_VALUES: &str = "parapet_store_cached_values";
const STORE_VALUE_BYTES: &str = "parapet_store_value_bytes";
const STORE_LOG: &str = "parapet_store_log_bytes_total";
const STORE_FILES: &str = "parapet_store_file_bytes_total";
pub(crate) const PREFETCHED_TRANSACTIONS: &str = "parapet_prefetch_transactions_total";
pub(crate) const PREFETCHED_VALUES: &str = "parapet_prefetch_values_total";

/// Upper bounds of the buckets of histograms whose names end with `_seconds`.
pub const SECONDS_BUCKETS: [f64; 13] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];
/// Upper bounds of the buckets of histograms whose names end with `_gas`.
pub const GAS_BUCKETS: [f64; 10] = [21e3, 100e3, 300e3, 1e6, 3e6, 10e6, 30e6, 60e6, 100e6, 300e6];
/// Upper bounds of the buckets of histograms that count transactions, accounts or slots of a block.
pub const TRANSACTIONS_BUCKETS: [f64; 10] = [0.0, 1.0, 4.0, 16.0, 64.0, 256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0];

/// Tells the recorder that is installed what each metric means, and begins every count at zero.
pub fn describe_metrics() {
    describe_gauge!(THREADS, Unit::Count, "Threads that execute a block");
    describe_counter!(BLOCKS, Unit::Count, "Blocks executed, those that were then not kept included");
    describe_counter!(TRANSACTIONS, Unit::Count, "Transactions included in executed blocks");
    describe_counter!(LEFT_OUT, Unit::Count, "Candidates that a block could not include");
    describe_counter!(GAS, Unit::Count, "Gas used by executed blocks");
    describe_counter!(SPECULATED, Unit::Count, "Incarnations that ran ahead of the frontier");
    describe_counter!(SETTLED, Unit::Count, "Incarnations that ran at the frontier, on settled state");
    describe_counter!(AS_ONE, Unit::Count, "Transactions that ran as one stretch, as a sequential loop would run them");
    describe_counter!(WAITS, Unit::Count, "Times that a transaction was put off until another one had run");
    describe_counter!(HINTS_RIGHT, Unit::Count, "Guesses that a transaction needs another one, which it did");
    describe_counter!(HINTS_WRONG, Unit::Count, "Guesses that a transaction needs another one, which it did not");
    describe_counter!(CONFLICTS, Unit::Count, "Incarnations ahead of the frontier whose reads did not hold");
    describe_histogram!(BLOCK_WALL, Unit::Seconds, "Wall time of a block's execution");
    describe_histogram!(BLOCK_CPU, Unit::Seconds, "CPU time of the whole process during a block's execution");
    describe_histogram!(BLOCK_TRANSACTIONS, Unit::Count, "Transactions included in a block");
    describe_histogram!(BLOCK_GAS, Unit::Count, "Gas used by a block");
    describe_histogram!(BLOCK_ACCOUNTS, Unit::Count, "Accounts that a block met");
    describe_histogram!(BLOCK_SLOTS, Unit::Count, "Storage slots that a block met");
    describe_gauge!(STORE_BLOCK_CACHE, Unit::Bytes, "Pieces of the chain's files in memory");
    describe_gauge!(STORE_WRITE_BUFFER, Unit::Bytes, "What was written and is not in files yet");
    describe_gauge!(STORE_TRIE, Unit::Bytes, "Trie nodes in memory that blocks changed");
    describe_gauge!(STORE_RECENT, Unit::Bytes, "The newest blocks in memory, with their receipts");
    describe_gauge!(STORE_VALUES, Unit::Count, "Accounts and slots in memory that were read");
    describe_gauge!(STORE_VALUE_BYTES, Unit::Bytes, "The same in bytes, as their bound counts them");
    describe_counter!(STORE_LOG, Unit::Bytes, "Written to the write-ahead log");
    describe_counter!(STORE_FILES, Unit::Bytes, "Written to files, first and again");
    describe_counter!(PREFETCHED_TRANSACTIONS, Unit::Count, "Transactions for which it was looked what to read ahead");
    describe_counter!(
        PREFETCHED_VALUES,
        Unit::Count,
        "Accounts and slots that were read from the disk ahead of their use"
    );
    let ways = [SPECULATED, SETTLED, AS_ONE, WAITS, HINTS_RIGHT, HINTS_WRONG, CONFLICTS];
    for name in
        [BLOCKS, TRANSACTIONS, LEFT_OUT, GAS, PREFETCHED_TRANSACTIONS, PREFETCHED_VALUES].into_iter().chain(ways)
    {
        counter!(name).absolute(0);
    }
}

/// Tells what a kept chain takes of memory, and has written.
pub(crate) fn note_store(memory: &MemoryUse) {
    for (name, value) in [
        (STORE_BLOCK_CACHE, memory.block_cache_bytes),
        (STORE_WRITE_BUFFER, memory.write_buffer_bytes),
        (STORE_TRIE, memory.trie_bytes),
        (STORE_RECENT, memory.recent_bytes),
        (STORE_VALUES, memory.values),
        (STORE_VALUE_BYTES, memory.value_bytes),
    ] {
        gauge!(name).set(value as f64);
    }
    counter!(STORE_LOG).absolute(memory.log_bytes_written);
    counter!(STORE_FILES).absolute(memory.file_bytes_written);
}

/// Tells how many threads there are.
pub(crate) fn note_threads(threads: usize) {
    gauge!(THREADS).set(threads as f64);
}

/// Measures one block.
#[derive(Debug)]
pub(crate) struct Measuring {
    wall: Instant,
    /// `None` where the system does not tell.
    cpu: Option<ProcessTime>,
}

impl Measuring {
    pub(crate) fn start() -> Self {
        Self { wall: Instant::now(), cpu: ProcessTime::try_now().ok() }
    }

    /// The block has been executed.
    pub(crate) fn end<E>(self, report: &RunReport, executed: &ExecutedBlock<E>) {
        histogram!(BLOCK_WALL).record(self.wall.elapsed());
        if let Some(cpu) = self.cpu.and_then(|start| start.try_elapsed().ok()) {
            histogram!(BLOCK_CPU).record(cpu);
        }
        counter!(BLOCKS).increment(1);
        counter!(TRANSACTIONS).increment(count(executed.included.len()));
        counter!(LEFT_OUT).increment(count(executed.left_out.len()));
        counter!(GAS).increment(executed.gas_used);
        counter!(SPECULATED).increment(report.speculated);
        counter!(SETTLED).increment(report.settled);
        counter!(AS_ONE).increment(report.as_one);
        counter!(WAITS).increment(report.waits);
        counter!(HINTS_RIGHT).increment(report.hints_right);
        counter!(HINTS_WRONG).increment(report.hints_wrong);
        counter!(CONFLICTS).increment(report.conflicts.iter().map(|(_, _, times)| times).sum());
        histogram!(BLOCK_TRANSACTIONS).record(executed.included.len() as f64);
        histogram!(BLOCK_GAS).record(executed.gas_used as f64);
        histogram!(BLOCK_ACCOUNTS).record(report.accounts as f64);
        histogram!(BLOCK_SLOTS).record(report.slots as f64);
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
