//! The one entry point through which every block is executed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use alloy_consensus::{Eip658Value, Receipt, ReceiptEnvelope, TxType};
use alloy_eips::eip7685::Requests;
use alloy_primitives::{B256, Log};
use parapet_monitor::{Monitor, StateUpdate};
use parapet_types::{
    Ancestors, BlockContext, ChainParams, Executed, ExecutedBlock, Hardfork, Included, JudgedAct, LeftOut, REGISTRY,
    ReadError, StateChanges, StateReader, Transaction,
};
use revm::{inspector::NoOpInspector, state::EvmState};

use crate::{
    BlockError, ChainRules, Listing, Overlay, RunReport, Session, TxError, Workers, access_list,
    environment::{block_env, tx_env},
    identity::Identity,
    outcome::Outcome,
    parallel::{self, ParallelRun},
    progress::Progress,
    system,
};

/// How a block's transactions are run.
#[derive(Clone, Copy, Debug)]
pub enum Mode<'a> {
    /// One after the other on one EVM: the oracle.
    Sequential,
    /// Speculatively on several threads, committed in order; before Byzantium, where each receipt holds the state root after
    /// its transaction, as [`Mode::Sequential`].
    Parallel(&'a Workers),
}

/// What becomes of a transaction that cannot be included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is left out: a block is being built.
    Build,
    /// It is left out, and so is one that needs state that cannot be read: a block is being built, and what lies below is
    /// partly out of reach. Only [`Mode::Sequential`] knows whose transaction it is that needs it; else the block fails.
    Salvage,
    /// It fails the block: the block was built elsewhere.
    Import,
}

/// Where something is executed: on a state, in a block, by a chain's rules.
#[derive(Clone, Copy)]
pub struct Point<'a> {
    /// The chain's parameters.
    pub params: &'a ChainParams,
    /// State below: after the parent, or wherever a simulation starts.
    pub world: &'a dyn StateReader,
    /// Hashes for BLOCKHASH.
    pub ancestors: &'a Ancestors,
    /// What the block's header fixes.
    pub block: &'a BlockContext,
}

/// Everything a block's execution depends on.
#[derive(Clone, Copy)]
pub struct BlockInput<'a> {
    /// Where.
    pub at: Point<'a>,
    /// Candidates in order.
    pub transactions: &'a [Transaction],
    /// What becomes of those that cannot be included.
    pub admission: Admission,
    /// What becomes of the block's access list.
    pub access_list: Listing<'a>,
    /// When to stop, if ever; what is not settled by then is left out.
    pub deadline: Option<&'a dyn Deadline>,
}

/// Says when a block must be finished. It is asked once for each candidate, in order, when its turn to be settled comes,
/// until it has passed; so wherever it cuts, every mode cuts at the same transaction if the answers are the same.
pub trait Deadline: Send + Sync {
    /// Whether neither this candidate nor any after it may be taken.
    fn has_passed(&self, candidate: usize) -> bool;
}

/// Executes a block, each transaction judged by the monitor before it is committed.
///
/// # Errors
/// [`BlockError`] when the block as a whole cannot be executed; with [`Admission::Build`] no transaction can cause it.
pub fn execute_block(
    input: &BlockInput<'_>,
    monitor: &dyn Monitor,
    mode: Mode<'_>,
) -> Result<ExecutedBlock<TxError>, BlockError> {
    run_block(input, monitor, mode)?.finish()
}

/// Executes transactions as [`execute_block`] does, and nothing of what the chain itself does in a block: no system
/// calls, no requests, no withdrawals. For tests of transactions that have no block.
///
/// # Errors
/// As [`execute_block`].
pub fn execute_transactions(
    input: &BlockInput<'_>,
    monitor: &dyn Monitor,
    mode: Mode<'_>,
) -> Result<ExecutedBlock<TxError>, BlockError> {
    run(input, monitor, mode, Extent::Transactions)?.finish()
}

/// How much of a block is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it.
    Block,
    /// Its transactions alone, without what the chain itself does before and after them.
    Transactions,
}

/// A block whose transactions have run: what they did is fixed; receipts and the change set in order are still to be
/// drawn from it. Apart from [`execute_block`] for measurements, and for those who ask how it went.
pub struct BlockRun<'a> {
    input: BlockInput<'a>,
    run: Run<'a>,
}

