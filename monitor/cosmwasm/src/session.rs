//! One attachment judging one transaction by a contract.
//!
//! Invariant: a session that did not end in [`End::Returned`] never runs again and has done nothing to guard state.

use std::sync::Arc;

use alloy_primitives::{Bytes, keccak256};
use cosmwasm_vm::VmError;
use parapet_monitor::{Fault, Fuel, StateOp, StateUpdate, StateView, Trace, detail_text};
use parapet_store::{Overlay, StoreError, state_slot};
use parapet_vm::{Alert, HookCall, Meter, Subject, metering as fuel};

use crate::{
    Contract, End,
    instance::{Entry, NoInstance, Used},
    lend::{Loan, Stop},
    limits::{QUERY_BYTES_MAX, REASON_BYTES_MAX},
    memory::Starved,
    message,
    metering::{self, Fate},
    response::{self, Said},
};

/// Key of the word that says for which module and configuration an attachment's state was made.
const MADE: &[u8] = b"cosmwasm.made";

/// One attachment judging one transaction.
pub struct Session {
    contract: Arc<Contract>,
    subject: Arc<Subject>,
    overlay: Overlay,
    alerts: Vec<Alert>,
    meter: Meter,
    ended: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("attachment", &self.subject.attachment).finish_non_exhaustive()
    }
}

impl Session {
    /// A session that has not begun.
    #[must_use]
    pub fn new(contract: Arc<Contract>, subject: Arc<Subject>) -> Self {
        let meter = Meter::new(subject.fuel_max);
        Self { contract, subject, overlay: Overlay::default(), alerts: Vec::new(), meter, ended: false }
    }

    /// Calls the contract: `instantiate` for [`HookCall::Init`], `sudo` for [`HookCall::OnTx`]. Contracts are not asked
    /// about single frames; such a call, and one of a session that has ended, returns at once.
    ///
    /// # Errors
    /// [`Fault`]: the engine failed, or state could not be read; no verdict was reached.
    pub fn call(&mut self, call: HookCall, trace: &Trace, view: &mut dyn StateView) -> Result<End, Fault> {
        if self.ended {
            return Ok(End::Returned);
        }
        let end = match call {
            HookCall::OnCall(_) | HookCall::OnCallEnd(_) => return Ok(End::Returned),
            HookCall::Init => self.instantiate(trace, view).and_then(|said| self.say(call, said)),
            HookCall::OnTx => self.judge(trace, view).and_then(|said| self.say(call, said)),
        };
        let end = settled(end)?;
        self.ended = end != End::Returned;
        Ok(end)
    }

    /// Asks the contract's `query` as a reader would, with the fuel it has. Nothing it does lasts: whoever asks drops
    /// the session, which is over afterwards.
    ///
    /// # Errors
    /// [`Fault`] as in [`Session::call`]; the inner error tells how the contract ended without an answer, an error that
    /// it returned by [`End::Vetoed`].
    pub fn query(
        &mut self,
        query: &[u8],
        trace: &Trace,
        view: &mut dyn StateView,
    ) -> Result<Result<Bytes, End>, Fault> {
        self.ended = true;
        if query.len() > QUERY_BYTES_MAX {
            let reason = format!("a query of {} bytes, at most {QUERY_BYTES_MAX} are passed on", query.len());
            return Ok(Err(End::Overloaded { reason }));
        }
        let made = self.make_state(trace, view);
        match made.and_then(|()| self.answer(Entry::Query { message: query }, trace, view)) {
            Ok(answer) => Ok(response::queried(&answer)),
            Err(Stopped::End(end)) => Ok(Err(end)),
            Err(Stopped::Fault(fault)) => Err(fault),
        }
    }

    /// Fuel spent so far.
    #[must_use]
    pub const fn spent(&self) -> Fuel {
        self.meter.spent()
    }

    /// Bounds what the following calls may spend, besides the attachment's own limit.
    pub fn grant(&mut self, fuel: Fuel) {
        self.meter.grant(fuel);
    }

