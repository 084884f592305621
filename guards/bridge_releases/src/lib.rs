//! Nothing leaves a bridge that nothing proves: each release shows evidence that the bridge itself checked, and each piece of
//! calldata, and each signature, releases once.
//!
//! Judged once, when the transaction has executed, for releases that really happened. What evidence says is the bridge's to
//! check; that there was any, and not a word that is zero for everybody, is checked here.

#![cfg_attr(target_arch = "wasm32", no_std)]

use core::ops::Range;

use parapet_guest::prelude::*;
use standing::{ECRECOVER, entries_around, entry_fell, has_entry, is_listed, right::is_called_by_right, signer, span};

#[cfg(test)]
mod tests;

/// Veto: something left, and the bridge had checked nothing that proves it.
pub const CODE_UNPROVEN: u16 = 1;
/// Veto: something left by calldata that released something before.
pub const CODE_REPLAYED: u16 = 2;

/// Nothing leaves a bridge that nothing proves, and nothing twice.
#[guard(name = "bridge_releases", triggers(flow(direction = out)), subscribes(flows, accesses, preimages))]
pub struct BridgeReleases {
    /// Callers whose word is proof enough, such as another chain's messenger.
    #[param(default = "[]")]
    allow_callers: Vec<Address>,
}

#[guard]
impl Guard for BridgeReleases {
    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        let mut judged = Vec::new();
        let releases = tx.flows().filter(|flow| {
            tx.is_guarded(flow.from()) && !tx.is_guarded(flow.to()) && flow.reason() != Some(FlowReason::Fee)
        });
        for release in releases {
            let Some(entry) = entry_of(tx, &release) else { continue };
            if judged.contains(&entry.id()) {
                continue;
            }
            judged.push(entry.id());
            self.check(tx, &release, &entry);
        }
    }
}

impl BridgeReleases {
    fn check(&self, tx: &Tx, release: &Flow, entry: &Frame) {
        let is_proven = is_proven(tx, entry);
        let proofs = proofs(tx, release, entry);
        if is_proven && !proofs.iter().any(|proof| store::contains(&proof.0)) {
            proofs.iter().for_each(|proof| store::insert(&proof.0));
            return;
        }
        // Who takes back what the bridge keeps for him needs no proof, and may do so again and again.
        let own = |who| entry_fell(tx, who, &span(entry));
        if own(entry.caller())
            || own(release.to())
            || self.allow_callers.contains(&entry.caller())
            || is_called_by_right(tx, entry.target(), entry)
        {
            return;
        }
        if is_proven {
            veto!(CODE_REPLAYED, "{} released once before by this calldata, or this signature", entry.target());
        }
        let (amount, token, to) = (release.amount(), release.token(), release.to());
        veto!(CODE_UNPROVEN, "{amount} of {token} released to {to}, and nothing that was checked proves it");
    }
}

/// What must not release twice: the calldata, and each signed digest with what it released to whom.
fn proofs(tx: &Tx, release: &Flow, entry: &Frame) -> Vec<B256> {
    let bridge = &entry.target().0[..];
    let mut proofs = [keccak256(&[bridge, &tx.input(entry)].concat())].to_vec();
    let what = [&release.to().0[..], &release.token().0, &release.amount().to_be_bytes::<32>()].concat();
    let during = span(entry);
    let checks = tx.frames().filter(|frame| {
        frame.target() == ECRECOVER && during.contains(&frame.start_seq()) && tx.is_guarded(frame.caller())
    });
    for check in checks {
        if let Some(digest) = tx.input(&check).first_chunk::<32>() {
            let proof = keccak256(&[bridge, digest, &what].concat());
            if !proofs.contains(&proof) {
                proofs.push(proof);
            }
        }
    }
    proofs
}

/// Whose signatures guarded accounts had recovered within a span of events.
fn signers_within<'a>(tx: &'a Tx, during: &'a Range<u32>) -> impl Iterator<Item = Address> + 'a {
    let within = move |frame: &Frame| during.contains(&frame.start_seq()) && tx.is_guarded(frame.caller());
    tx.frames().filter(move |frame| frame.target() == ECRECOVER && within(frame)).filter_map(|frame| signer(tx, &frame))
}

/// The outermost frame by which a release was asked for.
fn entry_of(tx: &Tx, release: &Flow) -> Option<Frame> {
    let frame = tx.frame(release.frame())?;
    entries_around(tx, &frame).pop()
}

/// Whether the bridge checked something before the release: a signature of somebody it knows, something that it kept under
/// a hash, or a path of hashes that ends in a word it kept.
fn is_proven(tx: &Tx, entry: &Frame) -> bool {
    let during = span(entry);
    let known = |signer| {
        has_entry(tx, signer, &during, |word| !word.is_zero())
            || is_listed(tx, signer, &during)
            || standing::obeys(tx, signer, &during)
    };
    if signers_within(tx, &during).any(known) {
        return true;
    }
    let looked = tx.accesses().filter(|access| {
        access.kind() == Some(AccessKind::StorageRead)
            && during.contains(&access.seq())
            && tx.is_guarded(access.address())
    });
    let kept: Vec<(U256, U256)> = looked
        .map(|access| (access.slot(), tx.storage(Fork::PreTx, access.address(), access.slot())))
        .filter(|(_, word)| !word.is_zero())
        .collect();
    tx.preimages().filter(|preimage| during.contains(&preimage.seq())).any(|preimage| {
        // Keys that are addresses or small numbers prove nothing, and zero least of all.
        let is_hash = preimage.key().0[..8] != [0; 8];
        kept.iter().any(|(slot, word)| *word == preimage.slot() || (is_hash && *slot == preimage.slot()))
    })
}
