//! A block as far as it has come: the same for every mode.

use alloy_consensus::Transaction as _;
use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use parapet_types::{Executed, LeftOut, Transaction};

use crate::{Point, TxError, environment::blob_params};

/// How much fits into a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    gas: u64,
    blob_gas: u64,
}

impl Room {
    pub(crate) fn of(at: &Point<'_>) -> Self {
        let blob_gas = blob_params(at.params.hardfork).map_or(0, |blobs| blobs.max_blob_gas_per_block());
        Self { gas: at.block.gas_limit, blob_gas }
    }
}

/// A transaction that is in the block.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) candidate: usize,
    pub(crate) executed: Executed,
    pub(crate) cumulative_gas_used: u64,
}

/// A block as far as it has come.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) included: Vec<Placed>,
    pub(crate) left_out: Vec<LeftOut<TxError>>,
    pub(crate) gas_used: u64,
    pub(crate) blob_gas_used: u64,
}

impl Progress {
    pub(crate) fn with_room_for(transactions: usize) -> Self {
        Self { included: Vec::with_capacity(transactions), ..Self::default() }
    }

    /// Whether a transaction may use what it says it could use.
    pub(crate) fn check(&self, room: &Room, transaction: &Transaction) -> Result<(), TxError> {
        let gas_left = room.gas.saturating_sub(self.gas_used);
        let gas_limit = transaction.gas_limit();
        if gas_limit > gas_left {
            return Err(TxError::BlockFull { gas_limit, gas_left });
        }
        let blob_gas = blob_gas(transaction);
        let gas_left = room.blob_gas.saturating_sub(self.blob_gas_used);
        if blob_gas > gas_left {
            return Err(TxError::BlockFull { gas_limit: blob_gas, gas_left });
        }
        Ok(())
    }

    pub(crate) fn include(&mut self, candidate: usize, transaction: &Transaction, executed: Executed) {
        self.gas_used += executed.gas_used;
        self.blob_gas_used += blob_gas(transaction);
        self.included.push(Placed { candidate, executed, cumulative_gas_used: self.gas_used });
    }
}

fn blob_gas(transaction: &Transaction) -> u64 {
    transaction.blob_versioned_hashes().map_or(0, <[_]>::len) as u64 * DATA_GAS_PER_BLOB
}
