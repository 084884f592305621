//! A block as far as it has come: the same for every mode.

use alloy_consensus::Transaction as _;
use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use alloy_primitives::B256;
use parapet_monitor::Fuel;
use parapet_types::{Executed, FuelPerGas, LeftOut, REGISTRY, Transaction};

use crate::{BlockInput, Point, TxError, environment::blob_params};

/// Most transactions of a block that may be run and then left out, since their guards took more fuel than was left. Nobody
/// pays for those runs. From then on, who could pay for more fuel than is left is left out unrun.
pub(crate) const UNPAID_MAX: u32 = 16;

/// How much fits into a block.
#[derive(Clone, Copy, Debug)]
struct Room {
    gas: u64,
    blob_gas: u64,
    fuel: Fuel,
}

impl Room {
    fn of(at: &Point<'_>) -> Self {
        let blob_gas = blob_params(at.params.hardfork).map_or(0, |blobs| blobs.max_blob_gas_per_block());
        Self { gas: at.block.gas_limit, blob_gas, fuel: at.params.guards.block_fuel_max }
    }
}

/// A transaction that is in the block.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) candidate: usize,
    pub(crate) executed: Executed,
    pub(crate) cumulative_gas_used: u64,
    /// Root of the state after it, before Byzantium.
    pub(crate) root: Option<B256>,
}

/// A block as far as it has come.
#[derive(Debug)]
pub(crate) struct Progress {
    room: Room,
    pub(crate) included: Vec<Placed>,
    pub(crate) left_out: Vec<LeftOut<TxError>>,
    pub(crate) gas_used: u64,
    pub(crate) blob_gas_used: u64,
    guard_fuel: Fuel,
    /// Transactions that ran and were left out for their guards' fuel.
    unpaid: u32,
    fuel_per_gas: FuelPerGas,
    deadline: Passed,
}

/// Whether the block's deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passed {
    No,
    Yes,
}

impl Progress {
    pub(crate) fn new(at: &Point<'_>, transactions: usize) -> Self {
        Self {
            room: Room::of(at),
            included: Vec::with_capacity(transactions),
            left_out: Vec::new(),
            gas_used: 0,
            blob_gas_used: 0,
            guard_fuel: Fuel(0),
            unpaid: 0,
            fuel_per_gas: at.params.guards.fuel_per_gas,
            deadline: Passed::No,
        }
    }

    /// Asked once for each candidate, in order, before anything is known of it: whether there is time for it, and room
    /// for what it says it could use.
    pub(crate) fn admit(&mut self, input: &BlockInput<'_>, candidate: usize) -> Result<(), TxError> {
        if self.deadline == Passed::No && input.deadline.is_some_and(|deadline| deadline.has_passed(candidate)) {
            self.deadline = Passed::Yes;
        }
        match self.deadline {
            Passed::Yes => Err(TxError::Deadline),
            Passed::No => self.check(&input.transactions[candidate]),
        }
    }

    fn check(&self, transaction: &Transaction) -> Result<(), TxError> {
        let gas_left = self.room.gas.saturating_sub(self.gas_used);
        let gas_limit = transaction.gas_limit();
        if gas_limit > gas_left {
            return Err(TxError::BlockFull { gas_limit, gas_left });
        }
        let blob_gas = blob_gas(transaction);
        let gas_left = self.room.blob_gas.saturating_sub(self.blob_gas_used);
        if blob_gas > gas_left {
            return Err(TxError::BlockFull { gas_limit: blob_gas, gas_left });
        }
        let (fuel, fuel_left) = (self.fuel_per_gas.fuel(gas_limit).min(self.room.fuel), self.fuel_left());
        if self.unpaid >= UNPAID_MAX && fuel > fuel_left && transaction.to() != Some(REGISTRY) {
            return Err(TxError::GuardsMayNotFit { fuel, fuel_left });
        }
        Ok(())
    }

    /// Whether there is room for what its guards spent. That is known only when it has run.
    pub(crate) fn check_fuel(&mut self, transaction: &Transaction, executed: &Executed) -> Result<(), TxError> {
        let (fuel, fuel_left) = (counted_fuel(transaction, executed), self.fuel_left());
        if fuel > fuel_left {
            self.unpaid = self.unpaid.saturating_add(1);
            return Err(TxError::GuardsFull { fuel, fuel_left });
        }
        Ok(())
    }

    fn fuel_left(&self) -> Fuel {
        Fuel(self.room.fuel.0.saturating_sub(self.guard_fuel.0))
    }

    pub(crate) fn include(&mut self, candidate: usize, transaction: &Transaction, executed: Executed) {
        self.gas_used += executed.gas_used;
        self.blob_gas_used += blob_gas(transaction);
        self.guard_fuel.0 = self.guard_fuel.0.saturating_add(counted_fuel(transaction, &executed).0);
        self.included.push(Placed { candidate, executed, cumulative_gas_used: self.gas_used, root: None });
    }
}

fn blob_gas(transaction: &Transaction) -> u64 {
    transaction.blob_versioned_hashes().map_or(0, <[_]>::len) as u64 * DATA_GAS_PER_BLOB
}

/// Fuel that counts towards the block's limit. Who changes the registry must not be kept out by guards that fill block
/// after block (I5); what wakes there is bounded by the gas that pays for it.
fn counted_fuel(transaction: &Transaction, executed: &Executed) -> Fuel {
    if transaction.to() == Some(REGISTRY) { Fuel(0) } else { executed.guard_fuel }
}
