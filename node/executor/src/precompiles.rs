//! Precompiles at other addresses than the fork's, for simulations: one may be moved, and whatever a client puts in the
//! place of one silences it.
//!
//! Invariant: without [`PrecompileMoves`] this is the fork's own set, and what is warm is the fork's in any case.

use std::collections::BTreeMap;

use alloy_primitives::{Address, map::AddressSet};
use parapet_types::Hardfork;
use revm::{
    context::{Cfg, ContextTr},
    handler::{EthPrecompiles, PrecompileProvider},
    interpreter::{CallInputs, InterpreterResult},
    primitives::hardfork::SpecId,
};

use crate::spec_id;

/// Which precompiles of a fork answer elsewhere, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrecompileMoves {
    spec: SpecId,
    /// By address, whose precompile answers there; `None`: nobody's.
    moved: BTreeMap<Address, Option<Address>>,
}

impl PrecompileMoves {
    /// Every precompile of the fork at its own place.
    #[must_use]
    pub const fn none(hardfork: Hardfork) -> Self {
        Self { spec: spec_id(hardfork), moved: BTreeMap::new() }
    }

    /// Whether nothing was moved or silenced.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.moved.is_empty()
    }

    /// Whose precompile answers at an address; `None` where there is none.
    #[must_use]
    pub fn answering(&self, address: Address) -> Option<Address> {
        match self.moved.get(&address) {
            Some(whose) => *whose,
            None => EthPrecompiles::new(self.spec).contains(&address).then_some(address),
        }
    }

    /// Has the precompile that answers at `from` answer at `to` as well; nothing where there is none.
    pub fn copy(&mut self, from: Address, to: Address) {
        if let Some(whose) = self.answering(from) {
            self.moved.insert(to, Some(whose));
        }
    }

    /// No precompile answers there any more.
    pub fn silence(&mut self, address: Address) {
        self.moved.insert(address, None);
    }
}

/// What the EVM asks for precompiles.
#[derive(Debug)]
pub struct Precompiles {
    own: EthPrecompiles,
    moves: Option<Box<PrecompileMoves>>,
}

impl Precompiles {
    pub(crate) fn new(spec: SpecId, moves: Option<PrecompileMoves>) -> Self {
        Self { own: EthPrecompiles::new(spec), moves: moves.filter(|moves| !moves.is_empty()).map(Box::new) }
    }
}

impl<CTX: ContextTr> PrecompileProvider<CTX> for Precompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: <CTX::Cfg as Cfg>::Spec) -> bool {
        PrecompileProvider::<CTX>::set_spec(&mut self.own, spec)
    }

    fn run(&mut self, context: &mut CTX, inputs: &CallInputs) -> Result<Option<InterpreterResult>, String> {
        let moved = self.moves.as_ref().and_then(|moves| moves.moved.get(&inputs.bytecode_address));
        match moved {
            None => self.own.run(context, inputs),
            Some(None) => Ok(None),
            Some(Some(whose)) => {
                let inputs = CallInputs { bytecode_address: *whose, ..inputs.clone() };
                self.own.run(context, &inputs)
            }
        }
    }

    fn warm_addresses(&self) -> &AddressSet {
        self.own.warm_addresses()
    }

    fn contains(&self, address: &Address) -> bool {
        match &self.moves {
            Some(moves) => moves.answering(*address).is_some(),
            None => self.own.contains(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::address;

    use super::*;

    const SHA256: Address = Address::with_last_byte(2);
    const ELSEWHERE: Address = Address::repeat_byte(0x77);

    #[test]
    fn a_precompile_that_is_copied_and_silenced_has_moved() {
        let mut moves = PrecompileMoves::none(Hardfork::Osaka);
        assert_eq!((moves.answering(SHA256), moves.answering(ELSEWHERE)), (Some(SHA256), None));
        moves.copy(SHA256, ELSEWHERE);
        moves.silence(SHA256);
        assert_eq!((moves.answering(SHA256), moves.answering(ELSEWHERE)), (None, Some(SHA256)));
        // Moved on, it is still the same one.
        moves.copy(ELSEWHERE, Address::repeat_byte(0x78));
        assert_eq!(moves.answering(Address::repeat_byte(0x78)), Some(SHA256));
    }

    #[test]
    fn what_is_no_precompile_of_the_fork_cannot_be_moved() {
        let p256 = address!("0000000000000000000000000000000000000100");
        let mut before = PrecompileMoves::none(Hardfork::Prague);
        before.copy(p256, ELSEWHERE);
        assert!(before.is_empty(), "P256VERIFY comes with Osaka (EIP-7951)");
        assert_eq!(PrecompileMoves::none(Hardfork::Osaka).answering(p256), Some(p256));
    }
}