enum Run<'a> {
    Sequential { progress: Progress, requests: Requests, chain_acts: Vec<JudgedAct>, overlay: Box<Overlay<'a>> },
    Parallel(Box<ParallelRun<'a>>),
}

impl std::fmt::Debug for BlockRun<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockRun").field("gas_used", &self.progress().gas_used).finish_non_exhaustive()
    }
}

impl BlockRun<'_> {
    const fn progress(&self) -> &Progress {
        match &self.run {
            Run::Sequential { progress, .. } => progress,
            Run::Parallel(run) => &run.progress,
        }
    }

    /// What each included transaction did, in order.
    pub fn executed(&self) -> impl Iterator<Item = &Executed> {
        self.progress().included.iter().map(|placed| &placed.executed)
    }

    /// How it went; `None` for a sequential run.
    #[must_use]
    pub const fn report(&self) -> Option<&RunReport> {
        match &self.run {
            Run::Sequential { .. } => None,
            Run::Parallel(run) => Some(&run.report),
        }
    }

    /// The most that the block's versioned memory took while it ran, in bytes: tables of keys, cells and their versions.
    /// `None` for a sequential run, which has none.
    #[must_use]
    pub fn memory_bytes(&self) -> Option<usize> {
        match &self.run {
            Run::Sequential { .. } => None,
            Run::Parallel(run) => Some(run.memory_bytes()),
        }
    }

    /// Receipts with their blooms, and the change set in order of addresses and slots.
    ///
    /// # Errors
    /// [`BlockError`] when state cannot be read, or the block came with an access list that is not its own.
    pub fn finish(self) -> Result<ExecutedBlock<TxError>, BlockError> {
        let (progress, changes, requests, chain_acts, access_list) = match self.run {
            Run::Sequential { progress, requests, chain_acts, mut overlay } => {
                let access_list = overlay.take_access_list()?;
                (progress, overlay.changes()?, requests, chain_acts, access_list)
            }
            Run::Parallel(mut run) => {
                let access_list = run.take_access_list()?;
                let changes = run.changes()?;
                (run.progress, changes, run.requests, run.chain_acts, access_list)
            }
        };
        access_list::compare(self.input.access_list, access_list.as_ref())?;
        let included = progress.included.into_iter().map(|placed| {
            let kind = self.input.transactions[placed.candidate].tx_type();
            let status = placed.root.map_or(placed.executed.succeeded().into(), Eip658Value::PostState);
            let receipt = receipt(kind, status, &placed.executed, placed.cumulative_gas_used);
            Included { candidate: placed.candidate, executed: placed.executed, receipt }
        });
        Ok(ExecutedBlock {
            included: included.collect(),
            left_out: progress.left_out,
            changes,
            gas_used: progress.gas_used,
            blob_gas_used: progress.blob_gas_used,
            requests,
            access_list,
            chain_acts,
        })
    }
}

/// The first part of [`execute_block`]: all execution, nothing of the assembly. A panic of what lies below, the store or
/// the monitor, ends the block with an error.
///
/// # Errors
/// As [`execute_block`].
pub fn run_block<'a>(
    input: &BlockInput<'a>,
    monitor: &dyn Monitor,
    mode: Mode<'_>,
) -> Result<BlockRun<'a>, BlockError> {
    run(input, monitor, mode, Extent::Block)
}

fn run<'a>(
    input: &BlockInput<'a>,
    monitor: &dyn Monitor,
    mode: Mode<'_>,
    extent: Extent,
) -> Result<BlockRun<'a>, BlockError> {
    access_list::check(input)?;
    let run = catch_unwind(AssertUnwindSafe(|| match mode {
        Mode::Parallel(workers) if input.at.params.hardfork >= Hardfork::BYZANTIUM => {
            Ok(Run::Parallel(Box::new(parallel::run(input, monitor, workers, extent)?)))
        }
        Mode::Sequential | Mode::Parallel(_) => run_sequentially(input, monitor, extent),
    }));
    let run = run.unwrap_or_else(|panic| Err(BlockError::Panicked(parallel::panic_words(&*panic))))?;
    Ok(BlockRun { input: *input, run })
}

