//! Wakes attachments, runs their guards, and draws one decision from what they say.
//!
//! ```text
//! open: registry head → Index (who guards which account), cached by head
//! on_call, on_call_end, on_tx: touched attachments, by (priority, id) → Woken → session → verdicts, perhaps a veto
//! close: verdicts and guard state
//! query: a contract answers a reader, outside of transactions
//! admit: what a transaction registered or attached is vetted, compiled, and asked by `init`
//! ```
//!
//! Invariants:
//! - The index is a pure function of the registry's head, so it is never stale: not after a reorganisation, a snapshot
//!   or a restart.
//! - A transaction that touches a guarded account passes every attachment of it, or is vetoed, or (a fault) is left out.
//!   What a broken guard means is decided in one place, `woken`, by the mode and the failure policy that its
//!   attachment declares.
//! - Transactions to the registry itself cannot be vetoed by guards, so whoever has authority can always detach; nor can those
//!   that call an attached account by a selector that its attachment declared an escape. In transactions to the guardian
//!   vetoes wait for the end, and those of attachments that the transaction has paused do not count (`powers`).
//!
//! `open` reads several slots of the registry. The view it is given must answer them from one version of state: an
//! executor that speculates must not run it across another transaction's change of the registry.

mod admission;
mod candidate;
mod demotion;
mod guard;
mod index;
mod judging;
mod local;
mod powers;
mod query;
mod tally;
mod watchers;
mod woken;

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
    time::Instant,
};

use alloy_primitives::{B256, U256};
use parapet_abi::ContextRecord;
use parapet_monitor::{
    Allowance, Answer, AttachmentId, Attention, BlockEnd, Candidate, CandidateError, Counts, Examination, Fault, Fork,
    Monitor, QueryError, Question, StateFault, StateView, Tryout, Watchlist,
};
use parapet_registry::{REGISTRY_ADDRESS, RegistryError, RegistryReader};
use parapet_vm::Engine;
use parking_lot::Mutex;

use candidate::Tryouts;
use guard::Engines;
use tally::Tally;

pub use demotion::{CODE_DEMOTION, DemotionRules};
pub use local::{LocalError, LocalGuard, LocalJudge};

use index::Index;
use judging::Judgment;

/// Most attachments that one transaction may wake.
pub const WOKEN_MAX: usize = 64;
/// Most fuel that the attachments one transaction wakes may have together.
pub const FUEL_WOKEN_MAX: u64 = 1_000_000_000;
/// Most modules that one transaction may register, and most attachments that it may make or configure.
pub const ADMITTED_MAX: u64 = 64;
/// Indexes kept, for as many heads of the registry: the chain's own, and those of nearby blocks and simulations.
const INDEXES_MAX: usize = 8;

/// Nanoseconds since some moment. Measures verdicts, and decides nothing.
pub type Clock = fn() -> u64;

/// The monitor of a node with guards.
#[derive(Debug)]
pub struct Judge {
    engines: Engines,
    clock: Clock,
    demotion: DemotionRules,
    tryouts: Tryouts,
    /// Most recently used first.
    indexes: Mutex<VecDeque<(B256, Arc<Index>)>>,
}

impl Judge {
    /// Judges with the guard VM, and measures with the system's monotonic clock.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        Self::with_clock(engine, monotonic)
    }

    /// As [`Judge::new`], with another clock.
    #[must_use]
    pub fn with_clock(engine: Engine, clock: Clock) -> Self {
        let demotion = DemotionRules::DEFAULT;
        let (engines, tryouts) = (Engines::new(engine), Tryouts::default());
        Self { engines, clock, demotion, tryouts, indexes: Mutex::default() }
    }

    /// As it was, but gathering the evidence for demotions by these rules.
    #[must_use]
    pub fn demoting(self, demotion: DemotionRules) -> Self {
        Self { demotion, ..self }
    }

    fn index(&self, head: B256, view: &mut dyn StateView) -> Result<Arc<Index>, Fault> {
        if let Some(index) = self.cached(head) {
            return Ok(index);
        }
        if !view.is_settled() {
            return Err(Fault::Unsettled);
        }
        let index = Arc::new(Index::read(&self.engines, view)?);
        if RegistryReader::new(view, Fork::PreTx).head().map_err(registry_fault)? != head {
            let reason = "the registry changed while it was read".to_owned();
            return Err(Fault::Engine { attachment: B256::ZERO, reason });
        }
        let mut indexes = self.indexes.lock();
        indexes.push_front((head, index.clone()));
        indexes.truncate(INDEXES_MAX);
        Ok(index)
    }

    fn cached(&self, head: B256) -> Option<Arc<Index>> {
        let mut indexes = self.indexes.lock();
        let position = indexes.iter().position(|(cached, _)| *cached == head)?;
        let found = indexes.remove(position)?;
        let index = found.1.clone();
        indexes.push_front(found);
        Some(index)
    }
}

