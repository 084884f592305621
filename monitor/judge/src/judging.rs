//! The judgement of one transaction.
//!
//! Invariant: the first veto that acts is final. Whoever asks again gets the same answer.

use std::{collections::BTreeMap, sync::Arc};

use parapet_abi::{ContextRecord, FrameStatus};
use parapet_monitor::{
    Allowance, Closed, Closing, Decision, Fault, Fuel, FuelSpent, Judgement, Judging, Mode, StateView, Subscriptions,
    TRACE_DATA_BYTES_MAX, Trace, Veto, trigger::Moment,
};
use parapet_vm::HookCall;

use crate::{
    Clock, DemotionRules, FUEL_WOKEN_MAX, WOKEN_MAX,
    demotion::{self, Ballot, Counted},
    index::Index,
    powers::{Power, Powers, has_paused},
    report,
    woken::{Remains, Woken},
};

/// What has woken so far, by position in the index, which is the order of judging.
pub(crate) struct Judgment {
    index: Arc<Index>,
    clock: Clock,
    demotion: DemotionRules,
    powers: Powers,
    woken: BTreeMap<usize, Woken>,
    /// Attachments that were given a session, and their fuel together.
    asked: usize,
    fuel_granted: u64,
    allowance: Allowance,
    spent: FuelSpent,
    subscriptions: Subscriptions,
    /// A guard has run while the transaction did.
    ran_inline: bool,
    veto: Option<Veto>,
    /// Vetoes that wait for the end, in the order in which they were said, by position.
    deferred: Vec<(usize, Veto)>,
    counted: Counted,
}

impl Judgment {
    pub(crate) fn new(index: Arc<Index>, context: &ContextRecord, (clock, demotion): (Clock, DemotionRules)) -> Self {
        Self {
            subscriptions: index.watchers().standing(),
            index,
            clock,
            demotion,
            powers: Powers::new(context),
            deferred: Vec::new(),
            counted: Counted::default(),
            woken: BTreeMap::new(),
            asked: 0,
            fuel_granted: 0,
            ran_inline: false,
            allowance: Allowance::UNBOUNDED,
            spent: FuelSpent::default(),
            veto: None,
        }
    }

    /// Asks attachments in order, until one vetoes.
    fn ask(
        &mut self,
        positions: Vec<usize>,
        call: HookCall,
        trace: &Trace,
        view: &mut dyn StateView,
    ) -> Result<Decision, Fault> {
        for position in positions {
            if self.veto.is_some() {
                break;
            }
            let power = self.powers.over(self.index.entry(position), trace, view).inspect_err(report)?;
            match self.ask_one(position, call, power, trace, view).inspect_err(report)? {
                Some(veto) if power == Power::Deferred => self.deferred.push((position, veto)),
                Some(veto) => self.act(position, veto, trace, view)?,
                None => {}
            }
        }
        Ok(self.decision())
    }

    /// The transaction ends here.
    fn act(&mut self, position: usize, veto: Veto, trace: &Trace, view: &mut dyn StateView) -> Result<(), Fault> {
        self.veto = Some(veto);
        let entry = self.index.entry(position);
        if entry.demotion_share > 0 {
            demotion::count(self.demotion, entry, Ballot::Vetoed, &trace.context, view, &mut self.counted)?;
        }
        Ok(())
    }

