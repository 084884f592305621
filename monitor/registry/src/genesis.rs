//! The registry's account in the genesis of a chain.

use alloy_primitives::{Address, Bytes, U256};
use serde::Deserialize;

use crate::layout;

/// Nonce of the account, as of any created contract: the first data contract it makes takes this one.
pub const GENESIS_NONCE: u64 = 1;

/// Output of the Solidity compiler, committed: a build never needs the compiler.
const ARTEFACT: &str = include_str!("../artifacts/GuardRegistry.json");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Artefact {
    deployed_bytecode: Bytes,
}

/// Code and storage of the registry before anything happened; its nonce is [`GENESIS_NONCE`].
#[must_use]
pub fn genesis_account(guardian: Address, governance: Address) -> (Bytes, Vec<(U256, U256)>) {
    let artefact: Artefact = serde_json::from_str(ARTEFACT).expect("the artefact is committed, and a test reads it");
    let offices = [(layout::GUARDIAN, guardian), (layout::GOVERNANCE, governance)];
    (artefact.deployed_bytecode, offices.map(|(slot, account)| (slot, account.into_word().into())).to_vec())
}
