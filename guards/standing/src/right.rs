//! Who has a right over an account: what its storage, its answers and its signatures said before the transaction.

use parapet_guest::prelude::*;

use crate::{ALWAYS, address_in, has_entry, is_listed, is_obeyed, obeys, signers, span};

/// Where proxies keep their admin (ERC-1967).
pub const ADMIN_SLOT: B256 = B256::from_hex("0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103");

/// Signers who are looked up, in each call that asks for a right.
const SIGNERS_MAX: usize = 64;

/// Functions whose answer is an authority.
pub const GETTERS: [Bytes4; 24] = [
    Bytes4::from_hex("0x8da5cb5b"), // owner()
    Bytes4::from_hex("0x893d20e8"), // getOwner()
    Bytes4::from_hex("0xf851a440"), // admin()
    Bytes4::from_hex("0x6e9960c3"), // getAdmin()
    Bytes4::from_hex("0x5aa6e675"), // governance()
    Bytes4::from_hex("0x0c340a24"), // governor()
    Bytes4::from_hex("0x12d43a51"), // gov()
    Bytes4::from_hex("0x5c60da1b"), // implementation()
    Bytes4::from_hex("0xe30c3978"), // pendingOwner()
    Bytes4::from_hex("0x26782247"), // pendingAdmin()
    Bytes4::from_hex("0xf39c38a0"), // pendingGovernance()
    Bytes4::from_hex("0xe3056a34"), // pendingGovernor()
    Bytes4::from_hex("0x452a9320"), // guardian()
    Bytes4::from_hex("0xd33219b4"), // timelock()
    Bytes4::from_hex("0xf77c4791"), // controller()
    Bytes4::from_hex("0xbf7e214f"), // authority()
    Bytes4::from_hex("0x07546172"), // minter()
    Bytes4::from_hex("0x35d99f35"), // masterMinter()
    Bytes4::from_hex("0x570ca735"), // operator()
    Bytes4::from_hex("0x481c6a75"), // manager()
    Bytes4::from_hex("0xaced1661"), // keeper()
    Bytes4::from_hex("0x025313a2"), // proxyOwner()
    Bytes4::from_hex("0x6fde8202"), // upgradeabilityOwner()
    Bytes4::from_hex("0xce606ee0"), // contractOwner()
];

/// What an account answers to a function without arguments, as an address.
#[must_use]
pub fn answer(tx: &Tx, fork: Fork, account: Address, getter: Bytes4) -> Option<Address> {
    let answer = tx.view(fork, account, &getter.0);
    let word = U256::from_be_bytes(*answer.output.first_chunk::<32>()?);
    (answer.succeeded() && word.bit_len() <= 160).then(|| address_in(word))
}

/// Whether one of the frames that work on an account around a frame, it included, was called by who had a right over the
/// account, or the account had a signature checked of somebody who has. Needs `subscribes(accesses, preimages)`.
#[must_use]
pub fn is_backed(tx: &Tx, account: Address, frame: &Frame) -> bool {
    let own = own_around(tx, account, frame);
    own.iter().any(|frame| has_right(tx, account, frame)) || is_signed(tx, &own)
}

/// As [`is_backed`], by callers alone: a signature that proves something is not yet a right to have it twice.
#[must_use]
pub fn is_called_by_right(tx: &Tx, account: Address, frame: &Frame) -> bool {
    own_around(tx, account, frame).iter().any(|frame| has_right(tx, account, frame))
}

/// The frames at and around a frame that work on an account, the nearest first; of those with the same caller only the first,
/// because borrowed code repeats its caller.
#[must_use]
pub fn own_around(tx: &Tx, account: Address, frame: &Frame) -> Vec<Frame> {
    let around = core::iter::once(frame.clone()).chain(tx.ancestors(frame));
    let mut own: Vec<Frame> = around.filter(|frame| frame.target() == account).collect();
    own.dedup_by_key(|frame| frame.caller());
    own
}

/// Whether an account named the caller of a frame as an authority before the transaction.
fn has_right(tx: &Tx, account: Address, frame: &Frame) -> bool {
    let caller = frame.caller();
    if is_obeyed(tx, frame) {
        return true;
    }
    if caller == account {
        // It carries out what was decided before: something kept under a hash, such as a proposal.
        let is_hash = |preimage: &Preimage| preimage.key().0[..8] != [0; 8];
        let mut kept = tx.preimages().filter(is_hash).map(|preimage| preimage.slot());
        return kept.any(|slot| !tx.storage(Fork::PreTx, account, slot).is_zero());
    }
    address_in(tx.storage(Fork::PreTx, account, U256::from_be_bytes(ADMIN_SLOT.0))) == caller
        || GETTERS.into_iter().any(|getter| answer(tx, Fork::PreTx, account, getter) == Some(caller))
}

/// Whether the account had a signature checked of somebody whom it obeys, or holds an entry for.
fn is_signed(tx: &Tx, own: &[Frame]) -> bool {
    let Some(outermost) = own.last() else { return false };
    let during = span(outermost);
    // A relayer brings many messages of the same signers.
    let mut known: Vec<Address> = Vec::new();
    for signer in signers(tx, |asked| tx.is_guarded(asked)) {
        if !known.contains(&signer) && known.len() < SIGNERS_MAX {
            known.push(signer);
        }
    }
    known.into_iter().any(|signer| {
        obeys(tx, signer, &ALWAYS)
            || is_listed(tx, signer, &during)
            || has_entry(tx, signer, &during, |word| !word.is_zero())
    })
}
