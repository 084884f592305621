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
         gas with a tip of {tip}; all its fees must rise by at least {percent}%"
    )]
    Underpriced {
        /// Hash of the other one.
        replaced: B256,
        /// Its maximum fee, in wei per gas.
        max_fee: u128,
        /// Its maximum tip, in wei per gas.
        tip: u128,
        /// By how much more they must be, in percent.
        percent: u128,
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
    /// It does not pay the base fee of blobs.
    #[error(
        "max fee per blob gas less than block blob gas fee: address {sender}, maxFeePerBlobGas: {max_fee}, blobBaseFee: {fee}"
    )]
    BlobFee {
        /// Sender.
        sender: Address,
        /// Its maximum fee, in wei per gas of blobs.
        max_fee: u128,
        /// The base fee, in wei per gas of blobs.
        fee: u128,
    },
    /// A blob transaction without a blob (EIP-4844).
    #[error("blobless blob transaction: a transaction of type 3 carries at least one")]
    NoBlobs,
    /// It has more blobs than one transaction may have (EIP-7594).
    #[error("too many blobs in transaction: have {blobs}, permitted {max}")]
    TooManyBlobs {
        /// How many it has.
        blobs: u64,
        /// How many it may have.
        max: u64,
    },
    /// Its blobs are not there.
    #[error("missing sidecar in blob transaction: send it in the form with blobs, commitments and proofs")]
    NoSidecar,
    /// Its blobs are proved in the way of another fork.
    #[error(
        "invalid sidecar: from osaka on blobs come with cell proofs (EIP-7594), before with one proof each; this is {hardfork}"
    )]
    SidecarForm {
        /// Fork of this chain.
        hardfork: Hardfork,
    },
    /// Its blobs are not those that it names.
    #[error("invalid sidecar: {reason}")]
    Sidecar {
        /// Why.
        reason: String,
    },
    /// Its sender waits with blobs, and this one has none, or the other way round.
    #[error("address already reserved: {sender} has transactions of the other kind waiting, with or without blobs")]
    Reserved {
        /// Sender.
        sender: Address,
    },
    /// It carries blobs, and an earlier one of its sender is missing.
    #[error(
        "nonce too high: address {sender}, tx: {nonce} gapped nonce: {next}; blob transactions do not wait behind a gap"
    )]
    BlobGap {
        /// Sender.
        sender: Address,
        /// Nonce of the transaction.
        nonce: u64,
        /// The nonce that is missing.
        next: u64,
    },
    /// Its sender is delegated, or about to be, and has one waiting (EIP-7702).
    #[error("in-flight transaction limit reached for delegated accounts: address {sender}")]
    InFlight {
        /// Sender.
        sender: Address,
    },
    /// Its sender is delegated, or about to be, and an earlier one is missing (EIP-7702).
    #[error("gapped-nonce tx from delegated accounts: address {sender}, tx: {nonce}")]
    DelegatedGap {
        /// Sender.
        sender: Address,
        /// Nonce of the transaction.
        nonce: u64,
    },
    /// It is to delegate an account that has transactions of its own waiting (EIP-7702).
    #[error("authority already reserved: {authority} has transactions of its own waiting")]
    AuthorityReserved {
        /// The account.
        authority: Address,
    },
    /// A set-code transaction without an authorization (EIP-7702).
    #[error("EIP-7702 transaction with empty auth list")]
    NoAuthorization,
    /// A set-code transaction that creates a contract (EIP-7702).
    #[error("EIP-7702 transaction cannot be used to create contract")]
    SetCodeCreation,
    /// Its init code is too long (EIP-3860).
    #[error("max initcode size exceeded: code size {bytes}, limit {limit}")]
    InitcodeSize {
        /// Length of the init code, in bytes.
        bytes: usize,
        /// The longest that is allowed, in bytes.
        limit: u64,
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
    /// Its sender has too many bytes waiting.
    #[error("account limit exceeded: address {sender} has as many bytes waiting as are allowed, {max}")]
    SenderBytes {
        /// Sender.
        sender: Address,
        /// Most bytes of one sender.
        max: usize,
    },
    /// The pool is full of transactions that pay at least as much.
    #[error("txpool is full: {transactions} transactions that pay as much are waiting; raise the tip or wait")]
    Full {
        /// Transactions that wait.
        transactions: usize,
    },
}
