//! Who may mint: the token obeyed him, or says so, as the transaction found it, so nobody becomes entitled on the way; nor by
//! an entry that nobody with a right wrote.

use parapet_guest::prelude::*;

use crate::{TokenSupply, self_made::is_self_made};

/// The role of minters in contracts with roles: `keccak256("MINTER_ROLE")`.
const MINTER_ROLE: B256 = B256::from_hex("0x9f2df0fed2c77648de5860a4cc508cd0818c85b8b8a1ab4ceeef8d981c8956a6");

impl TokenSupply {
    /// Whether the transaction's sender, or somebody whose call led to this mint, may mint.
    pub(crate) fn is_entitled(&self, tx: &Tx, token: Address, mint: &Flow) -> bool {
        let Some(minting) = tx.frame(mint.frame()) else { return false };
        // Whoever entered the token, and so asked it to mint.
        let mut frame = minting;
        while frame.caller() == token
            && let Some(around) = tx.parent(&frame)
        {
            frame = around;
        }
        let caller = frame.caller();
        self.minters.contains(&caller)
            || !is_self_made(token, caller) && (standing::is_obeyed(tx, &frame) || may_mint(tx, token, caller))
    }
}

fn may_mint(tx: &Tx, token: Address, account: Address) -> bool {
    let is = |named: Option<Address>| named == Some(account);
    let fork = Fork::PreTx;
    is(view!(tx, fork, token, "owner()(address)"))
        || is(view!(tx, fork, token, "minter()(address)"))
        || is(view!(tx, fork, token, "admin()(address)"))
        || view!(tx, fork, token, "hasRole(bytes32,address)(bool)", MINTER_ROLE, account) == Some(true)
        || view!(tx, fork, token, "minters(address)(bool)", account) == Some(true)
        || view!(tx, fork, token, "isMinter(address)(bool)", account) == Some(true)
}
