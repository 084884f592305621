//! What others approved a guarded account to spend, it spends for them alone: nobody makes it take from a third party.
//!
//! Judged once, when the transaction has executed, by the token flows that really happened, so it does not matter how the
//! call was chosen: bytes handed through, decoded parameters, or a callback from a pool that is none.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::prelude::*;
use standing::{ALWAYS, entries_around, has_entry, has_signed, is_named, is_obeyed};

#[cfg(test)]
mod tests;

/// Veto: a guarded account spent the approval of somebody who had no part in the transaction.
pub const CODE_SPENT: u16 = 1;

/// Topic of `Approval(address,address,uint256)`, and of `ApprovalForAll(address,address,bool)`.
const APPROVALS: [B256; 2] = [
    B256::from_hex("0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925"),
    B256::from_hex("0x17307eab39ab6107e8899845ad3d59bd9653f200f220920489ca2b5937696c31"),
];

/// Functions that only act with an approval of whose tokens they move.
const SPENDING: [Bytes4; 9] = [
    Bytes4::from_hex("0x23b872dd"), // transferFrom(address,address,uint256)
    Bytes4::from_hex("0x42842e0e"), // safeTransferFrom(address,address,uint256)
    Bytes4::from_hex("0xb88d4fde"), // safeTransferFrom(address,address,uint256,bytes)
    Bytes4::from_hex("0xf242432a"), // safeTransferFrom(address,address,uint256,uint256,bytes)
    Bytes4::from_hex("0x2eb2c2d6"), // safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)
    Bytes4::from_hex("0x79cc6790"), // burnFrom(address,uint256)
    Bytes4::from_hex("0x62ad1b83"), // operatorSend(address,address,uint256,bytes,bytes)
    Bytes4::from_hex("0xfc673c4f"), // operatorBurn(address,uint256,bytes,bytes)
    Bytes4::from_hex("0x6d780459"), // transferSharesFrom(address,address,uint256)
];

/// Functions by which a signature approves.
const PERMITS: [Bytes4; 2] = [
    Bytes4::from_hex("0xd505accf"), // permit(address,address,uint256,uint256,uint8,bytes32,bytes32)
    Bytes4::from_hex("0x8fcbaf0c"), // permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)
];

/// What others approved a guarded account to spend is spent for them alone.
#[guard(name = "foreign_approvals", triggers(frame), subscribes(flows, accesses, preimages))]
pub struct ForeignApprovals {
    /// Contracts that hold approvals for guarded accounts and act at their word; Permit2 by default.
    #[param(default = "[0x000000000022d473030f116ddee9f6b43ac78ba3]")]
    agents: Vec<Address>,
    /// Callers that may have anybody's approval spent, such as keepers of subscriptions.
    #[param(default = "[]")]
    allow_callers: Vec<Address>,
}

#[guard]
impl Guard for ForeignApprovals {
    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        let mut cleared = Vec::new();
        for flow in tx.flows().filter(|flow| flow.asset() != Some(Asset::Ether)) {
            let owner = flow.from();
            if owner == Address::ZERO || tx.is_guarded(owner) || cleared.contains(&owner) {
                continue;
            }
            let Some(spending) = self.spending(tx, &flow) else { continue };
            if self.may_spend(tx, &flow, &spending) {
                cleared.push(owner);
            } else {
                let (token, amount, to) = (flow.token(), flow.amount(), flow.to());
                veto!(CODE_SPENT, "{amount} of {token} taken from {owner} for {to}, who had no part in it");
            }
        }
    }
}

impl ForeignApprovals {
    /// The token's frame in which a guarded account, or an agent at its word, spends an approval.
    fn spending(&self, tx: &Tx, flow: &Flow) -> Option<Frame> {
        let mut frame = tx.frame(flow.frame())?;
        // A token's proxy runs its logic in a frame of the same account.
        while let Some(outer) = tx.parent(&frame).filter(|outer| outer.target() == frame.target()) {
            frame = outer;
        }
        if !SPENDING.contains(&frame.selector()) || frame.target() != flow.token() {
            return None;
        }
        let spender = frame.caller();
        let at_its_word = |frame: &Frame| {
            self.agents.contains(&spender)
                && tx
                    .ancestors(frame)
                    .find(|outer| outer.target() != spender)
                    .is_some_and(|o| tx.is_guarded(o.target()))
        };
        (tx.is_guarded(spender) || at_its_word(&frame)).then_some(frame)
    }

    fn may_spend(&self, tx: &Tx, flow: &Flow, spending: &Frame) -> bool {
        let owner = flow.from();
        let entries = entries_around(tx, spending);
        tx.context().sender() == owner
            || tx.ancestors(spending).any(|frame| frame.target() == owner || frame.caller() == owner)
            || entries.iter().any(|entry| self.allow_callers.contains(&entry.caller()))
            || has_approved(tx, flow)
            || has_signed(tx, owner, |asked| tx.is_guarded(asked) || self.agents.contains(&asked))
            // An order or a subscription that the contract has kept since before.
            || is_named(tx, owner, &ALWAYS)
            || has_entry(tx, owner, &ALWAYS, |word| !word.is_zero())
            || entries.iter().any(|entry| is_obeyed(tx, entry))
    }
}

/// Whether the owner approved in this very transaction, by a call or by a signature that the token took. That a token logs
/// what is left of an approval as it is spent says nothing.
fn has_approved(tx: &Tx, flow: &Flow) -> bool {
    let owner = standing::word_of(flow.from()).to_be_bytes::<32>();
    tx.logs().any(|log| {
        log.seq() < flow.seq()
            && log.address() == flow.token()
            && log.topic(0).is_some_and(|topic| APPROVALS.contains(&topic))
            && log.topic(1) == Some(B256(owner))
            && tx
                .frame(log.frame())
                .is_some_and(|frame| frame.caller() == flow.from() || PERMITS.contains(&frame.selector()))
    })
}
