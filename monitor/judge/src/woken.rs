//! One attachment that a transaction woke: its session, and what it said.
//!
//! Invariant: what a veto or a broken guard means is decided in [`Woken::object`] and nowhere else. An attachment that
//! objected once says no more in this transaction.

use alloy_primitives::Bytes;
use parapet_abi::import::{
    CODE_LIMIT, CODE_OUT_OF_FUEL, CODE_OUT_OF_GAS, CODE_OVERLOAD, CODE_TRAP, CODE_UNUSABLE, DETAIL_BYTES_MAX,
};
use parapet_monitor::{
    Allowance, Bound, Fault, Fuel, Mode, Origin, Outcome, StateUpdate, StateView, Trace, Verdict, Veto,
};
use parapet_registry::Failure;
use parapet_vm::HookCall;

use crate::{
    Clock,
    guard::{HookEnd, Session},
    index::Entry,
    powers::Power,
    tally::Tally,
};

pub(crate) struct Woken {
    /// `None`: it says no more.
    session: Option<Session>,
    verdicts: Vec<Verdict>,
    fuel: Fuel,
    elapsed_ns: u64,
    objected: bool,
}

/// What is left of an attachment that judged.
pub(crate) struct Remains {
    /// At least one.
    pub(crate) verdicts: Vec<Verdict>,
    /// What it did to its own state.
    pub(crate) updates: Vec<StateUpdate>,
    /// What the engine counts of it.
    pub(crate) tally: Tally,
}

/// An objection, and whether the guard meant it.
struct Objection {
    code: u16,
    detail: Bytes,
    reason: Reason,
}

#[derive(PartialEq, Eq)]
enum Reason {
    /// The guard vetoed, or there was no room to ask it.
    Judged,
    /// The guard could not finish.
    Broken,
    /// The guard was not given the fuel to finish. That is the transaction's doing, not the guard's: with the failure
    /// policy `open`, whoever offers little gas would pass unguarded.
    Unpaid,
}

impl Woken {
    pub(crate) fn new(entry: &Entry) -> Self {
        let session = entry.guard.as_ref().ok().map(|guard| guard.session(entry.subject.clone()));
        Self { session, verdicts: Vec::new(), fuel: Fuel(0), elapsed_ns: 0, objected: false }
    }

    /// Asks the guard by one hook.
    pub(crate) fn ask(
        &mut self,
        entry: &Entry,
        call: HookCall,
        power: Power,
        grant: Allowance,
        clock: Clock,
        (trace, view): (&Trace, &mut dyn StateView),
    ) -> Result<Option<Veto>, Fault> {
        if let (Err(reason), true) = (&entry.guard, self.verdicts.is_empty()) {
            return Ok(self.object(entry, call, power, broken(CODE_UNUSABLE, reason)));
        }
        let Some(session) = &mut self.session else { return Ok(None) };
        session.grant(grant.fuel);
        let start_ns = clock();
        let ended = session.call(call, trace, view);
        self.elapsed_ns = self.elapsed_ns.saturating_add(clock().saturating_sub(start_ns));
        self.fuel = session.spent();
        for alert in session.take_alerts() {
            let said = (Some(alert.hook), alert.frame);
            self.verdicts.push(verdict(entry, Outcome::Alert, said, alert.code, alert.detail));
        }
        Ok(match ended? {
            HookEnd::Returned => None,
            HookEnd::Vetoed { code, detail } => {
                self.object(entry, call, power, Objection { code, detail, reason: Reason::Judged })
            }
            HookEnd::Trapped { reason } => self.object(entry, call, power, broken(CODE_TRAP, &reason)),
            HookEnd::OutOfFuel if session.is_short() => {
                let (code, detail) = unpaid(grant);
                self.object(entry, call, power, Objection { code, detail, reason: Reason::Unpaid })
            }
            HookEnd::OutOfFuel => {
                let reason = format!("out of fuel: {} were spent", entry.subject.fuel_max.0);
                self.object(entry, call, power, broken(CODE_OUT_OF_FUEL, &reason))
            }
            HookEnd::LimitExceeded(limit) => self.object(entry, call, power, broken(CODE_LIMIT, &limit)),
            HookEnd::Overloaded { reason } => {
                let detail = text(&reason);
                self.object(entry, call, power, Objection { code: CODE_OVERLOAD, detail, reason: Reason::Judged })
            }
            HookEnd::Unusable { reason } => self.object(entry, call, power, broken(CODE_UNUSABLE, &reason)),
        })
    }

