//! Optimistic execution, settled in order.
//!
//! ```text
//!            plan ──▶ claim ──▶ run ahead ──▶ done ─┐
//! frontier ──────────────────────────────────────▶ settle in order: reads hold? else run again, on settled state
//! ```
//!
//! Every thread is a worker ([`worker`]), in the loop of [`crew`]. Whoever holds the frontier ([`frontier`]) settles what is done, in order, and
//! runs the next transaction itself if nobody has; so a block is never slower than one after the other by more than the
//! bookkeeping, and no transaction runs more than twice. What is run ahead reads the versioned memory ([`memory`]) and
//! writes to it what it would do; its reads are compared when its turn comes ([`reads`]). What will conflict is guessed
//! ([`plan`]); a stretch in which one transaction leads to the next is run on one journal, as a sequential loop would.

pub(crate) mod account;
mod ahead;
mod arena;
mod authorities;
#[cfg(test)]
mod bare;
mod chain;
mod codes;
mod crew;
mod frontier;
mod incarnation;
mod kept;
mod listed;
mod marks;
mod memory;
mod place;
mod plan;
mod planner;
mod profile;
mod queue;
mod reader;
mod reads;
mod report;
mod schedule;
mod slot;
mod stretch;
mod table;
mod transfer;
mod worker;

use std::{
    any::Any,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use alloy_consensus::Transaction as _;
use alloy_eip7928::BlockAccessList;
use alloy_eips::eip7685::Requests;
use parapet_monitor::{Monitor, Watchlist};
use parapet_types::{JudgedAct, ReadError, StateChanges, Transaction};
use revm::{
    context::{BlockEnv, TxEnv},
    context_interface::either::Either,
    state::EvmState,
};

use crate::{
    BlockError, BlockInput, ChainRules, Point, Workers,
    access_list::Recording,
    block::Extent,
    environment::{block_env, tx_env},
    lookout::Named,
    progress::Progress,
    sync::Mutex,
    system,
    workers::Lent,
};
pub(crate) use codes::Codes;
pub(crate) use memory::{Cells, Memory};
pub(crate) use profile::Profile;
pub use report::RunReport;

use ahead::{ahead_max, lag_max, narrow, useful_threads};
use authorities::Authorities;
use crew::Unfinished;
use frontier::Frontier;
use incarnation::{Incarnation, publish};
use listed::Listed;
use reader::Reader;
use report::Counts;
use schedule::Schedule;
use slot::AccountIndex;
use transfer::TransferRules;
use worker::{FIRST_SYSTEM_VERSION, Worker, look_out, version};

/// What all threads of a block share.
pub(crate) struct Block<'a> {
    input: &'a BlockInput<'a>,
    extent: Extent,
    authorities: Authorities<'a>,
    memory: Memory<'a>,
    schedule: Schedule,
    /// What ran ahead and is not settled, by the transaction's index modulo their number.
    slots: Vec<Mutex<Option<Box<Incarnation>>>>,
    frontier: Mutex<Frontier>,
    transfers: TransferRules,
    beneficiary: AccountIndex,
    report: Counts,
    failure: Mutex<Option<BlockError>>,
    /// Whom the monitor waits for as the block starts: what meets one of them is not cheap.
    watched: OnceLock<Watched>,
}

/// Whom the monitor waits for.
#[derive(Debug)]
enum Watched {
    Nobody,
    Listed(Arc<Watchlist>),
    /// Perhaps everybody.
    Unknown,
}

impl Block<'_> {
    /// A transaction as the EVM sees it.
    fn tx_env(&self, index: u32) -> TxEnv {
        let mut tx = tx_env(&self.input.transactions[index as usize]);
        if let Some(recovered) = self.authorities.recovered(index) {
            tx.authorization_list = recovered.cloned().map(Either::Right).collect();
        }
        tx
    }

    /// Whether a transaction may be judged. That is a guess: the list is that of the block's start.
    fn may_be_judged(&self, transaction: &Transaction) -> bool {
        match self.watched.get() {
            Some(Watched::Nobody) => false,
            Some(Watched::Unknown) | None => true,
            Some(Watched::Listed(list)) => {
                let to = transaction.kind();
                Named::of(transaction, &to).meets(list, &self.input.at.block.beneficiary)
            }
        }
    }

    /// Where a transaction that ran ahead leaves its incarnation.
    fn slot(&self, index: u32) -> &Mutex<Option<Box<Incarnation>>> {
        &self.slots[index as usize % self.slots.len()]
    }

    /// The first failure ends the block for everybody.
    fn fail(&self, error: BlockError) {
        self.failure.lock().get_or_insert(error);
        self.schedule.end();
    }
}

/// A block that ran, with the memory that holds what it wrote.
pub(crate) struct ParallelRun<'a> {
    pub(crate) progress: Progress,
    pub(crate) requests: Requests,
    /// What attachments said of what the chain itself did.
    pub(crate) chain_acts: Vec<JudgedAct>,
    pub(crate) report: RunReport,
    recording: Option<Recording>,
    at: Point<'a>,
    /// What is not in the memory yet, and the number of transactions below it.
    tail: EvmState,
    transactions: u32,
    lent: Lent,
    codes: Arc<Codes>,
}

impl ParallelRun<'_> {
    /// What the versioned memory has taken of the system, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.lent.cells().bytes()
    }

    /// The block's access list, if it was recorded.
    pub(crate) fn take_access_list(&mut self) -> Result<Option<BlockAccessList>, ReadError> {
        let Some(recording) = self.recording.take() else { return Ok(None) };
        let memory = Memory::new(&self.at, self.lent.cells(), Arc::clone(&self.codes));
        recording.finish(|code_hash| Ok(memory.code(code_hash)?.original_bytes())).map(Some)
    }

    /// What the block does to state.
    pub(crate) fn changes(&self) -> Result<StateChanges, ReadError> {
        let memory = Memory::new(&self.at, self.lent.cells(), Arc::clone(&self.codes));
        let mut reader = Reader::new(&memory);
        let last = version(self.transactions);
        reader.settle(last);
        publish(self.tail.iter(), &mut reader, &[], last)?.touch(&memory);
        memory.changes()
    }
}

