//! The guard VM, asked as the judge asks it.

use std::sync::Arc;

use alloy_primitives::keccak256;
use parapet_monitor::{Fork, Fuel, StateView as _};
use parapet_vm::{Engine, HookEnd, Session, Subject};

use crate::{Case, End, FUEL, Said, Trap};

/// What the guard VM makes of a module; `Err` if it is refused.
///
/// # Errors
/// Why vetting or the compiler refuses it.
///
/// # Panics
/// When the engine itself fails.
pub fn guard_vm(engine: &Engine, module: &[u8], case: &Case) -> Result<Said, String> {
    guard_vm_within(engine, module, case, FUEL).map(|(said, _)| said)
}

/// The same with so much fuel, and what of it was spent.
///
/// # Errors
/// Why vetting or the compiler refuses it.
///
/// # Panics
/// When the engine itself fails.
pub fn guard_vm_within(engine: &Engine, module: &[u8], case: &Case, fuel_max: Fuel) -> Result<(Said, Fuel), String> {
    let bytes = module.to_vec().into();
    let guard = engine.load(keccak256(module), bytes).map_err(|refusal| refusal.to_string())?;
    guard.prepare()?;
    let subject = Subject {
        attachment: case.attachment,
        accounts: case.accounts.clone(),
        configuration: case.configuration.clone(),
        subscriptions: case.subscriptions,
        fuel_max,
        store_account: case.store,
    };
    let mut session = Session::new(guard, Arc::new(subject));
    let (mut said, mut state) = (Said::default(), case.state.clone());
    for call in case.hooks {
        let end = session.call(*call, &case.trace, &mut state).expect("state in memory can be read");
        said.ends.push(end_of(end));
        if said.ends.last() != Some(&End::Returned) {
            break;
        }
    }
    said.alerts = session.take_alerts().into_iter().map(|alert| (alert.code, alert.detail)).collect();
    let spent = session.spent();
    let returned = said.ends.iter().all(|end| *end == End::Returned);
    let updates = session.into_updates();
    let mut after = state.0.pre_tx.get(&case.store).cloned().unwrap_or_default();
    for update in updates {
        let before = state.storage(Fork::PreTx, case.store, update.slot).expect("state in memory can be read");
        let word = update.ops.iter().fold(before, |word, op| op.apply(word).expect("it was accepted"));
        after.storage.insert(update.slot, word);
        said.writes.push((update.slot, word));
    }
    if returned {
        said.entries = case.entries_in(after);
    }
    Ok((said, spent))
}

fn end_of(end: HookEnd) -> End {
    match end {
        HookEnd::Returned => End::Returned,
        HookEnd::Vetoed { code, detail } => End::Vetoed { code, detail },
        HookEnd::Trapped { reason } => trap_of(&reason),
        HookEnd::OutOfFuel => End::Exhausted,
        HookEnd::LimitExceeded(_) => End::Limit,
        HookEnd::Unusable { reason } => panic!("it was compiled: {reason}"),
    }
}

/// The guard VM tells of a trap in wasmtime's words.
fn trap_of(reason: &str) -> End {
    End::Trapped(match reason {
        words if words.contains("`unreachable`") => Trap::Unreachable,
        words if words.contains("call stack exhausted") => return End::Exhausted,
        words if words.contains("out of bounds table access") => Trap::Table,
        words if words.contains("out of bounds memory access") => Trap::Memory,
        words if words.contains("uninitialized element") => Trap::Null,
        words if words.contains("indirect call type mismatch") => Trap::Type,
        words if words.contains("integer divide by zero") => Trap::Zero,
        words if words.contains("integer overflow") => Trap::Overflow,
        _ => Trap::Host,
    })
}
