//! What a guard spends on transactions of growing size, run as on a chain. All its hooks are asked for each frame of its
//! account, whatever its triggers, so a guard that sleeps more spends less.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use parapet_abi::AccountRecord;
use parapet_cosmwasm::End;
use parapet_monitor::{Fault, Fuel, Trace, detail_text};
use parapet_registry::{FUEL_MAX, REGISTRY_ADDRESS};
use parapet_vm::{Engine, EngineSettings, HookCall, HookEnd, Subject};

use crate::{
    CliError,
    check::scene::{ACCOUNT, Event, Scene, state},
    module::{Form, Module},
};

/// Calls in the transactions that are tried.
const CALLS: [u32; 3] = [1, 16, 256];
/// Instances at a time: one.
const INSTANCES_MAX: u32 = 4;

/// How a guard's cost grows.
#[derive(Debug)]
pub(crate) struct Estimate {
    /// By number of calls.
    pub(crate) runs: Vec<Run>,
}

/// What it spent on one transaction.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) calls: u32,
    pub(crate) fuel: u64,
    pub(crate) ended: Ended,
}

/// How it ended there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Returned,
    Vetoed { code: u16, words: String },
    Broken(String),
}

impl Estimate {
    /// Runs a vetted module with a configuration.
    pub(crate) fn of(module: &Module, configuration: Vec<u8>) -> Result<Self, CliError> {
        let wrong = |reason: String| CliError::Estimate { module: module.descriptor.name.clone(), reason };
        let guard = Guard::load(module).map_err(wrong)?;
        let subject = Arc::new(Subject {
            attachment: B256::ZERO,
            accounts: vec![AccountRecord { address: ACCOUNT.into_array().into() }],
            configuration: configuration.into(),
            subscriptions: module.descriptor.subscriptions(),
            fuel_max: Fuel(FUEL_MAX),
            store_account: REGISTRY_ADDRESS,
        });
        let mut session = guard.session(&subject);
        match session.call(HookCall::Init, &Trace::default()).map_err(|fault| wrong(fault.to_string()))? {
            Ended::Returned => {}
            Ended::Vetoed { words, .. } => return Err(wrong(format!("it refuses its parameters: {words}"))),
            Ended::Broken(how) => return Err(wrong(format!("it breaks in init: {how}"))),
        }
        let run = |calls| guard.run(&subject, calls).map_err(|fault| wrong(fault.to_string()));
        Ok(Self { runs: CALLS.into_iter().map(run).collect::<Result<_, _>>()? })
    }

    /// What one call more takes, between the two largest transactions that it saw to their end.
    pub(crate) fn per_call(&self) -> Option<u64> {
        growth(self.whole())
    }

    /// Whether a call takes much more the more there are.
    pub(crate) fn grows_faster(&self) -> bool {
        let whole = self.whole();
        let early = whole.split_last().and_then(|(_, fewer)| growth(fewer));
        growth(whole).zip(early).is_some_and(|(late, early)| late > early.saturating_mul(2))
    }

    /// After how many calls so much fuel is spent, if it goes on like that.
    pub(crate) fn calls_within(&self, limit: u64) -> Option<u64> {
        let (last, per_call) = (self.whole().last()?, self.per_call().filter(|per_call| *per_call > 0)?);
        Some(u64::from(last.calls) + limit.saturating_sub(last.fuel) / per_call)
    }

    /// The transactions that it saw to their end.
    fn whole(&self) -> &[Run] {
        let count = self.runs.iter().take_while(|run| run.ended == Ended::Returned).count();
        &self.runs[..count]
    }
}

/// What one call more takes, between the last two.
fn growth(runs: &[Run]) -> Option<u64> {
    let [.., less, more] = runs else { return None };
    Some(more.fuel.saturating_sub(less.fuel).div_ceil(u64::from(more.calls - less.calls)))
}

/// A guard that can run.
enum Guard {
    Native(Arc<parapet_vm::Guard>),
    Contract(Arc<parapet_cosmwasm::Contract>),
}

enum Session {
    Native(parapet_vm::Session),
    Contract(parapet_cosmwasm::Session),
}

impl Guard {
    fn load(module: &Module) -> Result<Self, String> {
        let bytes = Bytes::copy_from_slice(&module.wasm);
        match module.form {
            Form::Native(_) => {
                let settings =
                    EngineSettings { instances_max: INSTANCES_MAX, warm_max: 0, ..EngineSettings::default() };
                let engine = Engine::new(settings).map_err(|error| error.to_string())?;
                let guard = engine.load(module.hash, bytes).map_err(|error| error.to_string())?;
                guard.prepare()?;
                Ok(Self::Native(guard))
            }
            Form::Contract(_) => {
                let contract = parapet_cosmwasm::Engine::new().load(module.hash, bytes);
                let contract = contract.map_err(|error| error.to_string())?;
                contract.prepare()?;
                Ok(Self::Contract(contract))
            }
        }
    }

