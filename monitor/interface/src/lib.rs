//! What a monitor is: the [`Trace`] it reads, the [`Decision`] it gives, and the traits the executor calls.
//!
//! The executor opens one [`Judging`] per transaction ([`Monitor::open`]), tells it of frames as they start and end and
//! of the finished transaction, and closes it. Between those calls it owns nothing of the executor; during them it may
//! look at state through a [`StateView`]. Nothing here names the EVM implementation, the Wasm engine, or the node.

mod candidate;
mod closing;
mod counts;
mod decision;
pub mod descriptor;
mod fuel;
mod memory;
mod nobody;
mod ops;
mod query;
pub mod shown;
mod trace;
pub mod trigger;
mod veto;
mod view;
mod watchlist;
mod window;

pub use candidate::{Candidate, CandidateError, Failing, Tryout};
pub use closing::{Accounts, Closed, Closing};
pub use counts::{Counts, Evidence};
pub use decision::{
    AttachmentId, BlockEnd, Decision, Fate, Hook, Judgement, Mode, ModuleHash, Origin, Outcome, Verdict, Veto,
    detail_text,
};
pub use descriptor::{Descriptor, DescriptorError, Parameter, Unit};
pub use fuel::{Allowance, Bound, Examination, Fuel, FuelSpent};
pub use memory::{MemoryAccount, MemoryAccounts, MemoryState};
pub use ops::{StateOp, StateUpdate};
pub use query::{Answer, QueryError, Question};
pub use trace::{Recorded, Subscriptions, TRACE_DATA_BYTES_MAX, TRACE_EVENTS_MAX, TRACE_PREIMAGES_MAX, Trace};
pub use veto::GuardVeto;
pub use view::{CallOutcome, CallRequest, CallStatus, Fork, StateFault, StateView, VIEW_GAS_MAX};
pub use watchlist::{Remote, Watchlist};

use std::sync::Arc;

use alloy_primitives::{Address, U256};
use parapet_abi::ContextRecord;

/// Watches transactions. One for the life of a node, shared by its threads.
pub trait Monitor: Send + Sync {
    /// When it wants to be asked at all.
    fn attention(&self) -> Attention {
        Attention::Always
    }

    /// Whom anything waits for, as long as the word that [`Attention::UnlessZero`] names is this one: what it answers
    /// depends on nothing else. A transaction that meets nobody on the list need not be opened: nothing would wake. `None`:
    /// that is not known, so each must be.
    ///
    /// # Errors
    /// [`Fault`]: the transaction before which this is asked must be left out of the block and retried.
    fn watchlist(&self, word: U256, view: &mut dyn StateView) -> Result<Option<Arc<Watchlist>>, Fault> {
        let _ = (word, view);
        Ok(None)
    }

    /// Opens the judgement of one transaction, or tells that nothing on the chain could wake for it (`None`), in which
    /// case nothing is recorded.
    ///
    /// # Errors
    /// [`Fault`]: the transaction must be left out of the block and retried.
    fn open(&self, context: &ContextRecord, view: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault>;

    /// The transaction has executed, succeeded so far, and changed the registry's storage, whether or not anything woke
    /// for it. What it registered is vetted here, and what it attached is compiled and initialised; what cannot run is
    /// refused by a veto in the registry's name, which holds for transactions that no guard may veto, too. Called
    /// before [`Judging::on_tx`], so that nobody pays for watching the registry in the other transactions. What `init`
    /// may spend is bounded by the allowance.
    ///
    /// # Errors
    /// [`Fault`]: the transaction must be left out of the block and retried.
    fn admit(
        &self,
        context: &ContextRecord,
        allowance: Allowance,
        view: &mut dyn StateView,
    ) -> Result<Examination, Fault>;

    /// What is counted of an attachment, as of a state and the number of the block that comes next. Zeros where nothing is.
    ///
    /// # Errors
    /// [`StateFault`] when the store cannot answer.
    fn counts(
        &self,
        attachment: AttachmentId,
        next_block: u64,
        view: &mut dyn StateView,
    ) -> Result<Counts, StateFault> {
        let _ = (attachment, next_block, view);
        Ok(Counts::default())
    }

    /// A block's transactions have run, and so has what the chain itself does after them: the state is settled, all forks
    /// of it are one. Asked at the end of every block, whoever is attached.
    ///
    /// # Errors
    /// [`Fault::State`] fails the block; any other is told in the log, and nothing is done.
    fn end_block(&self, context: &ContextRecord, view: &mut dyn StateView) -> Result<BlockEnd, Fault> {
        let _ = (context, view);
        Ok(BlockEnd::default())
    }

    /// Answers a reader, outside of any transaction: nothing of it lasts. The state is that before the transaction that
    /// the context describes.
    ///
    /// # Errors
    /// [`QueryError`].
    fn query(
        &self,
        context: &ContextRecord,
        question: Question<'_>,
        view: &mut dyn StateView,
    ) -> Result<Answer, QueryError> {
        let _ = (context, view);
        Err(QueryError::UnknownAttachment(question.attachment))
    }

    /// A monitor of one guard that is attached nowhere: it judges whatever it is told of, in shadow, on an engine that
    /// the chain's guards do not use.
    ///
    /// # Errors
    /// [`CandidateError`] says why it could not be attached either.
    fn try_out(&self, candidate: Candidate) -> Result<Tryout, CandidateError> {
        let _ = candidate;
        Err(CandidateError::NoGuards)
    }
}

/// When a monitor wants to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attention {
    /// Before every transaction.
    Always,
    /// Unless a storage word is zero before the transaction: then [`Monitor::open`] would answer `None`. It is a word of
    /// an account that nothing destroys, so that only who writes it changes it.
    UnlessZero {
        /// Whose storage.
        address: Address,
        /// Which slot.
        slot: U256,
    },
    /// Never: [`Monitor::open`] always answers `None`.
    Never,
}

