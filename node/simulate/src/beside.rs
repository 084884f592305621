//! Guards beside the chain's: what they would say of a transaction, had they been attached in shadow.
//!
//! Each transaction is executed once for the chain, judged by the chain's guards, and once more for each guard that is
//! tried out, on the same state, judged by that guard alone. Recording for a guard numbers events, and what is asked for
//! by one guard would show another one other numbers; so nobody shares an execution, and what the chain's guards see, and
//! so what the chain does, is what it is without anybody beside them. The second execution goes as the first one went: a
//! veto of the chain's ends it at the same moment ([`PastVeto`]), and what it leaves is dropped.
//!
//! A guard's state is kept from one transaction to the next in memory ([`GuardState`]), laid over the registry's storage
//! where that guard's words would be.

use parapet_abi::ContextRecord;
use parapet_executor::{ChainRules, Identity, Outcome, Overlay, Point, Session, TxError, block_env};
use parapet_monitor::{
    Allowance, Closing, Decision, Examination, Fault, Fuel, Judgement, Judging, Monitor, StateView, Subscriptions,
    Trace, Tryout, Verdict,
};
use parapet_types::Executed;
use revm::{context::TxEnv, inspector::NoOpInspector};

use crate::{
    SimulateError,
    laid::{GuardState, Laid},
    late::timed,
    spy::{Moment, PastVeto, Spy},
};

/// A guard that is tried out, and its state so far.
#[derive(Debug)]
pub struct Tried {
    tryout: Tryout,
    state: GuardState,
    /// What it spent in the block at hand.
    block_fuel: Fuel,
}

/// What a guard that is tried out made of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// What it said; nothing, if it did not wake.
    Said(Vec<Verdict>),
    /// It was not asked: it had spent in this block what the guards of a block may.
    BlockFull,
}

impl Tried {
    /// Begins without state.
    #[must_use]
    pub fn new(tryout: Tryout) -> Self {
        Self { tryout, state: GuardState::default(), block_fuel: Fuel(0) }
    }

    /// Which guard it is.
    #[must_use]
    pub const fn tryout(&self) -> &Tryout {
        &self.tryout
    }

    /// A new block begins.
    pub(crate) fn next_block(&mut self) {
        self.block_fuel = Fuel(0);
    }

    /// Has it judge a transaction that the chain has executed, and keeps its state if the transaction stands.
    pub(crate) fn judge(&mut self, again: &OnceMore<'_>, past: &Past) -> Result<Opinion, SimulateError> {
        if self.block_fuel >= again.point.params.guards.block_fuel_max {
            return Ok(Opinion::BlockFull);
        }
        let monitor = Beside { guard: &*self.tryout.monitor, state: &self.state, veto: past.veto.as_ref() };
        let Outcome { executed, guard_updates, .. } = again.run(&monitor)?;
        if past.executed.succeeded() {
            self.state.keep(&guard_updates)?;
        }
        let fuel = executed.verdicts.iter().map(|verdict| verdict.fuel.0).max().unwrap_or_default();
        self.block_fuel = Fuel(self.block_fuel.0.saturating_add(fuel));
        Ok(Opinion::Said(executed.verdicts))
    }
}

/// What the chain made of a transaction.
#[derive(Debug)]
pub(crate) struct Past {
    pub(crate) executed: Executed,
    pub(crate) veto: Option<PastVeto>,
}

/// A transaction and the state before it.
pub(crate) struct OnceMore<'a> {
    pub(crate) point: Point<'a>,
    pub(crate) rules: ChainRules,
    pub(crate) tx: TxEnv,
    pub(crate) identity: Identity,
}

impl OnceMore<'_> {
    pub(crate) fn run(&self, monitor: &dyn Monitor) -> Result<Outcome, TxError> {
        let env = block_env(self.point.params, self.point.block);
        let overlay = Overlay::new(self.point.world, self.point.ancestors);
        let mut session = timed(Session::new(overlay, self.rules.clone(), env, monitor, NoOpInspector {}));
        session.execute(self.tx.clone(), self.identity)
    }

    /// As the chain would execute it.
    pub(crate) fn past(&self, chain: &dyn Monitor) -> Result<Past, TxError> {
        let spy = Spy::new(chain);
        let executed = self.run(&spy)?.executed;
        Ok(Past { executed, veto: spy.take() })
    }
}

/// A guard that is tried out on one transaction: it has its own state, pays nothing, and can only tell; what ends the
/// transaction is the chain's veto.
struct Beside<'a> {
    guard: &'a dyn Monitor,
    state: &'a GuardState,
    veto: Option<&'a PastVeto>,
}

impl Beside<'_> {
    fn decision(&self, moment: Moment) -> Decision {
        match self.veto {
            Some(past) if past.moment == moment => Decision::Veto(past.veto.clone()),
            Some(_) | None => Decision::Proceed,
        }
    }
}

impl Monitor for Beside<'_> {
    fn open(&self, context: &ContextRecord, view: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        let opened = self.guard.open(context, &mut Laid { view, state: self.state })?;
        Ok(opened.map(|judging| Box::new(Watching { judging, beside: self }) as Box<dyn Judging + '_>))
    }

    fn admit(&self, _: &ContextRecord, _: Allowance, _: &mut dyn StateView) -> Result<Examination, Fault> {
        Ok(self.decision(Moment::Admission).into())
    }
}

struct Watching<'a> {
    judging: Box<dyn Judging + 'a>,
    beside: &'a Beside<'a>,
}

impl Judging for Watching<'_> {
    fn subscriptions(&self) -> Subscriptions {
        self.judging.subscriptions()
    }

    fn on_call(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.judging.on_call(trace, frame, &mut Laid { view, state: self.beside.state })?;
        Ok(self.beside.decision(Moment::Start(frame)))
    }

    fn on_call_end(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.judging.on_call_end(trace, frame, &mut Laid { view, state: self.beside.state })?;
        Ok(self.beside.decision(Moment::End(frame)))
    }

    fn stirs(&mut self, closing: &mut dyn Closing) -> bool {
        self.judging.stirs(closing)
    }

    fn on_tx(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.judging.on_tx(trace, &mut Laid { view, state: self.beside.state })?;
        Ok(self.beside.decision(Moment::Executed))
    }

    fn close(self: Box<Self>) -> Judgement {
        self.judging.close()
    }
}