    /// This attachment cannot be asked, or cannot be shown all that it must see: the transaction must not pass it like that.
    pub(crate) fn overload(&mut self, entry: &Entry, call: HookCall, power: Power, reason: &str) -> Option<Veto> {
        if self.session.is_none() && !self.verdicts.is_empty() {
            return None;
        }
        let detail = text(reason);
        self.object(entry, call, power, Objection { code: CODE_OVERLOAD, detail, reason: Reason::Judged })
    }

    /// Records an objection and ends the session. A veto is returned if it is to act, now or in the end.
    fn object(&mut self, entry: &Entry, call: HookCall, power: Power, objection: Objection) -> Option<Veto> {
        let Objection { code, detail, reason } = objection;
        let outcome = match (reason, entry.failure, entry.mode, power) {
            (Reason::Broken, Failure::Open, _, _) => Outcome::Alert,
            // It failed by itself, so that it could not pay for a verdict on it says nothing of what it did.
            (Reason::Unpaid, _, _, Power::Failed) => Outcome::Alert,
            (_, _, Mode::Enforce, Power::Full) => Outcome::Veto,
            (_, _, Mode::Shadow, _) | (_, _, Mode::Enforce, Power::Deferred | Power::Escape | Power::Failed) => {
                Outcome::WouldVeto
            }
        };
        self.session = None;
        self.objected = outcome != Outcome::Alert;
        self.verdicts.push(verdict(entry, outcome, (Some(call.hook()), call.frame()), code, detail.clone()));
        let waits = outcome == Outcome::WouldVeto && entry.mode == Mode::Enforce && power == Power::Deferred;
        let veto = Veto { guard: entry.guard_address, attachment: entry.id(), code, detail };
        (outcome == Outcome::Veto || waits).then_some(veto)
    }

    /// A veto that waited acts.
    pub(crate) fn enact(&mut self) {
        if let Some(objection) = self.verdicts.last_mut() {
            objection.outcome = Outcome::Veto;
        }
    }

    /// Whether it vetoed, or would have.
    pub(crate) const fn has_objected(&self) -> bool {
        self.objected
    }

    /// Fuel that it has spent so far.
    pub(crate) const fn fuel(&self) -> Fuel {
        self.fuel
    }

    /// Everything it said, and what it did to its own state.
    pub(crate) fn close(mut self, entry: &Entry) -> Remains {
        if self.verdicts.is_empty() {
            self.verdicts.push(verdict(entry, Outcome::Allow, (None, None), 0, Bytes::new()));
        }
        for verdict in &mut self.verdicts {
            (verdict.fuel, verdict.elapsed_ns) = (self.fuel, self.elapsed_ns);
        }
        Remains {
            tally: Tally::of(&self.verdicts, self.fuel),
            updates: self.session.map(Session::into_updates).unwrap_or_default(),
            verdicts: self.verdicts,
        }
    }
}

fn broken(code: u16, reason: &str) -> Objection {
    Objection { code, detail: text(reason), reason: Reason::Broken }
}

/// Code and words for a guard that was not given the fuel to finish.
pub(crate) fn unpaid(grant: Allowance) -> (u16, Bytes) {
    let fuel = grant.fuel.0;
    let (code, words) = match grant.bound {
        Bound::Gas => (
            CODE_OUT_OF_GAS,
            format!(
                "out of gas: what the transaction has left pays for {fuel} fuel, and the guard needs more; estimate its gas \
                 again, or give it a higher gas limit"
            ),
        ),
        Bound::Chain => {
            (CODE_OVERLOAD, format!("the guards of one block may not spend more; {fuel} fuel were left for this one"))
        }
    };
    (code, text(&words))
}

/// Words of the engine, no longer than a guard's may be.
pub(crate) fn text(words: &str) -> Bytes {
    let end = words.floor_char_boundary(DETAIL_BYTES_MAX as usize);
    Bytes::copy_from_slice(&words.as_bytes()[..end])
}

fn verdict(
    entry: &Entry,
    outcome: Outcome,
    (hook, frame): (Option<parapet_monitor::Hook>, Option<u32>),
    code: u16,
    detail: Bytes,
) -> Verdict {
    Verdict {
        attachment: entry.id(),
        module: entry.module,
        guard: entry.guard_name().to_owned(),
        mode: entry.mode,
        outcome,
        hook,
        frame,
        code,
        detail,
        fuel: Fuel(0),
        elapsed_ns: 0,
        origin: Origin::Chain,
    }
}
