//! What each transaction of a block reads and writes, part by part: balance, nonce, code, slot. Drawn from a sequential
//! run that settles every transaction on its own, under an inspector that tells a balance that was looked at from one
//! that was only credited or debited. Nothing here is timed.
//!
//! The fee recipient's fee is kept apart: it is credited after each transaction and appears in nobody's footprint.

use alloy_consensus::Transaction as _;
use alloy_primitives::{
    Address, U256,
    map::{AddressMap, AddressSet, HashSet},
};
use parapet_types::{AccountInfo, Transaction};

use crate::{
    BenchError, Case,
    recording::{Looks, RecordingEvm},
};

/// What one transaction reads and writes.
#[derive(Clone, Debug, Default)]
pub struct Footprint {
    /// Who pays.
    pub sender: Address,
    /// The gas that it used.
    pub gas_used: u64,
    /// The most wei that must be on an account for the transaction to run as it did, whatever else is there.
    pub needed: AddressMap<U256>,
    /// Accounts whose balance, or whether they are empty, it looked at.
    pub balances_seen: AddressSet,
    /// Accounts whose balance it changed.
    pub balances_changed: AddressSet,
    /// Accounts whose balance it lowered, and by how much.
    pub debits: AddressMap<U256>,
    /// Accounts whose nonce decided something, besides the sender's.
    pub nonces_seen: AddressSet,
    /// Accounts whose nonce it changed.
    pub nonces_changed: AddressSet,
    /// Every account it loaded. The code of each counts as read.
    pub loaded: AddressSet,
    /// Accounts whose code it set, cleared or delegated.
    pub codes_changed: AddressSet,
    /// Slots it read, written ones included: the price of a write depends on what was there.
    pub slots_seen: HashSet<(Address, U256)>,
    /// Slots it changed.
    pub slots_changed: HashSet<(Address, U256)>,
}

/// The footprints of a block, and what they start from.
#[derive(Debug)]
pub struct BlockFootprint {
    /// Per transaction, in block order.
    pub transactions: Vec<Footprint>,
    /// Balances before the first transaction, of every account that one of them needed wei on.
    pub balances: AddressMap<U256>,
    /// Who gets the fees.
    pub beneficiary: Address,
}

/// Draws the footprints of a case's transactions.
///
/// # Errors
/// [`BenchError`] where a transaction is invalid or state cannot be read.
pub fn record(case: &Case) -> Result<BlockFootprint, BenchError> {
    let mut evm = RecordingEvm::start(case)?;
    let mut transactions = Vec::with_capacity(case.transactions.len());
    let mut balances = AddressMap::default();
    for (index, transaction) in case.transactions.iter().enumerate() {
        let step = evm.step(index, transaction)?;
        let mut footprint = Footprint { gas_used: step.gas_used, ..drawn_from(step.looks, transaction) };
        for (address, account) in &step.state {
            footprint.loaded.insert(*address);
            footprint.slots_seen.extend(account.storage.keys().map(|slot| (*address, *slot)));
            if !account.is_touched() {
                continue;
            }
            let before = evm.account(address)?;
            let gone = account.is_selfdestructed();
            let after = if gone {
                AccountInfo::default()
            } else {
                AccountInfo {
                    nonce: account.info.nonce,
                    balance: account.info.balance,
                    code_hash: account.info.code_hash,
                }
            };
            footprint.note_change(*address, before, after, gone || account.is_created());
            footprint.slots_changed.extend(account.changed_storage_slots().map(|(slot, _)| (*address, *slot)));
        }
        for address in footprint.needed.keys() {
            if !balances.contains_key(address) {
                balances.insert(*address, evm.balance_at_start(address)?);
            }
        }
        evm.settle(transaction, &step.state, step.gas_used)?;
        transactions.push(footprint);
    }
    Ok(BlockFootprint { transactions, balances, beneficiary: case.block.beneficiary })
}

fn drawn_from(looks: Looks, transaction: &Transaction) -> Footprint {
    let sender = transaction.signer();
    let mut footprint = Footprint {
        sender,
        needed: looks.outflow,
        balances_seen: looks.balances,
        nonces_seen: looks.nonces,
        ..Footprint::default()
    };
    let blob_gas = u128::from(transaction.blob_gas_used().unwrap_or_default());
    let fees = U256::from(transaction.gas_limit()) * U256::from(transaction.max_fee_per_gas())
        + U256::from(blob_gas) * U256::from(transaction.max_fee_per_blob_gas().unwrap_or_default());
    *footprint.needed.entry(sender).or_default() += fees;
    let authorities =
        transaction.authorization_list().into_iter().flatten().filter_map(|signed| signed.recover_authority().ok());
    footprint.nonces_seen.extend(authorities);
    footprint
}

impl Footprint {
    fn note_change(&mut self, address: Address, before: AccountInfo, after: AccountInfo, replaced: bool) {
        if before.balance != after.balance {
            self.balances_changed.insert(address);
        }
        if before.balance > after.balance {
            self.debits.insert(address, before.balance - after.balance);
        }
        if before.nonce != after.nonce {
            self.nonces_changed.insert(address);
        }
        if before.code_hash != after.code_hash || replaced {
            self.codes_changed.insert(address);
        }
    }
}
