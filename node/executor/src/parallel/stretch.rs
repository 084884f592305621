//! Stretches in which one transaction leads to the next: they run on one journal, as a sequential loop would, and nobody
//! knows what the journal holds until the stretch is over.
//!
//! Invariant: while a stretch runs nobody else has started one of its transactions, or a later one. So nothing in the
//! versioned memory changes but by the hand of the one who runs it.

use alloy_primitives::{Address, U256};
use parapet_types::{AccountInfo, ReadError};

use super::{
    account::{AccountView, Version},
    frontier::Frontier,
    incarnation::publish,
    reader::Reader,
    slot::AccountIndex,
    worker::{Worker, fee, version},
};
use crate::{BlockError, StateError, TxError, outcome::OnJournal, session::Keep};

/// What a reader knows of the stretch that it runs.
#[derive(Debug, Default)]
pub(crate) struct Stretch {
    /// One is running: nobody needs to know what the reader meets.
    pub(crate) is_running: bool,
    /// Fees of the journal's earlier transactions, which the fee recipient's cell does not hold yet.
    pub(crate) owed: Option<U256>,
    /// The fee recipient was read.
    pub(crate) met_fee_recipient: bool,
    /// An account that is there and empty was read: it ends where it is touched (EIP-161), with what storage it has.
    met_relic: bool,
    /// The account of which a slot was read last.
    last: Option<LastAccount>,
    /// The word that is asked for before every transaction was asked for since the journal began. It stands for as long as
    /// its account is not on the journal.
    pub(crate) knows_word: bool,
}

#[derive(Clone, Copy, Debug)]
struct LastAccount {
    address: Address,
    /// Its place, if the block has met it.
    index: Option<AccountIndex>,
    wiped: Version,
}

impl Stretch {
    /// A transaction starts that is not one of a stretch.
    pub(crate) fn leave(&mut self) {
        (self.is_running, self.met_fee_recipient, self.met_relic, self.last) = (false, false, false, None);
        self.knows_word = false;
    }
}

impl Reader<'_> {
    /// An account for a stretch's journal: nothing is written down, and what the block has not met stays unmet.
    pub(crate) fn account_in_stretch(&mut self, address: Address) -> Result<AccountView, ReadError> {
        let mut view = match self.memory.find_account(address) {
            Some(index) => {
                let (view, _) = self.memory.read_account(index, self.at)?;
                self.stretch.met_relic |= view.is_empty() && self.memory.account(index).existed();
                view
            }
            None => {
                let base = self.memory.world.account(&address)?;
                self.stretch.met_relic |= base == Some(AccountInfo::default());
                AccountView::of(base)
            }
        };
        if address == self.memory.fee_recipient {
            self.stretch.met_fee_recipient = true;
            view.balance += self.stretch.owed.unwrap_or_default();
        }
        Ok(view)
    }

    /// A slot for a stretch's journal.
    pub(crate) fn slot_in_stretch(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        let account = match self.stretch.last {
            Some(last) if last.address == address => last,
            Some(_) | None => {
                let index = self.memory.find_account(address);
                let wiped = match index {
                    Some(index) => self.memory.read_account(index, self.at)?.0.identity.wiped,
                    None => Version::BASE,
                };
                *self.stretch.last.insert(LastAccount { address, index, wiped })
            }
        };
        if let Some(index) = account.index {
            if let Some(slot) = self.memory.find_slot(index, slot) {
                return Ok(self.memory.read_slot(slot, self.at, account.wiped)?.0.value);
            }
            if account.wiped > Version::BASE {
                return Ok(U256::ZERO);
            }
        }
        Ok(self.memory.world.storage(&address, slot)?)
    }

    /// The word that is asked for before every transaction of a stretch. The account whose slots its transactions read
    /// is still at hand afterwards.
    pub(crate) fn word_in_stretch(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        let last = self.stretch.last;
        let word = self.slot_in_stretch(address, slot)?;
        (self.stretch.last, self.stretch.knows_word) = (last, true);
        Ok(word)
    }
}

