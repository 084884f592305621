//! Changes of guard state that need not know what they change: an addition within a bound, a maximum, an addition to a
//! decaying window. Only their answer (*accepted*, or *would exceed*) is ever read, so those of different transactions
//! do not conflict as long as no answer changes.
//!
//! Invariant: what is refused changes nothing.

use alloy_primitives::U256;

use crate::window::{LEVEL_BITS, Window};

/// A change of one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateOp {
    /// Writes it, whatever it was.
    Set(U256),
    /// Adds to it, if the sum is at most `cap`. It never wraps.
    Add {
        /// What is added.
        amount: U256,
        /// Most that it may become.
        cap: U256,
    },
    /// Raises it to this, if it is less.
    Max(U256),
    /// Adds to the decaying window in it: a level that falls linearly, by `cap` in each `period_s` seconds, and takes an
    /// addition while it is at most `cap` afterwards. The word holds the level in its upper 192 bits, and in its lower
    /// 64 up to when it has fallen.
    Window {
        /// What is added.
        amount: U256,
        /// Most that the level may become.
        cap: U256,
        /// Seconds in which a level of `cap` falls to zero.
        period_s: u64,
        /// Seconds since the epoch; one number for all of a block.
        now: u64,
    },
}

impl StateOp {
    /// The word afterwards; `None` if it refuses, and then nothing is written.
    #[must_use]
    pub fn apply(self, word: U256) -> Option<U256> {
        match self {
            Self::Set(value) => Some(value),
            Self::Add { amount, cap } => word.checked_add(amount).filter(|sum| *sum <= cap),
            Self::Max(value) => Some(word.max(value)),
            Self::Window { amount, cap, period_s, now } => {
                Window::unpack(word).add(amount, cap, period_s, now).map(Window::pack)
            }
        }
    }

    /// The word after all of them, in order; `None` if one refuses.
    #[must_use]
    pub fn apply_all(ops: &[Self], word: U256) -> Option<U256> {
        ops.iter().try_fold(word, |word, op| op.apply(word))
    }

    /// The word after those of them, in order, that do not refuse.
    #[must_use]
    pub fn settle(ops: &[Self], word: U256) -> U256 {
        ops.iter().fold(word, |word, op| op.apply(word).unwrap_or(word))
    }

    /// Whether it could refuse.
    #[must_use]
    pub const fn may_refuse(self) -> bool {
        match self {
            Self::Set(_) | Self::Max(_) => false,
            Self::Add { .. } | Self::Window { .. } => true,
        }
    }

    /// One change that does what this and then `next` do, and refuses exactly where one of the two would, if there is
    /// such a one.
    #[must_use]
    pub fn then(self, next: Self) -> Option<Self> {
        match (self, next) {
            (Self::Set(_) | Self::Max(_), Self::Set(_)) => Some(next),
            (Self::Set(value), _) => next.apply(value).map(Self::Set),
            (Self::Max(one), Self::Max(other)) => Some(Self::Max(one.max(other))),
            (Self::Add { amount: first, cap }, Self::Add { amount: second, cap: next_cap }) => {
                // The sum of both must be within the second bound, and so far within the first as leaves room.
                let amount = first.checked_add(second)?;
                Some(Self::Add { amount, cap: cap.saturating_add(second).min(next_cap) })
            }
            (
                Self::Window { amount: first, cap, period_s, now },
                Self::Window { amount: second, cap: next_cap, period_s: next_period_s, now: next_now },
            ) if (cap, period_s, now) == (next_cap, next_period_s, next_now) && cap.bit_len() <= LEVEL_BITS => {
                Some(Self::Window { amount: first.checked_add(second)?, cap, period_s, now })
            }
            (Self::Add { .. } | Self::Window { .. } | Self::Max(_), _) => None,
        }
    }
}

/// What a transaction does to one word of the registry account's storage, where guard state lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateUpdate {
    /// The slot.
    pub slot: U256,
    /// In order; each was accepted when it was asked for.
    pub ops: Vec<StateOp>,
}

impl StateUpdate {
    /// Writes a word.
    #[must_use]
    pub fn set(slot: U256, value: U256) -> Self {
        Self { slot, ops: vec![StateOp::Set(value)] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(amount: u64, cap: u64) -> StateOp {
        StateOp::Add { amount: U256::from(amount), cap: U256::from(cap) }
    }

    fn window(amount: u64, cap: u64) -> StateOp {
        StateOp::Window { amount: U256::from(amount), cap: U256::from(cap), period_s: 10, now: 100 }
    }

    fn set(value: u64) -> StateOp {
        StateOp::Set(U256::from(value))
    }

    fn max(value: u64) -> StateOp {
        StateOp::Max(U256::from(value))
    }

    #[test]
    fn an_addition_is_refused_beyond_its_bound_and_never_wraps() {
        assert_eq!(add(3, 10).apply(U256::from(7)), Some(U256::from(10)));
        assert_eq!(add(4, 10).apply(U256::from(7)), None);
        assert_eq!(add(0, 10).apply(U256::from(11)), None, "a word beyond the bound stays where it is");
        let endless = StateOp::Add { amount: U256::MAX, cap: U256::MAX };
        assert_eq!(endless.apply(U256::ZERO), Some(U256::MAX));
        assert_eq!(endless.apply(U256::from(1)), None);
    }

    #[test]
    fn what_is_refused_is_skipped_and_what_follows_is_not() {
        let ops = [add(5, 10), add(7, 10), max(6), add(4, 10)];
        assert_eq!(StateOp::settle(&ops, U256::ZERO), U256::from(10));
        assert_eq!(StateOp::apply_all(&ops, U256::ZERO), None);
        assert_eq!(StateOp::apply_all(&[ops[0], ops[2], ops[3]], U256::ZERO), Some(U256::from(10)));
    }

    #[test]
    fn one_that_does_what_two_do_refuses_where_one_of_the_two_would() {
        let ops = [
            set(7),
            set(60),
            max(5),
            max(50),
            add(1, 20),
            add(6, 9),
            add(6, 40),
            add(0, 3),
            window(3, 8),
            window(4, 8),
        ];
        let words =
            (0..64_u64).map(U256::from).chain((0..12_u64).map(|level| U256::from(level) << 64 | U256::from(95)));
        let words: Vec<_> = words.chain([U256::MAX, U256::MAX - U256::from(3)]).collect();
        let mut joined = 0;
        for first in ops {
            for next in ops {
                let Some(both) = first.then(next) else { continue };
                joined += 1;
                for word in &words {
                    assert_eq!(
                        both.apply(*word),
                        StateOp::apply_all(&[first, next], *word),
                        "{first:?}, {next:?}, {word}"
                    );
                }
            }
        }
        assert!(joined > 30, "only {joined} pairs were one");
    }

    #[test]
    fn windows_that_could_saturate_are_never_joined() {
        let wide = StateOp::Window { amount: U256::from(1), cap: U256::MAX, period_s: 10, now: 100 };
        assert_eq!(wide.then(wide), None);
    }
}
