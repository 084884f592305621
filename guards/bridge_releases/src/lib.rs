//! Nothing leaves a bridge that nothing proves: each release shows evidence that the bridge itself checked, and each piece of
//! calldata releases once.
//!
//! Judged once, when the transaction has executed, for releases that really happened. What evidence says is the bridge's to
//! check; that there was any, and not a word that is zero for everybody, is checked here.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::prelude::*;
use standing::{entries_around, has_entry, right::is_backed, signers, span};

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
        let own = |who| has_entry(tx, who, &span(entry), |word| !word.is_zero());
        let trusted = self.allow_callers.contains(&entry.caller()) || is_backed(tx, entry.target(), entry);
        // Who takes back what the bridge keeps for him needs no proof, and may do so again and again.
        if trusted || own(entry.caller()) || own(release.to()) {
            return;
        }
        if !is_proven(tx, entry) {
            let (amount, token, to) = (release.amount(), release.token(), release.to());
            veto!(CODE_UNPROVEN, "{amount} of {token} released to {to}, and nothing that was checked proves it");
        }
        let used = keccak256(&[&entry.target().0[..], &tx.input(entry)].concat());
        if store::contains(&used.0) {
            veto!(CODE_REPLAYED, "{} released once before by this calldata", entry.target());
        }
        store::insert(&used.0);
    }
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
    let known = |signer| has_entry(tx, signer, &during, |word| !word.is_zero()) || standing::obeys(tx, signer, &during);
    if signers(tx, |asked| tx.is_guarded(asked)).any(known) {
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
