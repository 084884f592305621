//! Ways in which a block's access list can be wrong. A block has one list, so every one of them must be refused.

use alloy_eip7928::{
    AccountChanges, BalanceChange, BlockAccessIndex, BlockAccessList, CodeChange, NonceChange, StorageChange,
};
use alloy_primitives::{Address, U256};

/// An account that no scenario has.
const NOBODY: Address = Address::repeat_byte(0x9b);
/// A slot that no scenario has.
const NOWHERE: U256 = U256::MAX;

/// One thing done to a list. Numbers are positions in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoiling {
    /// An account is not listed.
    DropAccount(usize),
    /// An account is listed twice.
    RepeatAccount(usize),
    /// An account and the next one have changed places.
    SwapAccounts(usize),
    /// An account is listed that nobody met, in its place.
    AddAccount,
    /// A read is not listed.
    DropRead(usize, usize),
    /// A read is listed that nobody made, in its place.
    AddRead(usize),
    /// A slot's changes are not listed.
    DropSlot(usize, usize),
    /// A slot's changes are listed as a read.
    ReadForChanges(usize, usize),
    /// A change is listed that nobody made.
    Invent(usize, Part),
    /// Something is done to a change.
    Change(usize, Part, usize, Way),
}

/// Lines of changes in an account's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Balances.
    Balance,
    /// Nonces.
    Nonce,
    /// Code.
    Code,
    /// Values of the slot at a position.
    Slot(usize),
}

/// What is done to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is not listed.
    Drop,
    /// Its value is another.
    Alter,
    /// Its value is as extreme as can be.
    Inflate,
    /// It is listed one index later.
    Later,
    /// It is listed one index earlier.
    Earlier,
    /// It is listed at its own index and at the next.
    Repeat,
    /// Its index lies beyond any block's.
    FarOff,
}

const WAYS: [Way; 7] = [Way::Drop, Way::Alter, Way::Inflate, Way::Later, Way::Earlier, Way::Repeat, Way::FarOff];

/// Every single way to spoil a list.
#[must_use]
pub fn spoilings(list: &BlockAccessList) -> Vec<Spoiling> {
    let mut all = vec![Spoiling::AddAccount];
    for (account, entry) in list.iter().enumerate() {
        all.extend([Spoiling::DropAccount(account), Spoiling::RepeatAccount(account), Spoiling::AddRead(account)]);
        if account + 1 < list.len() {
            all.push(Spoiling::SwapAccounts(account));
        }
        all.extend((0..entry.storage_reads.len()).map(|read| Spoiling::DropRead(account, read)));
        for (slot, changes) in entry.storage_changes.iter().enumerate() {
            all.extend([Spoiling::DropSlot(account, slot), Spoiling::ReadForChanges(account, slot)]);
            all.extend(ways(account, Part::Slot(slot), changes.changes.len()));
        }
        for (part, length) in [
            (Part::Balance, entry.balance_changes.len()),
            (Part::Nonce, entry.nonce_changes.len()),
            (Part::Code, entry.code_changes.len()),
        ] {
            all.extend(ways(account, part, length));
            if length == 0 {
                all.push(Spoiling::Invent(account, part));
            }
        }
    }
    all
}

fn ways(account: usize, part: Part, length: usize) -> impl Iterator<Item = Spoiling> {
    (0..length).flat_map(move |change| WAYS.map(|way| Spoiling::Change(account, part, change, way)))
}

impl Spoiling {
    /// A list with this done to it. `None`: it would be the same.
    #[must_use]
    pub fn of(self, list: &BlockAccessList) -> Option<BlockAccessList> {
        let mut spoilt = list.clone();
        self.apply(&mut spoilt);
        (spoilt != *list).then_some(spoilt)
    }

    fn apply(self, list: &mut BlockAccessList) {
        match self {
            Self::DropAccount(account) => drop(list.remove(account)),
            Self::RepeatAccount(account) => list.insert(account, list[account].clone()),
            Self::SwapAccounts(account) => list.swap(account, account + 1),
            Self::AddAccount => {
                let place = list.partition_point(|entry| entry.address < NOBODY);
                list.insert(place, AccountChanges::new(NOBODY));
            }
            Self::DropRead(account, read) => drop(list[account].storage_reads.remove(read)),
            Self::AddRead(account) => list[account].storage_reads.push(NOWHERE),
            Self::DropSlot(account, slot) => drop(list[account].storage_changes.remove(slot)),
            Self::ReadForChanges(account, slot) => {
                let changes = list[account].storage_changes.remove(slot);
                list[account].storage_reads.push(changes.slot);
                list[account].storage_reads.sort_unstable();
            }
            Self::Invent(account, part) => {
                let (entry, at) = (&mut list[account], BlockAccessIndex::new(1));
                match part {
                    Part::Balance => entry.balance_changes.push(BalanceChange::new(at, U256::from(7))),
                    Part::Nonce => entry.nonce_changes.push(NonceChange::new(at, 7)),
                    Part::Code => entry.code_changes.push(CodeChange::new(at, vec![0x5f].into())),
                    Part::Slot(_) => {}
                }
            }
            Self::Change(account, part, change, way) => {
                let entry = &mut list[account];
                match part {
                    Part::Balance => way.apply(&mut entry.balance_changes, change),
                    Part::Nonce => way.apply(&mut entry.nonce_changes, change),
                    Part::Code => way.apply(&mut entry.code_changes, change),
                    Part::Slot(slot) => way.apply(&mut entry.storage_changes[slot].changes, change),
                }
            }
        }
    }
}

/// A change of whatever kind.
trait Change: Clone {
    fn index(&mut self) -> &mut BlockAccessIndex;
    fn alter(&mut self);
    fn inflate(&mut self);
}

impl Way {
    fn apply<C: Change>(self, changes: &mut Vec<C>, position: usize) {
        let change = &mut changes[position];
        match self {
            Self::Drop => drop(changes.remove(position)),
            Self::Alter => change.alter(),
            Self::Inflate => change.inflate(),
            Self::Later => change.index().increment(),
            Self::Earlier => change.index().0 = change.index().0.saturating_sub(1),
            Self::Repeat => {
                let mut next = change.clone();
                next.index().increment();
                changes.insert(position + 1, next);
            }
            Self::FarOff => change.index().0 = u64::MAX,
        }
    }
}

impl Change for BalanceChange {
    fn index(&mut self) -> &mut BlockAccessIndex {
        &mut self.block_access_index
    }

    fn alter(&mut self) {
        self.post_balance ^= U256::ONE;
    }

    fn inflate(&mut self) {
        self.post_balance = U256::MAX;
    }
}

impl Change for NonceChange {
    fn index(&mut self) -> &mut BlockAccessIndex {
        &mut self.block_access_index
    }

    fn alter(&mut self) {
        self.new_nonce ^= 1;
    }

    fn inflate(&mut self) {
        self.new_nonce = u64::MAX;
    }
}

impl Change for CodeChange {
    fn index(&mut self) -> &mut BlockAccessIndex {
        &mut self.block_access_index
    }

    fn alter(&mut self) {
        self.new_code = [self.new_code.as_ref(), &[0]].concat().into();
    }

    fn inflate(&mut self) {
        self.new_code = vec![0xef; 1 << 20].into();
    }
}

impl Change for StorageChange {
    fn index(&mut self) -> &mut BlockAccessIndex {
        &mut self.block_access_index
    }

    fn alter(&mut self) {
        self.new_value ^= U256::ONE;
    }

    fn inflate(&mut self) {
        self.new_value = U256::MAX;
    }
}
