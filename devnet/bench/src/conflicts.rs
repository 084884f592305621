//! From footprints to true dependencies: which earlier transactions must have run before a transaction can run as it did.
//!
//! Anti-dependencies and overwritten writes are none, as in any multi-version memory. A dependency always points to an
//! earlier transaction.

use alloy_primitives::{Address, U256, map::AddressMap, map::HashMap};

use crate::{
    bound::Dependencies,
    footprint::{BlockFootprint, Footprint},
};

/// How an account counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accounts {
    /// Balance, nonce and code are one value: whoever loads an account depends on whoever changed it last. Only the
    /// fee recipient's fee is added up apart.
    Lumped,
    /// Balance, nonce and code are values of their own. Credits and debits commute as long as enough is there without
    /// the block's credits; whoever looks at a balance depends on all of them. A sender's nonce is predicted.
    Commutative,
}

/// The dependencies of a block's transactions.
#[must_use]
pub fn dependencies(block: &BlockFootprint, accounts: Accounts) -> Dependencies {
    let mut slots = LastWriters::default();
    let mut books = Books::default();
    let mut lumped = LastWriters::default();
    let mut found = Vec::with_capacity(block.transactions.len());
    for (index, footprint) in (0..).zip(&block.transactions) {
        let mut on = Vec::new();
        on.extend(footprint.slots_seen.iter().filter_map(|slot| slots.get(slot)));
        slots.write(index, footprint.slots_changed.iter().copied());
        match accounts {
            Accounts::Lumped => {
                on.extend(footprint.loaded.iter().filter_map(|address| lumped.get(address)));
                if index > 0 && footprint.loaded.contains(&block.beneficiary) {
                    on.extend(0..index);
                }
                let changed = [&footprint.balances_changed, &footprint.nonces_changed, &footprint.codes_changed];
                lumped.write(index, changed.into_iter().flatten().copied());
            }
            Accounts::Commutative => books.enter(index, footprint, block, &mut on),
        }
        found.push(on);
    }
    Dependencies::new(found)
}

/// A slot that a transaction saw, and who had written it last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotSource {
    /// Index of the writer.
    pub writer: u32,
    /// Whose slot.
    pub account: Address,
    /// Which.
    pub slot: U256,
}

/// Of each transaction the slots that it saw and an earlier one had written, by writer and slot.
#[must_use]
pub fn slot_sources(block: &BlockFootprint) -> Vec<Vec<SlotSource>> {
    let mut slots = LastWriters::default();
    let sources = (0..).zip(&block.transactions).map(|(index, footprint)| {
        let source =
            |seen: &(Address, U256)| slots.get(seen).map(|writer| SlotSource { writer, account: seen.0, slot: seen.1 });
        let mut sources: Vec<_> = footprint.slots_seen.iter().filter_map(source).collect();
        sources.sort_unstable_by_key(|source| (source.writer, source.account, source.slot));
        slots.write(index, footprint.slots_changed.iter().copied());
        sources
    });
    sources.collect()
}

/// The last writer of each key.
#[derive(Debug)]
struct LastWriters<K>(HashMap<K, u32>);

impl<K> Default for LastWriters<K> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<K: std::hash::Hash + Eq> LastWriters<K> {
    fn get(&self, key: &K) -> Option<u32> {
        self.0.get(key).copied()
    }

    fn write(&mut self, index: u32, keys: impl IntoIterator<Item = K>) {
        self.0.extend(keys.into_iter().map(|key| (key, index)));
    }
}

/// Balances, nonces and code, each with what is still open on it.
#[derive(Debug, Default)]
struct Books {
    code: LastWriters<Address>,
    balances: AddressMap<Balance>,
    nonces: AddressMap<Nonce>,
}

/// The changes of a balance since its value was last fixed by somebody who looked at it.
#[derive(Debug, Default)]
struct Balance {
    changed_by: Vec<u32>,
    debited: U256,
}

#[derive(Debug, Default)]
struct Nonce {
    /// Steps that their senders' own nonces announce.
    stepped_by: Vec<u32>,
    /// Changes that no sender's nonce announces: creations, authorizations.
    changed_by: Vec<u32>,
}

impl Books {
    fn enter(&mut self, index: u32, footprint: &Footprint, block: &BlockFootprint, on: &mut Vec<u32>) {
        on.extend(footprint.loaded.iter().filter_map(|address| self.code.get(address)));
        self.code.write(index, footprint.codes_changed.iter().copied());
        self.enter_balances(index, footprint, block, on);
        self.enter_nonces(index, footprint, on);
    }

    fn enter_balances(&mut self, index: u32, footprint: &Footprint, block: &BlockFootprint, on: &mut Vec<u32>) {
        let short = footprint.needed.iter().filter(|(address, needed)| {
            let start = block.balances.get(*address).copied().unwrap_or_default();
            let debited = self.balances.get(*address).map_or(U256::ZERO, |balance| balance.debited);
            start.saturating_sub(debited) < **needed
        });
        let mut exact: Vec<Address> = short.map(|(address, _)| *address).collect();
        exact.extend(&footprint.balances_seen);
        for address in exact {
            if address == block.beneficiary {
                on.extend(0..index);
            }
            let Some(balance) = self.balances.get_mut(&address) else { continue };
            on.extend(&balance.changed_by);
            if footprint.balances_changed.contains(&address) {
                balance.changed_by.clear();
            }
        }
        for address in &footprint.balances_changed {
            self.balances.entry(*address).or_default().changed_by.push(index);
        }
        for (address, wei) in &footprint.debits {
            let debited = &mut self.balances.entry(*address).or_default().debited;
            *debited = debited.saturating_add(*wei);
        }
    }

    fn enter_nonces(&mut self, index: u32, footprint: &Footprint, on: &mut Vec<u32>) {
        if let Some(nonce) = self.nonces.get(&footprint.sender) {
            on.extend(&nonce.changed_by);
        }
        for address in &footprint.nonces_seen {
            if let Some(nonce) = self.nonces.get(address) {
                on.extend(&nonce.changed_by);
                on.extend(&nonce.stepped_by);
            }
        }
        for address in &footprint.nonces_changed {
            let nonce = self.nonces.entry(*address).or_default();
            let announced = *address == footprint.sender && !footprint.nonces_seen.contains(address);
            if announced {
                nonce.stepped_by.push(index);
                continue;
            }
            // Whoever saw the value fixed it for those behind; whoever stepped it unseen adds to what must be waited for.
            if footprint.nonces_seen.contains(address) {
                nonce.stepped_by.clear();
                nonce.changed_by.clear();
            }
            nonce.changed_by.push(index);
        }
    }
}
