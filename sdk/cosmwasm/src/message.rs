//! The `sudo` message. Amounts and other numbers of 64 bits and more are decimal strings, which `Uint64` and `Uint256`
//! read; hashes and addresses are hex. Members may be added, never changed: ignore those you do not know.

use cosmwasm_std::{Uint64, Uint256};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Address, Word};

/// What `sudo` is called with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SudoMsg {
    /// A transaction is to be judged.
    Judge(Box<Judge>),
}

/// The record of one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Judge {
    /// The transaction and its block.
    pub transaction: Transaction,
    /// The accounts that the attachment guards.
    pub accounts: Vec<Address>,
    /// The call stack's entries in the order in which they started, reverted ones included; a frame's id is its index.
    pub frames: Vec<Frame>,
    /// Storage accesses, in order; empty unless the guard's descriptor subscribes to `accesses`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accesses: Vec<StorageAccess>,
    /// Ether and tokens that changed hands in frames that were not reverted.
    #[serde(default)]
    pub flows: Vec<Flow>,
    /// Logs of frames that were not reverted. Their data is asked for by `log_data`.
    #[serde(default)]
    pub logs: Vec<Log>,
    /// The transaction's net storage writes, by address and slot.
    pub slot_changes: Vec<SlotChange>,
    /// Code that appeared, changed or was destroyed.
    pub code_changes: Vec<CodeChange>,
}

/// The transaction and its block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transaction {
    /// Its hash; zero in a simulation.
    pub hash: Word,
    /// Whether it is a simulation, which is never committed.
    pub simulation: bool,
    /// How it ended.
    pub status: FrameStatus,
    /// EIP-2718 type.
    pub tx_type: u8,
    /// Who sent it.
    pub sender: Address,
    /// Its target; none in a creation.
    pub target: Option<Address>,
    /// Value, in wei.
    pub value: Uint256,
    /// Nonce of the sender before it.
    pub nonce: Uint64,
    /// Its gas limit.
    pub gas_limit: Uint64,
    /// Price the sender pays, in wei per gas.
    pub gas_price: Uint256,
    /// EIP-155 chain id.
    pub chain_id: Uint64,
    /// Number of the block.
    pub block_number: Uint64,
    /// Timestamp of the block, in seconds.
    pub timestamp: Uint64,
    /// Gas limit of the block.
    pub block_gas_limit: Uint64,
    /// Base fee of the block, in wei per gas.
    pub base_fee: Uint256,
    /// Fee recipient of the block.
    pub beneficiary: Address,
    /// PREVRANDAO of the block.
    pub prev_randao: Word,
    /// Hash of the parent block.
    pub parent_hash: Word,
}

/// One entry of the call stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Frame {
    /// Its id, which is its index.
    pub id: u32,
    /// The frame that entered it; none for the transaction's own.
    pub parent: Option<u32>,
    /// Depth; 0 for the transaction's own.
    pub depth: u32,
    /// How it was entered.
    pub kind: FrameKind,
    /// How it ended.
    pub status: FrameStatus,
    /// Whether state changes were forbidden in it.
    pub is_static: bool,
    /// Whether its code is a precompile.
    pub is_precompile: bool,
    /// Position of its start among all events of the transaction.
    pub start_seq: u32,
    /// Position of its end.
    pub end_seq: u32,
    /// Who entered it.
    pub caller: Address,
    /// Account whose storage and balance it works on; in a creation the new account.
    pub target: Address,
    /// Account whose code it runs.
    pub code_address: Address,
    /// Hash of that code; of the delegate's code under EIP-7702; zero in a creation.
    pub code_hash: Word,
    /// First four bytes of the input, zero-filled, in hex behind `0x`. Meaningless in a creation.
    #[schemars(regex(pattern = "^0x[0-9a-f]{8}$"))]
    pub selector: String,
    /// Value that moves, in wei; in a DELEGATECALL the apparent value, which does not move.
    pub value: Uint256,
    /// Length of the input; its bytes are asked for by `frame_input`.
    pub input_len: u32,
    /// Length of the output; its bytes are asked for by `frame_output`.
    pub output_len: u32,
    /// Gas it was given.
    pub gas_limit: Uint64,
    /// Gas it used.
    pub gas_used: Uint64,
}

