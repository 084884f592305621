//! Plain transfers without an EVM. Most of a plain transfer's time is spent setting up frames that run nothing.
//!
//! Invariant: whatever is not the plainest of transfers, or would fail, is left to the EVM, so that every rule and every
//! error is stated once.

use alloy_consensus::{Transaction as _, TxType};
use alloy_primitives::{Address, Bytes, KECCAK256_EMPTY, TxKind, U256, map::AddressSet};
use parapet_monitor::Fuel;
use parapet_types::{Destiny, Executed, ReadError, Transaction};
use revm::{
    context::{BlockEnv, CfgEnv},
    context_interface::Cfg as _,
    handler::EthPrecompiles,
    primitives::hardfork::SpecId,
};

use super::{
    account::{AccountWrite, Identity, Version},
    incarnation::{Ended, Incarnation, Written},
    reader::Reader,
};

/// Intrinsic gas of a transaction without data (Yellow Paper, G_transaction); also its EIP-7623 floor.
const TRANSFER_GAS: u64 = 21_000;
/// From here up an addition to a balance could overflow, which is the EVM's to judge.
const BALANCE_BITS_MAX: usize = 200;

/// What a block fixes of the rules for transfers.
#[derive(Debug)]
pub(crate) struct TransferRules {
    chain_id: u64,
    base_fee: u128,
    gas_limit_cap: u64,
    /// Whether transfers are as plain as they were: from Amsterdam on they leave logs (EIP-7708) and cost otherwise.
    plain: bool,
    precompiles: AddressSet,
}

impl TransferRules {
    pub(crate) fn new(cfg: &CfgEnv, block: &BlockEnv) -> Self {
        let precompiles: EthPrecompiles = EthPrecompiles::new(cfg.spec);
        Self {
            chain_id: cfg.chain_id,
            base_fee: u128::from(block.basefee),
            gas_limit_cap: cfg.tx_gas_limit_cap(),
            plain: !cfg.spec.is_enabled_in(SpecId::AMSTERDAM),
            precompiles: precompiles.precompiles.addresses().copied().collect(),
        }
    }

    /// Recipient and price per gas, if the transaction itself is as plain as can be.
    fn plain(&self, tx: &Transaction) -> Option<(Address, u128)> {
        let envelope = tx.inner();
        let typed = match envelope.tx_type() {
            TxType::Legacy => envelope.chain_id().is_none_or(|id| id == self.chain_id),
            TxType::Eip2930 | TxType::Eip1559 => envelope.chain_id() == Some(self.chain_id),
            TxType::Eip4844 | TxType::Eip7702 => false,
        };
        let TxKind::Call(to) = envelope.kind() else { return None };
        let (most, tip) = (envelope.max_fee_per_gas(), envelope.max_priority_fee_per_gas());
        let plain = self.plain
            && typed
            && envelope.input().is_empty()
            && !envelope.value().is_zero()
            && (TRANSFER_GAS..=self.gas_limit_cap).contains(&envelope.gas_limit())
            && envelope.nonce() < u64::MAX
            && most >= self.base_fee
            && tip.is_none_or(|tip| tip <= most)
            && envelope.access_list().is_none_or(|list| list.0.is_empty())
            && to != tx.signer()
            && !self.precompiles.contains(&to);
        let price = tip.map_or(most, |tip| most.min(self.base_fee.saturating_add(tip)));
        plain.then_some((to, price))
    }
}

/// Whether it is worth a look.
pub(crate) fn may_be(tx: &Transaction) -> bool {
    tx.input().is_empty()
}

/// What became of a transaction that may be a plain transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// It was one, and succeeded.
    Done,
    /// It is for the EVM; nothing was written.
    NotPlain,
}

/// Runs a transaction if it is a plain transfer that succeeds.
pub(crate) fn run(
    reader: &mut Reader<'_>,
    tx: &Transaction,
    rules: &TransferRules,
    settled: Version,
    incarnation: &mut Incarnation,
) -> Result<Tried, ReadError> {
    let Some((to, price)) = rules.plain(tx) else { return Ok(Tried::NotPlain) };
    let (sender, from) = reader.account(tx.signer())?;
    let (recipient, target) = reader.account(to)?;
    let most = U256::from(tx.gas_limit()).checked_mul(U256::from(tx.max_fee_per_gas()));
    let Some(need) = most.and_then(|fee| fee.checked_add(tx.value())) else { return Ok(Tried::NotPlain) };
    let usual = from.identity.code_hash == KECCAK256_EMPTY
        && target.identity.code_hash == KECCAK256_EMPTY
        && from.identity.nonce == tx.nonce()
        && from.balance >= need
        && from.balance.bit_len() <= BALANCE_BITS_MAX
        && target.balance.bit_len() <= BALANCE_BITS_MAX;
    if !usual {
        return Ok(Tried::NotPlain);
    }
    reader.reads.need(sender, need);
    reader.reads.nonce_matters(sender);
    let spent = tx.value() + U256::from(price * u128::from(TRANSFER_GAS));
    let debit = AccountWrite {
        balance: U256::ZERO.wrapping_sub(spent),
        identity: Some(Identity { nonce: tx.nonce() + 1, ..from.identity }),
    };
    let credit = AccountWrite { balance: tx.value(), identity: None };
    for (position, write) in [(sender, debit), (recipient, credit)] {
        let index = reader.reads.accounts[position].index;
        let stamp = reader.memory.account(index).write(reader.at, settled, write);
        reader.reads.wrote_account(position, stamp);
        incarnation.written.push(Written::Account(index));
    }
    incarnation.ended = Ended::Executed(Executed {
        destiny: Destiny::Succeeded,
        gas_used: TRANSFER_GAS,
        guard_gas_used: 0,
        guard_fuel: Fuel(0),
        output: Bytes::new(),
        logs: Vec::new(),
        created: None,
        verdicts: Vec::new(),
    });
    let tip = price.saturating_sub(rules.base_fee);
    incarnation.fee = U256::from(tip * u128::from(TRANSFER_GAS));
    Ok(Tried::Done)
}
