//! Compares two executions of one block: everything that is part of the chain, and nothing that is measured.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, U256};
use parapet_executor::TxError;
use parapet_monitor::Verdict;
use parapet_types::{AccountChange, Executed, ExecutedBlock, JudgedAct, StateChanges};

/// The first thing in which two executions of one block differ. Indices are those of the candidates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// One includes a candidate that the other leaves out.
    #[error("transaction {0} is included by one of them only")]
    Included(usize),
    /// A candidate is left out for different reasons.
    #[error("transaction {candidate} is left out because {one:?}, and because {other:?}")]
    LeftOut {
        /// The candidate.
        candidate: usize,
        /// The first one's reason.
        one: String,
        /// The other's.
        other: String,
    },
    /// A transaction does not do the same.
    #[error("the {part} of transaction {candidate} differs")]
    Transaction {
        /// The candidate.
        candidate: usize,
        /// What differs.
        part: Part,
    },
    /// An account ends differently.
    #[error("account {0} ends differently")]
    Account(Address),
    /// A slot ends differently.
    #[error("slot {slot:#x} of {address} ends differently")]
    Slot {
        /// Whose.
        address: Address,
        /// Which.
        slot: U256,
    },
    /// Code is new to one of them only.
    #[error("code {0} is new to one of them only")]
    Code(B256),
    /// The sum of the gas differs.
    #[error("one uses {one} gas, the other {other}")]
    Gas {
        /// The first one's.
        one: u64,
        /// The other's.
        other: u64,
    },
    /// The sum of the blob gas differs.
    #[error("the blob gas differs")]
    BlobGas,
    /// EIP-7685 requests differ.
    #[error("the requests to the consensus layer differ")]
    Requests,
    /// Block-level access lists (EIP-7928) differ.
    #[error("the block-level access lists differ")]
    AccessList,
    /// What attachments said of system calls and withdrawals differs.
    #[error("what guards said of the chain's own calls and withdrawals differs")]
    ChainVerdicts,
}

/// A part of what a transaction did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// How it ended.
    Outcome,
    /// Gas it pays for.
    Gas,
    /// What of it is for guards, and their fuel.
    GuardGas,
    /// Return or revert data.
    Output,
    /// Logs.
    Logs,
    /// The contract it created.
    Created,
    /// What guards said.
    Verdicts,
    /// The receipt.
    Receipt,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Outcome => "outcome",
            Self::Gas => "gas",
            Self::GuardGas => "gas for guards",
            Self::Output => "output",
            Self::Logs => "log list",
            Self::Created => "created contract",
            Self::Verdicts => "list of verdicts",
            Self::Receipt => "receipt",
        })
    }
}

/// Where two executions of one block part, if they do. The time that guards took is not looked at.
#[must_use]
pub fn first_difference(one: &ExecutedBlock<TxError>, other: &ExecutedBlock<TxError>) -> Option<Difference> {
    included(one, other)
        .or_else(|| left_out(one, other))
        .or_else(|| transactions(one, other))
        .or_else(|| changes(&one.changes, &other.changes))
        .or_else(|| {
            let (one, other) = (one.gas_used, other.gas_used);
            (one != other).then_some(Difference::Gas { one, other })
        })
        .or_else(|| (one.blob_gas_used != other.blob_gas_used).then_some(Difference::BlobGas))
        .or_else(|| (one.requests != other.requests).then_some(Difference::Requests))
        .or_else(|| (one.access_list != other.access_list).then_some(Difference::AccessList))
        .or_else(|| {
            (timeless_acts(&one.chain_acts) != timeless_acts(&other.chain_acts)).then_some(Difference::ChainVerdicts)
        })
}

fn timeless(verdicts: &[Verdict]) -> Vec<Verdict> {
    verdicts.iter().map(|verdict| Verdict { elapsed_ns: 0, ..verdict.clone() }).collect()
}

fn timeless_acts(acts: &[JudgedAct]) -> Vec<JudgedAct> {
    acts.iter().map(|judged| JudgedAct { act: judged.act, verdicts: timeless(&judged.verdicts) }).collect()
}

/// The first candidate that is not at the same place in both.
fn included(one: &ExecutedBlock<TxError>, other: &ExecutedBlock<TxError>) -> Option<Difference> {
    let longest = one.included.len().max(other.included.len());
    (0..longest).find_map(|index| {
        let candidate = |block: &ExecutedBlock<TxError>| block.included.get(index).map(|included| included.candidate);
        let (here, there) = (candidate(one), candidate(other));
        if here == there { None } else { here.into_iter().chain(there).min().map(Difference::Included) }
    })
}

