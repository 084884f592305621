//! Listens to the chain's guards: when they ended a transaction.
//!
//! Invariant: whoever listens changes nothing; every question goes on to the monitor as it came, and so does its answer.

use std::sync::Arc;

use alloy_primitives::U256;
use parapet_abi::ContextRecord;
use parapet_monitor::{
    Allowance, Answer, AttachmentId, Attention, BlockEnd, Closing, Counts, Decision, Examination, Fault, FuelSpent,
    Judgement, Judging, Monitor, QueryError, Question, StateFault, StateView, Subscriptions, Trace, Veto, Watchlist,
};
use parking_lot::Mutex;

/// When a veto of the chain's ended a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Start(u32),
    End(u32),
    Admission,
    Executed,
}

/// A veto of the chain's, and its moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PastVeto {
    pub(crate) moment: Moment,
    pub(crate) veto: Veto,
}

/// Listens to what a monitor decides.
pub(crate) struct Spy<'a> {
    heard: &'a dyn Monitor,
    veto: Mutex<Option<PastVeto>>,
}

impl<'a> Spy<'a> {
    pub(crate) fn new(heard: &'a dyn Monitor) -> Self {
        Self { heard, veto: Mutex::default() }
    }

    /// The veto of the transaction that was opened last.
    pub(crate) fn take(&self) -> Option<PastVeto> {
        self.veto.lock().take()
    }
}

fn note(heard: &Mutex<Option<PastVeto>>, moment: Moment, decision: &Decision) {
    if let Decision::Veto(veto) = decision {
        heard.lock().get_or_insert_with(|| PastVeto { moment, veto: veto.clone() });
    }
}

impl Monitor for Spy<'_> {
    fn attention(&self) -> Attention {
        self.heard.attention()
    }

    fn watchlist(&self, word: U256, view: &mut dyn StateView) -> Result<Option<Arc<Watchlist>>, Fault> {
        self.heard.watchlist(word, view)
    }

    fn open(&self, context: &ContextRecord, view: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        // What runs under a lookout may run once more.
        *self.veto.lock() = None;
        let opened = self.heard.open(context, view)?;
        Ok(opened.map(|judging| Box::new(Heard { judging, veto: &self.veto }) as Box<dyn Judging + '_>))
    }

    fn admit(
        &self,
        context: &ContextRecord,
        allowance: Allowance,
        view: &mut dyn StateView,
    ) -> Result<Examination, Fault> {
        let examination = self.heard.admit(context, allowance, view)?;
        note(&self.veto, Moment::Admission, &examination.decision);
        Ok(examination)
    }

    fn counts(&self, id: AttachmentId, next_block: u64, view: &mut dyn StateView) -> Result<Counts, StateFault> {
        self.heard.counts(id, next_block, view)
    }

    fn end_block(&self, context: &ContextRecord, view: &mut dyn StateView) -> Result<BlockEnd, Fault> {
        self.heard.end_block(context, view)
    }

    fn query(
        &self,
        context: &ContextRecord,
        asked: Question<'_>,
        view: &mut dyn StateView,
    ) -> Result<Answer, QueryError> {
        self.heard.query(context, asked, view)
    }
}

struct Heard<'a> {
    judging: Box<dyn Judging + 'a>,
    veto: &'a Mutex<Option<PastVeto>>,
}

impl Judging for Heard<'_> {
    fn subscriptions(&self) -> Subscriptions {
        self.judging.subscriptions()
    }

    fn allow(&mut self, allowance: Allowance) {
        self.judging.allow(allowance);
    }

    fn spent(&self) -> FuelSpent {
        self.judging.spent()
    }

    fn on_call(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        let decision = self.judging.on_call(trace, frame, view)?;
        note(self.veto, Moment::Start(frame), &decision);
        Ok(decision)
    }

    fn on_call_end(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        let decision = self.judging.on_call_end(trace, frame, view)?;
        note(self.veto, Moment::End(frame), &decision);
        Ok(decision)
    }

    fn stirs(&mut self, closing: &mut dyn Closing) -> bool {
        self.judging.stirs(closing)
    }

    fn on_tx(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<Decision, Fault> {
        let decision = self.judging.on_tx(trace, view)?;
        note(self.veto, Moment::Executed, &decision);
        Ok(decision)
    }

    fn can_be_asked_again(&self) -> bool {
        self.judging.can_be_asked_again()
    }

    fn close(self: Box<Self>) -> Judgement {
        self.judging.close()
    }
}
