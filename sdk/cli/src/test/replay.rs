//! Shows a module in the guard VM what a scene showed its guard natively.
//!
//! Invariant: the module's own state begins empty, as a scene's does, and is kept where the scene kept it.

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::{Address, B256, Bytes, U256};
use parapet_guest::mock::{
    Hook, Said, World,
    journal::{Ended, Entry, Played},
};
use parapet_monitor::{
    AttachmentId, CallOutcome, CallRequest, CallStatus, Fork, Fuel, StateFault, StateOp, StateView, Trace,
};
use parapet_registry::{FUEL_MAX, REGISTRY_ADDRESS};
use parapet_vm::{Engine, EngineSettings, Guard, HookCall, HookEnd, Session, Subject};

use crate::{CliError, module::Module};

/// What came of all comparisons.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    pub(super) scenes: usize,
    pub(super) hooks: usize,
    pub(super) vetoes: usize,
    /// Scenes that were compared in part.
    pub(super) cut: usize,
    /// Of each transaction.
    fuel: Vec<u64>,
}

impl Comparison {
    pub(super) fn fuel_median(&self) -> u64 {
        let mut sorted = self.fuel.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }

    pub(super) fn fuel_most(&self) -> u64 {
        self.fuel.iter().copied().max().unwrap_or_default()
    }
}

/// A guard and its module that do not say the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{guard} says something else as a module, in test {test} at {hook:?}:\n  natively it {native}\n  as a module it {wasm}\n\
     What a guard says must follow from the trace alone: look for memory that outlasts a transaction, numbers of a pointer's \
     size, and code under cfg(target_arch)"
)]
pub struct Difference {
    /// The guard.
    pub guard: String,
    /// The test, as its thread is named.
    pub test: String,
    /// Where in it.
    pub hook: Hook,
    /// What the guard said.
    pub native: String,
    /// What the module said.
    pub wasm: String,
}

/// The guard VM with one module.
pub(super) struct Host {
    guard: Arc<Guard>,
    descriptor: serde_json::Value,
    name: String,
}

/// What either side said in one hook: alerts, and at most one veto.
#[derive(Debug, PartialEq, Eq)]
struct Spoken {
    alerts: Vec<(u16, String)>,
    veto: Option<(u16, String)>,
}

impl Host {
    pub(super) fn new(module: &Module) -> Result<Self, CliError> {
        let name = module.descriptor.name.clone();
        let failed = |reason: String| CliError::Host { module: name.clone(), reason };
        let settings = EngineSettings { instances_max: 4, ..EngineSettings::default() };
        let engine = Engine::new(settings).map_err(|error| failed(error.to_string()))?;
        let wasm = Bytes::copy_from_slice(&module.wasm);
        let guard = engine.load(module.hash, wasm).map_err(|error| failed(error.to_string()))?;
        guard.prepare().map_err(failed)?;
        let descriptor = serde_json::to_value(&module.descriptor).map_err(|error| failed(error.to_string()))?;
        Ok(Self { guard, descriptor, name })
    }

    /// Shows a scene to the module. Scenes of other guards, which tests may have, are passed over.
    pub(super) fn replay(&self, played: &Played, comparison: &mut Comparison) -> Result<(), CliError> {
        let descriptor = parapet_monitor::Descriptor::parse(played.descriptor.as_bytes()).ok();
        let descriptor = descriptor.and_then(|descriptor| serde_json::to_value(descriptor).ok());
        if descriptor.as_ref() != Some(&self.descriptor) {
            return Ok(());
        }
        comparison.scenes += 1;
        comparison.cut += usize::from(played.is_cut);
        let mut words = BTreeMap::new();
        let mut session: Option<Session> = None;
        for entry in &played.entries {
            match entry {
                Entry::Hook { world, hook, alerts, veto } => {
                    let native = Spoken { alerts: said(alerts), veto: veto.as_ref().map(one) };
                    // The configuration is judged by an instance of its own, before there is any transaction.
                    let mut own = (*hook == Hook::Init).then(|| self.session(world));
                    let running = match &mut own {
                        Some(own) => own,
                        None => session.get_or_insert_with(|| self.session(world)),
                    };
                    let wasm = self.ask(running, *hook, world, &words)?;
                    comparison.hooks += 1;
                    comparison.vetoes += usize::from(native.veto.is_some());
                    if native != wasm {
                        return Err(self.differs(played, *hook, &native, &wasm));
                    }
                }
                Entry::End(ended) => {
                    if let Some(session) = session.take() {
                        comparison.fuel.push(session.spent().0);
                        keep(*ended, session, &mut words);
                    }
                }
            }
        }
        Ok(())
    }

    fn session(&self, world: &World) -> Session {
        let subject = Subject {
            attachment: AttachmentId::repeat_byte(1),
            accounts: world.accounts.clone(),
            configuration: Bytes::copy_from_slice(&world.config),
            subscriptions: self.guard.subscriptions(),
            fuel_max: Fuel(FUEL_MAX),
            store_account: REGISTRY_ADDRESS,
        };
        Session::new(Arc::clone(&self.guard), Arc::new(subject))
    }

