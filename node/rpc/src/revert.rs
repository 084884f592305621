//! Why a transaction failed, in the words clients show: a guard's veto, Solidity's `Error` and `Panic`, or nothing but
//! data.

use alloy_primitives::{Address, B256, Bytes};
use alloy_sol_types::{Panic, Revert, SolError as _};
use parapet_monitor::{Outcome, Veto, detail_text};
use parapet_types::{Destiny, Executed};
use serde::Serialize;

/// A veto as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GuardVetoView {
    /// Account that holds the first bytes of the guard's module.
    pub guard: Address,
    /// Whose verdict it was.
    pub attachment: B256,
    /// The guard's code.
    pub code: u16,
    /// The guard's own words.
    pub detail: Bytes,
    /// The same as text where it is text.
    pub reason: String,
    /// The guard's name; empty where no guard ran.
    pub name: String,
}

impl GuardVetoView {
    /// The veto of a transaction; `None` unless it was vetoed.
    #[must_use]
    pub fn of(executed: &Executed) -> Option<Self> {
        let Destiny::Vetoed { guard, attachment, code, detail } = &executed.destiny else { return None };
        let name = executed
            .verdicts
            .iter()
            .filter(|verdict| verdict.attachment == *attachment)
            .max_by_key(|verdict| verdict.outcome == Outcome::Veto)
            .map(|verdict| verdict.guard.clone());
        Some(Self {
            guard: *guard,
            attachment: *attachment,
            code: *code,
            detail: detail.clone(),
            reason: detail_text(detail),
            name: name.unwrap_or_default(),
        })
    }

    /// The message of the error a client gets.
    #[must_use]
    pub fn message(&self) -> String {
        let Self { guard, attachment, code, reason, name, .. } = self;
        if attachment.is_zero() {
            // No guard said it: the registry refuses, or the transaction cannot pay for its guards.
            return format!("execution reverted: vetoed (code {code}): {reason}");
        }
        let who = if name.is_empty() { guard.to_string() } else { name.clone() };
        format!("execution reverted: vetoed by guard {who} (attachment {attachment}, code {code}): {reason}")
    }
}

/// The message for a transaction that reverted by itself, in geth's words.
#[must_use]
pub fn revert_message(output: &Bytes) -> String {
    match reason(output) {
        Some(reason) => format!("execution reverted: {reason}"),
        None => "execution reverted".to_owned(),
    }
}

fn reason(output: &Bytes) -> Option<String> {
    if let Ok(revert) = Revert::abi_decode(output) {
        return Some(revert.reason);
    }
    if let Ok(panic) = Panic::abi_decode(output) {
        return Some(panic_reason(panic.code.try_into().unwrap_or(u64::MAX)));
    }
    // A contract may forward the output of a vetoed simulation that it got from elsewhere; it is shown as what it is.
    let veto = Veto::from_output(output)?;
    Some(format!("GuardVeto of attachment {}, code {}: {}", veto.attachment, veto.code, detail_text(&veto.detail)))
}

/// Solidity's panic codes.
fn panic_reason(code: u64) -> String {
    let known = match code {
        0x00 => "generic panic",
        0x01 => "assert(false)",
        0x11 => "arithmetic underflow or overflow",
        0x12 => "division or modulo by zero",
        0x21 => "enum overflow",
        0x22 => "invalid encoded storage byte array accessed",
        0x31 => "out-of-bounds array access; popping on an empty array",
        0x32 => "out-of-bounds access of an array or bytesN",
        0x41 => "out of memory",
        0x51 => "uninitialized function",
        unknown => return format!("unknown panic code: {unknown:#x}"),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{U256, hex};
    use parapet_monitor::{Fuel, Mode, Verdict};

    use super::*;

    #[test]
    fn tells_solidity_reasons_and_panics() {
        let error: Bytes = Revert::from("not the owner").abi_encode().into();
        assert_eq!(revert_message(&error), "execution reverted: not the owner");
        let panic: Bytes = Panic { code: U256::from(0x11) }.abi_encode().into();
        assert_eq!(revert_message(&panic), "execution reverted: arithmetic underflow or overflow");
        assert_eq!(revert_message(&Bytes::new()), "execution reverted");
        assert_eq!(revert_message(&hex!("deadbeef").into()), "execution reverted");
    }

    #[test]
    fn tells_who_vetoed_and_why() {
        let attachment = B256::repeat_byte(2);
        let verdict = |outcome, guard: &str| Verdict {
            attachment,
            module: B256::ZERO,
            guard: guard.into(),
            mode: Mode::Enforce,
            outcome,
            hook: None,
            frame: None,
            code: 7,
            detail: Bytes::new(),
            fuel: Fuel(0),
            elapsed_ns: 0,
            origin: Default::default(),
        };
        let executed = Executed {
            destiny: Destiny::Vetoed {
                guard: Address::ZERO,
                attachment,
                code: 7,
                detail: Bytes::from_static(b"re-entered"),
            },
            gas_used: 0,
            guard_gas_used: 0,
            guard_fuel: Fuel(0),
            output: Bytes::new(),
            logs: Vec::new(),
            created: None,
            verdicts: vec![verdict(Outcome::Veto, "reentrancy"), verdict(Outcome::Alert, "reentrancy")],
        };
        let view = GuardVetoView::of(&executed).map(|view| view.message());
        let expected =
            format!("execution reverted: vetoed by guard reentrancy (attachment {attachment}, code 7): re-entered");
        assert_eq!(view, Some(expected));
    }

    #[test]
    fn a_revert_is_no_veto_even_with_its_encoding() {
        let executed = Executed {
            destiny: Destiny::Reverted,
            gas_used: 0,
            guard_gas_used: 0,
            guard_fuel: Fuel(0),
            output: Veto { guard: Address::ZERO, attachment: B256::ZERO, code: 1, detail: Bytes::new() }.output(),
            logs: Vec::new(),
            created: None,
            verdicts: Vec::new(),
        };
        assert_eq!(GuardVetoView::of(&executed), None);
    }
}
