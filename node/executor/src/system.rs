//! What the chain itself does in a block: EIP-4788 and EIP-2935 before its transactions, EIP-7685 requests and
//! EIP-4895 withdrawals after them, and what the monitor has to do at a block's end. Guards see these as traces without a transaction, and cannot veto them (I5): the
//! frames of system calls have their own kind, withdrawals are flows.

use alloy_eips::{
    eip2935::HISTORY_STORAGE_ADDRESS, eip4788::BEACON_ROOTS_ADDRESS, eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
    eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, eip7685::Requests,
};
use alloy_primitives::{Address, B256, Bytes, Log, U256, b256};
use parapet_monitor::{Fault, StateUpdate};
use parapet_types::{BlockContext, ChainAct, Hardfork, REGISTRY, ReadError};
use revm::{
    context::{
        JournalTr as _, TxEnv,
        result::{EVMError, ExecutionResult},
    },
    handler::{Handler as _, SystemCallTx as _},
    state::EvmState,
};

use crate::{
    BlockError, Overlay, Point, Session, block::Extent, database::EvmDatabase, flows, handler::MonitoredHandler,
};

/// `DepositEvent(bytes,bytes,bytes,bytes,bytes)` of the deposit contract (EIP-6110).
const DEPOSIT_EVENT: B256 = b256!("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");
/// Data of a deposit event: five offsets, and five byte strings with their lengths, padded to words.
const DEPOSIT_DATA_BYTES: usize = 576;
/// Where each field's bytes start in the data, and how many there are: public key, withdrawal credentials, amount,
/// signature, index (EIP-6110).
const DEPOSIT_FIELDS: [(usize, usize); 5] = [(192, 48), (288, 32), (352, 8), (416, 96), (544, 8)];
/// Gwei in wei.
const GWEI: u64 = 1_000_000_000;

/// State that a block's own doings are committed to, one after the other.
pub trait BlockDatabase: EvmDatabase {
    /// Takes over what a call left.
    ///
    /// # Errors
    /// [`ReadError`] when what lies below cannot be read.
    fn commit(&mut self, state: &EvmState) -> Result<(), ReadError>;

    /// A call that leaves nothing met this: it belongs into the block's access list, and nowhere else.
    fn meet(&mut self, _: &EvmState) {}

    /// Adds to a balance, creating the account where there is none (EIP-4895). Nothing added creates nothing (EIP-161).
    ///
    /// # Errors
    /// [`ReadError`] when the account below cannot be read.
    fn credit(&mut self, address: Address, wei: U256) -> Result<(), ReadError>;

    /// Changes a word of guard state.
    ///
    /// # Errors
    /// [`ReadError`] when the word below cannot be read.
    fn update(&mut self, update: &StateUpdate) -> Result<(), ReadError>;
}

impl BlockDatabase for Overlay<'_> {
    fn commit(&mut self, state: &EvmState) -> Result<(), ReadError> {
        Overlay::commit(self, state)
    }

    fn meet(&mut self, state: &EvmState) {
        Overlay::meet(self, state);
    }

    fn credit(&mut self, address: Address, wei: U256) -> Result<(), ReadError> {
        Overlay::credit(self, address, wei)
    }

    fn update(&mut self, update: &StateUpdate) -> Result<(), ReadError> {
        self.update_storage(REGISTRY, update)
    }
}

/// What the chain does before a block's first transaction: the beacon root (EIP-4788) and the parent's hash (EIP-2935)
/// go into state.
///
/// # Errors
/// [`BlockError::SystemCall`].
pub fn begin_block<DB: BlockDatabase>(
    session: &mut Session<'_, DB>,
    hardfork: Hardfork,
    block: &BlockContext,
) -> Result<(), BlockError> {
    if let (true, Some(root)) = (hardfork >= Hardfork::Cancun, block.parent_beacon_block_root) {
        note(session, BEACON_ROOTS_ADDRESS, root.0.into(), block)?;
    }
    if hardfork >= Hardfork::Prague {
        note(session, HISTORY_STORAGE_ADDRESS, block.parent_hash.0.into(), block)?;
    }
    Ok(())
}

/// What the chain does after a block's last transaction, whose logs are given: requests are collected (EIP-7685),
/// withdrawals credited (EIP-4895), and the monitor does what it has to do at a block's end.
///
/// # Errors
/// [`BlockError`] when a system contract that must answer does not, or state cannot be read.
pub fn end_block<'r, DB: BlockDatabase>(
    session: &mut Session<'_, DB>,
    at: &Point<'_>,
    logs: impl Iterator<Item = &'r Log>,
) -> Result<Requests, BlockError> {
    after(session, at, Extent::Block, logs)
}

/// Before the first transaction of a run.
pub(crate) fn before<DB: BlockDatabase>(
    session: &mut Session<'_, DB>,
    at: &Point<'_>,
    extent: Extent,
) -> Result<(), BlockError> {
    match extent {
        Extent::Block => begin_block(session, at.params.hardfork, at.block),
        Extent::Transactions => Ok(()),
    }
}