fn left_out(one: &ExecutedBlock<TxError>, other: &ExecutedBlock<TxError>) -> Option<Difference> {
    let longest = one.left_out.len().max(other.left_out.len());
    (0..longest).find_map(|index| {
        let entry = |block: &ExecutedBlock<TxError>| {
            block.left_out.get(index).map(|left| (left.candidate, left.reason.to_string()))
        };
        match (entry(one), entry(other)) {
            (Some((here, reason)), Some((there, other))) if here == there => {
                (reason != other).then_some(Difference::LeftOut { candidate: here, one: reason, other })
            }
            (here, there) => {
                here.into_iter().chain(there).map(|(candidate, _)| candidate).min().map(Difference::Included)
            }
        }
    })
}

fn transactions(one: &ExecutedBlock<TxError>, other: &ExecutedBlock<TxError>) -> Option<Difference> {
    one.included.iter().zip(&other.included).find_map(|(here, there)| {
        let part = part(&here.executed, &there.executed)
            .or_else(|| (here.receipt != there.receipt).then_some(Part::Receipt))?;
        Some(Difference::Transaction { candidate: here.candidate, part })
    })
}

/// What two executions of a transaction differ in. Taken apart by name, so that a field that is added must be thought of.
fn part(one: &Executed, other: &Executed) -> Option<Part> {
    let Executed { destiny, gas_used, guard_gas_used, guard_fuel, output, logs, created, verdicts } = one;
    [
        (*destiny != other.destiny, Part::Outcome),
        (*gas_used != other.gas_used, Part::Gas),
        ((*guard_gas_used, *guard_fuel) != (other.guard_gas_used, other.guard_fuel), Part::GuardGas),
        (*output != other.output, Part::Output),
        (*logs != other.logs, Part::Logs),
        (*created != other.created, Part::Created),
        (timeless(verdicts) != timeless(&other.verdicts), Part::Verdicts),
    ]
    .into_iter()
    .find_map(|(differs, part)| differs.then_some(part))
}

fn changes(one: &StateChanges, other: &StateChanges) -> Option<Difference> {
    let addresses: BTreeSet<_> = one.accounts.keys().chain(other.accounts.keys()).collect();
    let account = |address: &Address| match (one.accounts.get(address), other.accounts.get(address)) {
        (Some(one), Some(other)) => change(*address, one, other),
        _ => Some(Difference::Account(*address)),
    };
    addresses.into_iter().find_map(account).or_else(|| {
        let codes: BTreeSet<_> = one.code.keys().chain(other.code.keys()).collect();
        codes.into_iter().find(|hash| one.code.get(*hash) != other.code.get(*hash)).map(|hash| Difference::Code(*hash))
    })
}

fn change(address: Address, one: &AccountChange, other: &AccountChange) -> Option<Difference> {
    if one.info != other.info || one.wipe_storage != other.wipe_storage {
        return Some(Difference::Account(address));
    }
    let slots: BTreeSet<_> = one.storage.keys().chain(other.storage.keys()).collect();
    let differs = |slot: &&U256| one.storage.get(*slot) != other.storage.get(*slot);
    slots.into_iter().find(differs).map(|slot| Difference::Slot { address, slot: *slot })
}

#[cfg(test)]
mod tests {
    use alloy_consensus::{Receipt, ReceiptEnvelope};
    use alloy_primitives::{Bytes, Log};
    use parapet_types::{AccountInfo, ChainAct, Destiny, Included, LeftOut};

    use super::*;

    const A: Address = Address::repeat_byte(0xa);

    fn verdict(elapsed_ns: u64) -> Verdict {
        Verdict {
            attachment: B256::ZERO,
            module: B256::ZERO,
            guard: "g".to_owned(),
            mode: parapet_monitor::Mode::Shadow,
            outcome: parapet_monitor::Outcome::Allow,
            hook: None,
            frame: None,
            code: 0,
            detail: Bytes::new(),
            fuel: parapet_monitor::Fuel(5),
            elapsed_ns,
            origin: Default::default(),
        }
    }

