//! What guards spend, and who pays for it.

use serde::{Deserialize, Serialize};

use crate::Decision;

/// Metered work of a guard, in units of the guard VM's operator costs. Not gas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fuel(pub u64);

/// Most fuel that a transaction's guards may have spent by now, all hooks together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How much.
    pub fuel: Fuel,
    /// What it is that sets the bound.
    pub bound: Bound,
}

/// What sets the bound of an [`Allowance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The gas that the transaction could still pay with.
    Gas,
    /// The chain's limit for the guards of a block.
    Chain,
}

impl Allowance {
    /// No bound but those of the attachments.
    pub const UNBOUNDED: Self = Self { fuel: Fuel(u64::MAX), bound: Bound::Chain };
}

/// Fuel spent on a transaction so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FuelSpent {
    /// By attachments whose veto would act, and by `init`: if the transaction cannot pay for this, it fails.
    pub binding: Fuel,
    /// By all others: paid for as far as the transaction's gas goes, since they never act.
    pub observing: Fuel,
}

impl FuelSpent {
    /// All of it.
    #[must_use]
    pub const fn total(self) -> Fuel {
        Fuel(self.binding.0.saturating_add(self.observing.0))
    }
}

/// What becomes of a change of the registry, and what it took to find out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// Whether it is admitted.
    pub decision: Decision,
    /// Fuel of `init`.
    pub fuel: Fuel,
}

impl From<Decision> for Examination {
    fn from(decision: Decision) -> Self {
        Self { decision, fuel: Fuel(0) }
    }
}
