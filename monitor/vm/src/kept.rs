//! Compiled modules in memory, for a node that has no folder for them.
//!
//! Invariant: a module is not compiled again, however many others were asked for meanwhile, as long as what was compiled
//! since fits [`KEPT_BYTES_MAX`]. Without this, a block that wakes a few more guards than are kept ready would have each of
//! them compiled each time, and nobody pays for that. Each registered module has paid for its bytes.

use std::collections::BTreeMap;

use alloy_primitives::{B256, keccak256};
use wasmtime::{Engine, Module, Result};

/// Most bytes of compiled modules that are kept; those that were not asked for longest leave.
const KEPT_BYTES_MAX: usize = 256 * 1_024 * 1_024;

/// What one engine compiled, by the hash of the module.
#[derive(Debug)]
pub(crate) struct Kept {
    by_hash: BTreeMap<B256, (u64, Vec<u8>)>,
    bytes: usize,
    bytes_max: usize,
    asked: u64,
}

impl Default for Kept {
    fn default() -> Self {
        Self { by_hash: BTreeMap::new(), bytes: 0, bytes_max: KEPT_BYTES_MAX, asked: 0 }
    }
}

impl Kept {
    /// The compiled form of a module, kept, or else made and kept.
    ///
    /// # Errors
    /// What `make` objects to.
    pub(crate) fn module(
        &mut self,
        engine: &Engine,
        bytes: &[u8],
        make: impl FnOnce() -> Result<Module>,
    ) -> Result<Module> {
        let hash = keccak256(bytes);
        self.asked += 1;
        if let Some((asked, compiled)) = self.by_hash.get_mut(&hash) {
            *asked = self.asked;
            #[allow(unsafe_code, reason = "only wasmtime can tell what it has compiled; SAFETY below")]
            // SAFETY: these bytes are, unchanged since nothing else reaches them, what `Module::serialize` made of a module
            // that this engine compiled.
            return unsafe { Module::deserialize(engine, &*compiled) };
        }
        let module = make()?;
        self.keep(hash, module.serialize()?);
        Ok(module)
    }

    fn keep(&mut self, hash: B256, compiled: Vec<u8>) {
        if compiled.len() > self.bytes_max {
            return;
        }
        while self.bytes + compiled.len() > self.bytes_max {
            let oldest = self.by_hash.iter().min_by_key(|(_, (asked, _))| *asked).map(|(hash, _)| *hash);
            let Some((_, left)) = oldest.and_then(|hash| self.by_hash.remove(&hash)) else { break };
            self.bytes -= left.len();
        }
        self.bytes += compiled.len();
        self.by_hash.insert(hash, (self.asked, compiled));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for the module that exports `name`, and says whether it had to be compiled.
    fn compiled(kept: &mut Kept, engine: &Engine, name: &str) -> bool {
        let bytes = wat::parse_str(format!(r#"(module (func (export "{name}")))"#)).expect("is Wasm");
        let mut made = false;
        let make = || {
            made = true;
            Module::new(engine, &bytes)
        };
        let module = kept.module(engine, &bytes, make).expect("it compiles");
        assert_eq!(module.exports().next().expect("it exports one function").name(), name);
        made
    }

    #[test]
    fn what_was_compiled_is_not_compiled_again() {
        let (mut kept, engine) = (Kept::default(), Engine::default());
        assert!(compiled(&mut kept, &engine, "a"));
        assert!(compiled(&mut kept, &engine, "b"));
        assert!(!compiled(&mut kept, &engine, "a"));
        assert!(!compiled(&mut kept, &engine, "b"));
    }

    #[test]
    fn what_was_not_asked_for_longest_leaves_when_bytes_run_out() {
        let (mut kept, engine) = (Kept::default(), Engine::default());
        assert!(compiled(&mut kept, &engine, "a"));
        kept.bytes_max = 2 * kept.bytes;
        assert!(compiled(&mut kept, &engine, "b"));
        assert!(!compiled(&mut kept, &engine, "a"));
        assert!(compiled(&mut kept, &engine, "c"));
        assert!(kept.bytes <= kept.bytes_max);
        assert!(!compiled(&mut kept, &engine, "a"));
        assert!(compiled(&mut kept, &engine, "b"), "it was asked for before the others");
    }

    #[test]
    fn what_is_larger_than_all_room_is_not_kept() {
        let (mut kept, engine) = (Kept { bytes_max: 16, ..Kept::default() }, Engine::default());
        assert!(compiled(&mut kept, &engine, "a"));
        assert!(compiled(&mut kept, &engine, "a"));
        assert_eq!(kept.bytes, 0);
    }
}
