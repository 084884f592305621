//! Code as the EVM runs it, for whoever executes one transaction at a time: analysing a contract takes longer than most calls
//! of it.

use std::sync::LazyLock;

use alloy_primitives::{B256, Bytes, map::B256Map};
use parking_lot::RwLock;
use revm::state::Bytecode;

/// Most codes kept: some 30 MiB of them, were they all as long as code may be.
const CODES_MAX: usize = 1_024;

/// By hash, and used only for the very bytes that were analysed: a state decides what code it has, never this.
static KNOWN: LazyLock<RwLock<B256Map<Bytecode>>> = LazyLock::new(RwLock::default);

/// Code that a state has under a hash, analysed now or before.
pub(crate) fn analysed(code_hash: B256, bytes: Bytes) -> Bytecode {
    let known = KNOWN.read().get(&code_hash).cloned();
    if let Some(code) = known.filter(|known| *known.original_byte_slice() == bytes[..]) {
        return code;
    }
    let code = Bytecode::new_raw_checked(bytes.clone()).unwrap_or_else(|_| Bytecode::new_legacy(bytes));
    let mut known = KNOWN.write();
    if known.len() >= CODES_MAX {
        known.clear();
    }
    known.insert(code_hash, code.clone());
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_hash_answers_for_no_other_bytes() {
        let hash = B256::repeat_byte(1);
        for code in [[0x5b, 0x60, 0x5b, 0x00], [0x5b, 0x60, 0x5b, 0x5b]].map(Bytes::from) {
            for _again in 0..2 {
                assert_eq!(analysed(hash, code.clone()), Bytecode::new_legacy(code.clone()));
            }
        }
    }
}
