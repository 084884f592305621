//! Guards of one node's own: they judge beside the chain's and can only tell.
//!
//! Invariant: decisions, fuel, guard state and faults are those of the chain's guards alone, so blocks and receipts are the
//! same on every node, whatever it watches for itself. A local guard has an engine of its own, so that it takes no
//! instance from the chain's; one that fails says so in the log and is silent for the rest of the transaction. Its state
//! lasts for the transaction. What is recorded only because somebody reads it, accesses and preimages, would show in the
//! numbers of events that the chain's guards see, so a guard that reads it cannot be local.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes, U256, keccak256};
use parapet_abi::ContextRecord;
use parapet_monitor::{
    Allowance, Answer, AttachmentId, Attention, BlockEnd, Candidate, CandidateError, Closing, Counts, Decision,
    Examination, Fault, FuelSpent, Judgement, Judging, MemoryState, Mode, Monitor, Origin, QueryError, Question,
    StateFault, StateView, Subscriptions, Trace, Tryout, Watchlist, detail_text,
};
use parapet_registry::{Attachment, FUEL_MAX, Failure, REGISTRY_ADDRESS};
use parapet_vm::{Engine, HookCall};

use crate::{
    Clock, DemotionRules, Judge,
    guard::{Engines, Guard, HookEnd, Session},
    index::{Entry, Index, subject},
    judging::Judgment,
};

/// Domain of the names of local attachments, so that none is an attachment of the chain.
const LOCAL_DOMAIN: &[u8] = b"parapet.local.v1";

/// A guard that a node runs for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalGuard {
    /// Its module.
    pub module: Bytes,
    /// Whom it watches; nobody in particular: the whole chain.
    pub accounts: Vec<Address>,
    /// ABI encoding of its parameters.
    pub configuration: Bytes,
}

/// Why a local guard cannot be used: the node does not start.
#[derive(Debug, thiserror::Error)]
#[error("guard {number} of this node cannot be used: {reason}")]
pub struct LocalError {
    number: usize,
    reason: String,
}

/// The chain's judge, with guards of this node beside it.
#[derive(Debug)]
pub struct LocalJudge {
    chain: Judge,
    local: Arc<Index>,
    clock: Clock,
}

impl LocalJudge {
    /// Vets, compiles and initialises the guards, on an engine that the chain's judge does not use.
    ///
    /// # Errors
    /// [`LocalError`] says which of them cannot be used.
    pub fn new(chain: Judge, engine: &Engine, guards: Vec<LocalGuard>) -> Result<Self, LocalError> {
        let engines = Engines::new(engine.clone());
        let entries = guards.into_iter().enumerate().map(|(number, local)| {
            let attachment = attachment(number, &local);
            let entry = entry(&engines, attachment, local.module).and_then(without_live_records);
            entry.map_err(|reason| LocalError { number, reason })
        });
        let local = Arc::new(Index::new(entries.collect::<Result<_, _>>()?));
        let clock = chain.clock;
        Ok(Self { chain, local, clock })
    }
}

/// As if it were attached to a chain, in shadow: it judges and never acts.
fn attachment(number: usize, local: &LocalGuard) -> Attachment {
    let module = keccak256(&local.module);
    let name = [LOCAL_DOMAIN, &number.to_be_bytes(), module.as_slice(), &local.configuration].concat();
    Attachment {
        id: AttachmentId::from(keccak256(name)),
        module,
        mode: Some(Mode::Shadow),
        failure: Failure::Open,
        priority: u32::try_from(number).unwrap_or(u32::MAX),
        fuel_max: parapet_monitor::Fuel(FUEL_MAX),
        accounts: local.accounts.clone(),
        configuration: local.configuration.clone(),
        ..Attachment::default()
    }
}

/// What is recorded while a transaction runs would show in the numbers of events.
fn without_live_records(entry: Entry) -> Result<Entry, String> {
    if entry.subject.subscriptions.recorded_live() == Subscriptions::NONE {
        return Ok(entry);
    }
    Err("it reads storage accesses or preimages, which only the chain's guards may have recorded; \
         `parapet guard watch --with` tries it on a transaction after it is in a block"
        .to_owned())
}

/// A guard that is attached nowhere, vetted, compiled and initialised: it judges in shadow.
pub(crate) fn entry(engines: &Engines, attachment: Attachment, module: Bytes) -> Result<Entry, String> {
    let guard = engines.load(attachment.module, module)?;
    guard.prepare()?;
    if let Err(wrong) = guard.descriptor().conditions(&attachment.configuration) {
        return Err(format!("its triggers do not fit its configuration: {wrong}"));
    }
    let (priority, hash, failure, triggers) =
        (attachment.priority, attachment.module, attachment.failure, attachment.triggers);
    let subject = Arc::new(subject(attachment, guard.subscriptions()));
    init(&guard, guard.session(subject.clone()))?;
    Ok(Entry {
        module: hash,
        mode: Mode::Shadow,
        failure,
        priority,
        escapes: Vec::new(),
        demotion_share: 0,
        guard: Ok(guard),
        guard_address: REGISTRY_ADDRESS,
        subject,
        triggers,
    })
}

