//! The example's contracts: interfaces, and creation code from the committed artefacts.

use alloy_primitives::{Address, Bytes, hex};
use alloy_sol_types::{SolValue as _, sol};

use crate::error::DemoError;

sol! {
    /// See `examples/reentrancy/contracts/Vault.sol`.
    interface Vault {
        function deposit() external payable;
        function withdraw() external;
        function owner() external view returns (address);
        function balanceOf(address account) external view returns (uint256);
        error NothingToWithdraw(address account);
        error PaymentFailed(address account, uint256 amount);
    }

    /// See `examples/reentrancy/contracts/Attacker.sol`.
    interface Attacker {
        function attack() external payable;
        function attackQuietly() external payable;
    }
}

const VAULT: &str = include_str!("../../../examples/reentrancy/artifacts/Vault.json");
const ATTACKER: &str = include_str!("../../../examples/reentrancy/artifacts/Attacker.json");

/// Creation code of the vault.
pub(crate) fn vault_code() -> Result<Bytes, DemoError> {
    creation_code("Vault", VAULT)
}

/// Creation code of the attacker of a vault.
pub(crate) fn attacker_code(vault: Address) -> Result<Bytes, DemoError> {
    let code = creation_code("Attacker", ATTACKER)?;
    Ok([&code[..], &vault.abi_encode()].concat().into())
}

fn creation_code(name: &'static str, artifact: &str) -> Result<Bytes, DemoError> {
    let artifact: serde_json::Value = serde_json::from_str(artifact).map_err(|_| DemoError::Artifact(name))?;
    let code = artifact["bytecode"].as_str().ok_or(DemoError::Artifact(name))?;
    Ok(hex::decode(code).map_err(|_| DemoError::Artifact(name))?.into())
}
