//! The messages that contracts get, as `sdk/cosmwasm` describes them.
//!
//! Numbers of 64 bits and more are decimal strings, hashes and addresses lower-case hex, names snake case. A value that
//! this version has no name for is `"unknown"`.

use std::io;

use alloy_primitives::hex;
use parapet_abi::{AccountRecord, ContextRecord};
use parapet_monitor::{Subscriptions, Trace, shown::List};
use parapet_vm::Subject;
use serde::Serialize;

use crate::limits::MESSAGE_BYTES_MAX;

mod objects;

use objects::{Each, Hex};

/// Nanoseconds of a second, the unit of CosmWasm's timestamps.
const NANOS: u64 = 1_000_000_000;

/// A transaction cannot be shown to a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the transaction's record has more than {MESSAGE_BYTES_MAX} bytes as a message, which no contract can be shown"
)]
pub struct TooLong;

/// The `env` argument of every entry point.
pub(crate) fn env(context: &ContextRecord, subject: &Subject) -> Vec<u8> {
    let contract = hex::encode_prefixed(subject.attachment);
    let time_ns = context.timestamp.saturating_mul(NANOS);
    let (height, chain) = (context.block_number, context.chain_id);
    format!(
        r#"{{"block":{{"height":{height},"time":"{time_ns}","chain_id":"{chain}"}},"transaction":null,"contract":{{"address":"{contract}"}}}}"#
    )
    .into_bytes()
}

/// The `info` argument of `instantiate`: the account that keeps guard state, which is the registry, and no funds.
pub(crate) fn info(subject: &Subject) -> Vec<u8> {
    format!(r#"{{"sender":"{}","funds":[]}}"#, hex::encode_prefixed(subject.store_account)).into_bytes()
}

/// The `instantiate` message: the attachment's configuration.
pub(crate) fn configuration(subject: &Subject) -> &[u8] {
    if subject.configuration.is_empty() { b"{}" } else { &subject.configuration }
}

/// The `sudo` message: what an attachment's contract is shown of a transaction. `shown` is its descriptor's `message`.
///
/// # Errors
/// [`TooLong`].
pub fn judge(trace: &Trace, subject: &Subject, shown: Option<&[List]>) -> Result<Vec<u8>, TooLong> {
    let mut out = Out(Vec::with_capacity(4_096));
    out.put(br#"{"judge":{"#)?;
    let mut separator = b"\"".as_slice();
    for list in List::ALL.into_iter().filter(|list| is_shown(*list, trace, subject, shown)) {
        for part in [separator, list.name().as_bytes(), b"\":"] {
            out.put(part)?;
        }
        out.list(list, trace, subject)?;
        separator = b",\"";
    }
    out.put(b"}}")?;
    Ok(out.0)
}

/// Who does not say is shown everything, and accesses if there are any.
fn is_shown(list: List, trace: &Trace, subject: &Subject, shown: Option<&[List]>) -> bool {
    match shown {
        Some(shown) => shown.contains(&list),
        None => list != List::Accesses || !only(subject, list, &trace.accesses).is_empty(),
    }
}

/// Nothing of a list that the attachment does not read.
fn only<'a, R>(subject: &Subject, list: List, records: &'a [R]) -> &'a [R] {
    if subject.subscriptions.contains(list.subscription()) { records } else { &[] }
}

/// A message that is being written, never longer than it may be.
struct Out(Vec<u8>);

impl Out {
    fn put(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.0.len() + bytes.len() > MESSAGE_BYTES_MAX {
            return Err(TooLong);
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn list(&mut self, list: List, trace: &Trace, subject: &Subject) -> Result<(), TooLong> {
        match list {
            List::Transaction => self.json(&objects::transaction(&trace.context)),
            List::Accounts => self.json(&Each(&subject.accounts, |account: &AccountRecord| Hex(account.address.bytes))),
            List::Frames => self.json(&Each(&trace.frames, objects::frame)),
            List::Accesses => self.json(&Each(only(subject, list, &trace.accesses), objects::access)),
            List::Flows => {
                let fees = subject.subscriptions.contains(Subscriptions::FEES);
                let flows = if fees { &trace.flows } else { trace.flows_but_fees() };
                self.json(&Each(only(subject, list, flows), objects::flow))
            }
            List::Logs => self.json(&Each(only(subject, list, &trace.logs), objects::log)),
            List::SlotChanges => self.json(&Each(&trace.slot_changes, objects::slot_change)),
            List::CodeChanges => self.json(&Each(&trace.code_changes, objects::code_change)),
        }
    }

    fn json(&mut self, value: &impl Serialize) -> Result<(), TooLong> {
        // Writing to memory fails for one reason.
        serde_json::to_writer(self, value).map_err(|_| TooLong)
    }
}

impl io::Write for &mut Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes).map(|()| bytes.len()).map_err(|TooLong| io::ErrorKind::FileTooLarge.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
