//! How calls of the host were answered: what a test of coverage asks for.

use std::collections::BTreeMap;

use crate::End;

/// Answers by import.
pub type Calls = BTreeMap<&'static str, Answers>;

/// How often an import answered in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// With 0, or without an answer.
    pub nothing: u64,
    /// With another number.
    pub something: u64,
    /// With 4294967295: no such entry.
    pub no_entry: u64,
    /// A veto.
    pub vetoed: u64,
    /// A trap.
    pub trapped: u64,
    /// An exceeded limit.
    pub limited: u64,
}

impl Answers {
    /// Whether the import did what it is for.
    #[must_use]
    pub fn answered(self) -> u64 {
        self.nothing + self.something + self.no_entry + self.vetoed
    }

    /// One more answer.
    pub(super) fn note(&mut self, answer: &Result<u32, End>) {
        *match answer {
            Ok(0) => &mut self.nothing,
            Ok(u32::MAX) => &mut self.no_entry,
            Ok(_) => &mut self.something,
            Err(End::Vetoed { .. }) => &mut self.vetoed,
            Err(End::Trapped(_)) => &mut self.trapped,
            Err(End::Limit) => &mut self.limited,
            Err(End::Returned | End::Exhausted) => return,
        } += 1;
    }

    /// Those of another run besides.
    pub fn add(&mut self, other: Self) {
        self.nothing += other.nothing;
        self.something += other.something;
        self.no_entry += other.no_entry;
        self.vetoed += other.vetoed;
        self.trapped += other.trapped;
        self.limited += other.limited;
    }
}
