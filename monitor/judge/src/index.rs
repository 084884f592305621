//! Who guards which account, read from the registry's storage.
//!
//! Invariant: attachments are in the order in which they judge, (priority, id), and so are the positions by account.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::{Address, B256, map::AddressMap};
use parapet_abi::{
    AccountRecord, FlowRecord, FrameKind, FrameRecord,
    descriptor::{TRIGGER_FLOW, TRIGGER_FRAME},
};
use parapet_monitor::{AttachmentId, Fault, Fork, Mode, ModuleHash, StateView, Subscriptions};
use parapet_registry::{Attachment, Failure, REGISTRY_ADDRESS, RegistryError, RegistryReader};
use parapet_vm::{Engine, Guard, Subject};

use crate::registry_fault;

/// An attachment that judges.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) module: ModuleHash,
    pub(crate) mode: Mode,
    pub(crate) failure: Failure,
    pub(crate) priority: u32,
    /// Its guard, or why there is none that could run.
    pub(crate) guard: Result<Arc<Guard>, String>,
    /// Account that holds the first bytes of the module; the registry where that is not known.
    pub(crate) guard_address: Address,
    pub(crate) subject: Arc<Subject>,
}

impl Entry {
    pub(crate) fn id(&self) -> AttachmentId {
        self.subject.attachment
    }

    /// The guard's name, where it is known.
    pub(crate) fn guard_name(&self) -> &str {
        self.guard.as_ref().map_or("", |guard| guard.descriptor().name.as_str())
    }

    /// A guard that cannot be read might have had any trigger.
    fn triggered_by(&self, trigger: &str) -> bool {
        self.guard.as_ref().map_or(true, |guard| guard.descriptor().triggered_by(trigger))
    }
}

/// Positions in [`Index::entries`].
type Positions = AddressMap<Vec<usize>>;

#[derive(Debug, Default)]
pub(crate) struct Index {
    entries: Vec<Entry>,
    by_frame: Positions,
    by_flow: Positions,
    /// Attachments of the whole chain, by their trigger.
    every_frame: Vec<usize>,
    every_flow: Vec<usize>,
    standing: Subscriptions,
}

impl Index {
    /// Reads what holds before the transaction.
    pub(crate) fn read(engine: &Engine, view: &mut dyn StateView) -> Result<Self, Fault> {
        let mut guards = Guards { engine, known: BTreeMap::new() };
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
        let mut index = Self::default();
        for (position, entry) in entries.iter().enumerate() {
            let (by_frame, by_flow) = (entry.triggered_by(TRIGGER_FRAME), entry.triggered_by(TRIGGER_FLOW));
            if entry.subject.accounts.is_empty() {
                index.every_frame.extend(by_frame.then_some(position));
                index.every_flow.extend(by_flow.then_some(position));
            }
            for account in &entry.subject.accounts {
                let address = Address::from(account.address.bytes);
                if by_frame {
                    index.by_frame.entry(address).or_default().push(position);
                }
                if by_flow {
                    index.by_flow.entry(address).or_default().push(position);
                }
            }
            if by_flow {
                // It wakes when everything has happened, so what it reads must have been recorded all along.
                index.standing = index.standing.union(entry.subject.subscriptions);
            }
        }
        index.entries = entries;
        index
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn entry(&self, position: usize) -> &Entry {
        &self.entries[position]
    }

    /// What must be recorded before anything woke.
    pub(crate) fn standing(&self) -> Subscriptions {
        self.standing
    }

    /// Attachments whose accounts a frame touches: by code, by storage, or by ether that moves; and those of the whole
    /// chain.
    pub(crate) fn touched_by_frame(&self, frame: &FrameRecord) -> Vec<usize> {
        let mut touched = Touched(self.every_frame.clone());
        touched.add(&self.by_frame, frame.target);
        touched.add(&self.by_frame, frame.code_address);
        if moves_value(frame) {
            touched.add(&self.by_frame, frame.caller);
        }
        touched.in_order()
    }

    /// Attachments whose accounts lose or gain in any of the flows.
    pub(crate) fn touched_by_flows(&self, flows: &[FlowRecord]) -> Vec<usize> {
        let mut touched = Touched(if flows.is_empty() { Vec::new() } else { self.every_flow.clone() });
        if !self.by_flow.is_empty() {
            for flow in flows {
                touched.add(&self.by_flow, flow.from);
                touched.add(&self.by_flow, flow.to);
            }
        }
        touched.in_order()
    }
}

/// A kind that this version does not know counts as one that moves value: too many wake rather than too few.
fn moves_value(frame: &FrameRecord) -> bool {
    let moving = match FrameKind::from_u8(frame.kind) {
        Some(FrameKind::DelegateCall | FrameKind::StaticCall | FrameKind::System) => false,
        Some(FrameKind::Call | FrameKind::CallCode | FrameKind::Create | FrameKind::Create2) | None => true,
    };
    moving && frame.value != [0; 32]
}

/// Positions, each once. Nothing is allocated while nothing is touched.
struct Touched(Vec<usize>);

impl Touched {
    fn add(&mut self, positions: &Positions, address: parapet_abi::Address) {
        if let Some(positions) = positions.get(&Address::from(address.bytes)) {
            self.0.extend_from_slice(positions);
        }
    }

    fn in_order(mut self) -> Vec<usize> {
        self.0.sort_unstable();
        self.0.dedup();
        self.0
    }
}

/// Guards met while an index is read, so that each module is looked up once.
struct Guards<'a> {
    engine: &'a Engine,
    known: BTreeMap<ModuleHash, (Result<Arc<Guard>, String>, Address)>,
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
        let subscriptions = guard.as_ref().map_or(Subscriptions::NONE, |guard| guard.subscriptions());
        Ok(Entry {
            module: attachment.module,
            mode,
            failure: attachment.failure,
            priority: attachment.priority,
            guard,
            guard_address,
            subject: Arc::new(subject(attachment, subscriptions)),
        })
    }

    fn find(
        &self,
        reader: &mut RegistryReader<'_>,
        hash: ModuleHash,
    ) -> Result<(Result<Arc<Guard>, String>, Address), Fault> {
        match load(self.engine, reader, hash) {
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
    engine: &Engine,
    reader: &mut RegistryReader<'_>,
    hash: B256,
) -> Result<(Arc<Guard>, Address), Unloadable> {
    let unloadable = |error| match error {
        RegistryError::State(fault) => Unloadable::Fault(Fault::State(fault)),
        other => Unloadable::Refused(other.to_string()),
    };
    let module = reader.module(hash).map_err(unloadable)?;
    let address = module.chunks.first().copied().unwrap_or(REGISTRY_ADDRESS);
    if let Some(guard) = engine.ready(hash) {
        return Ok((guard, address));
    }
    let bytes = reader.module_bytes(&module).map_err(unloadable)?;
    let guard = engine.load(hash, bytes).map_err(|refusal| Unloadable::Refused(refusal.to_string()))?;
    Ok((guard, address))
}
