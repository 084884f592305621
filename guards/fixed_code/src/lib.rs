//! Code stays what it was: that of the guarded accounts, and that which they borrow by delegatecall, from the moment it was
//! first named to them. So neither a contract that is destroyed and made anew at its address (metamorphic), nor a
//! delegation that is exchanged (EIP-7702), runs in their name.
//!
//! Judged once, when the transaction has executed. The attachment remembers hashes of code; nothing else is asked for.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::prelude::*;

#[cfg(test)]
mod tests;

/// Veto: the code of a guarded account is not what it was when the guard first saw it.
pub const CODE_CHANGED: u16 = 1;
/// Veto: code that a guarded account borrows is not what it was when it was first named or borrowed.
pub const CODE_BORROWED: u16 = 2;

/// Hash of no code.
const EMPTY: B256 = B256::from_hex("0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
/// Addresses that one transaction may have remembered.
const NAMED_MAX: usize = 32;
/// Calldata of a frame is searched for addresses up to here, in bytes.
const SEARCHED_BYTES_MAX: usize = 4 + 64 * 32;

/// The code of guarded accounts, and code that they borrow, stays what it was.
#[guard(name = "fixed_code", triggers(frame, code))]
pub struct FixedCode {
    /// Hashes of code that may take the place of what was there.
    #[param(default = "[]")]
    allow_code: Vec<B256>,
}

#[guard]
impl Guard for FixedCode {
    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        for account in tx.accounts() {
            self.check_account(tx, account);
        }
        let (mut named, mut ran) = (Vec::new(), Vec::new());
        for frame in tx.frames().filter(|frame| tx.is_guarded(frame.target())) {
            if matches!(frame.kind(), Some(FrameKind::DelegateCall | FrameKind::CallCode)) {
                if !frame.is_precompile() && !ran.contains(&frame.code_address()) {
                    ran.push(frame.code_address());
                }
            } else if !tx.is_guarded(frame.caller()) && !frame.is_static() {
                addresses(&tx.input(&frame), &mut named);
            }
        }
        for code in &ran {
            self.check_borrowed(tx, *code);
            // An account that delegates is called by its own address, and runs another's code (EIP-7702).
            let delegating = delegation_to(*code);
            for account in named.iter().filter(|account| tx.code_hash(Fork::Now, **account) == delegating) {
                self.check_borrowed(tx, *account);
            }
        }
        // What is named to the contract today may run in its name tomorrow.
        for address in named.into_iter().filter(|address| !tx.is_guarded(*address)) {
            if store::get(&borrowed(address)).is_none() {
                store::set(&borrowed(address), seen(tx, address).as_code().word());
            }
        }
    }
}

impl FixedCode {
    fn check_account(&self, tx: &Tx, account: Address) {
        let key = [b"a", &account.0[..]].concat();
        let now = tx.code_hash(Fork::Now, account);
        let known = store::get(&key).unwrap_or_else(|| tx.code_hash(Fork::PreTx, account).word());
        let is_made = || {
            let made =
                |change: &CodeChange| change.address() == account && change.kind() == Some(CodeChangeKind::Create);
            known == EMPTY.word() && tx.code_changes().any(|change| made(&change))
        };
        let keep = if known.is_zero() || is_made() { now.word() } else { known };
        if !keep.is_zero() && store::get(&key) != Some(keep) {
            store::set(&key, keep);
        }
        self.check(account, keep, now, CODE_CHANGED);
    }

    fn check_borrowed(&self, tx: &Tx, address: Address) {
        let now = seen(tx, address);
        match store::get(&borrowed(address)) {
            Some(known) => self.check(address, known, now, CODE_BORROWED),
            None => store::set(&borrowed(address), now.word()),
        }
    }

    fn check(&self, account: Address, known: U256, now: B256, code: u16) {
        if now.word() != known && !self.allow_code.contains(&now) {
            let known = B256(known.to_be_bytes());
            veto!(code, "code of {account} is {now}, and was {known}");
        }
    }
}

/// The code that a transaction found, or brought: a contract may be made and destroyed in the one that names it.
fn seen(tx: &Tx, address: Address) -> B256 {
    let found = tx.code_hash(Fork::PreTx, address);
    if found.is_none_code() { tx.code_hash(Fork::Now, address) } else { found }
}

/// Hash of the code of an account that delegates to another.
fn delegation_to(code: Address) -> B256 {
    keccak256(&[&[0xef, 0x01, 0x00], &code.0[..]].concat())
}

fn borrowed(address: Address) -> Vec<u8> {
    [b"b", &address.0[..]].concat()
}

/// Words of calldata that can be addresses: nothing above them, and no small numbers.
fn addresses(input: &[u8], named: &mut Vec<Address>) {
    let searched = &input[input.len().min(4)..input.len().min(SEARCHED_BYTES_MAX)];
    for word in searched.as_chunks::<32>().0 {
        let (above, address) = word.split_at(12);
        let mut found = Address::ZERO;
        found.0.copy_from_slice(address);
        let is_address = above.iter().all(|byte| *byte == 0) && address[..8].iter().any(|byte| *byte != 0);
        if is_address && !named.contains(&found) && named.len() < NAMED_MAX {
            named.push(found);
        }
    }
}

trait CodeHash {
    /// No account has no code either.
    fn as_code(&self) -> Self;
    /// Whether there is none, or no account.
    fn is_none_code(&self) -> bool;
    fn word(&self) -> U256;
}

impl CodeHash for B256 {
    fn is_none_code(&self) -> bool {
        *self == EMPTY || *self == Self([0; 32])
    }

    fn as_code(&self) -> Self {
        if self.is_none_code() { EMPTY } else { *self }
    }

    fn word(&self) -> U256 {
        U256::from_be_bytes(self.0)
    }
}