/// How a frame was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FrameKind {
    /// CALL, or the call of the transaction itself.
    Call,
    /// CALLCODE.
    CallCode,
    /// DELEGATECALL.
    DelegateCall,
    /// STATICCALL.
    StaticCall,
    /// CREATE, or the creation by the transaction itself.
    Create,
    /// CREATE2.
    Create2,
    /// A call made by the chain itself.
    System,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

/// How far a frame has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FrameStatus {
    /// It has not ended.
    Running,
    /// It returned or stopped.
    Succeeded,
    /// It reverted and gave back its remaining gas.
    Reverted,
    /// It ended exceptionally.
    Halted,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

/// One storage access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StorageAccess {
    /// Position among all events of the transaction.
    pub seq: u32,
    /// The frame it happened in.
    pub frame: u32,
    /// Which.
    pub kind: AccessKind,
    /// Account whose storage it is.
    pub address: Address,
    /// The slot.
    pub slot: Word,
    /// Value before.
    pub old: Word,
    /// Value after.
    pub new: Word,
}

/// A storage access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccessKind {
    /// SLOAD.
    StorageRead,
    /// SSTORE.
    StorageWrite,
    /// TLOAD.
    TransientRead,
    /// TSTORE.
    TransientWrite,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Ether or a token that changed hands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Flow {
    /// Position among all events of the transaction.
    pub seq: u32,
    /// The frame it happened in; none if it belongs to no frame.
    pub frame: Option<u32>,
    /// What flows.
    pub asset: Asset,
    /// Why.
    pub reason: FlowReason,
    /// Token contract; none for ether.
    pub token: Option<Address>,
    /// Who loses; zero for a mint.
    pub from: Address,
    /// Who gains; zero for a burn.
    pub to: Address,
    /// How much, in wei or the token's smallest unit.
    pub amount: Uint256,
    /// Which one (ERC-721, ERC-1155).
    pub token_id: Option<Uint256>,
}

/// What flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Asset {
    /// Ether.
    Ether,
    /// ERC-20.
    Erc20,
    /// ERC-721.
    Erc721,
    /// ERC-1155.
    Erc1155,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Why ether or a token flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlowReason {
    /// Value of a call.
    Call,
    /// Value of a creation.
    Create,
    /// Balance moved by SELFDESTRUCT.
    SelfDestruct,
    /// Decoded from a log.
    Log,
    /// A fee that the sender pays.
    Fee,
    /// A withdrawal from the beacon chain (EIP-4895).
    Withdrawal,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}

/// One log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Log {
    /// Position among all events of the transaction.
    pub seq: u32,
    /// The frame it was emitted in.
    pub frame: u32,
    /// Emitter.
    pub address: Address,
    /// Its topics, at most four.
    pub topics: Vec<Word>,
    /// Length of its data, in bytes.
    pub data_len: u32,
}

/// A slot whose value the transaction changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SlotChange {
    /// The account.
    pub address: Address,
    /// The slot.
    pub slot: Word,
    /// Value before the transaction.
    pub old: Word,
    /// Value after it.
    pub new: Word,
}

/// Code that appeared, changed or was destroyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeChange {
    /// Position among all events of the transaction.
    pub seq: u32,
    /// The frame it happened in; none for a delegation.
    pub frame: Option<u32>,
    /// How.
    pub kind: CodeChangeKind,
    /// The account.
    pub address: Address,
    /// Code hash before.
    pub old: Word,
    /// Code hash after.
    pub new: Word,
}

/// How an account's code changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CodeChangeKind {
    /// A contract was created.
    Create,
    /// A delegation (EIP-7702) was set, replaced or cleared.
    Delegation,
    /// SELFDESTRUCT ran.
    SelfDestruct,
    /// One that this version does not know.
    #[serde(other)]
    Unknown,
}
