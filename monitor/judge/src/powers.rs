//! What a veto may do in one transaction: who must be able to act, whatever guards say (I5).
//!
//! Three ways are open, and no other. Each is decided by what the transaction itself calls, never by what frames further
//! down do: otherwise whoever bundles such a call with a theft would pass.
//! - To the registry: nothing is vetoed. It runs nobody's code but its own.
//! - To an account of an attachment, by a selector that this attachment declared an escape: this attachment does not veto.
//! - To the guardian, which may be a contract (a Safe, a timelock) that calls `pause`: vetoes wait for the end, and those of
//!   attachments that the transaction has paused do not count. The guardian may pause anyway, so it gains nothing; all
//!   others gain nothing, because the registry lets nobody else pause.
//!
//! Governance has no such way: it cannot pause, and whom a guard keeps from governing the guardian sets free.

use alloy_primitives::Address;
use parapet_abi::{ContextRecord, TX_TYPE_CHAIN};
use parapet_monitor::{AttachmentId, Fault, Fork, Mode, StateView, Trace};
use parapet_registry::{REGISTRY_ADDRESS, RegistryReader};

use crate::{index::Entry, registry_fault};

/// Whether a veto may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Power {
    /// It reverts the transaction.
    Full,
    /// It waits until the transaction has executed, and acts then unless the transaction has paused the attachment.
    Deferred,
    /// It is recorded only: the transaction is one that this attachment cannot veto.
    Escape,
    /// It is recorded only: the transaction failed by itself.
    Failed,
}

/// What vetoes may do in one transaction.
#[derive(Debug)]
pub(crate) struct Powers {
    /// Of those that no rule takes it from.
    general: Power,
    target: Address,
    /// Whether the target was the guardian as the transaction began; looked up when it first matters.
    to_guardian: Option<bool>,
}

impl Powers {
    pub(crate) fn new(context: &ContextRecord) -> Self {
        // The registry's own functions must stay reachable, and the chain's own doings cannot be undone.
        let escape = context.target.bytes == REGISTRY_ADDRESS.into_array() || context.tx_type == TX_TYPE_CHAIN;
        Self {
            general: if escape { Power::Escape } else { Power::Full },
            target: context.target.bytes.into(),
            to_guardian: None,
        }
    }

    /// From here on, vetoes only tell: the transaction has failed by itself.
    pub(crate) fn fail(&mut self) {
        self.general = Power::Failed;
    }

    /// What a veto of this attachment may do.
    pub(crate) fn over(&mut self, entry: &Entry, trace: &Trace, view: &mut dyn StateView) -> Result<Power, Fault> {
        if self.general != Power::Full || entry.mode == Mode::Shadow {
            return Ok(self.general);
        }
        if entry.is_escaped_by(trace) {
            return Ok(Power::Escape);
        }
        Ok(if self.is_to_guardian(view)? { Power::Deferred } else { Power::Full })
    }

    /// Who guards the chain is no part of the registry's head, so it is asked in every transaction that somebody might veto.
    fn is_to_guardian(&mut self, view: &mut dyn StateView) -> Result<bool, Fault> {
        if let Some(known) = self.to_guardian {
            return Ok(known);
        }
        let guardian = RegistryReader::new(view, Fork::PreTx).guardian().map_err(registry_fault)?;
        let to_guardian = !guardian.is_zero() && guardian == self.target;
        self.to_guardian = Some(to_guardian);
        Ok(to_guardian)
    }
}

/// Whether the executed transaction has paused an attachment that judged it. What is removed is not paused: that waits as its
/// attachment declares, and whoever may do it is not the guardian.
pub(crate) fn has_paused(attachment: AttachmentId, view: &mut dyn StateView) -> Result<bool, Fault> {
    RegistryReader::new(view, Fork::Now).is_paused(attachment).map_err(registry_fault)
}