impl Worker<'_> {
    /// Runs transactions one after the other, each on what the last one left. Nobody else has started one of them.
    pub(crate) fn run_one_by_one(&mut self, frontier: &mut Frontier, start: u32, end: u32) -> Result<(), BlockError> {
        for index in start..end {
            frontier.run_settled(self, index)?;
            self.block.schedule.settle(index);
        }
        Ok(())
    }

    /// Runs transactions that lead one to the next on one journal, as if there were no other threads: nobody has started
    /// one of them, and nobody will.
    pub(crate) fn run_as_one(&mut self, frontier: &mut Frontier, start: u32, end: u32) -> Result<(), BlockError> {
        frontier.pay(self.block)?;
        self.reader().settle(version(start));
        // Every transaction has a sender. A map that grows moves all that is in it, time and again.
        self.session.evm_mut().inner.ctx.journaled_state.inner.state.reserve((end - start) as usize);
        for index in start..end {
            let transaction = self.transaction(index);
            self.reader().go_on(version(index));
            if let Err(reason) = frontier.progress.admit(self.block.input, index as usize) {
                frontier.leave_out(self.block, index, reason)?;
                continue;
            }
            let identity = self.identity(transaction);
            let ended = self.session.execute_on_journal(self.block.tx_env(index), identity, Keep::Unwatched);
            let ctx = &self.session.evm_mut().inner.ctx;
            let (fee, structural) =
                (fee(&ctx.chain, &ctx.journaled_state.inner.state, ctx.block.beneficiary), ctx.chain.structural);
            let mut earned = None;
            match ended {
                Ok(OnJournal::Executed(executed, guard_updates)) => {
                    debug_assert!(guard_updates.is_empty(), "nobody judged it");
                    frontier.include(self.block, index, executed);
                    earned = Some(fee);
                }
                Ok(OnJournal::Watched) => {
                    self.pay(frontier, index)?;
                    self.flush(before(index))?;
                    frontier.run_admitted(self, index)?;
                    frontier.pay(self.block)?;
                    self.reader().settle(version(index));
                }
                Err(TxError::State(error)) => return Err(error.into()),
                Err(error) => frontier.leave_out(self.block, index, error)?,
            }
            // What is created or destroyed changes how later transactions see the account: that is not left to a journal
            // of many; nor is one that ends by being touched. And the fee recipient's balance grows beside the journal,
            // which has seen it before this fee.
            let stretch = &self.reader().stretch;
            if structural || stretch.met_fee_recipient || stretch.met_relic {
                self.pay(frontier, index)?;
                self.flush(version(index))?;
            }
            if let Some(fee) = earned {
                *self.reader().stretch.owed.get_or_insert_default() += fee;
            }
        }
        self.block.schedule.settle_all(start, end);
        self.tally.as_one += u64::from(end - start);
        self.pay(frontier, end - 1)?;
        if end < self.block.schedule.len() {
            return self.flush(version(end - 1));
        }
        frontier.tail = Some(self.session.evm_mut().inner.ctx.journaled_state.inner.finalize());
        Ok(())
    }

    /// Pays the fee recipient what the journal's transactions earned it.
    fn pay(&mut self, frontier: &mut Frontier, index: u32) -> Result<(), BlockError> {
        match self.reader().stretch.owed.take() {
            Some(owed) => frontier.reward_now(self.block, version(index), owed),
            None => Ok(()),
        }
    }

    /// Moves what the journal holds to the versioned memory.
    fn flush(&mut self, at: Version) -> Result<(), BlockError> {
        let state = self.session.evm_mut().inner.ctx.journaled_state.inner.finalize();
        self.reader().settle(at);
        let left = publish(state.iter(), self.reader(), &[], at)?;
        left.touch(&self.block.memory);
        self.go_on_with(state);
        self.reader().settle(at);
        Ok(())
    }
}

/// The version just below a transaction's.
const fn before(index: u32) -> Version {
    Version(version(index).0 - 1)
}