/// What `init` says of the configuration.
fn init(guard: &Guard, mut session: Session) -> Result<(), String> {
    let name = &guard.descriptor().name;
    match session.call(HookCall::Init, &Trace::default(), &mut MemoryState::default()) {
        Ok(HookEnd::Returned) => Ok(()),
        Ok(HookEnd::Vetoed { detail, .. }) => Err(format!("{name} refuses its parameters: {}", detail_text(&detail))),
        Ok(HookEnd::Trapped { reason } | HookEnd::Overloaded { reason } | HookEnd::Unusable { reason }) => {
            Err(format!("{name} broke in init: {reason}"))
        }
        Ok(HookEnd::OutOfFuel) => Err(format!("{name} ran out of fuel in init")),
        Ok(HookEnd::LimitExceeded(limit)) => Err(format!("{name} exceeded a limit in init: {limit}")),
        Err(fault) => Err(fault.to_string()),
    }
}

impl Monitor for LocalJudge {
    fn attention(&self) -> Attention {
        if self.local.is_empty() { self.chain.attention() } else { Attention::Always }
    }

    fn watchlist(&self, head: U256, view: &mut dyn StateView) -> Result<Option<Arc<Watchlist>>, Fault> {
        // Those of this node see each transaction as it is recorded.
        if self.local.is_empty() { self.chain.watchlist(head, view) } else { Ok(None) }
    }

    fn open(&self, context: &ContextRecord, view: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        let chain = self.chain.open(context, view)?;
        if self.local.is_empty() {
            return Ok(chain);
        }
        let local = Some(Judgment::new(self.local.clone(), context, (self.clock, DemotionRules::DEFAULT)));
        Ok(Some(Box::new(Both { chain, local })))
    }

    fn admit(
        &self,
        context: &ContextRecord,
        allowance: Allowance,
        view: &mut dyn StateView,
    ) -> Result<Examination, Fault> {
        self.chain.admit(context, allowance, view)
    }

    fn counts(&self, id: AttachmentId, next_block: u64, view: &mut dyn StateView) -> Result<Counts, StateFault> {
        self.chain.counts(id, next_block, view)
    }

    fn end_block(&self, context: &ContextRecord, view: &mut dyn StateView) -> Result<BlockEnd, Fault> {
        self.chain.end_block(context, view)
    }

    /// This node's own guards keep their state where readers cannot name it: those of the chain answer.
    fn query(
        &self,
        context: &ContextRecord,
        question: Question<'_>,
        view: &mut dyn StateView,
    ) -> Result<Answer, QueryError> {
        self.chain.query(context, question, view)
    }

    fn try_out(&self, candidate: Candidate) -> Result<Tryout, CandidateError> {
        self.chain.try_out(candidate)
    }
}

/// Two judgements of one transaction, of which one counts.
struct Both<'m> {
    chain: Option<Box<dyn Judging + 'm>>,
    /// `None`: it failed.
    local: Option<Judgment>,
}

impl Both<'_> {
    /// Asks the chain's guards, then this node's, whatever these say.
    fn ask(
        &mut self,
        view: &mut dyn StateView,
        ask: impl Fn(&mut dyn Judging, &mut dyn StateView) -> Result<Decision, Fault>,
    ) -> Result<Decision, Fault> {
        let decision = ask(&mut self.chain, view)?;
        if let Some(local) = &mut self.local
            && let Err(fault) = ask(local, view)
        {
            if !view.is_settled() {
                // It runs once more on what is certain, and then this counts for nothing.
                return Err(fault);
            }
            tracing::warn!(%fault, "this node's own guards are silent about a transaction");
            self.local = None;
        }
        Ok(decision)
    }
}

impl Judging for Both<'_> {
    fn subscriptions(&self) -> Subscriptions {
        let local = self.local.as_ref().map_or(Subscriptions::NONE, Judgment::subscriptions);
        self.chain.subscriptions().union(local)
    }

    fn allow(&mut self, allowance: Allowance) {
        self.chain.allow(allowance);
    }

    fn spent(&self) -> FuelSpent {
        self.chain.spent()
    }

    fn on_call(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.ask(view, |judging, view| judging.on_call(trace, frame, view))
    }

    fn on_call_end(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.ask(view, |judging, view| judging.on_call_end(trace, frame, view))
    }

    fn stirs(&mut self, closing: &mut dyn Closing) -> bool {
        let chain = self.chain.stirs(closing);
        self.local.as_mut().is_some_and(|local| local.stirs(closing)) || chain
    }

    fn on_tx(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.ask(view, |judging, view| judging.on_tx(trace, view))
    }

    fn close(self: Box<Self>) -> Judgement {
        let mut judgement = Box::new(self.chain).close();
        if let Some(local) = self.local {
            let mut verdicts = Box::new(local).close().verdicts;
            verdicts.iter_mut().for_each(|verdict| verdict.origin = Origin::Local);
            judgement.verdicts.extend(verdicts);
        }
        judgement
    }
}
