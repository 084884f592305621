//! Whether the executor did what the lean loop did: status, gas, logs of every transaction, and the state they leave.
//! Checked for every workload and both modes before anything is timed.

use std::collections::BTreeSet;

use alloy_primitives::{Address, U256};
use parapet_executor::{BlockError, Mode, TxError, Workers, execute_block};
use parapet_monitor::NoMonitor;
use parapet_types::{AccountInfo, ExecutedBlock, FlatState, ReadError, StateChanges, StateReader as _};

use crate::{
    BenchError, Case,
    lean::{self, CodeCache, LeanRun},
};

/// Runs the block by the lean loop and by both modes of the executor; gives the lean run if all three agree.
///
/// # Errors
/// [`BenchError::Disagreement`] where they do not.
pub fn check(case: &Case, workers: &Workers) -> Result<LeanRun, BenchError> {
    let oracle = lean::run(case, &mut CodeCache::default())?;
    for (side, mode) in
        [("the sequential executor", Mode::Sequential), ("the parallel executor", Mode::Parallel(workers))]
    {
        let disagreement =
            |difference| BenchError::Disagreement { workload: case.name.clone(), side: side.to_owned(), difference };
        let executed = execute_block(&case.input(), &NoMonitor, mode).map_err(|error| match error {
            BlockError::Transaction { index, source } => disagreement(format!("transaction {index}: {source}")),
            other => other.into(),
        })?;
        if let Some(difference) = transactions_differ(&oracle, &executed) {
            return Err(disagreement(difference));
        }
        if let Some(difference) = states_differ(&case.state, &lean::changes(&oracle.state), &executed.changes)? {
            return Err(disagreement(difference));
        }
    }
    Ok(oracle)
}

fn transactions_differ(oracle: &LeanRun, executed: &ExecutedBlock<TxError>) -> Option<String> {
    let (wanted, included) = (oracle.results.len(), executed.included.len());
    if wanted != included {
        return Some(format!("the number of transactions: {included}, not {wanted}"));
    }
    for (index, (wanted, included)) in oracle.results.iter().zip(&executed.included).enumerate() {
        let done = &included.executed;
        if wanted.is_success() != done.succeeded() {
            return Some(format!("transaction {index}'s status: {:?}, not {wanted:?}", done.destiny));
        }
        if wanted.tx_gas_used() != done.gas_used {
            return Some(format!("transaction {index}'s gas: {}, not {}", done.gas_used, wanted.tx_gas_used()));
        }
        if wanted.is_success() && wanted.logs() != done.logs {
            return Some(format!("transaction {index}'s logs"));
        }
    }
    None
}

/// The first account or slot that two change sets over the same state leave different, in words.
///
/// # Errors
/// [`ReadError`] where the state below cannot be read.
pub fn states_differ(
    below: &FlatState,
    wanted: &StateChanges,
    found: &StateChanges,
) -> Result<Option<String>, ReadError> {
    let addresses: BTreeSet<&Address> = wanted.accounts.keys().chain(found.accounts.keys()).collect();
    for address in addresses {
        let (one, other) = (account(below, wanted, address)?, account(below, found, address)?);
        if one != other {
            return Ok(Some(format!("account {address}: {other:?}, not {one:?}")));
        }
        let slots: BTreeSet<U256> = [wanted, found]
            .into_iter()
            .filter_map(|changes| changes.accounts.get(address))
            .flat_map(|change| change.storage.keys().copied())
            .collect();
        for slot in slots {
            let (one, other) = (word(below, wanted, address, slot)?, word(below, found, address, slot)?);
            if one != other {
                return Ok(Some(format!("slot {slot:#x} of {address}: {other}, not {one}")));
            }
        }
    }
    Ok(None)
}

/// An account after the changes. An empty one is no account (EIP-161).
fn account(below: &FlatState, changes: &StateChanges, address: &Address) -> Result<Option<AccountInfo>, ReadError> {
    let info = match changes.accounts.get(address) {
        Some(change) => change.info,
        None => below.account(address)?,
    };
    Ok(info.filter(|info| *info != AccountInfo::default()))
}

fn word(below: &FlatState, changes: &StateChanges, address: &Address, slot: U256) -> Result<U256, ReadError> {
    let change = changes.accounts.get(address);
    if let Some(value) = change.and_then(|change| change.storage.get(&slot)) {
        return Ok(*value);
    }
    if change.is_some_and(|change| change.wipe_storage || change.info.is_none()) {
        return Ok(U256::ZERO);
    }
    below.storage(address, slot)
}
