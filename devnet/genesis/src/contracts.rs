//! Contracts that are there from the first block on.

use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_primitives::{Address, Bytes, U256, address, bytes, keccak256};
use parapet_types::{AccountChange, AccountInfo, Hardfork, REGISTRY, StateChanges};

/// The deterministic deployment proxy (github.com/Arachnid/deterministic-deployment-proxy): calldata is a salt and init
/// code, which it hands to CREATE2. Deployment scripts expect it on every chain.
pub const CREATE2_FACTORY: Address = address!("4e59b44847b379578588920ca78fbf26c0b4956c");
/// Its runtime code.
pub static CREATE2_FACTORY_CODE: Bytes = bytes!(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b"
    "8082525050506014600cf3"
);

/// Adds the contracts that a chain of this fork begins with.
pub(crate) fn deploy(changes: &mut StateChanges, hardfork: Hardfork, (guardian, governance): (Address, Address)) {
    let (registry_code, registry_storage) = parapet_registry::genesis_account(guardian, governance);
    put(changes, REGISTRY, registry_code, registry_storage);
    put(changes, CREATE2_FACTORY, CREATE2_FACTORY_CODE.clone(), Vec::new());
    for (fork, address, code) in system_contracts() {
        if hardfork >= fork {
            put(changes, address, code, Vec::new());
        }
    }
}

/// The contracts that the chain itself calls, with the fork that brought each.
fn system_contracts() -> [(Hardfork, Address, Bytes); 4] {
    [
        (Hardfork::Cancun, eip4788::BEACON_ROOTS_ADDRESS, eip4788::BEACON_ROOTS_CODE.clone()),
        (Hardfork::Prague, eip2935::HISTORY_STORAGE_ADDRESS, eip2935::HISTORY_STORAGE_CODE.clone()),
        (
            Hardfork::Prague,
            eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
            eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_CODE.clone(),
        ),
        (
            Hardfork::Prague,
            eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
            eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_CODE.clone(),
        ),
    ]
}

fn put(changes: &mut StateChanges, address: Address, code: Bytes, storage: Vec<(U256, U256)>) {
    let code_hash = keccak256(&code);
    // A contract's nonce begins at 1 (EIP-161).
    let info = AccountInfo { nonce: 1, balance: U256::ZERO, code_hash };
    changes.accounts.insert(
        address,
        AccountChange { info: Some(info), wipe_storage: false, storage: storage.into_iter().collect() },
    );
    changes.code.insert(code_hash, code);
}
