//! The contract's interface for those who call it, generated from `sdk/solidity/IGuardRegistry.sol`.

#![allow(missing_docs, reason = "generated; the Solidity file is the documentation")]

use alloy_sol_types::sol;

sol! {
    #![sol(all_derives)]
    "../../sdk/solidity/IGuardRegistry.sol"
}
