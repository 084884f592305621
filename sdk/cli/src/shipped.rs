//! The guards that the project ships: their modules are part of this program, so using one needs no Wasm toolchain.

use alloy_primitives::{B256, keccak256};

/// A guard that is part of this program.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// Its name.
    pub name: &'static str,
    /// Its module.
    pub wasm: &'static [u8],
}

macro_rules! shipped {
    (native: $($native:literal)*, contracts: $($contract:literal)*) => {
        /// Names of those that are native guards.
        pub const NATIVE_NAMES: &[&str] = &[$($native),*];

        /// All of them, native guards first. Built by `shipped_guards` from `guards/`.
        pub const SHIPPED: [Shipped; [$($native,)* $($contract),*].len()] = [$(shipped!($native),)* $(shipped!($contract)),*];
    };
    ($name:literal) => {
        Shipped { name: $name, wasm: include_bytes!(concat!("../../../guards/artifacts/", $name, ".wasm")) }
    };
}

shipped! {
    native:
        "authority"
        "borrowed_code"
        "bridge_releases"
        "donation"
        "fixed_code"
        "flash_votes"
        "foreign_approvals"
        "inflow_spike"
        "listed_callers"
        "locked_slots"
        "novel_shape"
        "oracle_deviation"
        "outflow_cap"
        "parties"
        "pool_invariant"
        "price_manipulation"
        "reentrancy"
        "reward_schedule"
        "share_price"
        "slippage"
        "solvency"
        "token_supply",
    contracts:
        "outflow_cap_cosmwasm"
}

impl Shipped {
    /// The hash by which chains know it.
    #[must_use]
    pub fn hash(&self) -> B256 {
        keccak256(self.wasm)
    }
}

/// The guard of a name.
#[must_use]
pub fn find(name: &str) -> Option<Shipped> {
    SHIPPED.into_iter().find(|shipped| shipped.name == name)
}

/// The names, for messages.
pub(crate) fn names() -> String {
    SHIPPED.map(|shipped| shipped.name).join(", ")
}
