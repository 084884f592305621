//! How guards are paid: by the transaction, beside its execution, never out of a frame's gas.
//!
//! A callee that was given a fixed amount of gas must find all of it, so what guards spend is taken from no frame. It is
//! reserved out of what the transaction has not spent: at each hook its guards together may have spent, at most, what
//! would be left if every open frame returned now. If frames then spend what guards have spent already, the two together
//! exceed the gas limit and the transaction fails, with all of its gas.
//!
//! Invariant: execution and guards together never cost more than the gas limit. Refunds (EIP-3529) and the floor
//! (EIP-7623) are those of the execution alone, as if there were no guards; guards come on top.

use alloy_primitives::B256;
use parapet_abi::import::CODE_OUT_OF_GAS;
use parapet_monitor::{Allowance, Bound, Fuel, FuelSpent, Veto};
use parapet_types::{GuardParams, REGISTRY};
use revm::{handler::FrameResult, interpreter::Gas};

/// The gas of one transaction, as far as its guards are paid from it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Purse {
    gas_limit: u64,
    /// Least that the execution costs.
    floor: u64,
    /// For each running frame, what the frames that wait for it have left.
    waiting: Vec<u64>,
    /// What would be left if every open frame returned now.
    unspent: u64,
    /// Fuel of `init`.
    admission: Fuel,
    /// What its guards spent, without `init`.
    pub(crate) spent: FuelSpent,
    /// What the transaction pays for its guards.
    pub(crate) charged: Charge,
}

/// What guards cost a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Charge {
    pub(crate) gas: u64,
    pub(crate) fuel: Fuel,
}

impl Purse {
    /// Begins with another transaction.
    pub(crate) fn reset(&mut self) {
        self.waiting.clear();
        self.admission = Fuel(0);
        self.spent = FuelSpent::default();
        self.charged = Charge::default();
    }

    /// The transaction is valid, and this is what it can spend, and must.
    pub(crate) fn open(&mut self, gas_limit: u64, floor: u64) {
        (self.gas_limit, self.floor) = (gas_limit, floor);
    }

    /// A frame starts. `caller`: what its caller has left without what it gave; `None` for the first frame.
    pub(crate) fn frame_starts(&mut self, caller: Option<u64>, given: u64) {
        let below = self.waiting.last().copied().unwrap_or(0);
        let waiting = below.saturating_add(caller.unwrap_or(0));
        self.waiting.push(waiting);
        self.unspent = waiting.saturating_add(given);
    }

    /// The running frame has ended.
    pub(crate) fn frame_ends(&mut self, result: &FrameResult) {
        let waiting = self.waiting.pop().unwrap_or(0);
        self.unspent = waiting.saturating_add(returned(result));
    }

    /// All frames have ended.
    pub(crate) fn executed(&mut self, result: &FrameResult) {
        self.unspent = returned(result);
    }

    /// `init` ran.
    pub(crate) fn admitted(&mut self, fuel: Fuel) {
        self.admission = fuel;
    }

    /// What guards may have spent by now.
    pub(crate) fn allowance(&self, guards: &GuardParams) -> Allowance {
        let rest = |fuel: Fuel| Fuel(fuel.0.saturating_sub(self.admission.0));
        let payable = guards.fuel_per_gas.fuel(self.left());
        if payable <= guards.block_fuel_max {
            Allowance { fuel: rest(payable), bound: Bound::Gas }
        } else {
            Allowance { fuel: rest(guards.block_fuel_max), bound: Bound::Chain }
        }
    }

    /// The last word on a transaction that has succeeded so far: whether it can pay.
    pub(crate) fn settle(&self, spent: FuelSpent, guards: &GuardParams) -> Option<Veto> {
        let binding = Fuel(spent.binding.0.saturating_add(self.admission.0));
        let due = guards.fuel_per_gas.gas(binding);
        if due <= self.left() {
            return None;
        }
        let execution = self.gas_limit - self.left();
        let detail = format!(
            "out of gas: the execution takes {execution} and the guards that it woke {due} more ({} fuel, {} per gas); give \
             it a gas limit of at least {} instead of {}",
            binding.0,
            guards.fuel_per_gas,
            execution.saturating_add(due),
            self.gas_limit,
        );
        Some(Veto {
            guard: REGISTRY,
            attachment: B256::ZERO,
            code: CODE_OUT_OF_GAS,
            detail: detail.into_bytes().into(),
        })
    }

    /// Fixes what is paid. A transaction that could not pay for its guards loses all of its gas.
    pub(crate) fn charge(&mut self, spent: FuelSpent, veto: Option<&Veto>, guards: &GuardParams) {
        let fuel = Fuel(spent.total().0.saturating_add(self.admission.0));
        let gas = match veto {
            Some(veto) if veto.code == CODE_OUT_OF_GAS => self.left(),
            Some(_) | None => guards.fuel_per_gas.gas(fuel).min(self.left()),
        };
        self.spent = spent;
        self.charged = Charge { gas, fuel };
    }

    /// Gas that neither the execution has spent so far nor the floor claims.
    fn left(&self) -> u64 {
        let execution = self.gas_limit.saturating_sub(self.unspent).max(self.floor);
        self.gas_limit.saturating_sub(execution)
    }
}

/// What a frame gives back: nothing if it halted.
fn returned(result: &FrameResult) -> u64 {
    let outcome = result.interpreter_result();
    if outcome.result.is_ok_or_revert() { outcome.gas.remaining() } else { 0 }
}

/// Takes gas for guards from what a transaction has left.
pub(crate) fn take(gas: &mut Gas, guard_gas: u64) {
    let regular = gas.remaining().min(guard_gas);
    gas.set_remaining(gas.remaining() - regular);
    gas.set_reservoir(gas.reservoir().saturating_sub(guard_gas - regular));
}
