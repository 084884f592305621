//! The error that vetoes.

use std::fmt;

use cosmwasm_std::StdError;

/// Stops the transaction, with a code below `0xff00` and words of at most 1,024 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Veto {
    /// The guard's own code; 0 means none.
    pub code: u16,
    /// Why.
    pub detail: String,
}

impl Veto {
    /// A veto with a code.
    pub fn new(code: u16, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

impl fmt::Display for Veto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            0 => f.write_str(&self.detail),
            code => write!(f, "[{code}] {}", self.detail),
        }
    }
}

impl std::error::Error for Veto {}

/// An error of the standard library vetoes, too: a guard that cannot read its state must not let pass.
impl From<StdError> for Veto {
    fn from(error: StdError) -> Self {
        Self::new(0, error.to_string())
    }
}
