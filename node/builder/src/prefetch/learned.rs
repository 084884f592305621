//! Which words of contracts a call changes, as learned from earlier calls of the same function.
//!
//! A mapping's entry lies at the hash of its key and the mapping's position (Solidity, *Layout of State Variables in Storage*), and
//! its key is mostly the sender or one of the call's arguments. So what a block changed is compared with the words at which
//! such entries would lie: a hash that agrees is no accident. Words that every call changes are not looked for, since they are in
//! memory after the first.
//!
//! Invariants: everything kept is bounded; what is learned is a guess, which costs a read in vain when it is wrong.

use std::{collections::BTreeSet, num::NonZeroUsize};

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, U256, keccak256, map::U256Map};
use lru::LruCache;
use parapet_types::{StateChanges, Transaction};
use parking_lot::Mutex;

/// Functions that are known.
const FUNCTIONS_MAX: NonZeroUsize = NonZeroUsize::new(4_096).expect("it is above zero");
/// Calls of a function that are learned from.
const SAMPLES_MAX: u8 = 3;
/// Calls of a block that are learned from: bounds what learning takes.
const SAMPLES_PER_BLOCK_MAX: usize = 4;
/// Calls of a block that are looked at for something to learn.
const CALLS_PER_BLOCK_MAX: usize = 256;
/// Entries of a function that are remembered.
const ENTRIES_MAX: usize = 16;
/// Arguments of a call that may be keys.
const ARGUMENTS_MAX: usize = 4;
/// Positions of mappings that are tried.
const POSITIONS_MAX: u64 = 16;
/// Words of an entry: a mapping may hold structs.
const FIELDS_MAX: u64 = 4;
/// Bytes of a selector.
const SELECTOR_BYTES: usize = 4;

/// A contract and the selector of one of its functions.
type Function = (Address, [u8; SELECTOR_BYTES]);

/// What is known of functions.
pub(super) struct Learned(Mutex<LruCache<Function, Known>>);

#[derive(Clone, Debug, Default)]
struct Known {
    samples: u8,
    entries: BTreeSet<Entry>,
}

/// A mapping's entry that calls of a function change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    contract: Address,
    place: Place,
    /// The word within the entry.
    field: u64,
}

/// Where an entry lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    position: u64,
    key: Key,
    /// Of an entry in a mapping of mappings: the second key.
    then: Option<Key>,
}

/// Where a key is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Sender,
    /// By its place in the call's data.
    Argument(usize),
}

/// A call's keys.
struct Keys {
    sender: B256,
    arguments: Vec<B256>,
}

impl Default for Learned {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(FUNCTIONS_MAX)))
    }
}

impl Learned {
    /// Learns from calls of functions of which little is known.
    pub(super) fn learn(&self, transactions: &[Transaction], changes: &StateChanges) {
        let new: Vec<_> = transactions.iter().take(CALLS_PER_BLOCK_MAX).filter_map(|call| self.is_new(call)).collect();
        if new.is_empty() {
            return;
        }
        let mut changed = U256Map::<Address>::default();
        for (address, change) in &changes.accounts {
            changed.extend(change.storage.keys().map(|word| (*word, *address)));
        }
        for (function, call) in new.into_iter().take(SAMPLES_PER_BLOCK_MAX) {
            let found = entries(&Keys::of(call), &changed);
            let mut known = self.0.lock();
            let known = known.get_or_insert_mut(function, Known::default);
            known.samples = known.samples.saturating_add(1);
            known.entries.extend(found);
            while known.entries.len() > ENTRIES_MAX {
                known.entries.pop_last();
            }
        }
    }

    /// The words that a call is likely to change.
    pub(super) fn words_of(&self, call: &Transaction) -> Vec<(Address, U256)> {
        let known = function(call).and_then(|function| self.0.lock().get(&function).map(|known| known.entries.clone()));
        let keys = Keys::of(call);
        let word = |entry: Entry| Some((entry.contract, keys.word(entry.place)?.wrapping_add(U256::from(entry.field))));
        known.into_iter().flatten().filter_map(word).collect()
    }

    /// The function that is called, if there is something to be learned of it.
    fn is_new<'a>(&self, call: &'a Transaction) -> Option<(Function, &'a Transaction)> {
        let function = function(call)?;
        let samples = self.0.lock().peek(&function).map_or(0, |known| known.samples);
        (samples < SAMPLES_MAX).then_some((function, call))
    }
}

/// The function that is called.
fn function(call: &Transaction) -> Option<Function> {
    Some((call.to()?, *call.input().first_chunk()?))
}

impl Keys {
    fn of(call: &Transaction) -> Self {
        let (arguments, _) = call.input().get(SELECTOR_BYTES..).unwrap_or_default().as_chunks::<32>();
        Self {
            sender: call.signer().into_word(),
            arguments: arguments.iter().take(ARGUMENTS_MAX).map(|argument| B256::new(*argument)).collect(),
        }
    }

    fn get(&self, key: Key) -> Option<B256> {
        match key {
            Key::Sender => Some(self.sender),
            Key::Argument(index) => self.arguments.get(index).copied(),
        }
    }