    fn session(&self, subject: &Arc<Subject>) -> Session {
        match self {
            Self::Native(guard) => Session::Native(parapet_vm::Session::new(guard.clone(), subject.clone())),
            Self::Contract(contract) => {
                Session::Contract(parapet_cosmwasm::Session::new(contract.clone(), subject.clone()))
            }
        }
    }

    fn run(&self, subject: &Arc<Subject>, calls: u32) -> Result<Run, Fault> {
        let (mut session, mut scene) = (self.session(subject), Scene::with_calls(calls));
        let mut ended = Ended::Returned;
        while let Some(event) = scene.step() {
            let call = match event {
                Event::Starts(frame) => HookCall::OnCall(frame),
                Event::Ends(frame) => HookCall::OnCallEnd(frame),
                Event::Executed => HookCall::OnTx,
            };
            ended = session.call(call, &scene.trace)?;
            if ended != Ended::Returned {
                break;
            }
        }
        Ok(Run { calls, fuel: session.spent().0, ended })
    }
}

impl Session {
    fn call(&mut self, call: HookCall, trace: &Trace) -> Result<Ended, Fault> {
        let view = &mut state();
        match self {
            Self::Native(session) => session.call(call, trace, view).map(Ended::from),
            Self::Contract(session) => session.call(call, trace, view).map(Ended::from),
        }
    }

    fn spent(&self) -> Fuel {
        match self {
            Self::Native(session) => session.spent(),
            Self::Contract(session) => session.spent(),
        }
    }
}

impl From<HookEnd> for Ended {
    fn from(end: HookEnd) -> Self {
        match end {
            HookEnd::Returned => Self::Returned,
            HookEnd::Vetoed { code, detail } => Self::Vetoed { code, words: detail_text(&detail) },
            HookEnd::Trapped { reason } | HookEnd::Unusable { reason } => Self::Broken(reason),
            HookEnd::OutOfFuel => Self::Broken(format!("it spends more than {FUEL_MAX} fuel")),
            HookEnd::LimitExceeded(limit) => Self::Broken(limit.to_string()),
        }
    }
}

impl From<End> for Ended {
    fn from(end: End) -> Self {
        match end {
            End::Returned => Self::Returned,
            End::Vetoed { code, detail } => Self::Vetoed { code, words: detail_text(&detail) },
            End::Trapped { reason } | End::Unusable { reason } | End::Overloaded { reason } => Self::Broken(reason),
            End::OutOfFuel => Self::Broken(format!("it spends more than {FUEL_MAX} fuel")),
            End::LimitExceeded(limit) => Self::Broken(limit.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ended, Estimate, Run};

    fn estimate(runs: &[(u32, u64)]) -> Estimate {
        let run = |(calls, fuel): &(u32, u64)| Run { calls: *calls, fuel: *fuel, ended: Ended::Returned };
        Estimate { runs: runs.iter().map(run).collect() }
    }

    #[test]
    fn cost_is_drawn_on_from_the_two_largest_transactions() {
        let even = estimate(&[(1, 1_010), (16, 1_160), (256, 3_560)]);
        assert_eq!((even.per_call(), even.grows_faster()), (Some(10), false));
        assert_eq!(even.calls_within(10_000), Some(256 + 644));
        let steep = estimate(&[(1, 1_001), (16, 1_256), (256, 66_536)]);
        assert!(steep.grows_faster());
        let flat = estimate(&[(1, 1_000), (16, 1_000), (256, 1_000)]);
        assert_eq!((flat.per_call(), flat.calls_within(10_000)), (Some(0), None));
    }

    #[test]
    fn what_ended_early_says_nothing_of_what_comes_behind() {
        let veto = || Ended::Vetoed { code: 1, words: "no".to_owned() };
        let mut early = estimate(&[(1, 1_000), (16, 2_500), (256, 2_000)]);
        early.runs[2].ended = veto();
        assert_eq!((early.per_call(), early.calls_within(10_000)), (Some(100), Some(16 + 75)));
        early.runs[1].ended = veto();
        assert_eq!((early.per_call(), early.calls_within(10_000), early.grows_faster()), (None, None, false));
    }
}