/// Executes a block on the threads of `workers`.
pub(crate) fn run<'a>(
    input: &BlockInput<'a>,
    monitor: &dyn Monitor,
    workers: &Workers,
    extent: Extent,
) -> Result<ParallelRun<'a>, BlockError> {
    let gas_limits = input.transactions.iter().map(|transaction| transaction.gas_limit());
    let threads = useful_threads(gas_limits.clone(), workers.threads().get());
    let lent = workers.lend();
    let (rules, env) = (ChainRules::of(input.at.params), block_env(input.at.params, input.at.block));
    let mut memory = Memory::new(&input.at, lent.cells(), Arc::clone(workers.codes()));
    memory.listed = Listed::new(input.access_list, &memory);
    let profile = mem::take(&mut *workers.profile().lock());
    let mut block = Block {
        schedule: Schedule::new(gas_limits, threads, lag_max(threads)),
        slots: (0..ahead_max(threads).min(input.transactions.len())).map(|_| Mutex::new(None)).collect(),
        frontier: Mutex::new(Frontier::new(
            profile,
            Progress::new(&input.at, input.transactions.len()),
            input.transactions.len(),
            threads,
        )),
        transfers: TransferRules::new(&rules.cfg, &env),
        beneficiary: memory.account_index(input.at.block.beneficiary),
        report: Counts::default(),
        failure: Mutex::new(None),
        authorities: Authorities::new(input.transactions),
        watched: OnceLock::new(),
        memory,
        input,
        extent,
    };
    let ended = on_threads(&block, (&rules, &env), monitor, workers, threads);
    let frontier = block.frontier.into_inner();
    let report = block.report.report(block.memory.met(), block.schedule.waits(), frontier.hints);
    let transactions = block.schedule.len();
    let recording = block.memory.listed.take();
    let (progress, profile, tail) = frontier.into_parts();
    *workers.profile().lock() = profile;
    let (requests, chain_acts) = ended?;
    Ok(ParallelRun {
        progress,
        requests,
        chain_acts,
        report,
        recording,
        at: input.at,
        tail,
        transactions,
        lent,
        codes: Arc::clone(workers.codes()),
    })
}

/// What the chain does itself runs on the calling thread, before and after the others work.
fn on_threads(
    block: &Block<'_>,
    (rules, env): (&ChainRules, &BlockEnv),
    monitor: &dyn Monitor,
    workers: &Workers,
    threads: usize,
) -> Result<(Requests, Vec<JudgedAct>), BlockError> {
    let at = &block.input.at;
    // It is held before anybody else is on the way: whoever had it now would settle transactions on a state that lacks
    // what the chain does before them.
    let frontier = block.frontier.lock();
    let begin = || {
        let unfinished = Unfinished(&block.schedule);
        let mut first = Worker::new(block, 0, (rules.clone(), env.clone()), monitor);
        first.session.learn(workers.lend_experience());
        first.reader().settle(FIRST_SYSTEM_VERSION);
        system::before(&mut first.session, at, block.extent)?;
        block.watched.get_or_init(|| first.watched());
        mem::forget(unfinished);
        work(block, &mut first, |first| crew::begin(first, frontier));
        workers.keep_experience(first.session.take_experience());
        Ok::<_, BlockError>(first)
    };
    let mut first = match workers.pool().filter(|_| threads > 1) {
        None => begin()?,
        Some(pool) => {
            let inside = &AtomicUsize::new(threads - 1);
            pool.in_place_scope(|scope| {
                for id in 1..narrow(threads) {
                    scope.spawn(move |_| {
                        let mut helper = Worker::new(block, id, (rules.clone(), env.clone()), monitor);
                        helper.session.learn(workers.lend_experience());
                        work(block, &mut helper, crew::work);
                        workers.keep_experience(helper.session.take_experience());
                        drop(helper);
                        inside.fetch_sub(1, Ordering::Release);
                    });
                }
                let done = begin();
                // Who lies down to wait for the others sleeps longer than they take to leave.
                look_out(|| inside.load(Ordering::Acquire) == 0);
                done
            })?
        }
    };
    if let Some(failure) = block.failure.lock().take() {
        return Err(failure);
    }
    first.reader().settle(version(block.schedule.len()));
    let mut frontier = block.frontier.lock();
    frontier.pay(block)?;
    first.reader().tail = frontier.tail.take().unwrap_or_default();
    block.memory.listed.after(frontier.progress.included.len());
    let logs = frontier.progress.included.iter().flat_map(|placed| &placed.executed.logs);
    let requests = system::after(&mut first.session, at, block.extent, logs)?;
    frontier.tail = Some(mem::take(&mut first.reader().tail));
    Ok((requests, first.session.take_chain_acts()))
}

/// One worker's part. Whatever ends it early ends the block.
fn work<'a>(block: &Block<'_>, worker: &mut Worker<'a>, part: impl FnOnce(&mut Worker<'a>) -> Result<(), BlockError>) {
    let working = || {
        block.authorities.recover();
        part(worker)
    };
    match catch_unwind(AssertUnwindSafe(working)) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => block.fail(error),
        Err(panic) => block.fail(BlockError::Panicked(panic_words(&*panic))),
    }
    block.report.add(worker.tally);
}

/// What a panic said.
pub(crate) fn panic_words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".to_owned())
}