    fn ask(
        &self,
        session: &mut Session,
        hook: Hook,
        world: &World,
        words: &BTreeMap<U256, U256>,
    ) -> Result<Spoken, CliError> {
        let call = match hook {
            Hook::Init => HookCall::Init,
            Hook::OnCall(frame) => HookCall::OnCall(frame),
            Hook::OnCallEnd(frame) => HookCall::OnCallEnd(frame),
            Hook::OnTx => HookCall::OnTx,
        };
        let ended = session.call(call, &trace(world), &mut Seen { world, words });
        let ended = ended.map_err(|error| CliError::Host { module: self.name.clone(), reason: error.to_string() })?;
        let text = |detail: &Bytes| String::from_utf8_lossy(detail).into_owned();
        let alerts = session.take_alerts().into_iter().map(|alert| (alert.code, text(&alert.detail))).collect();
        let veto = match ended {
            HookEnd::Returned => None,
            HookEnd::Vetoed { code, detail } => Some((code, text(&detail))),
            HookEnd::OutOfFuel => Some((0, format!("out of fuel: it spent {FUEL_MAX}"))),
            HookEnd::Trapped { reason } | HookEnd::Unusable { reason } => Some((0, reason)),
            HookEnd::LimitExceeded(limit) => Some((0, limit.to_string())),
        };
        Ok(Spoken { alerts, veto })
    }

    fn differs(&self, played: &Played, hook: Hook, native: &Spoken, wasm: &Spoken) -> CliError {
        CliError::Differs(Box::new(Difference {
            guard: self.name.clone(),
            test: played.test.clone(),
            hook,
            native: words(native),
            wasm: words(wasm),
        }))
    }
}

fn said(said: &[Said]) -> Vec<(u16, String)> {
    said.iter().map(one).collect()
}

fn one(said: &Said) -> (u16, String) {
    (said.code, said.detail.clone())
}

fn words(spoken: &Spoken) -> String {
    let alerts = spoken.alerts.iter().map(|(code, detail)| format!("alerts {code}: {detail}"));
    let veto = spoken.veto.iter().map(|(code, detail)| format!("vetoes {code}: {detail}"));
    let all: Vec<_> = alerts.chain(veto).collect();
    if all.is_empty() { "says nothing".to_owned() } else { all.join("; ") }
}

/// Keeps what the module did to its own state, if the transaction stood.
fn keep(ended: Ended, session: Session, words: &mut BTreeMap<U256, U256>) {
    if ended == Ended::Dropped {
        return;
    }
    for update in session.into_updates() {
        let word = words.entry(update.slot).or_default();
        *word = StateOp::settle(&update.ops, *word);
    }
}

fn trace(world: &World) -> Trace {
    let data = |data: &[Vec<u8>]| data.iter().map(|bytes| Bytes::copy_from_slice(bytes)).collect();
    let fee = u8::from(parapet_abi::FlowReason::Fee);
    Trace {
        context: world.context,
        frames: world.frames.clone(),
        inputs: data(&world.inputs),
        outputs: data(&world.outputs),
        accesses: world.accesses.clone(),
        flows: world.flows.clone(),
        fee_flows: world.flows.iter().rev().take_while(|flow| flow.reason == fee).count(),
        logs: world.logs.clone(),
        log_data: data(&world.log_data),
        code_changes: world.code_changes.clone(),
        slot_changes: world.slot_changes.clone(),
        preimages: world.preimages.clone(),
        authorizations: world.authorizations.clone(),
        delegates: world.delegates.clone(),
        overflowed: false,
    }
}

/// The state that a scene has, with the guard's own in the registry's storage, where the guard VM keeps it.
struct Seen<'a> {
    world: &'a World,
    words: &'a BTreeMap<U256, U256>,
}

impl Seen<'_> {
    fn state(&self, fork: Fork) -> &parapet_guest::mock::State {
        match fork {
            Fork::PreTx => &self.world.pre_tx,
            other => self.world.forks.get(&number(other)).unwrap_or(&self.world.now),
        }
    }
}

const fn number(fork: Fork) -> [u32; 2] {
    use parapet_abi::import::{FORK_AFTER_FRAME, FORK_BEFORE_FRAME, FORK_NOW, FORK_PRE_TX};
    match fork {
        Fork::PreTx => [FORK_PRE_TX, 0],
        Fork::Now => [FORK_NOW, 0],
        Fork::BeforeFrame(frame) => [FORK_BEFORE_FRAME, frame],
        Fork::AfterFrame(frame) => [FORK_AFTER_FRAME, frame],
    }
}

impl StateView for Seen<'_> {
    fn storage(&mut self, fork: Fork, address: Address, slot: U256) -> Result<U256, StateFault> {
        if address == REGISTRY_ADDRESS {
            return Ok(self.words.get(&slot).copied().unwrap_or_default());
        }
        let word = self.state(fork).storage.get(&(address.into_array(), slot.to_be_bytes()));
        Ok(word.copied().map(U256::from_be_bytes).unwrap_or_default())
    }

    fn balance(&mut self, fork: Fork, address: Address) -> Result<U256, StateFault> {
        let word = self.state(fork).balances.get(&address.into_array());
        Ok(word.copied().map(U256::from_be_bytes).unwrap_or_default())
    }

    fn code_hash(&mut self, fork: Fork, address: Address) -> Result<B256, StateFault> {
        Ok(self.state(fork).code_hashes.get(&address.into_array()).copied().map(B256::from).unwrap_or_default())
    }

    fn code(&mut self, _: Fork, _: Address) -> Result<Bytes, StateFault> {
        Ok(Bytes::new())
    }

    fn call(&mut self, fork: Fork, request: &CallRequest) -> Result<CallOutcome, StateFault> {
        let question = (number(fork), request.to.into_array(), request.input.to_vec());
        let Some((status, output)) = self.world.answers.get(&question) else {
            return Ok(CallOutcome { status: CallStatus::Succeeded, output: Bytes::new(), gas_used: 0 });
        };
        let status = match status {
            parapet_abi::FrameStatus::Reverted => CallStatus::Reverted,
            parapet_abi::FrameStatus::Halted => CallStatus::Halted,
            parapet_abi::FrameStatus::Succeeded | parapet_abi::FrameStatus::Running => CallStatus::Succeeded,
        };
        Ok(CallOutcome { status, output: Bytes::copy_from_slice(output), gas_used: 0 })
    }
}
