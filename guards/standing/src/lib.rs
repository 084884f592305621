//! Who stands behind a call to a guarded account: whose signature was checked, and who was named in its storage before the
//! transaction. What guards of authority share, so that they mean the same by it.
//!
//! Invariant: nothing here believes what the transaction itself brought along. Words count as they were before it, and a
//! signature counts only where a guarded account had it checked.

#![cfg_attr(target_arch = "wasm32", no_std)]

use core::ops::Range;

use parapet_guest::prelude::*;

pub mod right;
#[cfg(test)]
mod tests;

/// The precompile that recovers signers.
pub const ECRECOVER: Address = Address::from_hex("0x0000000000000000000000000000000000000001");
/// `isValidSignature(bytes32,bytes)` (EIP-1271); also what it answers for a valid one.
pub const IS_VALID_SIGNATURE: Bytes4 = Bytes4::from_hex("0x1626ba7e");
/// An entry of a mapping may be a struct of so many words.
const ENTRY_WORDS_MAX: u64 = 16;
/// Entries of one account that are followed through mappings of mappings.
const ENTRIES_MAX: usize = 256;
/// Slots of variables, and so of arrays' lengths, lie below this.
const VARIABLES_MAX: u64 = 64;
/// Words of an array that are told from other words.
const ARRAY_WORDS_MAX: u64 = 1 << 20;

/// Whether a word holds an address, wherever packing put it.
#[must_use]
pub fn mentions(word: U256, who: Address) -> bool {
    who != Address::ZERO && word.to_be_bytes::<32>().windows(20).any(|part| part == who.0)
}

/// Whether calldata holds an address, aligned or packed.
#[must_use]
pub fn input_mentions(input: &[u8], who: Address) -> bool {
    input.windows(20).any(|part| part == who.0)
}

/// The address in the low 160 bits of a word, whatever lies above.
#[must_use]
pub fn address_in(word: U256) -> Address {
    let mut address = Address::ZERO;
    address.0.copy_from_slice(&word.to_be_bytes::<32>()[12..]);
    address
}

/// The word that holds an address alone.
#[must_use]
pub fn word_of(who: Address) -> U256 {
    U256::from_be_slice(&who.0)
}

/// The whole transaction, as a span of events.
pub const ALWAYS: Range<u32> = 0..u32::MAX;

/// The events between the start and the end of a frame.
#[must_use]
pub fn span(frame: &Frame) -> Range<u32> {
    frame.start_seq()..frame.end_seq()
}

/// Whether a guarded account looked, within a span of events, at a word of its storage that named `who` before the
/// transaction: an owner, a pending owner, the maker of an order. Needs `subscribes(accesses)`.
#[must_use]
pub fn is_named(tx: &Tx, who: Address, span: &Range<u32>) -> bool {
    tx.accesses().any(|access| names_before(tx, &access, who, span))
}

/// Whether an access is one of a guarded account's to a word that named `who` before the transaction.
fn names_before(tx: &Tx, access: &Access, who: Address, span: &Range<u32>) -> bool {
    is_storage(access)
        && span.contains(&access.seq())
        && mentions(access.before(), who)
        && tx.is_guarded(access.address())
        && mentions(tx.storage(Fork::PreTx, access.address(), access.slot()), who)
}

/// Whether a guarded account looked, within a span of events, at an entry of a mapping whose key is `who`, and which
/// `counts` by its word before the transaction. Entries of mappings in that entry count as well. Needs
/// `subscribes(accesses, preimages)`.
#[must_use]
pub fn has_entry(tx: &Tx, who: Address, span: &Range<u32>, counts: impl Fn(U256) -> bool) -> bool {
    has_entry_where(tx, who, span, |account, slot| counts(tx.storage(Fork::PreTx, account, slot)))
}

fn has_entry_where(tx: &Tx, who: Address, span: &Range<u32>, counts: impl Fn(Address, U256) -> bool) -> bool {
    let (key, mut entries) = (word_of(who).to_be_bytes::<32>(), Vec::new());
    for preimage in tx.preimages() {
        let is_entry = preimage.key().0 == key || within(&entries, preimage.base());
        if is_entry && entries.len() < ENTRIES_MAX {
            entries.push(preimage.slot());
        }
    }
    !entries.is_empty()
        && tx.accesses().filter(is_storage).any(|access| {
            span.contains(&access.seq())
                && tx.is_guarded(access.address())
                && within(&entries, access.slot())
                && counts(access.address(), access.slot())
        })
}

