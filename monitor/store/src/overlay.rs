//! What one attachment did to its own state in one transaction, word by word.
//!
//! Invariant: what an overlay answers is what the account's storage would answer, had the transaction's changes been
//! made at once. A word is asked for at most once.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use parapet_monitor::{AttachmentId, Fault, Fork, StateFault, StateOp, StateUpdate, StateView};

use crate::{EntryError, Words};

/// Most changes of one word that are kept apart. With more, the word is looked at, and they become one.
pub const OPS_MAX: usize = 16;

/// Guard state could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store below cannot answer.
    #[error(transparent)]
    State(#[from] StateFault),
    /// Entries refused an operation.
    #[error(transparent)]
    Entry(EntryError),
    /// What was read contradicts itself, as a guess may; what is settled never does.
    #[error("guard state contradicts itself, which only state that is not settled can")]
    Incoherent,
}

impl From<EntryError> for StoreError {
    fn from(error: EntryError) -> Self {
        match error {
            EntryError::Incoherent => Self::Incoherent,
            EntryError::KeyLength(_) | EntryError::ValueLength(_) => Self::Entry(error),
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::State(fault) => Self::State(fault),
            StoreError::Incoherent => Self::Unsettled,
            StoreError::Entry(_) => Self::Engine { attachment: AttachmentId::ZERO, reason: error.to_string() },
        }
    }
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a refused change was not made"]
pub enum Stored {
    /// It is made, if the transaction succeeds.
    Accepted,
    /// It would have exceeded its bound, and nothing was changed.
    Refused,
}

/// What one transaction did to the words of one attachment.
#[derive(Debug, Default)]
pub struct Overlay {
    words: BTreeMap<U256, Word>,
    changed: usize,
}

#[derive(Debug, Default)]
struct Word {
    /// As it is now, where that is known.
    now: Option<U256>,
    /// What was done to it. Exactly that is known of a word nobody looked at.
    ops: Vec<StateOp>,
}

impl Overlay {
    /// A word, if it is known without looking at state.
    #[must_use]
    pub fn known(&self, slot: U256) -> Option<U256> {
        self.words.get(&slot)?.now
    }

    /// A word as it is now. `account` is whose storage holds it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read(&mut self, view: &mut dyn StateView, account: Address, slot: U256) -> Result<U256, StoreError> {
        let word = self.words.entry(slot).or_default();
        if let Some(now) = word.now {
            return Ok(now);
        }
        let before = view.storage(Fork::PreTx, account, slot)?;
        let now = StateOp::apply_all(&word.ops, before).ok_or(StoreError::Incoherent)?;
        word.now = Some(now);
        Ok(now)
    }

    /// Changes a word, without looking at more of it than whether it accepts the change.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn apply(
        &mut self,
        view: &mut dyn StateView,
        account: Address,
        slot: U256,
        op: StateOp,
    ) -> Result<Stored, StoreError> {
        let full = self.words.get(&slot).is_some_and(|word| word.now.is_none() && word.ops.len() >= OPS_MAX);
        if full && !matches!(op, StateOp::Set(_)) {
            self.read(view, account, slot)?;
        }
        let word = self.words.entry(slot).or_default();
        let (now, ops) = match (op, word.now) {
            (StateOp::Set(value), _) => (Some(value), vec![op]),
            (_, Some(now)) => match op.apply(now) {
                Some(next) => (Some(next), vec![StateOp::Set(next)]),
                None => return Ok(Stored::Refused),
            },
            (_, None) => {
                let ops = followed(&word.ops, op);
                if op.may_refuse() && !view.would_accept(account, slot, &ops)? {
                    return Ok(Stored::Refused);
                }
                (None, ops)
            }
        };
        self.changed += usize::from(word.ops.is_empty());
        (word.now, word.ops) = (now, ops);
        Ok(Stored::Accepted)
    }

    /// How many words there would be to write, had `slot` been changed too.
    #[must_use]
    pub fn changed_with(&self, slot: U256) -> usize {
        self.changed + usize::from(!self.has_changed(slot))
    }

    /// Whether a word was changed.
    #[must_use]
    pub fn has_changed(&self, slot: U256) -> bool {
        self.words.get(&slot).is_some_and(|word| !word.ops.is_empty())
    }

    /// What is to be done to the account's storage: by slot, each once.
    #[must_use]
    pub fn into_updates(self) -> Vec<StateUpdate> {
        let changed = self.words.into_iter().filter(|(_, word)| !word.ops.is_empty());
        changed.map(|(slot, word)| StateUpdate { slot, ops: word.ops }).collect()
    }
}

/// An overlay, with the state below it, as words that entries lie in. Nothing is paid for.
pub struct OverlayWords<'a> {
    /// What was done so far.
    pub overlay: &'a mut Overlay,
    /// What lies below.
    pub view: &'a mut dyn StateView,
    /// Whose storage holds it.
    pub account: Address,
}

impl std::fmt::Debug for OverlayWords<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OverlayWords").field("overlay", &self.overlay).finish_non_exhaustive()
    }
}

impl Words for OverlayWords<'_> {
    type Error = StoreError;

    fn read(&mut self, slot: U256) -> Result<U256, StoreError> {
        self.overlay.read(self.view, self.account, slot)
    }

    fn write(&mut self, slot: U256, word: U256) -> Result<(), StoreError> {
        self.overlay.apply(self.view, self.account, slot, StateOp::Set(word)).map(drop)
    }
}

/// The changes with one more behind them, as few as say the same.
fn followed(ops: &[StateOp], op: StateOp) -> Vec<StateOp> {
    let mut ops = ops.to_vec();
    match ops.last_mut() {
        Some(last) => match last.then(op) {
            Some(both) => *last = both,
            None => ops.push(op),
        },
        None => ops.push(op),
    }
    ops
}
