//! Why a transaction is not admitted. The beginning of each message is what Ethereum tools match on.

use alloy_primitives::{Address, B256, U256};
use parapet_types::Hardfork;

/// Why a transaction is not admitted. The pool is unchanged, and the transaction may be sent again, corrected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// It is there.
    #[error("already known: {hash}")]
    AlreadyKnown {
        /// Its hash.
        hash: B256,
    },
    /// Its nonce was used.
    #[error("nonce too low: address {sender}, tx: {nonce} state: {account_nonce}")]
    NonceTooLow {
        /// Sender.
        sender: Address,
        /// Nonce of the transaction.
        nonce: u64,
        /// Next nonce of the account.
        account_nonce: u64,
    },
    /// The last nonce can never be used (EIP-2681).
    #[error("nonce has max value: address {sender}")]
    NonceMax {
        /// Sender.
        sender: Address,
    },
    /// The sender cannot pay for it at its maximum fee.
    #[error("insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, overshot {}", cost - balance)]
    InsufficientFunds {
        /// Balance in wei.
        balance: U256,
        /// Most it may cost, in wei.
        cost: U256,
    },
    /// It would replace another one, but pays too little more.
    #[error(
        "replacement transaction underpriced: the transaction {replaced} with this nonce pays up to {max_fee} wei per \
         gas with a tip of {tip}; both must rise by at least {percent}%", percent = crate::PRICE_BUMP_PERCENT
    )]
    Underpriced {
        /// Hash of the other one.
        replaced: B256,
        /// Its maximum fee, in wei per gas.
        max_fee: u128,
        /// Its maximum tip, in wei per gas.
        tip: u128,
    },
    /// Its gas limit does not pay for its own bytes.
    #[error("intrinsic gas too low: gas {gas_limit}, minimum needed {needed}")]
    IntrinsicGas {
        /// Its gas limit.
        gas_limit: u64,
        /// What it needs.
        needed: u64,
    },
    /// Its gas limit lies below the floor that its calldata sets (EIP-7623).
    #[error(
        "intrinsic gas too low: insufficient gas for floor data gas cost: gas {gas_limit}, minimum needed {needed}"
    )]
    FloorGas {
        /// Its gas limit.
        gas_limit: u64,
        /// What it needs.
        needed: u64,
    },
    /// It can never fit into a block.
    #[error("exceeds block gas limit: gas {gas_limit}, limit {block_gas_limit}")]
    BlockGasLimit {
        /// Its gas limit.
        gas_limit: u64,
        /// The block's.
        block_gas_limit: u64,
    },
    /// Its gas limit lies above the cap for one transaction (EIP-7825).
    #[error("transaction gas limit too high: gas {gas_limit}, cap {cap}")]
    GasCap {
        /// Its gas limit.
        gas_limit: u64,
        /// The cap.
        cap: u64,
    },
    /// It does not pay the base fee.
    #[error("max fee per gas less than block base fee: address {sender}, maxFeePerGas: {max_fee}, baseFee: {base_fee}")]
    BaseFee {
        /// Sender.
        sender: Address,
        /// Its maximum fee, in wei per gas.
        max_fee: u128,
        /// The base fee, in wei per gas.
        base_fee: u64,
    },
    /// Its tip is above its maximum fee.
    #[error(
        "max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas: {tip}, maxFeePerGas: {max_fee}"
    )]
    TipAboveFee {
        /// Its tip, in wei per gas.
        tip: u128,
        /// Its maximum fee, in wei per gas.
        max_fee: u128,
    },
    /// It was signed for another chain.
    #[error("invalid chain id for signer: have {found} want {expected}")]
    ChainId {
        /// Chain id of the transaction.
        found: u64,
        /// Chain id of this chain.
        expected: u64,
    },
    /// Its type belongs to a later fork.
    #[error("transaction type not supported: type {kind} is not part of {hardfork}")]
    Type {
        /// EIP-2718 type.
        kind: u8,
        /// Fork of this chain.
        hardfork: Hardfork,
    },
    /// It carries blobs.
    #[error("transaction type not supported: blob transactions (EIP-4844) are not accepted by this node")]
    Blob,
    /// A set-code transaction without an authorization (EIP-7702).
    #[error("EIP-7702 transaction with empty auth list")]
    NoAuthorization,
    /// A set-code transaction that creates a contract (EIP-7702).
    #[error("EIP-7702 transaction cannot be used to create contract")]
    SetCodeCreation,
    /// Its init code is too long (EIP-3860).
    #[error("max initcode size exceeded: code size {bytes}, limit {limit}", limit = crate::INITCODE_BYTES_MAX)]
    InitcodeSize {
        /// Length of the init code, in bytes.
        bytes: usize,
    },
    /// It is too long.
    #[error("oversized data: transaction size {bytes}, limit {limit}", limit = crate::TRANSACTION_BYTES_MAX)]
    Oversized {
        /// Length of its encoding, in bytes.
        bytes: usize,
    },
    /// Its sender has too many waiting.
    #[error("account limit exceeded: address {sender} has {max} transactions waiting, which is the most allowed")]
    SenderLimit {
        /// Sender.
        sender: Address,
        /// Most transactions of one sender.
        max: usize,
    },
    /// The pool is full of transactions that pay at least as much.
    #[error("txpool is full: {transactions} transactions that pay as much are waiting; raise the tip or wait")]
    Full {
        /// Transactions that wait.
        transactions: usize,
    },
}
