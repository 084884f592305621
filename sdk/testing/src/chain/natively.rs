//! The monitor that asks guards natively, and their modules beside them.
//!
//! A native guard cannot hold on to the executor's state while it runs, so it is asked with what is known of that state, and
//! asked again when it looks at more. It sees the same each time, since a guard is a function of what it is shown.

use std::collections::BTreeMap;

use alloy_primitives::Bytes;
use parapet_abi::{ContextRecord, FrameStatus};
use parapet_guest::{
    B256,
    mock::{Found, Hook, Look, Said, Stopped, Store, World},
};
use parapet_monitor::{
    Allowance, Decision, Examination, Fault, Judgement, Judging, MemoryState, Monitor, StateView, Subscriptions, Trace,
    Veto, trigger::Moment,
};
use parapet_types::REGISTRY;
use parapet_vm::{HookCall, HookEnd, Session};
use parking_lot::Mutex;

use super::{attached::Attached, look};

/// Looks of one hook, at most: a guard that needs more would not have the fuel.
const LOOKS_MAX: usize = 100_000;

/// Asks guards natively.
pub(super) struct Natively<'a> {
    attached: &'a [Attached],
    heard: Mutex<BTreeMap<B256, Heard>>,
}

/// What was said of one transaction.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    pub(super) alerts: Vec<Said>,
    pub(super) veto: Option<Said>,
    /// The guards' own states, if the transaction stands.
    pub(super) stores: Vec<Store>,
    pub(super) fuel: u64,
    /// What modules said that their guards did not.
    differences: Vec<String>,
}

impl Heard {
    /// # Panics
    /// When a module said something else than its guard.
    pub(super) fn check(&self) {
        assert!(self.differences.is_empty(), "{}", self.differences.join("\n"));
    }
}

impl<'a> Natively<'a> {
    pub(super) fn new(attached: &'a [Attached]) -> Self {
        Self { attached, heard: Mutex::default() }
    }

    /// What was said of a transaction; nothing, if nobody woke.
    pub(super) fn heard(&self, tx: B256) -> Heard {
        self.heard.lock().get(&tx).cloned().unwrap_or_default()
    }
}

impl Monitor for Natively<'_> {
    fn open(&self, context: &ContextRecord, _: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        if self.attached.is_empty() {
            return Ok(None);
        }
        let each = self.attached.iter().map(Each::new).collect();
        Ok(Some(Box::new(Judgment { monitor: self, tx: B256(context.tx_hash), each, heard: Heard::default() })))
    }

    fn admit(&self, _: &ContextRecord, _: Allowance, _: &mut dyn StateView) -> Result<Examination, Fault> {
        Ok(Decision::Proceed.into())
    }
}

/// What a guard vetoes as it is attached.
pub(super) fn init(attached: &Attached, context: &ContextRecord) -> Option<Said> {
    let (mut each, mut heard) = (Each::new(attached), Heard::default());
    let trace = Trace { context: *context, ..Trace::default() };
    let asked = each.ask(Hook::Init, &trace, &mut MemoryState::default(), &mut heard);
    heard.check();
    asked.expect("a state in memory answers")
}

struct Judgment<'a> {
    monitor: &'a Natively<'a>,
    tx: B256,
    each: Vec<Each<'a>>,
    heard: Heard,
}

/// One guard judging one transaction.
struct Each<'a> {
    attached: &'a Attached,
    store: Store,
    session: Option<Session>,
    woken: bool,
}

impl<'a> Each<'a> {
    fn new(attached: &'a Attached) -> Self {
        let mut store = attached.store.clone();
        store.next_tx();
        let session = attached.module.as_ref().map(|(guard, subject)| Session::new(guard.clone(), subject.clone()));
        Self { attached, store, session, woken: false }
    }

    /// Asks the guard, and its module; answers the guard's veto.
    fn ask(
        &mut self,
        hook: Hook,
        trace: &Trace,
        view: &mut dyn StateView,
        heard: &mut Heard,
    ) -> Result<Option<Said>, Fault> {
        self.woken = true;
        let said = |(code, detail)| Said { hook, code, detail };
        let (world, ended) = self.judge(hook, trace, view)?;
        let alerts: Vec<Said> = world.alerts.into_iter().map(said).collect();
        self.store = world.store;
        let veto = match ended {
            Some(Stopped::Vetoed(code, detail)) => Some(said((code, detail))),
            Some(Stopped::Asked(_)) | None => None,
        };
        if let Some(session) = &mut self.session {
            let before = session.spent();
            let (wasm_alerts, wasm_veto) = ask_module(session, hook, trace, view)?;
            heard.fuel += session.spent().0 - before.0;
            if (&wasm_alerts, &wasm_veto) != (&alerts, &veto) {
                heard.differences.push(format!(
                    "at {hook:?} the guard said {alerts:?} and {veto:?}, its module {wasm_alerts:?} and {wasm_veto:?}"
                ));
            }
        }
        heard.alerts.extend(alerts);
        Ok(veto)
    }

