//! The contracts that workloads call: interfaces, creation code from the committed artefacts, and where their storage
//! lies.

use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use alloy_sol_types::{SolValue as _, sol};

sol! {
    /// An ERC-20 token; see `contracts/PlainToken.sol`.
    #[derive(Debug, PartialEq, Eq)]
    interface PlainToken {
        event Transfer(address indexed from, address indexed to, uint256 value);
        error InsufficientBalance(address sender, uint256 balance, uint256 needed);
        function transfer(address to, uint256 value) external returns (bool);
        function approve(address spender, uint256 value) external returns (bool);
        function balanceOf(address account) external view returns (uint256);
    }

    /// A market of two tokens; see `contracts/Pool.sol`.
    #[derive(Debug, PartialEq, Eq)]
    interface Pool {
        event Swapped(
            address indexed sender,
            address indexed recipient,
            int256 amount0,
            int256 amount1,
            uint160 sqrtPriceX96,
            uint128 liquidity,
            int24 tick
        );
        function add(int24 low, int24 high, uint128 amount) external returns (uint256 amount0, uint256 amount1);
    }

    /// Swaps for others; see `contracts/Router.sol`.
    #[derive(Debug, PartialEq, Eq)]
    interface Router {
        struct ExactInput {
            address pool;
            bool zeroForOne;
            address recipient;
            uint256 deadline;
            uint256 amountIn;
            uint256 amountOutMinimum;
            uint160 sqrtPriceLimitX96;
        }
        struct ExactOutput {
            address pool;
            bool zeroForOne;
            address recipient;
            uint256 deadline;
            uint256 amountOut;
            uint256 amountInMaximum;
            uint160 sqrtPriceLimitX96;
        }
        error TooLittle(uint256 amountOut, uint256 amountOutMinimum);
        function exactInputSingle(ExactInput order) external returns (uint256 amountOut);
        function exactOutputSingle(ExactOutput order) external returns (uint256 amountIn);
    }

    /// Counts calls; see `contracts/Tally.sol`.
    #[derive(Debug, PartialEq, Eq)]
    interface Tally {
        function count() external;
        function tip() external payable;
    }
}

/// Slot of a token's balances by account.
const BALANCES_SLOT: U256 = U256::ZERO;
/// Slot of its allowances by account and spender.
const ALLOWANCES_SLOT: U256 = U256::ONE;
/// Slot of its supply.
pub(crate) const SUPPLY_SLOT: U256 = U256::from_limbs([2, 0, 0, 0]);
/// Slots of a pool's tokens.
pub(crate) const POOL_TOKEN_SLOTS: [U256; 2] = [U256::ZERO, U256::ONE];

/// One of the committed contracts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Contract {
    PlainToken,
    Pool,
    Router,
    Tally,
}

impl Contract {
    const fn artifact(self) -> &'static str {
        match self {
            Self::PlainToken => include_str!("../artifacts/PlainToken.json"),
            Self::Pool => include_str!("../artifacts/Pool.json"),
            Self::Router => include_str!("../artifacts/Router.json"),
            Self::Tally => include_str!("../artifacts/Tally.json"),
        }
    }

    fn code(self, field: &str) -> Bytes {
        let artifact: serde_json::Value = serde_json::from_str(self.artifact()).expect("an artefact is JSON");
        let code = artifact[field].as_str().expect("an artefact has its code");
        hex::decode(code).expect("code is hex").into()
    }

    /// Code that creates it, arguments still to be appended.
    pub(crate) fn creation(self) -> Bytes {
        self.code("bytecode")
    }

    /// Code that a created one has: the same for all, since nothing in these contracts is immutable.
    pub(crate) fn runtime(self) -> Bytes {
        self.code("deployedBytecode")
    }
}

/// Slot of a mapping's value (Solidity's storage layout).
fn mapped(key: Address, slot: U256) -> U256 {
    let hash: B256 = keccak256((key, slot).abi_encode());
    hash.into()
}

/// Slot of a holder's balance of a token.
pub(crate) fn balance_slot(holder: Address) -> U256 {
    mapped(holder, BALANCES_SLOT)
}

/// Slot of what a holder allows a spender.
pub(crate) fn allowance_slot(holder: Address, spender: Address) -> U256 {
    mapped(spender, mapped(holder, ALLOWANCES_SLOT))
}
