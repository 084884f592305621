//! What came of a transaction: out of the EVM's result and the monitor's judgement, what is kept of both.

use parapet_monitor::{Fate, Judgement, StateUpdate};
use parapet_types::{Destiny, Executed};
use revm::{
    context::result::{ExecutionResult, HaltReason, Output},
    state::EvmState,
};

use crate::{purse::Charge, recorder::Recorder};

/// What a transaction would change: nothing of it is committed yet.
#[derive(Debug)]
pub struct Outcome {
    /// What it did.
    pub executed: Executed,
    /// The EVM's own result, for tracers.
    pub result: ExecutionResult<HaltReason>,
    /// Its changes to state.
    pub state: EvmState,
    /// What it does to guard state, and what is counted of it; only the latter unless it succeeded.
    pub guard_updates: Vec<StateUpdate>,
}

/// What became of a transaction that ran on a journal.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "moved once, and hardly ever the small one")]
pub(crate) enum OnJournal {
    /// What it did, and what it does to guard state.
    Executed(Executed, Vec<StateUpdate>),
    /// Nothing of it remains: it would have been judged.
    Watched,
}

pub(crate) const fn fate(destiny: &Destiny) -> Fate {
    match destiny {
        Destiny::Succeeded => Fate::Succeeded,
        Destiny::Reverted | Destiny::Halted { .. } | Destiny::Vetoed { .. } => Fate::Failed,
    }
}

/// What a transaction did, and what it does to guard state: nothing but what is counted unless it succeeded.
pub(crate) fn conclude(
    result: ExecutionResult<HaltReason>,
    judgement: Judgement,
    recorder: &Recorder<'_>,
) -> (Executed, Vec<StateUpdate>) {
    let gas_used = result.tx_gas_used();
    let (destiny, output, logs, created) = match result {
        ExecutionResult::Success { logs, output, .. } => {
            let created = match &output {
                Output::Create(_, address) => *address,
                Output::Call(_) => None,
            };
            (Destiny::Succeeded, output.into_data(), logs, created)
        }
        ExecutionResult::Revert { output, .. } => {
            (recorder.veto.as_ref().map_or(Destiny::Reverted, Destiny::from), output, Vec::new(), None)
        }
        ExecutionResult::Halt { reason, .. } => {
            (Destiny::Halted { reason: format!("{reason:?}") }, alloy_primitives::Bytes::new(), Vec::new(), None)
        }
    };
    let verdicts = judgement.verdicts.clone();
    let guard_updates = judgement.kept(fate(&destiny));
    let Charge { gas: guard_gas_used, fuel: guard_fuel } = recorder.purse.charged;
    let executed = Executed { destiny, gas_used, guard_gas_used, guard_fuel, output, logs, created, verdicts };
    (executed, guard_updates)
}
