//! Where authority shows: in slots, in answers, and in events of well-known contracts.

use parapet_guest::prelude::*;
use standing::right::ADMIN_SLOT;

/// Slots that decide over an account wherever they are used.
pub(crate) const SLOTS: [B256; 10] = [
    // Admin, implementation and beacon (ERC-1967), implementation (ERC-1822).
    ADMIN_SLOT,
    B256::from_hex("0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"),
    B256::from_hex("0xa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50"),
    B256::from_hex("0xc5f16f0fcc639fa48a6947836d9850f504798523bf8c9a3a87d5876cf622bcf7"),
    // Implementation and admin of older OpenZeppelin proxies.
    B256::from_hex("0x7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3"),
    B256::from_hex("0x10d6a54a4754c8869d6886b5f5d7fbfa5b4522237ea5c60d11bc4e7a1ff9390b"),
    // Owner and version of OpenZeppelin's upgradeable contracts (ERC-7201).
    B256::from_hex("0x9016d09d72d40fdae2fd8ceac6b6234c7706214fd39c1cd1e609a0528c199300"),
    B256::from_hex("0xf0c57e16840df040f15088dc2f81fe391c3923bec73e23a9662efc9c229c6a00"),
    // Fallback handler and guard of a Safe.
    B256::from_hex("0x6c9a6c4a39284e37ed1cf53d337577d14212a4870fb976a4366c693b939918d5"),
    B256::from_hex("0x4a204f620c8c5ccdca3fd54d003badd85ba500436a431f0cbda4f558c93c34c8"),
];

/// Events that say that authority changed.
pub(crate) const EVENTS: [B256; 14] = [
    B256::from_hex("0x2f8788117e7eff1d82e926ec794901d17c78024a50270940304540a733656f0d"), // RoleGranted(bytes32,address,address)
    B256::from_hex("0xf6391f5c32d9c69d2a47ea670b442974b53935d1edc7fd64eb21e047a839171b"), // RoleRevoked(bytes32,address,address)
    B256::from_hex("0xbd79b86ffe0ab8e8776151514217cd7cacd52c909f66475c3af44e129f0b00ff"), // RoleAdminChanged(bytes32,bytes32,bytes32)
    B256::from_hex("0x8be0079c531659141344cd1fd0a4f28419497f9722a3daafe3b4186f6b6457e0"), // OwnershipTransferred(address,address)
    B256::from_hex("0x38d16b8cac22d99fc7c124b9cd0de2d3fa1faef420bfe791d8c362d765e22700"), // OwnershipTransferStarted(address,address)
    B256::from_hex("0xbc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b"), // Upgraded(address)
    B256::from_hex("0x7e644d79422f17c01e4894b5f4f588d331ebfa28653d42ae832dc59e38c9798f"), // AdminChanged(address,address)
    B256::from_hex("0x1cf3b03a6cf19fa2baba4df148e9dcabedea7f8a5c07840e207e5c089be95d3e"), // BeaconUpgraded(address)
    B256::from_hex("0x7f26b83ff96e1f2b6a682f133852f6798a09c465da95921460cefb3847402498"), // Initialized(uint8)
    B256::from_hex("0xc7f505b2f371ae2175ee4913f4499e1f2633a7b5936321eed1cdaeb6115181d2"), // Initialized(uint64)
    B256::from_hex("0x9465fa0c962cc76958e6373a993326400c1c94f8be2fe3a952adfa7f60b2ea26"), // AddedOwner(address)
    B256::from_hex("0xf8d49fc529812e9a7c5c50e69c20f0dccc0db8fa95c98bc58cc9a4f1c1299eaf"), // RemovedOwner(address)
    B256::from_hex("0x610f7ff2b304ae8903c3de74c60c6ab1f7d6226b3f52c5161905bb5ad4039c93"), // ChangedThreshold(uint256)
    B256::from_hex("0xecdf3a3effea5783a3c4c2140e677577666428d44ed9d474a0b3a4c9943f8440"), // EnabledModule(address)
];
