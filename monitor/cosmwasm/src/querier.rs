//! What a contract may ask while it judges: the EVM's state, which enters the read set, and bytes of the trace that the
//! message leaves out. The requests are those of `sdk/cosmwasm/schema/query.json`.

use alloy_primitives::{Address, B256, Bytes, U256, hex};
use cosmwasm_std::{Binary, ContractResult, SystemError, SystemResult};
use cosmwasm_vm::{BackendError, BackendResult, GasInfo, Querier};
use parapet_monitor::{Fork, StateFault, Subscriptions};
use parapet_vm::metering as fuel;
use serde::Deserialize;

use crate::{
    lend::{Lent, Loan, Stop},
    limits::QUERIED_BYTES_MAX,
    metering,
};

/// Requests of other chains' modules are answered with an error that the contract can handle.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    Custom(Question),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Question {
    Storage { fork: Named, address: Address, slot: B256 },
    Balance { fork: Named, address: Address },
    CodeHash { fork: Named, address: Address },
    FrameInput { frame: u32, offset: u32, len: u32 },
    FrameOutput { frame: u32, offset: u32, len: u32 },
    LogData { log: u32, offset: u32, len: u32 },
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Named {
    PreTx,
    Now,
}

impl From<Named> for Fork {
    fn from(named: Named) -> Self {
        match named {
            Named::PreTx => Self::PreTx,
            Named::Now => Self::Now,
        }
    }
}

/// The querier that an instance is given.
#[derive(Debug)]
pub(crate) struct Evm(pub(crate) Lent);

impl Querier for Evm {
    fn query_raw(&self, request: &[u8], _: u64) -> BackendResult<SystemResult<ContractResult<Binary>>> {
        let read = GasInfo::with_cost(metering::gas(fuel::HOST_CALL.saturating_add(request.len() as u64)));
        let question = match serde_json::from_slice(request) {
            Ok(Request::Custom(question)) => question,
            Err(_) => return (Ok(SystemResult::Err(unsupported())), read),
        };
        let (answer, spent) = self.0.with(|loan| {
            let (answer, spent) = answer(loan, &question);
            let answer = answer.map_err(|fault| {
                loan.stop = Some(Stop::Fault(fault.into()));
                BackendError::unknown("state")
            });
            (answer, spent)
        });
        let mut cost = read;
        cost += GasInfo::with_cost(metering::gas(spent));
        (answer.map(|text| SystemResult::Ok(ContractResult::Ok(Binary::from(format!("\"{text}\"").as_bytes())))), cost)
    }
}

/// Fixed words: what a contract sees is part of the chain's rules.
fn unsupported() -> SystemError {
    SystemError::UnsupportedRequest { kind: "other than the custom queries of Parapet".to_owned() }
}

/// The answer's text, which is all of a JSON string's inside, and the fuel it costs.
fn answer(loan: &mut Loan<'_>, question: &Question) -> (Result<String, StateFault>, u64) {
    let logs = loan.subject.subscriptions.contains(Subscriptions::FLOWS);
    let trace = loan.trace;
    let word = |word: U256| hex::encode_prefixed(word.to_be_bytes::<32>());
    let looked = match *question {
        Question::Storage { fork, address, slot } => loan.view.storage(fork.into(), address, slot.into()).map(word),
        Question::Balance { fork, address } => loan.view.balance(fork.into(), address).map(|wei| wei.to_string()),
        Question::CodeHash { fork, address } => loan.view.code_hash(fork.into(), address).map(|hash| word(hash.into())),
        Question::FrameInput { frame, offset, len } => return part(trace.inputs.get(frame as usize), offset, len),
        Question::FrameOutput { frame, offset, len } => return part(trace.outputs.get(frame as usize), offset, len),
        Question::LogData { log, offset, len } => {
            return part(trace.log_data.get(log as usize).filter(|_| logs), offset, len);
        }
    };
    (looked, fuel::STATE_READ)
}

/// At most `len` bytes from `offset`, as many as there are.
fn part(bytes: Option<&Bytes>, offset: u32, len: u32) -> (Result<String, StateFault>, u64) {
    let rest = bytes.and_then(|bytes| bytes.get(offset as usize..)).unwrap_or_default();
    let given = &rest[..rest.len().min(len as usize).min(QUERIED_BYTES_MAX)];
    (Ok(hex::encode_prefixed(given)), fuel::RECORD + 2 * given.len() as u64)
}
