//! The one entry point through which every block is executed.

use alloy_consensus::{Eip658Value, Receipt, ReceiptEnvelope, Transaction as _, TxType};
use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use alloy_primitives::Log;
use parapet_monitor::Monitor;
use parapet_types::{
    Ancestors, BlockContext, ChainParams, Executed, ExecutedBlock, Included, LeftOut, REGISTRY, StateReader,
    Transaction,
};
use revm::inspector::NoOpInspector;

use crate::{
    BlockError, Overlay, Session, TxError, Workers,
    environment::{blob_params, block_env, cfg_env, tx_env},
    session::{Identity, Outcome, Purpose},
    system,
};

/// How a block's transactions are run.
#[derive(Clone, Copy, Debug)]
pub enum Mode<'a> {
    /// One after the other on one EVM: the oracle.
    Sequential,
    /// Speculatively on several threads, committed in order.
    Parallel(&'a Workers),
}

/// What becomes of a transaction that cannot be included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is left out: a block is being built.
    Build,
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

/// A block whose transactions have run: what they did is fixed; receipts and the change set in order are still to be
/// drawn from it. Apart from [`execute_block`] for measurements only.
#[derive(Debug)]
pub struct BlockRun(ExecutedBlock<TxError>);

impl BlockRun {
    /// Receipts with their blooms, and the change set in order of addresses and slots.
    ///
    /// # Errors
    /// [`BlockError`] when the block as a whole cannot be completed.
    pub fn finish(self) -> Result<ExecutedBlock<TxError>, BlockError> {
        Ok(self.0)
    }
}

/// The first part of [`execute_block`]: all execution, nothing of the assembly.
///
/// # Errors
/// As [`execute_block`].
pub fn run_block(input: &BlockInput<'_>, monitor: &dyn Monitor, mode: Mode<'_>) -> Result<BlockRun, BlockError> {
    match mode {
        Mode::Sequential | Mode::Parallel(_) => execute_sequentially(input, monitor).map(BlockRun),
    }
}

/// A block as far as it has come.
#[derive(Default)]
struct Progress {
    included: Vec<Included>,
    left_out: Vec<LeftOut<TxError>>,
    gas_used: u64,
    blob_gas_used: u64,
}

fn execute_sequentially(input: &BlockInput<'_>, monitor: &dyn Monitor) -> Result<ExecutedBlock<TxError>, BlockError> {
    let overlay = Overlay::new(input.at.world, input.at.ancestors);
    let env = block_env(input.at.params, input.at.block);
    let mut session = Session::new(overlay, cfg_env(input.at.params), env, monitor, NoOpInspector {});
    system::begin_block(&mut session, input.at.params.hardfork, input.at.block)?;
    let mut progress = Progress::default();
    for (index, transaction) in input.transactions.iter().enumerate() {
        match (include(&mut session, &mut progress, input, index, transaction), input.admission) {
            (Ok(()), _) => {}
            (Err(reason), Admission::Build) => progress.left_out.push(LeftOut { candidate: index, reason }),
            (Err(source), Admission::Import) => return Err(BlockError::Transaction { index, source }),
        }
    }
    let receipts = progress.included.iter().map(|included| &included.receipt);
    let requests = system::after(&mut session, input.at.params.hardfork, input.at.block, receipts)?;
    Ok(ExecutedBlock {
        included: progress.included,
        left_out: progress.left_out,
        changes: session.into_db().into_changes(),
        gas_used: progress.gas_used,
        blob_gas_used: progress.blob_gas_used,
        requests,
    })
}

fn include(
    session: &mut Session<'_, Overlay<'_>>,
    progress: &mut Progress,
    input: &BlockInput<'_>,
    candidate: usize,
    transaction: &Transaction,
) -> Result<(), TxError> {
    let gas_limit = transaction.gas_limit();
    let blob_gas = transaction.blob_versioned_hashes().map_or(0, <[_]>::len) as u64 * DATA_GAS_PER_BLOB;
    let gas_left = input.at.block.gas_limit.saturating_sub(progress.gas_used);
    let blob_gas_max = blob_params(input.at.params.hardfork).map_or(0, |blobs| blobs.max_blob_gas_per_block());
    let blob_gas_left = blob_gas_max.saturating_sub(progress.blob_gas_used);
    if gas_limit > gas_left {
        return Err(TxError::BlockFull { gas_limit, gas_left });
    }
    if blob_gas > blob_gas_left {
        return Err(TxError::BlockFull { gas_limit: blob_gas, gas_left: blob_gas_left });
    }
    let identity =
        Identity { tx_hash: *transaction.hash(), parent_hash: input.at.block.parent_hash, purpose: Purpose::Block };
    let Outcome { executed, state, guard_writes, .. } = session.execute(tx_env(transaction), identity)?;
    let overlay = session.evm_mut().db_mut();
    overlay.commit(&state)?;
    for write in guard_writes {
        overlay.write_storage(REGISTRY, write.slot, write.value)?;
    }
    progress.gas_used += executed.gas_used;
    progress.blob_gas_used += blob_gas;
    let receipt = receipt(transaction, &executed, progress.gas_used);
    progress.included.push(Included { candidate, executed, receipt });
    Ok(())
}

fn receipt(transaction: &Transaction, executed: &Executed, cumulative_gas_used: u64) -> ReceiptEnvelope<Log> {
    let receipt =
        Receipt { status: Eip658Value::Eip658(executed.succeeded()), cumulative_gas_used, logs: executed.logs.clone() }
            .with_bloom();
    match transaction.tx_type() {
        TxType::Legacy => ReceiptEnvelope::Legacy(receipt),
        TxType::Eip2930 => ReceiptEnvelope::Eip2930(receipt),
        TxType::Eip1559 => ReceiptEnvelope::Eip1559(receipt),
        TxType::Eip4844 => ReceiptEnvelope::Eip4844(receipt),
        TxType::Eip7702 => ReceiptEnvelope::Eip7702(receipt),
    }
}
