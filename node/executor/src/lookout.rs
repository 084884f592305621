//! Transactions that nobody waits for cost nothing: they run without a record, under a lookout that ends them as soon as
//! they meet somebody on the monitor's [`Watchlist`]. Then they run again, recorded from their beginning, so that guards see
//! what they would have seen without all this.
//!
//! ```text
//! foresee: the word → watchlist; sender, target, fee recipient → nobody | strangers | somebody
//! strangers: a bet? → unrecorded, under a lookout: each frame's target and code, heirs, parties of token flows
//!            met somebody → nothing of it remains → recorded
//! ```
//!
//! Invariant: a transaction that ends under a lookout would have woken nobody. Each account that can be met is looked up,
//! or stands for one that was: a frame's caller is the sender or the target of another frame, whose accounts were looked up;
//! logs, slots and codes change only under a frame's target, or by an authorization, and who brings such is recorded.

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, TxKind};
use parapet_monitor::{Attention, Watchlist};
use parapet_types::Transaction;
use revm::{
    context::{ContextError, TxEnv},
    interpreter::{FrameInput, interpreter_action::FrameInit},
    state::Bytecode,
};

use crate::{
    TxError,
    database::EvmDatabase,
    evm::{FrameError, MonitoredEvm},
    flows,
    session::before_frames,
};

/// Whether somebody on the watchlist may be met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Lookout {
    /// Nobody looks out: everything is recorded, or nobody could wake.
    #[default]
    Off,
    /// Nobody has been met.
    On,
    /// Somebody was met, and what runs has to be recorded.
    Met,
}

/// What is known of a transaction before it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foresight {
    /// Nobody on the chain could wake.
    Nobody,
    /// Nobody waits for any account that it names.
    Strangers,
    /// Somebody may wake.
    Somebody,
}

/// What the word that the monitor goes by says, as long as it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has not been looked at.
    #[default]
    Unknown,
    /// Nobody on the chain could wake.
    Nobody,
    /// There is a watchlist.
    Listed,
    /// Perhaps everybody is waited for.
    Everybody,
}

/// The accounts that a transaction names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'a> {
    sender: &'a Address,
    target: Option<&'a Address>,
    /// It names others, which delegate.
    authorizes: bool,
}

impl<'a> From<&'a TxEnv> for Named<'a> {
    fn from(tx: &'a TxEnv) -> Self {
        Self { sender: &tx.caller, target: tx.kind.to(), authorizes: !tx.authorization_list.is_empty() }
    }
}

impl<'a> Named<'a> {
    /// Those of a transaction that goes to `target`.
    pub(crate) fn of(tx: &'a Transaction, target: &'a TxKind) -> Self {
        let authorizes = tx.authorization_count().is_some_and(|count| count > 0);
        Self { sender: tx.signer_ref(), target: target.to(), authorizes }
    }

    /// Whether one of them is on the list, with who is paid for the transaction.
    pub(crate) fn meets(self, list: &Watchlist, beneficiary: &Address) -> bool {
        list.is_everybody()
            || self.authorizes
            || list.has(self.sender)
            || self.target.is_some_and(|target| list.has(target))
            || list.waits_for_fees() && list.has(beneficiary)
    }
}

