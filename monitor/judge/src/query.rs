//! Readers ask contracts, outside of any transaction.
//!
//! Invariant: an answer depends on the state that is looked at, the block and the message alone; nothing is written, the
//! index of attachments included. A paused attachment judges nothing, and answers.

use std::sync::Arc;

use parapet_abi::ContextRecord;
use parapet_cosmwasm::{Answers, End, Session};
use parapet_monitor::{Answer, Fork, QueryError, Question, StateView, Trace, detail_text};
use parapet_registry::RegistryReader;

use crate::{
    guard::{Engines, Guard},
    index::{Unloadable, load, subject},
    registry_fault,
};

/// Has the contract of an attachment answer.
pub(crate) fn query(
    engines: &Engines,
    context: &ContextRecord,
    question: Question<'_>,
    view: &mut dyn StateView,
) -> Result<Answer, QueryError> {
    let mut reader = RegistryReader::new(view, Fork::PreTx);
    let attachment = reader.attachment(question.attachment).map_err(registry_fault)?;
    let attachment = attachment.ok_or(QueryError::UnknownAttachment(question.attachment))?;
    let guard = load(engines, &mut reader, attachment.module).map_err(|unloadable| match unloadable {
        Unloadable::Fault(fault) => QueryError::Fault(fault),
        Unloadable::Refused(reason) => QueryError::Broken { guard: attachment.module.to_string(), reason },
    })?;
    let name = guard.0.descriptor().name.clone();
    let Guard::Contract(contract) = guard.0 else { return Err(QueryError::NotAContract { guard: name }) };
    if contract.answers() == Answers::Nothing {
        return Err(QueryError::NoQueries { guard: name });
    }
    let subject = Arc::new(subject(attachment, contract.subscriptions()));
    let trace = Trace { context: *context, ..Trace::default() };
    let mut session = Session::new(contract, subject);
    session.grant(question.fuel_max);
    let answered = session.query(question.message, &trace, view)?;
    let fuel = session.spent();
    answered.map(|data| Answer { data, fuel }).map_err(|end| match end {
        End::Vetoed { code, detail } => QueryError::Refused { guard: name, code, detail: detail_text(&detail) },
        End::OutOfFuel => QueryError::OutOfFuel { guard: name, spent: fuel },
        End::Overloaded { reason } => QueryError::Message { reason },
        End::Trapped { reason } | End::Unusable { reason } => QueryError::Broken { guard: name, reason },
        End::LimitExceeded(limit) => QueryError::Broken { guard: name, reason: limit.to_string() },
        End::Returned => QueryError::Broken { guard: name, reason: "it returned without an answer".to_owned() },
    })
}
