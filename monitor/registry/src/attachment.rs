//! An attachment as it stands in the registry.

use alloy_primitives::{Address, Bytes, Selector};
use parapet_monitor::{AttachmentId, Fuel, Mode, ModuleHash};

/// What follows when a guard cannot finish.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The transaction is vetoed.
    #[default]
    Closed,
    /// The transaction goes on, with an alert.
    Open,
}

/// Which of its guard's triggers wake an attachment: bit n is trigger n, in the order of the descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelectedTriggers(pub u32);

impl SelectedTriggers {
    /// All that the guard has.
    pub const ALL: Self = Self(0);

    /// Whether trigger `index` wakes it.
    #[must_use]
    pub fn selects(self, index: usize) -> bool {
        let bit = u32::try_from(index).ok().and_then(|index| 1_u32.checked_shl(index));
        self == Self::ALL || bit.is_some_and(|bit| self.0 & bit != 0)
    }

    /// Whether a guard with `count` triggers has all that are selected.
    #[must_use]
    pub fn fits(self, count: usize) -> bool {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.0.checked_shr(count).unwrap_or(0) == 0
    }
}

/// An attachment as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub id: AttachmentId,
    /// The guard.
    pub module: ModuleHash,
    /// Who runs the guard for the accounts; zero: nobody.
    pub manager: Address,
    /// What its verdict may do; `None` for an entry without one.
    pub mode: Option<Mode>,
    /// Whether the guardian stopped it.
    pub paused: bool,
    /// Whether the chain put it in shadow, and nobody has set the mode since.
    pub demoted: bool,
    /// Seconds that changes of it wait.
    pub delay: u32,
    /// How often what it judges by has changed.
    pub revision: u32,
    /// What follows when the guard cannot finish.
    pub failure: Failure,
    /// Lower judges first.
    pub priority: u32,
    /// Fuel for all hooks of one transaction.
    pub fuel_max: Fuel,
    /// From which share of vetoes, in basis points, the chain puts it in shadow; zero: never.
    pub demotion_share: u16,
    /// What wakes it.
    pub triggers: SelectedTriggers,
    /// Selectors by which its accounts can be called without its veto.
    pub escapes: Vec<Selector>,
    /// Number of the block it was made in.
    pub attached_at: u64,
    /// Whom it guards; none: the whole chain.
    pub accounts: Vec<Address>,
    /// ABI encoding of the guard's parameters.
    pub configuration: Bytes,
}
