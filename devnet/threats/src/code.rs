//! Contracts, assembled by hand.

use alloy_primitives::{Address, U256};

/// `STOP`
pub const STOP: [u8; 1] = [0x00];
/// `POP`
pub const POP: [u8; 1] = [0x50];
/// Reverts without data.
pub const REVERT: [u8; 3] = [0x5f, 0x5f, 0xfd];

/// How another account is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// CALL
    Call,
    /// CALLCODE
    CallCode,
    /// DELEGATECALL
    DelegateCall,
    /// STATICCALL
    StaticCall,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Call, Self::CallCode, Self::DelegateCall, Self::StaticCall];
}

/// Pieces one behind the other.
#[must_use]
pub fn join(pieces: &[&[u8]]) -> Vec<u8> {
    pieces.concat()
}

/// Calls with all gas, without value, input or output, and leaves whether it succeeded on the stack.
#[must_use]
pub fn call(kind: Kind, to: Address) -> Vec<u8> {
    let (zeros, opcode) = match kind {
        Kind::Call => (5, 0xf1),
        Kind::CallCode => (5, 0xf2),
        Kind::DelegateCall => (4, 0xf4),
        Kind::StaticCall => (4, 0xfa),
    };
    let mut code = vec![0x5f; zeros];
    code.push(0x73);
    code.extend(to);
    code.extend([0x5a, opcode]);
    code
}

/// Sends wei with all gas, and leaves whether it succeeded on the stack.
#[must_use]
pub fn pay(to: Address, wei: u64) -> Vec<u8> {
    let mut code = vec![0x5f, 0x5f, 0x5f, 0x5f, 0x67];
    code.extend(wei.to_be_bytes());
    code.push(0x73);
    code.extend(to);
    code.extend([0x5a, 0xf1]);
    code
}

/// `SSTORE`
#[must_use]
pub fn store(slot: u8, value: u8) -> Vec<u8> {
    vec![0x60, value, 0x60, slot, 0x55]
}

/// `TSTORE` (EIP-1153)
#[must_use]
pub fn store_transient(slot: u8, value: u8) -> Vec<u8> {
    vec![0x60, value, 0x60, slot, 0x5d]
}

/// `SELFDESTRUCT`
#[must_use]
pub fn destroy(heir: Address) -> Vec<u8> {
    join(&[&[0x73], heir.as_slice(), &[0xff]])
}

/// Code of an account that delegates to another (EIP-7702).
#[must_use]
pub fn delegated_to(delegate: Address) -> Vec<u8> {
    join(&[&[0xef, 0x01, 0x00], delegate.as_slice()])
}

/// Calls an account with the calldata that it was called with, and leaves whether that succeeded on the stack.
#[must_use]
pub fn hand_on(to: Address) -> Vec<u8> {
    // CALLDATASIZE, PUSH0, PUSH0, CALLDATACOPY; then PUSH0, PUSH0, CALLDATASIZE, PUSH0, PUSH0 for CALL.
    let mut code = vec![0x36, 0x5f, 0x5f, 0x37, 0x5f, 0x5f, 0x36, 0x5f, 0x5f, 0x73];
    code.extend(to);
    code.extend([0x5a, 0xf1]);
    code
}

/// Reverts if what is on the stack is zero; takes it away if not. `at` is where this stands in the code.
#[must_use]
pub fn require(at: usize) -> Vec<u8> {
    // PUSH2 over, JUMPI, PUSH0, PUSH0, REVERT, JUMPDEST.
    let over = u16::try_from(at + 7).expect("contracts of tests are short").to_be_bytes();
    vec![0x61, over[0], over[1], 0x57, 0x5f, 0x5f, 0xfd, 0x5b]
}

/// Answers every call with an address, as `owner()` does.
#[must_use]
pub fn owned_by(owner: Address) -> Vec<u8> {
    let mut code = vec![0x73];
    code.extend(owner);
    code.extend([0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]);
    code
}

/// Runs a body so many times, then goes on. The body leaves the stack as it found it.
#[must_use]
pub fn repeat(times: u16, body: &[u8]) -> Vec<u8> {
    // PUSH2 times, JUMPDEST (at 3), body, PUSH1 1, SWAP1, SUB, DUP1, PUSH1 3, JUMPI, POP. It must stand first.
    let mut code = vec![0x61];
    code.extend(times.to_be_bytes());
    code.push(0x5b);
    code.extend(body);
    code.extend([0x60, 1, 0x90, 0x03, 0x80, 0x60, 3, 0x57, 0x50]);
    code
}

/// Creates a contract from init code of at most 32 bytes by CREATE, or by CREATE2 with a salt, and leaves its address on
/// the stack.
///
/// # Panics
/// Panics when the init code is longer.
#[must_use]
pub fn create(init_code: &[u8], salt: Option<u8>) -> Vec<u8> {
    let length = u8::try_from(init_code.len()).expect("short");
    assert!(length <= 32, "at most a word");
    let mut word = [0; 32];
    word[..init_code.len()].copy_from_slice(init_code);
    let mut code = vec![0x7f];
    code.extend(word);
    // PUSH0, MSTORE
    code.extend([0x5f, 0x52]);
    match salt {
        None => code.extend([0x60, length, 0x5f, 0x5f, 0xf0]),
        Some(salt) => code.extend([0x60, salt, 0x60, length, 0x5f, 0x5f, 0xf5]),
    }
    code
}

/// A slot by its number.
#[must_use]
pub fn slot(number: u64) -> U256 {
    U256::from(number)
}
