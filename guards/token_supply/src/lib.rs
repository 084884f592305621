//! Tokens come into being by those who may mint them, and only as their supply and their events say.
//!
//! Each guarded account that has a `totalSupply()` is judged after execution, by three conditions: what appeared was
//! minted by somebody entitled, or paid for in the same transaction; supply and balances changed as the transfers say;
//! and nobody, entitled or not, multiplied the supply at once.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::{moved, prelude::*};

mod entitled;
mod self_made;
#[cfg(test)]
mod tests;

/// Veto: more was minted by nobody entitled, and for nothing, than `stray_bps` of the supply.
pub const CODE_UNAUTHORISED: u16 = 1;
/// Veto: somebody entitled minted more than `mint_bps` of the supply in one transaction.
pub const CODE_TOO_MUCH: u16 = 2;
/// Veto: an account holds more than transfers to it account for.
pub const CODE_UNEXPLAINED_BALANCE: u16 = 3;
/// Veto: the supply grew by more than was transferred from the zero address.
pub const CODE_UNEXPLAINED_SUPPLY: u16 = 4;

/// Most accounts whose balances are compared with transfers, for each token.
pub const HOLDERS_MAX: usize = 32;

/// Tokens are minted by those who may, and balances move by transfers alone.
#[guard(name = "token_supply", triggers(frame, flow), subscribes(flows, accesses, preimages))]
pub struct TokenSupply {
    /// Accounts that may mint, beside the token's owner, its minters, whom it obeys, and whoever pays in the same transaction.
    #[param(default = "[]")]
    minters: Vec<Address>,
    /// Most that somebody entitled may mint in one transaction, in basis points of the supply before.
    #[param(default = "10000")]
    mint_bps: u64,
    /// Most that may appear otherwise, in the same measure: interest, fees, rebases.
    #[param(default = "100")]
    stray_bps: u64,
}

#[guard]
impl Guard for TokenSupply {
    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        self.note_self_made(tx);
        for token in tx.accounts() {
            let supply = |fork| view!(tx, fork, token, "totalSupply()(uint256)");
            // What did not exist, or of which there was nothing, is handed out for the first time.
            if let (Some(before), Some(after)) = (supply(Fork::PreTx), supply(Fork::Now))
                && !before.is_zero()
            {
                self.judge(tx, token, before, after);
            }
        }
    }
}

impl TokenSupply {
    fn judge(&self, tx: &Tx, token: Address, before: U256, after: U256) {
        let transfers: Vec<Flow> = tx.flows().filter(|flow| is_of(flow, token)).collect();
        let is_mint = |flow: &&Flow| flow.from() == Address::ZERO;
        let sum = |sum: U256, flow: &Flow| sum.saturating_add(flow.amount());
        let minted = transfers.iter().filter(is_mint).fold(U256::ZERO, sum);
        let burned = transfers.iter().filter(|flow| flow.to() == Address::ZERO).fold(U256::ZERO, sum);
        let created = minted.saturating_sub(burned);
        let grown = after.saturating_sub(before);
        let unexplained = grown.saturating_sub(created);
        if moved::exceeds_bps(unexplained, before, self.stray_bps) {
            veto!(
                CODE_UNEXPLAINED_SUPPLY,
                "the supply of {token} grew by {grown}, of which {unexplained} was not minted"
            );
        }
        self.judge_holders(tx, token, &transfers, before);
        if !moved::exceeds_bps(created, before, self.stray_bps) {
            return;
        }
        if moved::exceeds_bps(created, before, self.mint_bps) && !is_paid(tx, token) {
            veto!(CODE_TOO_MUCH, "{created} of {token} were minted where there were {before}, at once and for nothing");
        }
        let strays = transfers.iter().filter(is_mint).filter(|flow| !self.is_entitled(tx, token, flow));
        let stray = strays.fold(U256::ZERO, sum).saturating_sub(burned);
        if moved::exceeds_bps(stray, before, self.stray_bps) && !is_paid(tx, token) {
            veto!(CODE_UNAUTHORISED, "{stray} of {token} were minted by nobody entitled, and not paid for");
        }
    }

    /// Compares balances of all parties with transfers.
    fn judge_holders(&self, tx: &Tx, token: Address, transfers: &[Flow], supply: U256) {
        for holder in holders(tx, transfers) {
            let before = moved::balance(tx, Fork::PreTx, token, holder);
            let after = moved::balance(tx, Fork::Now, token, holder);
            let mut due = before;
            // In order and saturating at nothing, as the token itself must have it.
            for transfer in transfers.iter().filter(|transfer| transfer.to() == holder) {
                due = due.saturating_add(transfer.amount());
            }
            for transfer in transfers.iter().filter(|transfer| transfer.from() == holder) {
                due = due.saturating_sub(transfer.amount());
            }
            let unexplained = after.saturating_sub(due);
            if moved::exceeds_bps(unexplained, supply, self.stray_bps) {
                veto!(
                    CODE_UNEXPLAINED_BALANCE,
                    "{holder} has {unexplained} of {token} more than was transferred to it"
                );
            }
        }
    }
}

fn is_of(flow: &Flow, token: Address) -> bool {
    flow.asset() == Some(Asset::Erc20) && flow.token() == token
}

/// Who took part: parties of the transfers, the sender, and whoever was called, but for the zero address.
fn holders(tx: &Tx, transfers: &[Flow]) -> Vec<Address> {
    let mut holders = Vec::new();
    let parties = transfers.iter().flat_map(|flow| [flow.to(), flow.from()]);
    let called = tx.frames().filter(|frame| !frame.is_static()).map(|frame| frame.caller());
    for party in [tx.context().sender()].into_iter().chain(parties).chain(called) {
        if party != Address::ZERO && !holders.contains(&party) && holders.len() < HOLDERS_MAX {
            holders.push(party);
        }
    }
    holders
}

/// Whether something else came into the group that did not leave it again: a deposit, for which a vault gives shares.
fn is_paid(tx: &Tx, token: Address) -> bool {
    moved::by_asset(tx).iter().any(|asset| asset.token != token && !asset.net_in().is_zero())
}
