//! Transactions and blocks, before and after execution.

use alloy_consensus::{Header, ReceiptEnvelope, TxEnvelope, transaction::Recovered};
use alloy_eip7928::BlockAccessList;
use alloy_eips::eip7685::Requests;
use alloy_primitives::{Address, B256, Bytes, Log};
use parapet_monitor::{Fuel, Verdict, Veto};
use serde::{Deserialize, Serialize};

use crate::{Era, Hardfork, StateChanges};

pub use alloy_eips::eip4895::Withdrawal;

/// An ommer's miner is paid as many parts less of so many as the ommer is old, in blocks (Yellow Paper, 11.3).
const OMMER_AGES: u64 = 8;
/// For an ommer the block's own miner is paid one part of so many (Yellow Paper, 11.3).
const REWARD_PER_OMMER: u64 = 32;

/// A signed transaction with its sender.
pub type Transaction = Recovered<TxEnvelope>;

/// What a block's header fixes before its transactions run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockContext {
    /// Number.
    pub number: u64,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// Fee recipient.
    pub beneficiary: Address,
    /// Gas limit.
    pub gas_limit: u64,
    /// EIP-1559 base fee, in wei per gas.
    pub base_fee: u64,
    /// PREVRANDAO; before the merge the difficulty, which the same instruction told.
    pub prev_randao: B256,
    /// Hash of the parent.
    pub parent_hash: B256,
    /// EIP-4788, from Cancun on.
    pub parent_beacon_block_root: Option<B256>,
    /// EIP-4844, from Cancun on.
    pub excess_blob_gas: Option<u64>,
    /// EIP-4895, from Shanghai on; before the merge, in the same form, what those are paid who mined.
    pub withdrawals: Vec<Withdrawal>,
}

impl BlockContext {
    /// What a header fixed before its block's transactions ran.
    #[must_use]
    pub fn of(header: &Header, withdrawals: Vec<Withdrawal>) -> Self {
        Self {
            number: header.number,
            timestamp: header.timestamp,
            beneficiary: header.beneficiary,
            gas_limit: header.gas_limit,
            base_fee: header.base_fee_per_gas.unwrap_or_default(),
            prev_randao: if header.difficulty.is_zero() { header.mix_hash } else { header.difficulty.into() },
            parent_hash: header.parent_hash,
            parent_beacon_block_root: header.parent_beacon_block_root,
            excess_blob_gas: header.excess_blob_gas,
            withdrawals,
        }
    }

    /// What a block's header fixed before its transactions ran, and what is paid after them: before the merge to miners,
    /// since then to those who withdraw.
    #[must_use]
    pub fn of_block(hardfork: Hardfork, header: &Header, ommers: &[Header], withdrawals: &[Withdrawal]) -> Self {
        let paid = match hardfork {
            Hardfork::ProofOfWork(era) => rewards(era, header, ommers),
            _ => withdrawals.to_vec(),
        };
        Self::of(header, paid)
    }
}

/// What miners are paid: the block's own for it and for each ommer, an ommer's the less the older it is (Yellow Paper,
/// 11.3). All of it is whole gwei.
fn rewards(era: Era, header: &Header, ommers: &[Header]) -> Vec<Withdrawal> {
    let (reward, count) = (era.reward_gwei(), ommers.len() as u64);
    let pay = |address, amount| Withdrawal { index: 0, validator_index: 0, address, amount };
    let own = pay(header.beneficiary, reward + count * (reward / REWARD_PER_OMMER));
    let others = ommers.iter().map(|ommer| {
        let age = header.number.saturating_sub(ommer.number).min(OMMER_AGES);
        pay(ommer.beneficiary, reward / OMMER_AGES * (OMMER_AGES - age))
    });
    std::iter::once(own).chain(others).collect()
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Destiny {
    /// It returned or stopped.
    Succeeded,
    /// It reverted by itself; the output is its reason.
    Reverted,
    /// It ended exceptionally.
    Halted {
        /// The reason, in words.
        reason: String,
    },
    /// A guard's veto reverted it; the output is the encoding of `GuardVeto`.
    Vetoed {
        /// Account that holds the first bytes of the guard's module.
        guard: Address,
        /// Whose verdict it was.
        attachment: B256,
        /// The guard's code.
        code: u16,
        /// The guard's words.
        detail: Bytes,
    },
}

impl From<&Veto> for Destiny {
    fn from(veto: &Veto) -> Self {
        Self::Vetoed { guard: veto.guard, attachment: veto.attachment, code: veto.code, detail: veto.detail.clone() }
    }
}

/// What a transaction did, committed or simulated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Executed {
    /// How it ended.
    pub destiny: Destiny,
    /// Gas it pays for, refunds subtracted, its guards included.
    pub gas_used: u64,
    /// What of it is for its guards.
    pub guard_gas_used: u64,
    /// Fuel that its guards spent, and `init` of what it attached.
    pub guard_fuel: Fuel,
    /// Return or revert data; the runtime code of a creation that succeeded.
    pub output: Bytes,
    /// Logs; empty unless it succeeded.
    pub logs: Vec<Log>,
    /// The contract it created, if it did.
    pub created: Option<Address>,
    /// What each woken attachment said.
    pub verdicts: Vec<Verdict>,
}

impl Executed {
    /// Status of its receipt.
    #[must_use]
    pub const fn succeeded(&self) -> bool {
        matches!(self.destiny, Destiny::Succeeded)
    }
}

/// Something that the chain itself does in a block. Guards see it and cannot veto it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum ChainAct {
    /// A call of a system contract (EIP-4788, EIP-2935, EIP-7002, EIP-7251).
    SystemCall {
        /// The contract.
        target: Address,
    },
    /// All withdrawals of the block together (EIP-4895).
    Withdrawals,
    /// The end of a window of blocks in which attachments vetoed too much: they drop to shadow, or are about to.
    Demotions,
}

/// What attachments said of one thing that the chain itself did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JudgedAct {
    /// What it did.
    pub act: ChainAct,
    /// What each woken attachment said.
    pub verdicts: Vec<Verdict>,
}

/// A transaction that is in the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// Its index among the candidates handed in.
    pub candidate: usize,
    /// What it did.
    pub executed: Executed,
    /// Its receipt.
    pub receipt: ReceiptEnvelope<Log>,
}

/// A candidate that is not in the block.
#[derive(Debug)]
pub struct LeftOut<E> {
    /// Its index among the candidates handed in.
    pub candidate: usize,
    /// Why.
    pub reason: E,
}

/// What executing a block gives.
#[derive(Debug)]
pub struct ExecutedBlock<E> {
    /// In block order.
    pub included: Vec<Included>,
    /// Candidates that could not be included.
    pub left_out: Vec<LeftOut<E>>,
    /// What it does to state.
    pub changes: StateChanges,
    /// Sum of the gas used.
    pub gas_used: u64,
    /// Sum of the blob gas used.
    pub blob_gas_used: u64,
    /// EIP-7685 requests, from Prague on.
    pub requests: Requests,
    /// The block-level access list (EIP-7928), if it was asked for.
    pub access_list: Option<BlockAccessList>,
    /// What attachments said of what the chain itself did, in its order. Acts for which nobody woke are left out.
    pub chain_acts: Vec<JudgedAct>,
}
