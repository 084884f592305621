//! Analysed code: one copy of each for the node, found by its content, and of what a worker runs one copy of its own.
//!
//! Whoever runs code counts its references, several times a call. Threads that count on one place hand it from core to
//! core and back, which costs more than all else that they share; so no two of them count on the same.

use alloy_primitives::{B256, map::B256Map};
use dashmap::DashMap;
use foldhash::fast::RandomState;
use parapet_types::ReadError;
use revm::state::Bytecode;

/// Most codes kept, analysed, from one block to the next.
const CODES_MAX: usize = 4_096;

/// Analysed code by its hash. It outlives blocks: code is found by content, so it cannot go stale.
#[derive(Debug, Default)]
pub(crate) struct Codes(DashMap<B256, Bytecode, RandomState>);

impl Codes {
    /// Makes room before a block.
    pub(crate) fn trim(&self) {
        if self.0.len() > CODES_MAX {
            self.0.clear();
        }
    }

    /// Code by its hash. Who needs what somebody else is analysing waits for it: that takes less than doing it again.
    ///
    /// # Errors
    /// Whatever analysing it reports.
    pub(crate) fn get(
        &self,
        code_hash: B256,
        analyse: impl FnOnce() -> Result<Bytecode, ReadError>,
    ) -> Result<Bytecode, ReadError> {
        if let Some(known) = self.0.get(&code_hash) {
            return Ok(known.clone());
        }
        self.0.entry(code_hash).or_try_insert_with(analyse).map(|known| known.clone())
    }
}

/// One worker's copies of the code that it runs in a block.
#[derive(Debug)]
pub(crate) struct OwnCodes {
    known: B256Map<Bytecode>,
    empty: Bytecode,
}

impl Default for OwnCodes {
    fn default() -> Self {
        Self { known: B256Map::default(), empty: apart(&Bytecode::default()) }
    }
}

impl OwnCodes {
    /// The code of an account without code.
    pub(crate) fn empty(&self) -> Bytecode {
        self.empty.clone()
    }

    /// Code by its hash.
    ///
    /// # Errors
    /// Whatever finding the shared copy reports.
    pub(crate) fn get(
        &mut self,
        code_hash: B256,
        shared: impl FnOnce() -> Result<Bytecode, ReadError>,
    ) -> Result<Bytecode, ReadError> {
        if let Some(known) = self.known.get(&code_hash) {
            return Ok(known.clone());
        }
        let own = apart(&shared()?);
        self.known.insert(code_hash, own.clone());
        Ok(own)
    }
}

/// The same code, whose references are counted apart.
fn apart(code: &Bytecode) -> Bytecode {
    let Some(jumps) = code.legacy_jump_table() else {
        return Bytecode::new_raw_checked(code.original_bytes()).unwrap_or_else(|_| code.clone());
    };
    // SAFETY: bytes, length and jump table are those of one code that was analysed, so the bytes are padded as the
    // interpreter needs them.
    #[allow(unsafe_code, reason = "the safe way would analyse the code once more for each worker and block")]
    unsafe {
        Bytecode::new_analyzed(code.bytes(), code.len(), jumps.clone())
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, Bytes};

    use super::*;

    #[test]
    fn a_worker_runs_the_same_code_as_everybody() {
        let jumping = Bytecode::new_legacy(Bytes::from_static(&[0x5b, 0x60, 0x5b, 0x00, 0x7f, 0x5b]));
        let delegating = Bytecode::new_eip7702(Address::repeat_byte(7));
        for code in [Bytecode::default(), jumping, delegating] {
            let own = apart(&code);
            assert_eq!((own.kind(), own.original_bytes()), (code.kind(), code.original_bytes()));
            assert_eq!(own.bytes_slice(), code.bytes_slice());
            assert_eq!(own.hash_slow(), code.hash_slow());
            assert_eq!(own.legacy_jump_table(), code.legacy_jump_table());
        }
    }
}