    fn all(&self) -> impl Iterator<Item = Key> + use<> {
        std::iter::once(Key::Sender).chain((0..self.arguments.len()).map(Key::Argument))
    }

    /// The first word of an entry.
    fn word(&self, place: Place) -> Option<U256> {
        let mut at = hashed(self.get(place.key)?, B256::from(U256::from(place.position)));
        if let Some(then) = place.then {
            at = hashed(self.get(then)?, at);
        }
        Some(U256::from_be_bytes(at.0))
    }
}

/// Where a mapping at a position has the entry of a key.
fn hashed(key: B256, position: B256) -> B256 {
    keccak256([key.0, position.0].concat())
}

/// The entries among changed words that keys lead to.
fn entries(keys: &Keys, changed: &U256Map<Address>) -> Vec<Entry> {
    let places = (0..POSITIONS_MAX).flat_map(|position| {
        keys.all().flat_map(move |key| {
            let thens = std::iter::once(None).chain(keys.all().map(Some));
            thens.map(move |then| Place { position, key, then })
        })
    });
    let mut found = Vec::new();
    for place in places {
        let Some(word) = keys.word(place) else { continue };
        found.extend((0..FIELDS_MAX).filter_map(|field| {
            let contract = *changed.get(&word.wrapping_add(U256::from(field)))?;
            Some(Entry { contract, place, field })
        }));
    }
    found
}

#[cfg(test)]
mod tests {
    use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
    use alloy_primitives::{Signature, TxKind};
    use parapet_types::AccountChange;

    use super::*;

    const TOKEN: Address = Address::repeat_byte(0xaa);
    const TRANSFER_FROM: [u8; SELECTOR_BYTES] = [0x23, 0xb8, 0x72, 0xdd];

    fn call(sender: u8, arguments: &[u64]) -> Transaction {
        let mut input = TRANSFER_FROM.to_vec();
        arguments.iter().for_each(|argument| input.extend_from_slice(&U256::from(*argument).to_be_bytes::<32>()));
        let tx = TxEip1559 { to: TxKind::Call(TOKEN), input: input.into(), ..TxEip1559::default() };
        let signed = TxEnvelope::Eip1559(tx.into_signed(Signature::test_signature()));
        Transaction::new_unchecked(signed, Address::repeat_byte(sender))
    }

    fn word(number: u64) -> B256 {
        B256::from(U256::from(number))
    }

    fn entry(key: B256, position: u64) -> B256 {
        hashed(key, word(position))
    }

    fn number(word: B256) -> U256 {
        U256::from_be_bytes(word.0)
    }

    fn changes(words: &[U256]) -> StateChanges {
        let storage = words.iter().map(|word| (*word, U256::ONE)).collect();
        let change = AccountChange { storage, ..AccountChange::default() };
        StateChanges { accounts: [(TOKEN, change)].into(), ..StateChanges::default() }
    }

    /// What `transferFrom(from, to, amount)` by a spender changes, with balances at 3 and allowances at 7.
    fn transfer_from(spender: u8, from: u64, to: u64) -> Vec<U256> {
        let allowance = hashed(Address::repeat_byte(spender).into_word(), entry(word(from), 7));
        let mut words = vec![number(entry(word(from), 3)), number(entry(word(to), 3)), number(allowance)];
        words.sort_unstable();
        words
    }

    #[test]
    fn entries_of_other_keys_are_found_from_what_one_call_changed() {
        let learned = Learned::default();
        assert_eq!(learned.words_of(&call(1, &[10, 11, 5])), []);
        let changed: Vec<U256> = [transfer_from(1, 10, 11), vec![U256::from(2)]].concat();
        learned.learn(&[call(1, &[10, 11, 5])], &changes(&changed));
        let mut words: Vec<U256> = learned.words_of(&call(2, &[20, 21, 5])).into_iter().map(|(_, word)| word).collect();
        words.sort_unstable();
        assert_eq!(words, transfer_from(2, 20, 21));
    }

    #[test]
    fn fields_of_structs_are_entries() {
        let learned = Learned::default();
        let field = |sender: u8| number(entry(Address::repeat_byte(sender).into_word(), 0)) + U256::from(2);
        learned.learn(&[call(1, &[])], &changes(&[field(1)]));
        assert_eq!(learned.words_of(&call(9, &[])), [(TOKEN, field(9))]);
    }

    #[test]
    fn a_call_that_changes_nothing_known_is_learned_from_a_few_times_only() {
        let learned = Learned::default();
        for _ in 0..SAMPLES_MAX {
            assert!(learned.is_new(&call(1, &[1])).is_some());
            learned.learn(&[call(1, &[1])], &changes(&[U256::from(99)]));
        }
        assert!(learned.is_new(&call(1, &[1])).is_none());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let learned = Learned::default();
        let keys: Vec<u64> = (0..ARGUMENTS_MAX as u64).map(|argument| 100 + argument).collect();
        let every =
            (0..POSITIONS_MAX).flat_map(|position| keys.iter().map(move |key| number(entry(word(*key), position))));
        learned.learn(&[call(1, &keys)], &changes(&every.collect::<Vec<_>>()));
        assert_eq!(learned.words_of(&call(1, &keys)).len(), ENTRIES_MAX);
    }
}
