//! Frames as a test writes them.

use parapet_abi::FrameKind;

use crate::{Address, Bytes4, U256};

/// A frame that is to start.
#[derive(Clone, Debug)]
pub struct Enter {
    pub(super) kind: FrameKind,
    /// Target, or for a DELEGATECALL the code.
    pub(super) address: Address,
    pub(super) input: Vec<u8>,
    pub(super) value: U256,
    pub(super) is_precompile: bool,
}

impl Enter {
    fn new(kind: FrameKind, address: Address) -> Self {
        Self { kind, address, input: Vec::new(), value: U256::ZERO, is_precompile: false }
    }

    /// CALL of an account, without input or value.
    #[must_use]
    pub fn call(target: Address) -> Self {
        Self::new(FrameKind::Call, target)
    }

    /// STATICCALL of an account.
    #[must_use]
    pub fn static_call(target: Address) -> Self {
        Self::new(FrameKind::StaticCall, target)
    }

    /// DELEGATECALL: runs another account's code on the account that runs.
    #[must_use]
    pub fn delegate_call(code: Address) -> Self {
        Self::new(FrameKind::DelegateCall, code)
    }

    /// CREATE of an account.
    #[must_use]
    pub fn create(created: Address) -> Self {
        Self::new(FrameKind::Create, created)
    }

    /// The input is a selector alone.
    #[must_use]
    pub fn selector(self, selector: Bytes4) -> Self {
        self.input(&selector.0)
    }

    /// The input.
    #[must_use]
    pub fn input(self, input: &[u8]) -> Self {
        Self { input: input.to_vec(), ..self }
    }

    /// The value, in wei.
    #[must_use]
    pub fn value(self, value: U256) -> Self {
        Self { value, ..self }
    }

    /// The code is a precompile.
    #[must_use]
    pub fn precompile(self) -> Self {
        Self { is_precompile: true, ..self }
    }
}
