//! Everything that can be seen of an execution, and where two of them part.

use std::fmt::Debug;

use alloy_consensus::ReceiptEnvelope;
use alloy_eip7928::{AccountChanges, BlockAccessList};
use alloy_eips::eip7685::Requests;
use alloy_primitives::Log;
use parapet_executor::{BlockError, BlockInput, Mode, TxError, execute_block};
use parapet_monitor::Monitor;
use parapet_types::{Executed, ExecutedBlock, JudgedAct, StateChanges};

/// A transaction that is in the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// Its index among the candidates.
    pub candidate: usize,
    /// What it did, without the time its guards took.
    pub executed: Executed,
    /// Its receipt.
    pub receipt: ReceiptEnvelope<Log>,
}

/// What an execution made of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// In block order.
    pub included: Vec<Included>,
    /// Index and reason of those left out.
    pub left_out: Vec<(usize, String)>,
    /// What happens to state.
    pub changes: StateChanges,
    /// Sum of gas.
    pub gas_used: u64,
    /// Sum of blob gas.
    pub blob_gas_used: u64,
    /// EIP-7685.
    pub requests: Requests,
    /// EIP-7928, if it was asked for.
    pub access_list: Option<BlockAccessList>,
    /// What was said of what the chain itself did.
    pub chain_acts: Vec<JudgedAct>,
}

impl From<ExecutedBlock<TxError>> for Observed {
    fn from(block: ExecutedBlock<TxError>) -> Self {
        let ExecutedBlock {
            included,
            left_out,
            changes,
            gas_used,
            blob_gas_used,
            requests,
            access_list,
            mut chain_acts,
        } = block;
        chain_acts.iter_mut().flat_map(|judged| &mut judged.verdicts).for_each(|verdict| verdict.elapsed_ns = 0);
        let included = included
            .into_iter()
            .map(|mut included| {
                included.executed.verdicts.iter_mut().for_each(|verdict| verdict.elapsed_ns = 0);
                Included { candidate: included.candidate, executed: included.executed, receipt: included.receipt }
            })
            .collect();
        let left_out = left_out.into_iter().map(|left| (left.candidate, left.reason.to_string())).collect();
        Self { included, left_out, changes, gas_used, blob_gas_used, requests, access_list, chain_acts }
    }
}

impl Observed {
    /// Indices of the candidates that are in the block.
    #[must_use]
    pub fn candidates(&self) -> Vec<usize> {
        self.included.iter().map(|included| included.candidate).collect()
    }

    /// The same, had only the candidates been handed in that are in the block.
    #[must_use]
    pub fn of_included_alone(mut self) -> Self {
        self.left_out.clear();
        self.included.iter_mut().enumerate().for_each(|(index, included)| included.candidate = index);
        self
    }
}

/// Executes a block and keeps all that can be seen of it.
///
/// # Errors
/// As [`execute_block`].
pub fn observe(input: &BlockInput<'_>, monitor: &dyn Monitor, mode: Mode<'_>) -> Result<Observed, BlockError> {
    execute_block(input, monitor, mode).map(Observed::from)
}

/// Where the second observation parts from the first, in words; `None` where they are equal. Errors are compared by
/// their texts.
#[must_use]
pub fn first_difference(
    expected: &Result<Observed, BlockError>,
    found: &Result<Observed, BlockError>,
) -> Option<String> {
    let (expected, found) = match (expected, found) {
        (Ok(expected), Ok(found)) => (expected, found),
        (Err(expected), Err(found)) => return part("error", &expected.to_string(), &found.to_string()),
        (Ok(_), Err(found)) => return Some(format!("the block failed, which it should not: {found}")),
        (Err(expected), Ok(_)) => return Some(format!("the block should have failed: {expected}")),
    };
    each("left out", &expected.left_out, &found.left_out)
        .or_else(|| part("candidates", &expected.candidates(), &found.candidates()))
        .or_else(|| each("included", &expected.included, &found.included))
        .or_else(|| changes(&expected.changes, &found.changes))
        .or_else(|| part("gas used", &expected.gas_used, &found.gas_used))
        .or_else(|| part("blob gas used", &expected.blob_gas_used, &found.blob_gas_used))
        .or_else(|| part("requests", &expected.requests, &found.requests))
        .or_else(|| entries(expected.access_list.as_deref(), found.access_list.as_deref()))
        // Whatever has been forgotten above.
        .or_else(|| part("observation", expected, found))
}

fn part<T: PartialEq + Debug>(name: &str, expected: &T, found: &T) -> Option<String> {
    (expected != found).then(|| format!("{name}:\n  expected {expected:?}\n  found    {found:?}"))
}

fn each<T: PartialEq + Debug>(name: &str, expected: &[T], found: &[T]) -> Option<String> {
    let longest = expected.len().max(found.len());
    (0..longest).find_map(|index| part(&format!("{name}, number {index}"), &expected.get(index), &found.get(index)))
}