/// Whether an entry of a guarded account for `who`, which it looked at within a span of events, fell in the transaction: what
/// it had kept for him was taken back. Counters of what somebody did only rise. Needs `subscribes(accesses, preimages)`.
#[must_use]
pub fn entry_fell(tx: &Tx, who: Address, span: &Range<u32>) -> bool {
    has_entry_where(tx, who, span, |account, slot| {
        tx.storage(Fork::PreTx, account, slot) > tx.storage(Fork::Now, account, slot)
    })
}

/// Whether a guarded account looked, within a span of events, at an array's word that named `who` before the transaction: a
/// list of signers. Needs `subscribes(accesses)`.
#[must_use]
pub fn is_listed(tx: &Tx, who: Address, span: &Range<u32>) -> bool {
    tx.accesses().any(|access| names_before(tx, &access, who, span) && is_of_array(access.slot()))
}

/// Whether a slot belongs to an array among an account's variables (`keccak256(slot of its length)` and what follows).
fn is_of_array(slot: U256) -> bool {
    slot.bit_len() > 64
        && (0..VARIABLES_MAX).any(|variable| {
            let base = U256::from_be_bytes(keccak256(&U256::from(variable).to_be_bytes::<32>()).0);
            slot.wrapping_sub(base) < U256::from(ARRAY_WORDS_MAX)
        })
}

fn within(entries: &[U256], slot: U256) -> bool {
    entries.iter().any(|entry| slot.wrapping_sub(*entry) < U256::from(ENTRY_WORDS_MAX))
}

fn is_storage(access: &Access) -> bool {
    matches!(access.kind(), Some(AccessKind::StorageRead | AccessKind::StorageWrite))
}

/// Whose signatures `asked` had recovered, in order, without the failures.
pub fn signers<'a>(tx: &'a Tx, asked: impl Fn(Address) -> bool + 'a) -> impl Iterator<Item = Address> + 'a {
    let recovered = tx.frames().filter(move |frame| frame.target() == ECRECOVER && asked(frame.caller()));
    recovered.filter_map(|frame| signer(tx, &frame))
}

/// Whom a frame of [`ECRECOVER`] recovered.
#[must_use]
pub fn signer(tx: &Tx, recovery: &Frame) -> Option<Address> {
    let output = tx.output(recovery);
    let word = output.first_chunk::<32>()?;
    Some(address_in(U256::from_be_bytes(*word))).filter(|signer| *signer != Address::ZERO)
}

/// Whether `asked` had a signature of `who` checked: its key's (ecrecover), or its contract's (EIP-1271).
#[must_use]
pub fn has_signed(tx: &Tx, who: Address, asked: impl Fn(Address) -> bool) -> bool {
    signers(tx, &asked).any(|signer| signer == who)
        || tx.frames().any(|frame| {
            frame.target() == who
                && frame.selector() == IS_VALID_SIGNATURE
                && frame.status() == Some(FrameStatus::Succeeded)
                && asked(frame.caller())
                && tx.output(&frame).starts_with(&IS_VALID_SIGNATURE.0)
        })
}

/// The frames at and around a frame by which the guarded accounts were entered from outside, the nearest first.
#[must_use]
pub fn entries_around(tx: &Tx, frame: &Frame) -> Vec<Frame> {
    let around = core::iter::once(frame.clone()).chain(tx.ancestors(frame));
    around.filter(|frame| tx.is_guarded(frame.target()) && !tx.is_guarded(frame.caller())).collect()
}

/// Whether a guarded account obeyed the caller of a frame: while the frame ran, it looked at a plain word of its storage, no
/// entry of a mapping or an array, that named the caller before the transaction, or at an entry for the caller that was true,
/// as roles are. Needs `subscribes(accesses, preimages)`.
#[must_use]
pub fn is_obeyed(tx: &Tx, frame: &Frame) -> bool {
    obeys(tx, frame.caller(), &span(frame))
}

/// As [`is_obeyed`], for anybody and any span of events.
#[must_use]
pub fn obeys(tx: &Tx, who: Address, span: &Range<u32>) -> bool {
    let mut named = tx.accesses().filter(|access| names_before(tx, access, who, span)).peekable();
    if named.peek().is_some() {
        let hashed: Vec<U256> = tx.preimages().map(|preimage| preimage.slot()).collect();
        if named.any(|access| !within(&hashed, access.slot()) && !is_of_array(access.slot())) {
            return true;
        }
    }
    has_entry(tx, who, span, |word| word == U256::from(1))
}

/// So many basis points of an amount; of little at least one unit, since nothing is no share.
#[must_use]
pub fn share(amount: U256, bps: u64) -> U256 {
    moved::share(amount, bps).max(U256::from(1))
}
