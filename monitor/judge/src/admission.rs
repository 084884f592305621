//! What a transaction registered or attached must be able to run, or the transaction is refused in the registry's name.
//!
//! Invariant: a refusal depends on the registry's state before and after the transaction, and on the block, alone.
//! `init` judges a configuration; what it writes to guard state is dropped.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use parapet_abi::{ContextRecord, import::CODE_UNUSABLE};
use parapet_monitor::{AttachmentId, Decision, Fault, Fork, ModuleHash, StateView, Trace, Veto, detail_text};
use parapet_registry::{ATTACHMENTS_MAX, Attachment, REGISTRY_ADDRESS, RegistryReader};
use parapet_vm::HookCall;

use crate::{
    ADMITTED_MAX, FUEL_WOKEN_MAX,
    guard::{Engines, Guard, HookEnd},
    index::{Unloadable, load, subject},
    registry_fault,
    woken::text,
};

/// A refusal, or a fault, on the way to admission.
enum Stopped {
    Refused(Veto),
    Fault(Fault),
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Admits what is new in the registry, or refuses it.
pub(crate) fn admit(engines: &Engines, context: &ContextRecord, view: &mut dyn StateView) -> Result<Decision, Fault> {
    if head(view, Fork::PreTx)? == head(view, Fork::Now)? {
        return Ok(Decision::Proceed);
    }
    match admit_modules(engines, view).and_then(|()| admit_attachments(engines, context, view)) {
        Ok(()) => Ok(Decision::Proceed),
        Err(Stopped::Refused(veto)) => Ok(Decision::Veto(veto)),
        Err(Stopped::Fault(fault)) => Err(fault),
    }
}

fn head(view: &mut dyn StateView, fork: Fork) -> Result<B256, Fault> {
    RegistryReader::new(view, fork).head().map_err(registry_fault)
}

/// The list of modules only grows, so what is new stands at its end.
fn admit_modules(engines: &Engines, view: &mut dyn StateView) -> Result<(), Stopped> {
    let known = RegistryReader::new(view, Fork::PreTx).module_count().map_err(registry_fault)?;
    let mut reader = RegistryReader::new(view, Fork::Now);
    let count = reader.module_count().map_err(registry_fault)?;
    if count.saturating_sub(known) > ADMITTED_MAX {
        return Err(refused(B256::ZERO, &format!("a transaction may register at most {ADMITTED_MAX} modules")));
    }
    for index in known..count {
        let module = reader.module_at(index).map_err(registry_fault)?;
        guard(engines, &mut reader, module, B256::ZERO)?;
    }
    Ok(())
}

fn admit_attachments(engines: &Engines, context: &ContextRecord, view: &mut dyn StateView) -> Result<(), Stopped> {
    let known = RegistryReader::new(view, Fork::PreTx).attachment_count().map_err(registry_fault)?;
    let count = RegistryReader::new(view, Fork::Now).attachment_count().map_err(registry_fault)?;
    if count > known && count > ATTACHMENTS_MAX {
        return Err(refused(B256::ZERO, &format!("a chain has at most {ATTACHMENTS_MAX} attachments")));
    }
    let ids = RegistryReader::new(view, Fork::Now).attachment_ids().map_err(registry_fault)?;
    let (mut admitted, mut fuel) = (0, 0_u64);
    for id in ids {
        if content(view, Fork::PreTx, id)? == content(view, Fork::Now, id)? {
            continue;
        }
        admitted += 1;
        if admitted > ADMITTED_MAX {
            let words = format!("a transaction may make or configure at most {ADMITTED_MAX} attachments");
            return Err(refused(id, &words));
        }
        let mut reader = RegistryReader::new(view, Fork::Now);
        if let Some(attachment) = reader.attachment(id).map_err(registry_fault)? {
            fuel = fuel.saturating_add(attachment.fuel_max.0);
            if fuel > FUEL_WOKEN_MAX {
                let words =
                    format!("attachments made or configured in one transaction may have at most {FUEL_WOKEN_MAX} fuel");
                return Err(refused(id, &words));
            }
            admit_attachment(engines, context, attachment, view)?;
        }
    }
    Ok(())
}

/// What `init` judges: a change of it asks anew, a change of mode or a pause does not.
fn content(view: &mut dyn StateView, fork: Fork, id: AttachmentId) -> Result<Option<(ModuleHash, Bytes)>, Fault> {
    let mut reader = RegistryReader::new(view, fork);
    let Some(module) = reader.module_of(id).map_err(registry_fault)? else { return Ok(None) };
    Ok(Some((module, reader.configuration_of(id).map_err(registry_fault)?)))
}

fn admit_attachment(
    engines: &Engines,
    context: &ContextRecord,
    attachment: Attachment,
    view: &mut dyn StateView,
) -> Result<(), Stopped> {
    let id = attachment.id;
    let guard = guard(engines, &mut RegistryReader::new(view, Fork::Now), attachment.module, id)?;
    guard.prepare().map_err(|reason| refused(id, &format!("the guard does not compile: {reason}")))?;
    let name = guard.descriptor().name.clone();
    let wrong = |wrong| refused(id, &format!("guard {name}: its triggers do not fit its configuration: {wrong}"));
    guard.descriptor().conditions(&attachment.configuration).map_err(wrong)?;
    let subject = subject(attachment, guard.subscriptions());
    let trace = Trace { context: *context, ..Trace::default() };
    let mut session = guard.session(Arc::new(subject));
    let broke = |how: &str| Err(refused(id, &format!("guard {name} broke while it judged its configuration: {how}")));
    match session.call(HookCall::Init, &trace, view)? {
        HookEnd::Returned => Ok(()),
        HookEnd::Vetoed { code, detail } => {
            let words = format!("guard {name} refuses its configuration: {}", detail_text(&detail));
            Err(Stopped::Refused(Veto { guard: REGISTRY_ADDRESS, attachment: id, code, detail: text(&words) }))
        }
        HookEnd::Trapped { reason } | HookEnd::Overloaded { reason } | HookEnd::Unusable { reason } => broke(&reason),
        HookEnd::OutOfFuel => broke("it ran out of fuel"),
        HookEnd::LimitExceeded(limit) => broke(&limit),
    }
}

fn guard(
    engines: &Engines,
    reader: &mut RegistryReader<'_>,
    module: ModuleHash,
    attachment: AttachmentId,
) -> Result<Guard, Stopped> {
    match load(engines, reader, module) {
        Ok((guard, _)) => Ok(guard),
        Err(Unloadable::Fault(fault)) => Err(Stopped::Fault(fault)),
        Err(Unloadable::Refused(reason)) => Err(refused(attachment, &format!("module {module}: {reason}"))),
    }
}

fn refused(attachment: AttachmentId, words: &str) -> Stopped {
    Stopped::Refused(Veto { guard: REGISTRY_ADDRESS, attachment, code: CODE_UNUSABLE, detail: text(words) })
}