impl Monitor for Judge {
    fn attention(&self) -> Attention {
        // The head is zero until something is registered.
        Attention::UnlessZero { address: REGISTRY_ADDRESS, slot: parapet_registry::HEAD_SLOT }
    }

    fn watchlist(&self, head: U256, view: &mut dyn StateView) -> Result<Option<Arc<Watchlist>>, Fault> {
        let index = self.index(head.into(), view).inspect_err(report)?;
        Ok(Some(index.watchlist()))
    }

    fn open(
        &self,
        context: &ContextRecord,
        view: &mut dyn StateView,
    ) -> Result<Option<Box<dyn parapet_monitor::Judging + '_>>, Fault> {
        let head = RegistryReader::new(view, Fork::PreTx).head().map_err(registry_fault)?;
        if head.is_zero() {
            return Ok(None);
        }
        let index = self.index(head, view).inspect_err(report)?;
        if index.is_empty() {
            return Ok(None);
        }
        Ok(Some(Box::new(Judgment::new(index, context, (self.clock, self.demotion)))))
    }

    fn admit(
        &self,
        context: &ContextRecord,
        allowance: Allowance,
        view: &mut dyn StateView,
    ) -> Result<Examination, Fault> {
        admission::admit(&self.engines, context, allowance, view).inspect_err(report)
    }

    fn counts(&self, id: AttachmentId, next_block: u64, view: &mut dyn StateView) -> Result<Counts, StateFault> {
        let attachment = RegistryReader::new(view, Fork::Now).attachment(id);
        let attachment = attachment.map_err(|error| StateFault(Box::new(error)))?;
        let Tally { judged, vetoed, would_veto, alerts, fuel } = Tally::read(view, id)?;
        let revision = attachment.map_or(0, |attachment| attachment.revision);
        let evidence = demotion::evidence(view, (self.demotion, next_block), (id, revision))?;
        Ok(Counts { judged, vetoed, would_veto, alerts, fuel, evidence })
    }

    fn end_block(&self, context: &ContextRecord, view: &mut dyn StateView) -> Result<BlockEnd, Fault> {
        if !self.demotion.ends_window(context.block_number) {
            return Ok(BlockEnd::default());
        }
        let head = RegistryReader::new(view, Fork::PreTx).head().map_err(registry_fault)?;
        if head.is_zero() {
            return Ok(BlockEnd::default());
        }
        let index = self.index(head, view)?;
        demotion::end_window(self.demotion, &index, context, view)
    }

    fn query(
        &self,
        context: &ContextRecord,
        question: Question<'_>,
        view: &mut dyn StateView,
    ) -> Result<Answer, QueryError> {
        query::query(&self.engines, context, question, view)
    }

    fn try_out(&self, candidate: Candidate) -> Result<Tryout, CandidateError> {
        self.tryouts.begin(candidate, self.clock)
    }
}

/// A registry that cannot be read is a fault, never a reason to let a transaction through.
fn registry_fault(error: RegistryError) -> Fault {
    match error {
        RegistryError::State(fault) => Fault::State(fault),
        RegistryError::Limit { name, .. } | RegistryError::Value { name, .. } => {
            Fault::Engine { attachment: name, reason: error.to_string() }
        }
        RegistryError::UnknownModule(module)
        | RegistryError::Chunk { module, .. }
        | RegistryError::Size { module, .. }
        | RegistryError::Hash { module, .. } => Fault::Engine { attachment: module, reason: error.to_string() },
    }
}

/// Faults are loud (I4): whoever runs the node must see them. What is only put off until all below is settled is none.
fn report(fault: &Fault) {
    match fault {
        Fault::Unsettled => {}
        Fault::State(_) | Fault::Engine { .. } => tracing::error!(%fault, "no verdict was reached"),
    }
}

fn monotonic() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}