/// After the last transaction.
pub(crate) fn after<'r, DB: BlockDatabase>(
    session: &mut Session<'_, DB>,
    at: &Point<'_>,
    extent: Extent,
    logs: impl Iterator<Item = &'r Log>,
) -> Result<Requests, BlockError> {
    let mut requests = Requests::default();
    if extent == Extent::Transactions {
        return Ok(requests);
    }
    if at.params.hardfork >= Hardfork::Prague {
        let mut deposits = Vec::new();
        for log in logs {
            if log.address == at.params.deposit_contract && log.topics().first() == Some(&DEPOSIT_EVENT) {
                deposits.extend(deposit(&log.data.data)?);
            }
        }
        requests.push_request_with_type(0, deposits);
        for (kind, address) in [(1, WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS), (2, CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS)]
        {
            requests.push_request_with_type(kind, ask(session, address, at.block)?);
        }
    }
    withdraw(session, at.block)?;
    conclude(session, at.block)?;
    Ok(requests)
}

/// What the monitor has to do when all else is done: counts are settled, and attachments that veto too much are demoted by
/// a call of the chain's own to the registry.
fn conclude<DB: BlockDatabase>(session: &mut Session<'_, DB>, block: &BlockContext) -> Result<(), BlockError> {
    let end = match session.end_block(block.parent_hash) {
        Ok(end) => end,
        Err(Fault::State(fault)) => return Err(ReadError(Box::new(fault)).into()),
        Err(fault @ (Fault::Unsettled | Fault::Engine { .. })) => {
            // It is so on every node, since it follows from what the registry holds.
            tracing::error!(%fault, "nothing is settled at this block's end");
            return Ok(());
        }
    };
    for update in &end.updates {
        session.evm_mut().db_mut().update(update)?;
    }
    end.calls.into_iter().try_for_each(|call| note(session, REGISTRY, call, block))
}

/// Guards are told before anything is credited.
fn withdraw<DB: BlockDatabase>(session: &mut Session<'_, DB>, block: &BlockContext) -> Result<(), BlockError> {
    let credits = block.withdrawals.iter().map(|withdrawal| {
        let wei = U256::from(withdrawal.amount) * U256::from(GWEI);
        (withdrawal.address, wei)
    });
    let flows = (1..).zip(credits.clone().filter(|(_, wei)| !wei.is_zero()));
    let flows: Vec<_> = flows.map(|(seq, (address, wei))| flows::withdrawal(seq, address, wei)).collect();
    if !flows.is_empty() {
        session.watch_chain(TxEnv::default(), block.parent_hash);
        session.evm_mut().withdrawn(flows);
        session.unwatch_chain(ChainAct::Withdrawals);
    }
    for (address, wei) in credits {
        session.evm_mut().db_mut().credit(address, wei)?;
    }
    Ok(())
}

/// The request bytes of a deposit: its fields one behind the other.
fn deposit(data: &[u8]) -> Result<Vec<u8>, BlockError> {
    if data.len() != DEPOSIT_DATA_BYTES {
        return Err(BlockError::Deposit("its data is not 576 bytes long"));
    }
    let mut out = Vec::new();
    for (start, length) in DEPOSIT_FIELDS {
        let announced = U256::from_be_slice(&data[start - 32..start]);
        if announced != U256::from(length) {
            return Err(BlockError::Deposit("a field has another length than EIP-6110 gives it"));
        }
        out.extend_from_slice(&data[start..start + length]);
    }
    Ok(out)
}

/// Tells a contract something. If it fails, so be it (EIP-4788, EIP-2935).
fn note<DB: BlockDatabase>(
    session: &mut Session<'_, DB>,
    address: Address,
    data: Bytes,
    block: &BlockContext,
) -> Result<(), BlockError> {
    match call(session, address, data, block) {
        Ok(_) | Err(BlockError::SystemCall { .. }) => Ok(()),
        Err(other) => Err(other),
    }
}

/// Asks a contract that must be there and must answer (EIP-7002, EIP-7251).
fn ask<DB: BlockDatabase>(
    session: &mut Session<'_, DB>,
    address: Address,
    block: &BlockContext,
) -> Result<Bytes, BlockError> {
    let info = session.evm_mut().db_mut().basic(address).map_err(|error| error.0)?;
    if info.is_none_or(|info| info.is_empty_code_hash()) {
        return Err(BlockError::SystemCall { address, reason: "there is no code".into() });
    }
    call(session, address, Bytes::new(), block)
}

fn call<DB: BlockDatabase>(
    session: &mut Session<'_, DB>,
    address: Address,
    data: Bytes,
    block: &BlockContext,
) -> Result<Bytes, BlockError> {
    let failed = |reason: String| BlockError::SystemCall { address, reason };
    session.watch_chain(TxEnv::new_system_tx(address, data), block.parent_hash);
    let result = MonitoredHandler::new().run_system_call(session.evm_mut());
    session.unwatch_chain(ChainAct::SystemCall { target: address });
    let evm = session.evm_mut();
    let state = evm.inner.ctx.journaled_state.finalize();
    if let Ok(ExecutionResult::Revert { .. } | ExecutionResult::Halt { .. }) = &result {
        evm.db_mut().meet(&state);
    }
    match result {
        Ok(ExecutionResult::Success { output, .. }) => {
            evm.db_mut().commit(&state)?;
            Ok(output.into_data())
        }
        Ok(ExecutionResult::Revert { output, .. }) => Err(failed(format!("reverted with {output}"))),
        Ok(ExecutionResult::Halt { reason, .. }) => Err(failed(format!("halted: {reason:?}"))),
        Err(EVMError::Database(error)) => Err(error.0.into()),
        Err(error) => Err(failed(error.to_string())),
    }
}