    /// The first veto that waited and still counts.
    fn act_late(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<(), Fault> {
        for (position, veto) in std::mem::take(&mut self.deferred) {
            if !has_paused(veto.attachment, view).inspect_err(report)? {
                self.woken.get_mut(&position).expect("it objected").enact();
                return self.act(position, veto, trace, view);
            }
        }
        Ok(())
    }

    /// Who could have vetoed the transaction, and let it pass, has a witness more.
    fn count_passed(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<(), Fault> {
        for (position, woken) in &self.woken {
            let entry = self.index.entry(*position);
            if entry.demotion_share == 0 || woken.has_objected() {
                continue;
            }
            if self.powers.over(entry, trace, view)? == Power::Full {
                let ballot = Ballot::Passed(entry.mode);
                demotion::count(self.demotion, entry, ballot, &trace.context, view, &mut self.counted)?;
            }
        }
        Ok(())
    }

    fn ask_one(
        &mut self,
        position: usize,
        call: HookCall,
        power: Power,
        trace: &Trace,
        view: &mut dyn StateView,
    ) -> Result<Option<Veto>, Fault> {
        let entry = self.index.entry(position);
        if !self.woken.contains_key(&position) {
            let mut woken = Woken::new(entry);
            let fuel_granted = self.fuel_granted.saturating_add(entry.subject.fuel_max.0);
            if self.asked >= WOKEN_MAX || fuel_granted > FUEL_WOKEN_MAX {
                let reason = format!(
                    "the transaction wakes more than {WOKEN_MAX} attachments, or such with more than {FUEL_WOKEN_MAX} fuel"
                );
                let veto = woken.overload(entry, call, power, &reason);
                self.woken.insert(position, woken);
                return Ok(veto);
            }
            self.asked += 1;
            self.fuel_granted = fuel_granted;
            self.subscriptions = self.subscriptions.union(entry.subject.subscriptions);
            self.woken.insert(position, woken);
        }
        let woken = self.woken.get_mut(&position).expect("inserted above");
        if trace.overflowed {
            let reason = format!(
                "the transaction's frames have more than {TRACE_DATA_BYTES_MAX} bytes of inputs and outputs, which no guard can see"
            );
            return Ok(woken.overload(entry, call, power, &reason));
        }
        self.ran_inline |= call.frame().is_some() && entry.guard.as_ref().is_ok_and(|guard| guard.has(call.hook()));
        let spends = spends(entry.mode, power);
        let granted = match spends {
            Spends::Binding => self.spent.binding,
            Spends::Observing => self.spent.total(),
        };
        let before = woken.fuel();
        let fuel = Fuel(self.allowance.fuel.0.saturating_sub(granted.0));
        let said = woken.ask(entry, call, power, Allowance { fuel, ..self.allowance }, self.clock, (trace, view));
        let purse = match spends {
            Spends::Binding => &mut self.spent.binding,
            Spends::Observing => &mut self.spent.observing,
        };
        purse.0 = purse.0.saturating_add(woken.fuel().0 - before.0);
        said
    }

    fn decision(&self) -> Decision {
        self.veto.clone().map_or(Decision::Proceed, Decision::Veto)
    }

    /// Who waits for a frame. What those who may wake at the end will read is recorded from now on.
    fn touched(&mut self, trace: &Trace, frame: u32, moment: Moment) -> Vec<usize> {
        let record = trace.frames.get(frame as usize).expect("the executor tells of frames that it has recorded");
        let delegate = trace.delegate_of(frame).map(|record| record.delegate.bytes.into());
        let touched = self.index.watchers().of_frame(record, delegate, moment);
        self.subscriptions = self.subscriptions.union(touched.arms);
        touched.positions
    }
}

/// Whether a transaction that cannot pay for an attachment fails.
#[derive(Clone, Copy)]
enum Spends {
    Binding,
    Observing,
}

/// Who cannot act must not act by being dear.
const fn spends(mode: Mode, power: Power) -> Spends {
    match (mode, power) {
        (Mode::Enforce, Power::Full) => Spends::Binding,
        (Mode::Shadow, _) | (Mode::Enforce, Power::Deferred | Power::Escape | Power::Failed) => Spends::Observing,
    }
}

impl Judging for Judgment {
    fn allow(&mut self, allowance: Allowance) {
        self.allowance = allowance;
    }

    fn spent(&self) -> FuelSpent {
        self.spent
    }

    fn subscriptions(&self) -> Subscriptions {
        self.subscriptions
    }

    fn on_call(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        let touched = self.touched(trace, frame, Moment::Start);
        self.ask(touched, HookCall::OnCall(frame), trace, view)
    }

    fn on_call_end(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        let touched = self.touched(trace, frame, Moment::End);
        self.ask(touched, HookCall::OnCallEnd(frame), trace, view)
    }

    fn stirs(&mut self, closing: &mut dyn Closing) -> bool {
        !self.woken.is_empty() || !self.index.watchers().of_end(closing).is_empty()
    }

    fn on_tx(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<Decision, Fault> {
        let failed = match FrameStatus::from_u8(trace.context.status) {
            Some(FrameStatus::Reverted | FrameStatus::Halted) => true,
            Some(FrameStatus::Running | FrameStatus::Succeeded) | None => false,
        };
        if failed {
            self.powers.fail();
        }
        let mut positions = self.index.watchers().of_end(&mut Closed(trace));
        positions.extend(self.woken.keys());
        positions.sort_unstable();
        positions.dedup();
        self.ask(positions, HookCall::OnTx, trace, view)?;
        if self.veto.is_none() && !failed {
            self.act_late(trace, view)?;
        }
        if self.veto.is_none() && !failed {
            self.count_passed(trace, view)?;
        }
        Ok(self.decision())
    }

    fn can_be_asked_again(&self) -> bool {
        !self.ran_inline
    }

    fn close(mut self: Box<Self>) -> Judgement {
        let mut judgement = Judgement::default();
        for (position, woken) in std::mem::take(&mut self.woken) {
            let entry = self.index.entry(position);
            let Remains { verdicts, updates, tally } = woken.close(entry);
            judgement.tallies.push(tally.update(entry.id()));
            judgement.verdicts.extend(verdicts);
            judgement.updates.extend(updates);
        }
        judgement.tallies.append(&mut self.counted.vetoed);
        judgement.updates.append(&mut self.counted.passed);
        if self.veto.is_some() {
            judgement.updates.clear();
        }
        judgement.tallies.sort_unstable_by_key(|update| update.slot);
        judgement.updates.sort_unstable_by_key(|update| update.slot);
        judgement
    }
}