fn run_sequentially<'a>(input: &BlockInput<'a>, monitor: &dyn Monitor, extent: Extent) -> Result<Run<'a>, BlockError> {
    let overlay = Overlay::new(input.at.world, input.at.ancestors).recording(input.access_list.recording());
    let env = block_env(input.at.params, input.at.block);
    let mut session = Session::new(overlay, ChainRules::of(input.at.params), env, monitor, NoOpInspector {});
    system::before(&mut session, &input.at, extent)?;
    let mut progress = Progress::new(&input.at, input.transactions.len());
    for (index, transaction) in input.transactions.iter().enumerate() {
        session.evm_mut().db_mut().record_after(progress.included.len());
        let unfit = match include(&mut session, &mut progress, input, index, transaction) {
            Ok(()) => continue,
            Err(NotIncluded::Broken(error)) => return Err(error.into()),
            Err(NotIncluded::Unfit(reason)) => reason,
        };
        match (unfit, input.admission) {
            (TxError::State(error), Admission::Build | Admission::Import) => return Err(error.into()),
            (reason, Admission::Build | Admission::Salvage) => {
                progress.left_out.push(LeftOut { candidate: index, reason });
            }
            (source, Admission::Import) => return Err(BlockError::Transaction { index, source }),
        }
    }
    session.evm_mut().db_mut().record_after(progress.included.len());
    let logs = progress.included.iter().flat_map(|placed| &placed.executed.logs);
    let requests = system::after(&mut session, &input.at, extent, logs)?;
    let chain_acts = session.take_chain_acts();
    Ok(Run::Sequential { progress, requests, chain_acts, overlay: Box::new(session.into_db()) })
}

/// Why a transaction is not in the block.
enum NotIncluded {
    /// It cannot be; nothing of it remains.
    Unfit(TxError),
    /// What it did could not be committed as a whole, so the block is lost.
    Broken(ReadError),
}

impl From<TxError> for NotIncluded {
    fn from(reason: TxError) -> Self {
        Self::Unfit(reason)
    }
}

fn include(
    session: &mut Session<'_, Overlay<'_>>,
    progress: &mut Progress,
    input: &BlockInput<'_>,
    candidate: usize,
    transaction: &Transaction,
) -> Result<(), NotIncluded> {
    progress.admit(input, candidate)?;
    let identity = Identity::of(transaction, input.at.block.parent_hash);
    let Outcome { executed, state, guard_updates, .. } = session.execute(tx_env(transaction), identity)?;
    progress.check_fuel(transaction, &executed)?;
    let overlay = session.evm_mut().db_mut();
    let root = settle(overlay, input, &state, &guard_updates).map_err(NotIncluded::Broken)?;
    progress.include(candidate, transaction, executed);
    progress.included.last_mut().expect("included just now").root = root;
    Ok(())
}

/// Commits what a transaction did; gives the state root that its receipt holds, if it holds one.
fn settle(
    overlay: &mut Overlay<'_>,
    input: &BlockInput<'_>,
    state: &EvmState,
    guard_updates: &[StateUpdate],
) -> Result<Option<B256>, ReadError> {
    overlay.commit(state)?;
    for update in guard_updates {
        overlay.update_storage(REGISTRY, update)?;
    }
    if input.at.params.hardfork >= Hardfork::BYZANTIUM {
        return Ok(None);
    }
    root_after(input.at.world, &overlay.changes()?).map(Some)
}

/// The root of the state with changes.
fn root_after(world: &dyn StateReader, changes: &StateChanges) -> Result<B256, ReadError> {
    let untold = || ReadError("it does not tell its root, which receipts before Byzantium hold".into());
    world.root_after(changes)?.ok_or_else(untold)
}

/// The receipt of a transaction, given its status, or before Byzantium the root after it, and the gas that the block had
/// used then.
#[must_use]
pub fn receipt(
    kind: TxType,
    status: Eip658Value,
    executed: &Executed,
    cumulative_gas_used: u64,
) -> ReceiptEnvelope<Log> {
    let receipt = Receipt { status, cumulative_gas_used, logs: executed.logs.clone() }.with_bloom();
    match kind {
        TxType::Legacy => ReceiptEnvelope::Legacy(receipt),
        TxType::Eip2930 => ReceiptEnvelope::Eip2930(receipt),
        TxType::Eip1559 => ReceiptEnvelope::Eip1559(receipt),
        TxType::Eip4844 => ReceiptEnvelope::Eip4844(receipt),
        TxType::Eip7702 => ReceiptEnvelope::Eip7702(receipt),
    }
}