/// The judgement of one transaction while it executes.
pub trait Judging {
    /// What must be recorded from now on. Frames always are.
    fn subscriptions(&self) -> Subscriptions;

    /// Told before each hook: what the guards of this transaction may have spent together when the hook ends. A guard
    /// that would need more has not judged, so the transaction is vetoed, whatever its attachment's failure policy is.
    /// Who wraps another judgement passes this on, and tells what it spent.
    fn allow(&mut self, _: Allowance) {}

    /// Fuel that its guards have spent so far and somebody pays for.
    fn spent(&self) -> FuelSpent {
        FuelSpent::default()
    }

    /// Frame `frame` of the trace is about to start: nothing of it has happened, its value has not moved.
    ///
    /// # Errors
    /// [`Fault`]: the transaction must be left out of the block and retried.
    fn on_call(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault>;

    /// Frame `frame` of the trace has ended; its effects stand, or are reverted as its status says.
    ///
    /// # Errors
    /// [`Fault`]: the transaction must be left out of the block and retried.
    fn on_call_end(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault>;

    /// Whether anything woke, or wakes by what the executed transaction left. Asked once, before the trace is completed;
    /// after `false` it is not, and [`Judging::on_tx`] is not called: nobody has anything to say.
    fn stirs(&mut self, closing: &mut dyn Closing) -> bool {
        let _ = closing;
        true
    }

    /// The transaction has executed; `trace.context.status` tells how. A veto of a transaction that failed by itself
    /// changes nothing and is not returned as one.
    ///
    /// # Errors
    /// [`Fault`]: the transaction must be left out of the block and retried.
    fn on_tx(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<Decision, Fault>;

    /// Whether it may be had once more from the finished trace alone: no guard has looked at anything while the
    /// transaction ran, so only [`Judging::on_tx`] and what was told of frames decide. Whoever speculated and finds that
    /// only what the monitor read has changed then opens a new judgement, tells it of the same frames, and leaves the
    /// EVM alone.
    fn can_be_asked_again(&self) -> bool {
        false
    }

    /// Ends the judgement. Guard state is to be updated only if the transaction succeeded.
    fn close(self: Box<Self>) -> Judgement;
}

/// A fault of the engine itself: no verdict was reached. It never lets a transaction through (I4).
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// State could not be read.
    #[error(transparent)]
    State(#[from] StateFault),
    /// Something that outlives the transaction would have to be drawn from a state that is not certain. Asked again on
    /// a settled state, the monitor answers.
    #[error("what is not settled is no ground for the index of attachments")]
    Unsettled,
    /// The guard VM failed in a way that is not the guard's doing.
    #[error("the guard VM failed on attachment {attachment}: {reason}; the transaction is left out and retried")]
    Engine {
        /// Whose guard was to run.
        attachment: AttachmentId,
        /// What the engine reported.
        reason: String,
    },
}

/// No monitor at all: the oracle against which the cost of an unwoken one is measured.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMonitor;

impl Monitor for NoMonitor {
    fn attention(&self) -> Attention {
        Attention::Never
    }

    fn open(&self, _: &ContextRecord, _: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        Ok(None)
    }

    fn admit(&self, _: &ContextRecord, _: Allowance, _: &mut dyn StateView) -> Result<Examination, Fault> {
        Ok(Decision::Proceed.into())
    }
}
