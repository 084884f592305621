//! What a transaction registered or attached must be able to run, or the transaction is refused in the registry's name.
//!
//! Invariant: a refusal depends on the registry's state before and after the transaction, and on the block, alone.
//! `init` judges a configuration; what it writes to guard state is dropped.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use parapet_abi::{ContextRecord, import::CODE_UNUSABLE};
use parapet_monitor::{
    Allowance, AttachmentId, Decision, Examination, Fault, Fork, Fuel, ModuleHash, StateView, Trace, Veto, detail_text,
};
use parapet_registry::{ATTACHMENTS_MAX, Attachment, REGISTRY_ADDRESS, RegistryReader, SelectedTriggers};
use parapet_vm::HookCall;

use crate::{
    ADMITTED_MAX, FUEL_WOKEN_MAX,
    guard::{Engines, Guard, HookEnd},
    index::{Unloadable, load, subject},
    registry_fault,
    woken::{text, unpaid},
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
pub(crate) fn admit(
    engines: &Engines,
    context: &ContextRecord,
    allowance: Allowance,
    view: &mut dyn StateView,
) -> Result<Examination, Fault> {
    if head(view, Fork::PreTx)? == head(view, Fork::Now)? {
        return Ok(Decision::Proceed.into());
    }
    let mut asking = Asking { engines, context, allowance, spent: Fuel(0) };
    let admitted = admit_modules(engines, view).and_then(|()| asking.admit_attachments(view));
    let decision = match admitted {
        Ok(()) => Decision::Proceed,
        Err(Stopped::Refused(veto)) => Decision::Veto(veto),
        Err(Stopped::Fault(fault)) => return Err(fault),
    };
    Ok(Examination { decision, fuel: asking.spent })
}

/// Asks guards for their opinion of configurations, as far as the transaction pays for it.
struct Asking<'a> {
    engines: &'a Engines,
    context: &'a ContextRecord,
    allowance: Allowance,
    spent: Fuel,
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

/// What `init` judges, and what wakes the guard: a change of it asks anew, a change of mode or a pause does not.
#[derive(PartialEq, Eq)]
struct Content {
    module: ModuleHash,
    configuration: Bytes,
    triggers: SelectedTriggers,
}

fn content(view: &mut dyn StateView, fork: Fork, id: AttachmentId) -> Result<Option<Content>, Fault> {
    let mut reader = RegistryReader::new(view, fork);
    let Some(module) = reader.module_of(id).map_err(registry_fault)? else { return Ok(None) };
    let configuration = reader.configuration_of(id).map_err(registry_fault)?;
    let triggers = reader.triggers_of(id).map_err(registry_fault)?;
    Ok(Some(Content { module, configuration, triggers }))
}

impl Asking<'_> {
    fn admit_attachments(&mut self, view: &mut dyn StateView) -> Result<(), Stopped> {
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
                    let words = format!(
                        "attachments made or configured in one transaction may have at most {FUEL_WOKEN_MAX} fuel"
                    );
                    return Err(refused(id, &words));
                }
                self.admit_attachment(attachment, view)?;
            }
        }
        Ok(())
    }

    fn admit_attachment(&mut self, attachment: Attachment, view: &mut dyn StateView) -> Result<(), Stopped> {
        let id = attachment.id;
        let guard = guard(self.engines, &mut RegistryReader::new(view, Fork::Now), attachment.module, id)?;
        guard.prepare().map_err(|reason| refused(id, &format!("the guard does not compile: {reason}")))?;
        let name = guard.descriptor().name.clone();
        let wrong = |wrong| refused(id, &format!("guard {name}: its triggers do not fit its configuration: {wrong}"));
        let conditions = guard.descriptor().conditions(&attachment.configuration).map_err(wrong)?;
        if !attachment.triggers.fits(conditions.len()) {
            // It would be a guard that nothing, or not all that was meant, wakes.
            let words = format!("guard {name} has {} triggers, and others were selected", conditions.len());
            return Err(refused(id, &words));
        }
        let subject = subject(attachment, guard.subscriptions());
        let trace = Trace { context: *self.context, ..Trace::default() };
        let mut session = guard.session(Arc::new(subject));
        let broke =
            |how: &str| Err(refused(id, &format!("guard {name} broke while it judged its configuration: {how}")));
        let fuel = Fuel(self.allowance.fuel.0.saturating_sub(self.spent.0));
        session.grant(fuel);
        let ended = session.call(HookCall::Init, &trace, view)?;
        self.spent.0 = self.spent.0.saturating_add(session.spent().0);
        match ended {
            HookEnd::Returned => Ok(()),
            HookEnd::Vetoed { code, detail } => {
                let words = format!("guard {name} refuses its configuration: {}", detail_text(&detail));
                Err(Stopped::Refused(Veto { guard: REGISTRY_ADDRESS, attachment: id, code, detail: text(&words) }))
            }
            HookEnd::Trapped { reason } | HookEnd::Overloaded { reason } | HookEnd::Unusable { reason } => {
                broke(&reason)
            }
            HookEnd::OutOfFuel if session.is_short() => {
                let (code, words) = unpaid(Allowance { fuel, ..self.allowance });
                Err(Stopped::Refused(Veto { guard: REGISTRY_ADDRESS, attachment: id, code, detail: words }))
            }
            HookEnd::OutOfFuel => broke("it ran out of fuel"),
            HookEnd::LimitExceeded(limit) => broke(&limit),
        }
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