    /// Whether it would have had more fuel, had more been granted.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.meter.is_short()
    }

    /// Alerts raised since the last time they were taken.
    pub fn take_alerts(&mut self) -> Vec<Alert> {
        std::mem::take(&mut self.alerts)
    }

    /// What the contract did to its own state: nothing, if it did not end well.
    #[must_use]
    pub fn into_updates(self) -> Vec<StateUpdate> {
        if self.ended { Vec::new() } else { self.overlay.into_updates() }
    }

    fn judge(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<Vec<Said>, Stopped> {
        let message = message::judge(trace, &self.subject, self.contract.descriptor().message.as_deref())
            .map_err(|too_long| Stopped::End(End::Overloaded { reason: too_long.to_string() }))?;
        self.make_state(trace, view)?;
        let answer = self.answer(Entry::Sudo { message: &message }, trace, view)?;
        response::read(&answer).map_err(Stopped::End)
    }

    fn instantiate(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<Vec<Said>, Stopped> {
        let subject = self.subject.clone();
        let info = message::info(&subject);
        let entry = Entry::Instantiate { info: &info, message: message::configuration(&subject) };
        let answer = self.answer(entry, trace, view)?;
        response::read(&answer).map_err(Stopped::End)
    }

    /// Runs `instantiate` if the attachment's state is not yet that of its module and configuration.
    ///
    /// At attachment `instantiate` is asked for its opinion, and leaves nothing, as `init` of every guard: it may be that
    /// an attachment was there before any transaction, in a genesis. So what it stores is made here, by the first
    /// transaction that is judged, with whose success it stays.
    fn make_state(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<(), Stopped> {
        let Subject { attachment, store_account: account, .. } = *self.subject;
        let slot = state_slot(attachment, MADE);
        let content = [self.contract.hash().as_slice(), &self.subject.configuration].concat();
        self.pay(fuel::STATE_READ.saturating_add(fuel::hashing(content.len() as u64)))?;
        let mark = keccak256(content).into();
        let made = self.overlay.read(view, account, slot).map_err(fault)?;
        if made == mark {
            return Ok(());
        }
        self.instantiate(trace, view).map_err(|stopped| match stopped {
            Stopped::End(End::Vetoed { detail, .. }) => {
                let reason = format!("it refuses its configuration: {}", detail_text(&detail));
                Stopped::End(End::Unusable { reason: clipped(&reason) })
            }
            other => other,
        })?;
        self.pay(fuel::STORE_WORD)?;
        let set = self.overlay.apply(view, account, slot, StateOp::Set(mark));
        set.map(|_accepted| ()).map_err(fault)
    }

    fn say(&mut self, call: HookCall, said: Vec<Said>) -> Result<(), Stopped> {
        let (hook, frame) = (call.hook(), call.frame());
        self.alerts.extend(said.into_iter().map(|said| Alert { hook, frame, code: said.code, detail: said.detail }));
        Ok(())
    }

    /// What an entry point answers, as bytes.
    fn answer(&mut self, entry: Entry<'_>, trace: &Trace, view: &mut dyn StateView) -> Result<Vec<u8>, Stopped> {
        let attachment = self.subject.attachment;
        let (Entry::Instantiate { message, .. } | Entry::Sudo { message } | Entry::Query { message }) = entry;
        let pages = self.contract.pages();
        self.pay(metering::calling(pages).saturating_add(metering::message(message.len())))?;
        // Given back with an instance that can be used again.
        let held = metering::losing(pages);
        self.pay(held)?;
        let mut instance = self.contract.instance().map_err(|none| match none {
            NoInstance::Engine(reason) => Stopped::Fault(Fault::Engine { attachment, reason }),
            NoInstance::Contract(reason) => Stopped::End(End::Unusable { reason }),
        })?;
        let env = message::env(&trace.context, &self.subject);
        let subject = self.subject.clone();
        let mut loan =
            Loan { trace, view, subject: &subject, overlay: &mut self.overlay, scans: Vec::new(), stop: None };
        let (answer, used) = instance.call(entry, &env, self.meter.left(), &mut loan);
        let limit = match loan.stop {
            Some(Stop::Fault(fault)) => return Err(Stopped::Fault(fault)),
            Some(Stop::Limit(limit)) => Some(limit),
            None => None,
        };
        // What a host function could not charge ends as a trap, too, with nothing left.
        let spent_all = answer.is_err() && limit.is_none() && used.gas_left == 0;
        self.settle(&used, held, spent_all)?;
        match (limit, answer) {
            (Some(limit), _) => Err(Stopped::End(End::LimitExceeded(limit))),
            (None, Err(error)) => Err(Stopped::End(broken(&error))),
            (None, Ok(answer)) => {
                if used.fate == Fate::Kept {
                    self.contract.take_back(instance);
                }
                Ok(answer)
            }
        }
    }

    /// Takes what a call has spent, and gives back what was held for its instance if that can be used again.
    fn settle(&mut self, used: &Used, held: u64, spent_all: bool) -> Result<(), Stopped> {
        // What a contract does that gets no memory must not depend on its fuel.
        if spent_all || used.starved == Starved::Yes {
            self.meter.set_left(0);
            return Err(Stopped::End(End::OutOfFuel));
        }
        let left = self.meter.left();
        let spent = metering::fuel_of(metering::gas(left).saturating_sub(used.gas_left));
        let back = match used.fate {
            Fate::Kept => held,
            Fate::Lost => 0,
        };
        self.meter.set_left(left.saturating_sub(spent).saturating_add(back));
        self.pay(metering::growing(used.grown, used.fate))
    }

    fn pay(&mut self, fuel: u64) -> Result<(), Stopped> {
        self.meter.pay(fuel).ok_or(Stopped::End(End::OutOfFuel))
    }
}

/// Why there is no answer.
enum Stopped {
    End(End),
    Fault(Fault),
}

fn settled(end: Result<(), Stopped>) -> Result<End, Fault> {
    match end {
        Ok(()) => Ok(End::Returned),
        Err(Stopped::End(end)) => Ok(end),
        Err(Stopped::Fault(fault)) => Err(fault),
    }
}

/// How a contract broke. Words are those of the pinned cosmwasm-vm, which keeps what differs from machine to machine out
/// of them.
fn broken(error: &VmError) -> End {
    let reason = match error {
        VmError::Aborted { msg, .. } => format!("it panicked: {msg}"),
        other => other.to_string(),
    };
    End::Trapped { reason: clipped(&reason) }
}

fn clipped(reason: &str) -> String {
    reason[..reason.floor_char_boundary(REASON_BYTES_MAX)].to_owned()
}

fn fault(error: StoreError) -> Stopped {
    Stopped::Fault(error.into())
}