fn entries(expected: Option<&[AccountChanges]>, found: Option<&[AccountChanges]>) -> Option<String> {
    let (Some(expected), Some(found)) = (expected, found) else { return part("access list", &expected, &found) };
    each("access list", expected, found)
}

fn changes(expected: &StateChanges, found: &StateChanges) -> Option<String> {
    let addresses = expected.accounts.keys().chain(found.accounts.keys());
    let account = addresses.into_iter().find_map(|address| {
        part(&format!("change of {address}"), &expected.accounts.get(address), &found.accounts.get(address))
    });
    account.or_else(|| part("new code", &expected.code, &found.code))
}

#[cfg(test)]
mod tests {
    use alloy_consensus::Receipt;
    use alloy_primitives::{Address, Bytes};
    use parapet_monitor::Verdict;
    use parapet_types::{AccountChange, ChainAct, Destiny};

    use super::*;

    fn sample() -> Observed {
        let executed = Executed {
            destiny: Destiny::Succeeded,
            gas_used: 1,
            guard_gas_used: 0,
            guard_fuel: parapet_monitor::Fuel(0),
            output: Bytes::new(),
            logs: Vec::new(),
            created: None,
            verdicts: vec![verdict(3)],
        };
        let receipt = ReceiptEnvelope::Legacy(Receipt::default().with_bloom());
        Observed {
            included: vec![Included { candidate: 0, executed, receipt }],
            left_out: vec![(1, "no".to_owned())],
            changes: StateChanges::default(),
            gas_used: 1,
            blob_gas_used: 0,
            requests: Requests::default(),
            access_list: None,
            chain_acts: Vec::new(),
        }
    }

    fn verdict(elapsed_ns: u64) -> Verdict {
        Verdict {
            attachment: Default::default(),
            module: Default::default(),
            guard: String::new(),
            mode: parapet_monitor::Mode::Shadow,
            outcome: parapet_monitor::Outcome::Allow,
            hook: None,
            frame: None,
            code: 0,
            detail: Bytes::new(),
            fuel: parapet_monitor::Fuel(0),
            elapsed_ns,
            origin: Default::default(),
        }
    }

    type Change = fn(&mut Observed);

    #[test]
    fn every_part_counts() {
        let changes: [(&str, Change); 12] = [
            ("left out", |seen| seen.left_out[0].1 = "yes".to_owned()),
            ("candidates", |seen| seen.included[0].candidate = 4),
            ("included", |seen| seen.included[0].executed.destiny = Destiny::Reverted),
            ("included", |seen| seen.included[0].executed.output = Bytes::from_static(b"x")),
            ("included", |seen| seen.included[0].executed.verdicts[0].code = 1),
            ("included", |seen| seen.included[0].receipt = ReceiptEnvelope::Eip2930(Receipt::default().with_bloom())),
            ("change of", |seen| drop(seen.changes.accounts.insert(Address::ZERO, AccountChange::default()))),
            ("new code", |seen| drop(seen.changes.code.insert(Default::default(), Bytes::new()))),
            ("gas used", |seen| seen.gas_used = 2),
            ("blob gas used", |seen| seen.blob_gas_used = 2),
            ("access list", |seen| seen.access_list = Some(Vec::new())),
            ("requests", |seen| seen.requests.push_request_with_type(1, [7])),
        ];
        for (name, change) in changes {
            let mut other = sample();
            change(&mut other);
            let part = first_difference(&Ok(sample()), &Ok(other)).unwrap_or_default();
            assert!(part.starts_with(name), "{name}: {part}");
        }
        assert_eq!(first_difference(&Ok(sample()), &Ok(sample())), None);
    }

    #[test]
    fn a_block_that_fails_differs_from_one_that_does_not_and_from_one_that_fails_otherwise() {
        let failed = |words: &'static str| Err(BlockError::Deposit(words));
        assert!(first_difference(&Ok(sample()), &failed("a")).is_some());
        assert!(first_difference(&failed("a"), &Ok(sample())).is_some());
        assert!(first_difference(&failed("a"), &failed("b")).is_some());
        assert_eq!(first_difference(&failed("a"), &failed("a")), None);
    }

    #[test]
    fn the_time_guards_took_does_not_count() {
        let block = |elapsed_ns| {
            let Observed { included, changes, gas_used, blob_gas_used, requests, .. } = sample();
            let included = included
                .into_iter()
                .map(|Included { candidate, mut executed, receipt }| {
                    executed.verdicts = vec![verdict(elapsed_ns)];
                    parapet_types::Included { candidate, executed, receipt }
                })
                .collect();
            let left_out = Vec::new();
            let judged = JudgedAct { act: ChainAct::Withdrawals, verdicts: vec![verdict(elapsed_ns)] };
            let (access_list, chain_acts) = (None, vec![judged]);
            let block = ExecutedBlock {
                included,
                left_out,
                changes,
                gas_used,
                blob_gas_used,
                requests,
                access_list,
                chain_acts,
            };
            Observed::from(block)
        };
        assert_eq!(block(1), block(2));
    }
}