impl<DB: EvmDatabase, INSP> MonitoredEvm<'_, DB, INSP> {
    /// What is known of the next transaction, which the EVM has, before it runs.
    pub(crate) fn foresee_next(&mut self) -> Result<Foresight, TxError> {
        let standing = self.standing()?;
        let ctx = &self.inner.ctx;
        Ok(self.foresight(standing, Named::from(&ctx.tx)))
    }

    /// What is known of a transaction before it runs.
    pub(crate) fn foresee(&mut self, named: Named<'_>) -> Result<Foresight, TxError> {
        let standing = self.standing()?;
        Ok(self.foresight(standing, named))
    }

    fn foresight(&self, standing: Standing, named: Named<'_>) -> Foresight {
        let ctx = &self.inner.ctx;
        match (standing, &ctx.chain.watchlist) {
            (Standing::Nobody, _) => Foresight::Nobody,
            (Standing::Listed, Some((_, list))) if !named.meets(list, &ctx.block.beneficiary) => Foresight::Strangers,
            (Standing::Listed | Standing::Everybody | Standing::Unknown, _) => Foresight::Somebody,
        }
    }

    /// Whom the monitor waits for before the next transaction.
    pub(crate) fn standing(&mut self) -> Result<Standing, TxError> {
        let (address, slot) = match &self.attention {
            Attention::Never => return Ok(Standing::Nobody),
            Attention::Always => return Ok(Standing::Everybody),
            Attention::UnlessZero { address, slot } => (address, slot),
        };
        let ctx = &mut self.inner.ctx;
        let journal = &mut ctx.journaled_state;
        if !journal.inner.state.is_empty() && journal.inner.state.contains_key(address) {
            // What earlier transactions on this journal did to the word is for the monitor to see.
            return Ok(Standing::Everybody);
        }
        if ctx.chain.standing != Standing::Unknown && journal.database.watched_word_stands() {
            return Ok(ctx.chain.standing);
        }
        ctx.chain.standing = Standing::Unknown;
        let word = journal.database.watched_word(*address, *slot).map_err(|error| error.0)?;
        if word.is_zero() {
            ctx.chain.standing = Standing::Nobody;
            return Ok(Standing::Nobody);
        }
        if ctx.chain.watchlist.as_ref().is_none_or(|(of, _)| *of != word) {
            let mut view = before_frames(&mut ctx.journaled_state, &mut ctx.chain.forks, &ctx.cfg, &ctx.block);
            let list = self.monitor.watchlist(word, &mut view)?;
            drop(view);
            ctx.chain.watchlist = list.map(|list| (word, list));
        }
        let listed = ctx.chain.watchlist.as_ref().is_some_and(|(_, list)| !list.is_everybody());
        ctx.chain.standing = if listed { Standing::Listed } else { Standing::Everybody };
        Ok(ctx.chain.standing)
    }

    /// Ends what runs under a lookout if a frame that is about to start meets somebody.
    pub(crate) fn look_out(&mut self, init: &FrameInit) -> Result<(), FrameError<DB>> {
        let ctx = &self.inner.ctx;
        let met = match (ctx.chain.lookout, &ctx.chain.watchlist) {
            (Lookout::Off, _) | (_, None) => return Ok(()),
            (Lookout::Met, _) => true,
            (Lookout::On, Some((_, list))) => self.enters(list, init),
        };
        if met { Err(self.meet()) } else { Ok(()) }
    }

    fn enters(&self, list: &Watchlist, init: &FrameInit) -> bool {
        match &init.frame_input {
            FrameInput::Call(inputs) => {
                let (target, code) = (&inputs.target_address, &inputs.bytecode_address);
                // The first frame's target was looked up before.
                init.depth > 0 && list.has(target)
                    || code != target && list.has(code)
                    || self.delegate(code).is_some_and(|delegate| list.has(&delegate))
            }
            FrameInput::Create(inputs) => {
                let state = &self.inner.ctx.journaled_state.inner.state;
                let nonce = state.get(&inputs.caller()).map_or(0, |account| account.info.nonce);
                list.has(&inputs.created_address(nonce))
            }
            FrameInput::Empty => false,
        }
    }

    /// The account to which another delegates. Most transactions meet none that does, and are not asked.
    fn delegate(&self, account: &Address) -> Option<Address> {
        let ctx = &self.inner.ctx;
        if !ctx.chain.met_authorizations && !ctx.journaled_state.database.gave_delegation() {
            return None;
        }
        let named = ctx.journaled_state.inner.state.get(account);
        named.and_then(|named| named.info.code.as_ref()).and_then(Bytecode::eip7702_address)
    }

    /// Ends what ran under a lookout if somebody was met by the way, or is a party of what it leaves.
    pub(crate) fn look_back(&mut self) -> Result<(), FrameError<DB>> {
        let ctx = &self.inner.ctx;
        let met = match (ctx.chain.lookout, &ctx.chain.watchlist) {
            (Lookout::Off, _) | (_, None) => return Ok(()),
            (Lookout::Met, _) => true,
            (Lookout::On, Some((_, list))) => {
                let mut logs = ctx.journaled_state.inner.logs.iter();
                list.waits_for_tokens() && logs.any(|log| flows::parties(log).any(|party| list.has(&party)))
            }
        };
        if met { Err(self.meet()) } else { Ok(()) }
    }

    fn meet(&mut self) -> FrameError<DB> {
        self.inner.ctx.chain.lookout = Lookout::Met;
        ContextError::Custom("it meets somebody who is waited for, and has to be recorded".to_owned())
    }
}
