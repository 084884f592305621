//! Code as the EVM runs it, for whoever executes one transaction at a time: analysing a contract takes longer than most calls
//! of it.

use std::sync::LazyLock;

use alloy_primitives::{B256, Bytes, keccak256, map::B256Map};
use parking_lot::RwLock;
use revm::state::Bytecode;

/// Most codes kept: some 30 MiB of them, were they all as long as code may be.
const CODES_MAX: usize = 1_024;

/// Found by content, so it cannot go stale, whatever chain asks.
static KNOWN: LazyLock<RwLock<B256Map<Bytecode>>> = LazyLock::new(RwLock::default);

/// Code that is known.
pub(crate) fn known(code_hash: B256) -> Option<Bytecode> {
    KNOWN.read().get(&code_hash).cloned()
}

/// Analyses code. It is known from then on, if it has the hash by which it was asked for.
pub(crate) fn analyse(code_hash: B256, bytes: Bytes) -> Bytecode {
    let is_content = keccak256(&bytes) == code_hash;
    let code = Bytecode::new_raw_checked(bytes.clone()).unwrap_or_else(|_| Bytecode::new_legacy(bytes));
    if is_content {
        let mut known = KNOWN.write();
        if known.len() >= CODES_MAX {
            known.clear();
        }
        known.insert(code_hash, code.clone());
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_known_by_its_content_alone() {
        let code = Bytes::from_static(&[0x5b, 0x60, 0x5b, 0x00]);
        let hash = keccak256(&code);
        assert_eq!(analyse(hash, code.clone()), Bytecode::new_legacy(code.clone()));
        assert_eq!(known(hash), Some(Bytecode::new_legacy(code.clone())));
        let other = B256::repeat_byte(1);
        assert_eq!(analyse(other, code.clone()), Bytecode::new_legacy(code));
        assert_eq!(known(other), None);
    }
}