    fn block() -> ExecutedBlock<TxError> {
        let executed = Executed {
            destiny: Destiny::Succeeded,
            gas_used: 21_000,
            guard_gas_used: 0,
            guard_fuel: parapet_monitor::Fuel(0),
            output: Bytes::new(),
            logs: vec![Log::default()],
            created: None,
            verdicts: vec![verdict(1)],
        };
        let receipt = ReceiptEnvelope::Legacy(Receipt::default().with_bloom());
        let mut changes = StateChanges::default();
        let mut change = AccountChange { info: Some(AccountInfo::default()), ..AccountChange::default() };
        change.storage.insert(U256::from(7), U256::from(1));
        changes.accounts.insert(A, change);
        ExecutedBlock {
            included: vec![Included { candidate: 0, executed, receipt }],
            left_out: vec![LeftOut { candidate: 1, reason: TxError::Evm("a".to_owned()) }],
            changes,
            gas_used: 21_000,
            blob_gas_used: 0,
            requests: Default::default(),
            access_list: None,
            chain_acts: vec![JudgedAct { act: ChainAct::Withdrawals, verdicts: vec![verdict(1)] }],
        }
    }

    fn after(change: impl FnOnce(&mut ExecutedBlock<TxError>)) -> Option<Difference> {
        let mut other = block();
        change(&mut other);
        first_difference(&block(), &other)
    }

    #[test]
    fn equal_blocks_differ_in_nothing_and_time_is_no_part_of_them() {
        assert_eq!(after(|_| {}), None);
        assert_eq!(after(|other| other.included[0].executed.verdicts[0].elapsed_ns = 99), None);
    }

    #[test]
    fn every_part_of_a_block_is_looked_at() {
        let transaction = |part| Some(Difference::Transaction { candidate: 0, part });
        assert_eq!(after(|other| other.included.clear()), Some(Difference::Included(0)));
        assert_eq!(after(|other| other.included[0].candidate = 3), Some(Difference::Included(0)));
        assert_eq!(after(|other| other.left_out.clear()), Some(Difference::Included(1)));
        let reason = |other: &mut ExecutedBlock<TxError>| other.left_out[0].reason = TxError::Evm("b".to_owned());
        assert!(matches!(after(reason), Some(Difference::LeftOut { candidate: 1, .. })));
        let executed = |change: fn(&mut Executed)| after(|other| change(&mut other.included[0].executed));
        assert_eq!(executed(|executed| executed.destiny = Destiny::Reverted), transaction(Part::Outcome));
        assert_eq!(executed(|executed| executed.gas_used = 1), transaction(Part::Gas));
        assert_eq!(executed(|executed| executed.output = Bytes::from_static(b"o")), transaction(Part::Output));
        assert_eq!(executed(|executed| executed.logs.clear()), transaction(Part::Logs));
        assert_eq!(executed(|executed| executed.created = Some(A)), transaction(Part::Created));
        assert_eq!(executed(|executed| executed.verdicts[0].fuel.0 = 6), transaction(Part::Verdicts));
        let receipt = ReceiptEnvelope::Eip1559(Receipt::default().with_bloom());
        assert_eq!(after(|other| other.included[0].receipt = receipt), transaction(Part::Receipt));
        assert_eq!(after(|other| other.gas_used = 1), Some(Difference::Gas { one: 21_000, other: 1 }));
        assert_eq!(after(|other| other.blob_gas_used = 1), Some(Difference::BlobGas));
        let requests = |other: &mut ExecutedBlock<TxError>| other.requests.push_request_with_type(0, [1_u8]);
        assert_eq!(after(requests), Some(Difference::Requests));
        let listed = after(|other| other.access_list = Some(Vec::new()));
        assert_eq!(listed, Some(Difference::AccessList));
        let said = after(|other| other.chain_acts[0].verdicts[0].code = 9);
        assert_eq!(said, Some(Difference::ChainVerdicts));
        assert_eq!(after(|other| other.chain_acts[0].verdicts[0].elapsed_ns = 9), None);
    }

    #[test]
    fn a_difference_of_state_is_named_by_its_place() {
        let (slot, zero) = (U256::from(7), U256::ZERO);
        let account = |change: fn(&mut AccountChange)| {
            after(|other| change(other.changes.accounts.get_mut(&A).expect("it changes")))
        };
        assert_eq!(account(|change| change.info = None), Some(Difference::Account(A)));
        assert_eq!(account(|change| change.wipe_storage = true), Some(Difference::Account(A)));
        assert_eq!(account(|change| change.storage.clear()), Some(Difference::Slot { address: A, slot }));
        let added = |change: &mut AccountChange| change.storage.extend([(U256::ZERO, U256::ZERO)]);
        assert_eq!(account(added), Some(Difference::Slot { address: A, slot: zero }));
        assert_eq!(after(|other| other.changes.accounts.clear()), Some(Difference::Account(A)));
        let code = |other: &mut ExecutedBlock<TxError>| drop(other.changes.code.insert(B256::ZERO, Bytes::new()));
        assert_eq!(after(code), Some(Difference::Code(B256::ZERO)));
    }
}