    /// Asks the guard until it looks at nothing that is not known.
    fn judge(&self, hook: Hook, trace: &Trace, view: &mut dyn StateView) -> Result<(World, Option<Stopped>), Fault> {
        let mut known: BTreeMap<Look, Found> = BTreeMap::new();
        loop {
            let mut world = self.world(trace);
            world.known = Some(known.clone());
            match (self.attached.judge)(&mut world, hook) {
                Ok(()) => return Ok((world, None)),
                Err(Stopped::Asked(look)) => {
                    assert!(known.len() < LOOKS_MAX, "a guard looks at most {LOOKS_MAX} times in one hook");
                    let found = look::find(&look, view)?;
                    known.insert(look, found);
                }
                Err(stopped) => return Ok((world, Some(stopped))),
            }
        }
    }

    /// What the guard may see of the trace.
    fn world(&self, trace: &Trace) -> World {
        let has = |wanted| self.attached.subscriptions.contains(wanted);
        let bytes = |data: &[Bytes]| data.iter().map(|bytes| bytes.to_vec()).collect();
        let mut world = World {
            config: self.attached.configuration.clone(),
            accounts: self.attached.accounts.clone(),
            context: trace.context,
            frames: trace.frames.clone(),
            inputs: bytes(&trace.inputs),
            outputs: bytes(&trace.outputs),
            code_changes: trace.code_changes.clone(),
            slot_changes: trace.slot_changes.clone(),
            authorizations: trace.authorizations.clone(),
            delegates: trace.delegates.clone(),
            store: self.store.clone(),
            ..World::default()
        };
        if has(Subscriptions::ACCESSES) {
            world.accesses.clone_from(&trace.accesses);
        }
        if has(Subscriptions::FLOWS) {
            let flows = if has(Subscriptions::FEES) { &trace.flows } else { trace.flows_but_fees() };
            world.flows = flows.to_vec();
            world.logs.clone_from(&trace.logs);
            world.log_data = bytes(&trace.log_data);
        }
        if has(Subscriptions::PREIMAGES) {
            world.preimages.clone_from(&trace.preimages);
        }
        world
    }
}

/// What a module says at a hook.
fn ask_module(
    session: &mut Session,
    hook: Hook,
    trace: &Trace,
    view: &mut dyn StateView,
) -> Result<(Vec<Said>, Option<Said>), Fault> {
    let call = match hook {
        Hook::Init => HookCall::Init,
        Hook::OnCall(frame) => HookCall::OnCall(frame),
        Hook::OnCallEnd(frame) => HookCall::OnCallEnd(frame),
        Hook::OnTx => HookCall::OnTx,
    };
    let said = |code, detail: &[u8]| Said { hook, code, detail: String::from_utf8_lossy(detail).into_owned() };
    let veto = match session.call(call, trace, view)? {
        HookEnd::Returned => None,
        HookEnd::Vetoed { code, detail } => Some(said(code, &detail)),
        HookEnd::OutOfFuel => Some(said(0, b"out of fuel")),
        HookEnd::Trapped { reason } | HookEnd::Unusable { reason } => Some(said(0, reason.as_bytes())),
        HookEnd::LimitExceeded(limit) => Some(said(0, limit.to_string().as_bytes())),
    };
    let alerts = session.take_alerts().into_iter().map(|alert| said(alert.code, &alert.detail)).collect();
    Ok((alerts, veto))
}

impl Judgment<'_> {
    /// Asks those who wake, until one vetoes.
    fn ask(
        &mut self,
        hook: Hook,
        trace: &Trace,
        view: &mut dyn StateView,
        wakes: impl Fn(&Each<'_>) -> bool,
    ) -> Result<Decision, Fault> {
        for each in &mut self.each {
            if self.heard.veto.is_none() && wakes(each) {
                self.heard.veto = each.ask(hook, trace, view, &mut self.heard)?;
            }
        }
        Ok(self.heard.veto.as_ref().map_or(Decision::Proceed, |veto| {
            let detail = Bytes::copy_from_slice(veto.detail.as_bytes());
            Decision::Veto(Veto { guard: REGISTRY, attachment: REGISTRY.into_word(), code: veto.code, detail })
        }))
    }
}

impl Judging for Judgment<'_> {
    fn subscriptions(&self) -> Subscriptions {
        self.each.iter().fold(Subscriptions::NONE, |all, each| all.union(each.attached.subscriptions))
    }

    fn on_call(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.ask(Hook::OnCall(frame), trace, view, |each| each.attached.wakes(trace, frame, Moment::Start))
    }

    fn on_call_end(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.ask(Hook::OnCallEnd(frame), trace, view, |each| each.attached.wakes(trace, frame, Moment::End))
    }

    fn on_tx(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<Decision, Fault> {
        let decision = self.ask(Hook::OnTx, trace, view, |each| each.woken || each.attached.wakes_at_end(trace))?;
        if trace.context.status == u8::from(FrameStatus::Succeeded) {
            return Ok(decision);
        }
        // What failed by itself is not vetoed.
        self.heard.veto = None;
        Ok(Decision::Proceed)
    }

    fn close(mut self: Box<Self>) -> Judgement {
        let mut judgement = Judgement::default();
        for each in self.each {
            self.heard.stores.push(each.store);
            judgement.updates.extend(each.session.map(Session::into_updates).unwrap_or_default());
        }
        if self.heard.veto.is_some() {
            judgement.updates.clear();
        }
        judgement.updates.sort_unstable_by_key(|update| update.slot);
        self.monitor.heard.lock().insert(self.tx, self.heard);
        judgement
    }
}
