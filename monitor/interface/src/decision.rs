//! Decisions, verdicts, and what remains of a judgement.

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};

use crate::{Fuel, StateUpdate};

/// Names an attachment; given by the registry.
pub type AttachmentId = B256;
/// Keccak-256 of a module's bytes.
pub type ModuleHash = B256;

/// What an attachment's verdict may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Judge and record, never act.
    Shadow,
    /// Judge, record, and act.
    Enforce,
}

/// Where a guard spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hook {
    /// At attachment.
    Init,
    /// As a frame started.
    OnCall,
    /// As a frame ended.
    OnCallEnd,
    /// After execution, before commit.
    OnTx,
}

/// Stops the transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Veto {
    /// Account that holds the first bytes of the guard's module; the registry itself when it refuses.
    pub guard: Address,
    /// Whose verdict it is.
    pub attachment: AttachmentId,
    /// The guard's code, or an engine code from `0xff00` up.
    pub code: u16,
    /// The guard's own words, often UTF-8.
    pub detail: Bytes,
}

/// What the executor is to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Proceed,
    /// Revert the whole transaction.
    Veto(Veto),
}

/// What one attachment made of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing to object to.
    Allow,
    /// Something was noted.
    Alert,
    /// The transaction was reverted.
    Veto,
    /// It would have been, had the mode been `enforce`.
    WouldVeto,
}

/// One thing that one attachment said of one transaction; every woken attachment says at least one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Who speaks.
    pub attachment: AttachmentId,
    /// Which module.
    pub module: ModuleHash,
    /// The guard's name, from its descriptor.
    pub guard: String,
    /// Mode at that time.
    pub mode: Mode,
    /// What was said.
    pub outcome: Outcome,
    /// Where.
    pub hook: Option<Hook>,
    /// Frame it was said about.
    pub frame: Option<u32>,
    /// The guard's code, 0 for `allow`.
    pub code: u16,
    /// The guard's own words.
    pub detail: Bytes,
    /// Fuel spent on this transaction, all hooks together.
    pub fuel: Fuel,
    /// Time spent, in nanoseconds, on this machine. A measurement, not part of the chain.
    pub elapsed_ns: u64,
    /// Whose guard it is.
    #[serde(default, skip_serializing_if = "Origin::is_chain")]
    pub origin: Origin,
}

/// Whose guard a verdict is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The chain's: every node has the same verdict.
    #[default]
    Chain,
    /// This node's own: it acts nowhere, nobody pays for it, and no other node knows of it.
    Local,
}

impl Origin {
    /// Whether it is the chain's.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands in references")]
    pub const fn is_chain(&self) -> bool {
        matches!(self, Self::Chain)
    }
}

impl Verdict {
    /// The detail as text where it is printable UTF-8, else as hex.
    #[must_use]
    pub fn detail_text(&self) -> String {
        detail_text(&self.detail)
    }
}

/// A detail as text where it is printable UTF-8, else as hex.
#[must_use]
pub fn detail_text(detail: &[u8]) -> String {
    match std::str::from_utf8(detail) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => alloy_primitives::hex::encode_prefixed(detail),
    }
}

/// What remains when a judgement is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// In the order in which attachments judge.
    pub verdicts: Vec<Verdict>,
    /// What becomes of guard state if the transaction succeeded; by slot, each once. It applies to the word as the
    /// transaction itself leaves it; what is refused then is skipped.
    pub updates: Vec<StateUpdate>,
    /// What is counted whatever becomes of the transaction, a veto included; by slot, each once, and none of those of
    /// `updates`.
    pub tallies: Vec<StateUpdate>,
}

impl Judgement {
    /// What becomes of guard state after a transaction that ended like this.
    #[must_use]
    pub fn kept(self, fate: Fate) -> Vec<StateUpdate> {
        let mut kept = self.tallies;
        if fate == Fate::Succeeded {
            kept.extend(self.updates);
        }
        kept
    }
}

/// How a transaction ended, as far as guard state is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stands.
    Succeeded,
    /// It was reverted, by itself or by a veto.
    Failed,
}

/// What a monitor has to do when a block's transactions have run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockEnd {
    /// Changes of guard state; by slot, each once.
    pub updates: Vec<StateUpdate>,
    /// Calldata of calls that the chain itself makes to the registry (EIP-4788's sender), in order, after the updates.
    pub calls: Vec<Bytes>,
    /// What is to be said of it.
    pub verdicts: Vec<Verdict>,
}
