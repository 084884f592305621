//! Who guards which account, read from the registry's storage.
//!
//! Invariant: attachments are in the order in which they judge, (priority, id), and so are the positions of watchers.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::{Address, B256, Selector};
use parapet_abi::{AccountRecord, FrameKind};
use parapet_monitor::{
    AttachmentId, Fault, Fork, Mode, ModuleHash, StateView, Subscriptions, Trace, Watchlist,
    trigger::{CallTrigger, CodeTrigger, Condition, FlowTrigger, LogTrigger, SlotTrigger, Trigger},
};
use parapet_registry::{Attachment, Failure, REGISTRY_ADDRESS, RegistryError, RegistryReader, SelectedTriggers};
use parapet_vm::Subject;

use crate::{
    guard::{Engines, Guard},
    registry_fault,
    watchers::Watchers,
};

/// An attachment that judges.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) module: ModuleHash,
    pub(crate) mode: Mode,
    pub(crate) failure: Failure,
    pub(crate) priority: u32,
    /// Selectors by which its accounts can be called without its veto.
    pub(crate) escapes: Vec<Selector>,
    /// From which share of vetoes, in basis points, it drops to shadow; zero: never.
    pub(crate) demotion_share: u16,
    /// Its guard, or why there is none that could run.
    pub(crate) guard: Result<Guard, String>,
    /// Account that holds the first bytes of the module; the registry where that is not known.
    pub(crate) guard_address: Address,
    pub(crate) subject: Arc<Subject>,
    /// Which of the guard's triggers wake it.
    pub(crate) triggers: SelectedTriggers,
}

impl Entry {
    pub(crate) fn id(&self) -> AttachmentId {
        self.subject.attachment
    }

    /// The guard's name, where it is known.
    pub(crate) fn guard_name(&self) -> &str {
        self.guard.as_ref().map_or("", |guard| guard.descriptor().name.as_str())
    }

    /// Whether the transaction itself calls one of its accounts by one of its escapes. What frames further down call does
    /// not count, or whoever bundles such a call with a theft would pass.
    pub(crate) fn is_escaped_by(&self, trace: &Trace) -> bool {
        if self.escapes.is_empty() {
            return false;
        }
        let Some(first) = trace.frames.first() else { return false };
        let calls = FrameKind::from_u8(first.kind) == Some(FrameKind::Call);
        calls
            && first.input_len as usize >= first.selector.len()
            && self.escapes.iter().any(|escape| escape.0 == first.selector)
            && self.subject.accounts.iter().any(|account| account.address == first.target)
    }

    /// What it waits for.
    fn conditions(&self) -> Vec<Condition> {
        match self.guard.as_ref().map(|guard| guard.descriptor().conditions(&self.subject.configuration)) {
            Ok(Ok(conditions)) => {
                let selected = conditions.into_iter().enumerate().filter(|(index, _)| self.triggers.selects(*index));
                selected.map(|(_, condition)| condition).collect()
            }
            // A guard that cannot be read might have had any trigger, and `Guards::entry` has seen that it binds.
            Ok(Err(_)) | Err(_) => any_condition(),
        }
    }
}

/// Everything that can wake.
fn any_condition() -> Vec<Condition> {
    let triggers = [
        Trigger::Call(CallTrigger::default()),
        Trigger::Slot(SlotTrigger::default()),
        Trigger::Log(LogTrigger::default()),
        Trigger::Flow(FlowTrigger::default()),
        Trigger::Code(CodeTrigger::default()),
    ];
    triggers.iter().map(|trigger| trigger.bind(&[], &[]).expect("a trigger without values binds to anything")).collect()
}

#[derive(Debug)]
pub(crate) struct Index {
    entries: Vec<Entry>,
    watchers: Watchers,
    watchlist: Arc<Watchlist>,
}

impl Index {
    /// Reads what holds before the transaction.
    pub(crate) fn read(engines: &Engines, view: &mut dyn StateView) -> Result<Self, Fault> {
        let mut guards = Guards { engines, known: BTreeMap::new() };
        let mut reader = RegistryReader::new(view, Fork::PreTx);
        let mut entries = Vec::new();
        for id in reader.attachment_ids().map_err(registry_fault)? {
            let attachment = reader.attachment(id).map_err(registry_fault)?.ok_or_else(|| {
                let reason = "the registry's storage is damaged: a listed attachment is missing".to_owned();
                Fault::Engine { attachment: id, reason }
            })?;
            match attachment.mode {
                Some(mode) if !attachment.paused => entries.push(guards.entry(&mut reader, attachment, mode)?),
                _ => {}
            }
        }
        Ok(Self::new(entries))
    }

