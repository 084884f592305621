//! Senders that an attachment let pass, and what it makes of them: the evidence for and against a guard.

use alloy_primitives::{Address, U256};
use parapet_abi::ContextRecord;
use parapet_monitor::{Fork, Mode, StateFault, StateOp, StateUpdate, StateView};
use parapet_registry::{REGISTRY_ADDRESS, SHARE_MAX};
use parapet_store::{poll_slot, witness_slot};

use super::{DemotionRules, Turnout};
use crate::index::Entry;

/// What an attachment made of a transaction, as evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ballot {
    /// It let it pass, in a mode in which it might have vetoed it.
    Passed(Mode),
    /// It vetoed it.
    Vetoed,
}

/// Updates of guard state, by what they wait for.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// Only if the transaction succeeds.
    pub(crate) passed: Vec<StateUpdate>,
    /// Whatever becomes of it.
    pub(crate) vetoed: Vec<StateUpdate>,
}

/// Counts what an attachment made of a transaction of this sender.
pub(crate) fn count(
    rules: DemotionRules,
    entry: &Entry,
    ballot: Ballot,
    context: &ContextRecord,
    view: &mut dyn StateView,
    counted: &mut Counted,
) -> Result<(), StateFault> {
    let sender = Address::from(context.sender.bytes);
    let slot = witness_slot(entry.id(), sender);
    let before = Witness::unpack(view.storage(Fork::PreTx, REGISTRY_ADDRESS, slot)?);
    let window = rules.window(context.block_number);
    let (after, added) = before.see(ballot, window);
    let updates = match ballot {
        Ballot::Passed(_) => &mut counted.passed,
        Ballot::Vetoed => &mut counted.vetoed,
    };
    if after != before {
        updates.push(StateUpdate::set(slot, after.pack()));
    }
    if added != Poll::default() {
        let op = StateOp::Add { amount: added.pack(), cap: U256::MAX };
        updates.push(StateUpdate { slot: poll_slot(entry.id(), window), ops: vec![op] });
    }
    Ok(())
}

/// What is known of a sender. Numbers of windows; zero: never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Witness {
    /// When it was first let pass.
    passed: u64,
    /// When it was last counted as judged, and as vetoed.
    judged: u64,
    vetoed: u64,
}

impl Witness {
    fn see(mut self, ballot: Ballot, window: u64) -> (Self, Poll) {
        let mut added = Poll::default();
        if self.passed == 0 && matches!(ballot, Ballot::Passed(_)) {
            self.passed = window;
        }
        let is_known = self.passed != 0 && self.passed < window;
        if !is_known || ballot == Ballot::Passed(Mode::Shadow) {
            return (self, added);
        }
        if self.judged != window {
            (self.judged, added.judged) = (window, 1);
        }
        if ballot == Ballot::Vetoed && self.vetoed != window {
            (self.vetoed, added.vetoed) = (window, 1);
        }
        (self, added)
    }

    fn pack(self) -> U256 {
        U256::from_limbs([self.passed, self.judged, self.vetoed, 0])
    }

    fn unpack(word: U256) -> Self {
        let [passed, judged, vetoed, _] = word.into_limbs();
        Self { passed, judged, vetoed }
    }
}

/// Known senders of the current window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Poll {
    pub(super) judged: u64,
    pub(super) vetoed: u64,
}

impl Poll {
    /// Whether too many were vetoed, for a share in basis points.
    pub(super) fn turnout(self, share: u16, rules: DemotionRules) -> Turnout {
        let (vetoed, judged) = (u128::from(self.vetoed), u128::from(self.judged));
        let exceeds = vetoed * u128::from(SHARE_MAX) > judged * u128::from(share);
        if self.vetoed >= rules.senders_min && exceeds { Turnout::TooMany } else { Turnout::Quiet }
    }

    fn pack(self) -> U256 {
        U256::from_limbs([self.judged, self.vetoed, 0, 0])
    }

    pub(super) fn unpack(word: U256) -> Self {
        let [judged, vetoed, ..] = word.into_limbs();
        Self { judged, vetoed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: DemotionRules = DemotionRules { window_blocks: 10, senders_min: 3, windows_min: 2 };

    #[test]
    fn who_was_never_let_pass_in_an_earlier_window_is_no_evidence() {
        let (stranger, added) = Witness::default().see(Ballot::Vetoed, 5);
        assert_eq!((stranger, added), (Witness::default(), Poll::default()));
        let (new, added) = stranger.see(Ballot::Passed(Mode::Enforce), 5);
        assert_eq!(added, Poll::default(), "let pass and vetoed in one window is one burst");
        assert_eq!(new.see(Ballot::Vetoed, 5).1, Poll::default());
        assert_eq!(new.see(Ballot::Vetoed, 6).1, Poll { judged: 1, vetoed: 1 });
    }

    #[test]
    fn a_sender_counts_once_in_a_window_however_often_it_is_judged() {
        let known = Witness { passed: 1, ..Witness::default() };
        let (known, added) = known.see(Ballot::Passed(Mode::Enforce), 2);
        assert_eq!(added, Poll { judged: 1, vetoed: 0 });
        let (known, added) = known.see(Ballot::Vetoed, 2);
        assert_eq!(added, Poll { judged: 0, vetoed: 1 });
        let (known, added) = known.see(Ballot::Vetoed, 2);
        assert_eq!(added, Poll::default());
        assert_eq!(known.see(Ballot::Vetoed, 3).1, Poll { judged: 1, vetoed: 1 });
    }

    #[test]
    fn what_passes_in_shadow_makes_a_sender_known_and_counts_for_nothing_else() {
        let (known, added) = Witness::default().see(Ballot::Passed(Mode::Shadow), 1);
        assert_eq!((known.passed, added), (1, Poll::default()));
        assert_eq!(known.see(Ballot::Passed(Mode::Shadow), 2).1, Poll::default());
    }

    #[test]
    fn both_the_number_and_the_share_must_be_exceeded() {
        let turnout = |judged, vetoed, share| Poll { judged, vetoed }.turnout(share, RULES);
        assert_eq!(turnout(2, 2, 2_500), Turnout::Quiet, "too few, though it is all of them");
        assert_eq!(turnout(12, 3, 2_500), Turnout::Quiet, "exactly the share");
        assert_eq!(turnout(11, 3, 2_500), Turnout::TooMany);
        assert_eq!(turnout(3, 3, 10_000), Turnout::Quiet, "no share is more than all");
        assert_eq!(turnout(u64::MAX, u64::MAX, 9_999), Turnout::TooMany, "nothing overflows");
    }
}
