//! What an attachment has said so far, counted by the engine in one word of guard state that no guard can reach.
//!
//! Invariant: counting looks at nothing and never refuses, so it makes no transactions wait for each other. It lasts
//! whatever becomes of the transaction: a veto is counted, too.

use alloy_primitives::U256;
use parapet_monitor::{AttachmentId, Fork, Fuel, Outcome, StateFault, StateOp, StateUpdate, StateView, Verdict};
use parapet_registry::REGISTRY_ADDRESS;
use parapet_store::tally_slot;

/// Bits of each count; the fuel has the 64 above them.
const COUNT_BITS: usize = 48;

/// What an attachment said, as its word holds it: see [`Counts`](parapet_monitor::Counts).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) judged: u64,
    pub(crate) vetoed: u64,
    pub(crate) would_veto: u64,
    pub(crate) alerts: u64,
    pub(crate) fuel: Fuel,
}

impl Tally {
    /// Reads an attachment's counts; zeros where it has judged nothing.
    pub(crate) fn read(view: &mut dyn StateView, attachment: AttachmentId) -> Result<Self, StateFault> {
        view.storage(Fork::Now, REGISTRY_ADDRESS, tally_slot(attachment)).map(Self::unpack)
    }

    /// What one transaction adds to it.
    pub(crate) fn of(verdicts: &[Verdict], fuel: Fuel) -> Self {
        let count = |outcome| verdicts.iter().filter(|verdict| verdict.outcome == outcome).count() as u64;
        Self {
            judged: 1,
            vetoed: count(Outcome::Veto),
            would_veto: count(Outcome::WouldVeto),
            alerts: count(Outcome::Alert),
            fuel,
        }
    }

    /// The change that adds this to an attachment's counts.
    pub(crate) fn update(self, attachment: AttachmentId) -> StateUpdate {
        let op = StateOp::Add { amount: self.pack(), cap: U256::MAX };
        StateUpdate { slot: tally_slot(attachment), ops: vec![op] }
    }

    fn pack(self) -> U256 {
        let counts = [self.judged, self.vetoed, self.would_veto, self.alerts];
        let shifts = (0..).step_by(COUNT_BITS);
        counts
            .into_iter()
            .chain([self.fuel.0])
            .zip(shifts)
            .fold(U256::ZERO, |word, (value, shift)| word | U256::from(value) << shift)
    }

    fn unpack(word: U256) -> Self {
        let mask = U256::from((1_u64 << COUNT_BITS) - 1);
        let count = |index: usize| ((word >> (index * COUNT_BITS)) & mask).saturating_to();
        Self {
            judged: count(0),
            vetoed: count(1),
            would_veto: count(2),
            alerts: count(3),
            fuel: Fuel((word >> (4 * COUNT_BITS)).saturating_to()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(judged: u64, vetoed: u64, would_veto: u64, alerts: u64, fuel: u64) -> Tally {
        Tally { judged, vetoed, would_veto, alerts, fuel: Fuel(fuel) }
    }

    #[test]
    fn counts_of_two_transactions_add_up_field_by_field() {
        let (one, other) = (tally(1, 1, 0, 3, 100_000_000), tally(1, 0, 1, 4, u64::MAX - 100_000_000));
        let sum = [one, other]
            .into_iter()
            .fold(U256::ZERO, |word, tally| StateOp::settle(&tally.update(AttachmentId::ZERO).ops, word));
        assert_eq!(Tally::unpack(sum), tally(2, 1, 1, 7, u64::MAX));
        // Fuel is on top, so what overflows touches no other field: it is refused.
        assert_eq!(StateOp::settle(&one.update(AttachmentId::ZERO).ops, sum), sum);
    }
}
