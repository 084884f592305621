//! A transaction on the versioned memory: it reads as the executor's reader does, and writes as its journal is published.

use alloy_primitives::U256;
use parapet_monitor::StateOp;
use parapet_types::ReadError;

use super::{ACCOUNTS, Block, CONTRACT, Incarnation, Outcome, Program, Transaction, World, Written, version};
use crate::parallel::{
    account::{AccountView, AccountWrite, Identity, Version},
    memory::Memory,
    reads::ReadSet,
    slot::{AccountIndex, SlotIndex},
};

const SLOT: SlotIndex = SlotIndex(0);
const HOLDER: AccountIndex = AccountIndex(CONTRACT);

/// What lies below a transaction when it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Footing {
    Settled,
    Speculative,
}

/// One transaction's reads and writes.
struct Journal<'a, 'b> {
    memory: &'a Memory<'b>,
    at: Version,
    settled: Version,
    reads: ReadSet,
    /// By position in the read set: what was done to it.
    changed: Vec<(AccountIndex, AccountView, AccountView)>,
    slot: Option<u64>,
    added: Option<StateOp>,
}

impl Journal<'_, '_> {
    /// Where an account stands in the read set.
    fn account(&mut self, index: AccountIndex, predicted: Option<u64>) -> Result<usize, ReadError> {
        if let Some(position) = self.changed.iter().position(|(known, ..)| *known == index) {
            return Ok(position);
        }
        let (mut view, stamp) = self.memory.read_account(index, self.at)?;
        let mut stamp = Some(stamp);
        if let Some(nonce) = predicted.filter(|nonce| view.identity.nonce < *nonce) {
            (view.identity.nonce, stamp) = (nonce, None);
        }
        self.changed.push((index, view, view));
        Ok(self.reads.add_account(index, stamp, view))
    }

    fn read_slot(&mut self) -> Result<u64, ReadError> {
        if let Some(written) = self.slot {
            return Ok(written);
        }
        let contract = self.account(HOLDER, None)?;
        let wiped = self.changed[contract].1.identity.wiped;
        let (seen, stamp) = self.memory.read_slot(SLOT, self.at, wiped)?;
        self.reads.add_slot((HOLDER, U256::ZERO, SLOT), stamp, wiped, seen);
        Ok(seen.value.wrapping_to())
    }

    /// Adds without knowing to what, as guards do.
    fn add_within(&mut self, amount: u64, cap: u64) -> Result<bool, ReadError> {
        let op = StateOp::Add { amount: U256::from(amount), cap: U256::from(cap) };
        let contract = self.account(HOLDER, None)?;
        let wiped = self.changed[contract].1.identity.wiped;
        let (seen, stamp) = self.memory.read_slot(SLOT, self.at, wiped)?;
        let accepted = self.reads.ask_slot(SLOT, stamp, wiped, (&[op], seen.value));
        self.added = accepted.then_some(op);
        Ok(accepted)
    }

    fn send(&mut self, sender: usize, to: u32, wei: u64) -> Result<(), ReadError> {
        let to = self.account(AccountIndex(to), None)?;
        let wei = U256::from(wei);
        self.changed[sender].2.balance -= wei;
        self.changed[to].2.balance += wei;
        Ok(())
    }

    /// Writes what was changed, as `publish` of the executor.
    fn publish(&mut self) -> Vec<Written> {
        let mut written = Vec::new();
        for (position, (index, seen, now)) in self.changed.iter().enumerate() {
            let write = AccountWrite {
                balance: now.balance.wrapping_sub(seen.balance),
                identity: (now.identity != seen.identity).then_some(now.identity),
            };
            if write != AccountWrite::default() {
                let stamp = self.memory.account(*index).write(self.at, self.settled, write);
                self.reads.wrote_account(position, stamp);
                written.push(Written::Account(*index));
            }
        }
        if let Some(value) = self.slot {
            let stamp = self.memory.slot(SLOT).write(self.at, self.settled, U256::from(value));
            if let Some((position, _)) = self.reads.find_slot(HOLDER, U256::ZERO) {
                self.reads.wrote_slot(position, stamp);
            }
            written.push(Written::Slot(SLOT));
        }
        if let Some(op) = self.added {
            self.memory.slot(SLOT).change(self.at, &[op]);
            written.push(Written::Changed(SLOT));
        }
        written
    }

    /// Does what the transaction does.
    fn run(&mut self, transaction: &Transaction, footing: Footing) -> Result<Outcome, ReadError> {
        let predicted = (footing == Footing::Speculative).then_some(transaction.nonce);
        let sender = self.account(AccountIndex(transaction.sender), predicted)?;
        let had = self.changed[sender].1;
        let need = U256::from(transaction.need());
        if had.identity.nonce != transaction.nonce || had.balance < need {
            self.reads.everything_matters();
            // Ahead of the frontier a balance may be less than nothing, which is then found out.
            return Ok(Outcome::Refused { balance: had.balance.wrapping_to() });
        }
        self.reads.need(sender, need);
        self.reads.nonce_matters(sender);
        self.changed[sender].2.identity.nonce += 1;
        match transaction.program {
            Program::Transfer { to, wei } => self.send(sender, to, wei)?,
            Program::Wipe => {
                let contract = self.account(HOLDER, None)?;
                self.changed[contract].2.identity.wiped = self.at;
            }
            Program::StoreBalance { of } => {
                let of = self.account(AccountIndex(of), None)?;
                self.reads.balance_matters(of);
                self.slot = Some(self.changed[of].2.balance.wrapping_to());
            }
            Program::AddWithin { amount, cap } => {
                let accepted = self.add_within(amount, cap)?;
                return Ok(Outcome::Included(Some(u64::from(accepted))));
            }
            Program::CountUp | Program::SendIfOdd { .. } => {
                let found = self.read_slot()?;
                if let Program::SendIfOdd { to, wei } = transaction.program
                    && found % 2 == 1
                {
                    self.send(sender, to, wei)?;
                }
                self.account(HOLDER, None)?;
                self.slot = Some(found.wrapping_add(1));
                return Ok(Outcome::Included(Some(found)));
            }
        }
        Ok(Outcome::Included(None))
    }
}

impl Block<'_> {
    pub(super) fn execute(&self, index: u32, settled: Version, footing: Footing) -> Result<Incarnation, ReadError> {
        let mut journal = Journal {
            memory: &self.memory,
            at: version(index),
            settled,
            reads: ReadSet::default(),
            changed: Vec::with_capacity(ACCOUNTS),
            slot: None,
            added: None,
        };
        let outcome = journal.run(&self.transactions[index as usize], footing)?;
        let written = journal.publish();
        Ok(Incarnation { outcome, reads: journal.reads, written })
    }
}

/// The state that the cells hold when everything is settled.
pub(super) fn ends(memory: &Memory<'_>, before: &World) -> World {
    let mut world = *before;
    for (index, (balance, nonce)) in (0..).zip(world.balances.iter_mut().zip(&mut world.nonces)) {
        if let Some(ends) = memory.account(AccountIndex(index)).ends() {
            (*balance, *nonce) = (ends.end.balance.to(), ends.end.identity.nonce);
        }
    }
    let wiped = memory.account(HOLDER).ends().map_or(Identity::default().wiped, |ends| ends.end.identity.wiped);
    let ends = memory.slot(SLOT).ends(wiped, || memory.base_of_slot(SLOT));
    world.slot = ends.map_or(before.slot, |(_, view)| view.value.to());
    world
}
