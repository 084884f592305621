//! Where the contract's storage keeps what, as Solidity lays it out. The table is in `contracts/RegistryStorage.sol`; a
//! test compares these constants with the compiler's own account of them in the artefact.

use alloy_primitives::{Address, B256, U256, keccak256};

/// `bytes32 head`.
pub const HEAD: U256 = U256::ZERO;
/// `address guardian`.
pub const GUARDIAN: U256 = slot(1);
/// `bytes32[] attachmentIds`.
pub const ATTACHMENT_IDS: U256 = slot(2);
/// `mapping(bytes32 => Attachment)`.
pub const ATTACHMENTS: U256 = slot(3);
/// `mapping(address => bytes32[])`.
pub const IDS_BY_ACCOUNT: U256 = slot(4);
/// `bytes32[] moduleHashes`.
pub const MODULE_HASHES: U256 = slot(5);
/// `mapping(bytes32 => Module)`.
pub const MODULES: U256 = slot(6);
/// `mapping(bytes32 => uint256)`: one plus an attachment's index in [`ATTACHMENT_IDS`]. Only the contract reads it.
pub const ATTACHMENT_POSITIONS: U256 = slot(9);
/// `address governance`.
pub const GOVERNANCE: U256 = slot(10);
/// `address proposedGuardian`. Only the contract reads this and what follows.
pub const PROPOSED_GUARDIAN: U256 = slot(11);
/// `address proposedGovernance`.
pub const PROPOSED_GOVERNANCE: U256 = slot(12);
/// `Minimum`: the chain's least delay.
pub const MINIMUM: U256 = slot(13);
/// `mapping(address => address)`: in whose hands accounts were when that was last confirmed.
pub const CONFIRMED_AUTHORITY: U256 = slot(14);
/// `mapping(address => address)`: who proved to have created an account.
pub const DEPLOYERS: U256 = slot(15);
/// `bytes32[] changeKeys`, of changes that wait.
pub const CHANGE_KEYS: U256 = slot(16);
/// `mapping(bytes32 => Change)`.
pub const CHANGES: U256 = slot(17);

/// Fields of `Attachment`, from its first slot.
pub mod attachment {
    use alloy_primitives::U256;

    /// `bytes32 module`.
    pub const MODULE: U256 = U256::ZERO;
    /// `address manager`, `uint8 mode`, `bool paused`, `bool demoted`, `uint32 delay`, `uint32 revision`.
    pub const STANDING: U256 = super::slot(1);
    /// `Terms terms`: `uint8 failure`, `uint32 priority`, `uint64 fuelMax`, `uint16 demotionShare`, `uint32 triggers`.
    pub const TERMS: U256 = super::slot(2);
    /// `bytes4[] terms.escapes`, eight to a word.
    pub const ESCAPES: U256 = super::slot(3);
    /// `address proposedManager`, `uint64 attachedAt`.
    pub const ORIGIN: U256 = super::slot(4);
    /// `address[] accounts`.
    pub const ACCOUNTS: U256 = super::slot(5);
    /// `bytes configuration`.
    pub const CONFIGURATION: U256 = super::slot(6);
}

/// Fields of `Module`, from its first slot.
pub mod module {
    use alloy_primitives::U256;

    /// `address uploader`, `uint32 size`, `uint64 registeredAt`.
    pub const ORIGIN: U256 = U256::ZERO;
    /// `address[] chunks`.
    pub const CHUNKS: U256 = super::slot(1);
}

/// Elements of a `bytes4[]` in one word.
pub const SELECTORS_PER_WORD: u64 = 8;

const fn slot(number: u64) -> U256 {
    U256::from_limbs([number, 0, 0, 0])
}

/// First slot of a mapping's value.
#[must_use]
pub fn value_of(mapping: U256, key: B256) -> U256 {
    let mut preimage = [0; 64];
    preimage[..32].copy_from_slice(key.as_slice());
    preimage[32..].copy_from_slice(&mapping.to_be_bytes::<32>());
    keccak256(preimage).into()
}

/// Slot of an element of a dynamic array (or of 32 bytes of a long `bytes`) whose length is at `array`.
#[must_use]
pub fn element_of(array: U256, index: u64) -> U256 {
    let start: U256 = keccak256(array.to_be_bytes::<32>()).into();
    start.wrapping_add(U256::from(index))
}

/// An address as a mapping's key.
#[must_use]
pub fn key(address: Address) -> B256 {
    address.into_word()
}

/// Takes `bits` bits of a packed slot, counted from its low-order end.
#[must_use]
pub fn unpack(word: U256, offset: usize, bits: usize) -> u64 {
    debug_assert!(bits <= 64, "packed integers have at most 64 bits");
    let mask = U256::from(u64::MAX >> (64 - bits));
    u64::try_from((word >> offset) & mask).expect("masked to 64 bits")
}

/// Takes a packed `uint32`, which begins so many bits from the low-order end.
#[must_use]
pub fn unpack_u32(word: U256, offset: usize) -> u32 {
    u32::try_from(unpack(word, offset, 32)).expect("unpacked from 32 bits")
}

/// The address in the low-order 160 bits of a slot.
#[must_use]
pub fn unpack_address(word: U256) -> Address {
    Address::from_word(word.into())
}