    pub(crate) fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by_key(|entry| (entry.priority, entry.id()));
        let mut watchers = Watchers::default();
        for (position, entry) in entries.iter().enumerate() {
            let accounts = entry.subject.accounts.iter().map(|account| Address::from(account.address.bytes));
            watchers.add(position, accounts, entry.conditions(), entry.subject.subscriptions);
        }
        let watchlist = Arc::new(watchers.list());
        Self { entries, watchers, watchlist }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn entry(&self, position: usize) -> &Entry {
        &self.entries[position]
    }

    /// Whom anybody waits for.
    pub(crate) fn watchlist(&self) -> Arc<Watchlist> {
        Arc::clone(&self.watchlist)
    }

    /// All, in the order in which they judge.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Who waits for what.
    pub(crate) const fn watchers(&self) -> &Watchers {
        &self.watchers
    }
}

/// Guards met while an index is read, so that each module is looked up once.
struct Guards<'a> {
    engines: &'a Engines,
    known: BTreeMap<ModuleHash, (Result<Guard, String>, Address)>,
}

impl Guards<'_> {
    fn entry(&mut self, reader: &mut RegistryReader<'_>, attachment: Attachment, mode: Mode) -> Result<Entry, Fault> {
        let (guard, guard_address) = match self.known.get(&attachment.module) {
            Some(known) => known.clone(),
            None => {
                let found = self.find(reader, attachment.module)?;
                self.known.insert(attachment.module, found.clone());
                found
            }
        };
        let guard = guard.and_then(|guard| match guard.descriptor().conditions(&attachment.configuration) {
            Ok(_) => Ok(guard),
            Err(wrong) => Err(format!("its triggers do not fit its configuration: {wrong}")),
        });
        let subscriptions = guard.as_ref().map_or(Subscriptions::NONE, |guard| guard.subscriptions());
        Ok(Entry {
            module: attachment.module,
            mode,
            failure: attachment.failure,
            priority: attachment.priority,
            escapes: attachment.escapes.clone(),
            demotion_share: attachment.demotion_share,
            guard,
            guard_address,
            triggers: attachment.triggers,
            subject: Arc::new(subject(attachment, subscriptions)),
        })
    }

    fn find(
        &self,
        reader: &mut RegistryReader<'_>,
        hash: ModuleHash,
    ) -> Result<(Result<Guard, String>, Address), Fault> {
        match load(self.engines, reader, hash) {
            Ok((guard, address)) => Ok((Ok(guard), address)),
            Err(Unloadable::Fault(fault)) => Err(fault),
            Err(Unloadable::Refused(reason)) => Ok((Err(reason), REGISTRY_ADDRESS)),
        }
    }
}

/// The part of an attachment that its guard's sessions see.
pub(crate) fn subject(attachment: Attachment, subscriptions: Subscriptions) -> Subject {
    let accounts = attachment.accounts.iter();
    Subject {
        attachment: attachment.id,
        accounts: accounts.map(|account| AccountRecord { address: account.into_array().into() }).collect(),
        configuration: attachment.configuration,
        subscriptions,
        fuel_max: attachment.fuel_max,
        store_account: REGISTRY_ADDRESS,
    }
}

/// Why a module gives no guard.
pub(crate) enum Unloadable {
    /// No verdict can be reached.
    Fault(Fault),
    /// It cannot run, now and for ever, on any node.
    Refused(String),
}

/// Reads, vets and keeps the guard of a registered module, and tells where its first bytes lie. Bytes are not read
/// again while the guard is ready.
pub(crate) fn load(
    engines: &Engines,
    reader: &mut RegistryReader<'_>,
    hash: B256,
) -> Result<(Guard, Address), Unloadable> {
    let unloadable = |error| match error {
        RegistryError::State(fault) => Unloadable::Fault(Fault::State(fault)),
        other => Unloadable::Refused(other.to_string()),
    };
    let module = reader.module(hash).map_err(unloadable)?;
    let address = module.chunks.first().copied().unwrap_or(REGISTRY_ADDRESS);
    if let Some(guard) = engines.ready(hash) {
        return Ok((guard, address));
    }
    let bytes = reader.module_bytes(&module).map_err(unloadable)?;
    let guard = engines.load(hash, bytes).map_err(Unloadable::Refused)?;
    Ok((guard, address))
}
