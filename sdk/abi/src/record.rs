//! The fixed-size records. Sizes are part of the ABI and asserted at compile time.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// 256 bits as the EVM writes them to memory: big-endian.
pub type Word = [u8; 32];

/// `parent` or `frame` of a record that belongs to no frame.
pub const NO_FRAME: u32 = u32::MAX;

/// An account's address and four zero bytes, which keep records aligned.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Address {
    /// The address.
    pub bytes: [u8; 20],
    /// Zero.
    pub zero: [u8; 4],
}

impl Address {
    /// Pads an address.
    #[must_use]
    pub const fn new(bytes: [u8; 20]) -> Self {
        Self { bytes, zero: [0; 4] }
    }
}

impl From<[u8; 20]> for Address {
    fn from(bytes: [u8; 20]) -> Self {
        Self::new(bytes)
    }
}

/// What a section holds. Kinds are only ever added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Kind {
    /// One [`ContextRecord`]: the block and the transaction.
    Context = 1,
    /// [`AccountRecord`]s: the accounts that the reading attachment guards.
    Account = 2,
    /// [`FrameRecord`]s, by the order in which frames started; a frame's id is its index.
    Frame = 3,
    /// [`AccessRecord`]s; subscription `accesses`.
    Access = 4,
    /// [`FlowRecord`]s; subscription `flows`; complete in `on_tx`.
    Flow = 5,
    /// [`LogRecord`]s of frames that were not reverted; subscription `flows`; complete in `on_tx`.
    Log = 6,
    /// [`CodeChangeRecord`]s; complete in `on_tx`.
    CodeChange = 7,
    /// [`SlotChangeRecord`]s: the transaction's net storage writes, by address and slot; in `on_tx` only.
    SlotChange = 8,
}

impl Kind {
    /// Every kind, in the order in which a region lists them.
    pub const ALL: [Self; 8] = [
        Self::Context,
        Self::Account,
        Self::Frame,
        Self::Access,
        Self::Flow,
        Self::Log,
        Self::CodeChange,
        Self::SlotChange,
    ];

    /// The kind of a number, if this version knows it.
    #[must_use]
    pub fn from_u32(value: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == value)
    }

    /// Size of this version's record, in bytes.
    #[must_use]
    pub const fn record_bytes(self) -> usize {
        match self {
            Self::Context => size_of::<ContextRecord>(),
            Self::Account => size_of::<AccountRecord>(),
            Self::Frame => size_of::<FrameRecord>(),
            Self::Access => size_of::<AccessRecord>(),
            Self::Flow => size_of::<FlowRecord>(),
            Self::Log => size_of::<LogRecord>(),
            Self::CodeChange => size_of::<CodeChangeRecord>(),
            Self::SlotChange => size_of::<SlotChangeRecord>(),
        }
    }
}

/// A record that lies in a section.
pub trait Record: FromBytes + IntoBytes + Immutable + KnownLayout + Clone {
    /// The section it lies in.
    const KIND: Kind;
}

macro_rules! byte_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $value:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant = $value,)* }

        impl $name {
            /// The value of a byte, if this version knows it.
            #[must_use]
            pub const fn from_u8(value: u8) -> Option<Self> {
                match value { $($value => Some(Self::$variant),)* _ => None }
            }
        }

        impl From<$name> for u8 {
            fn from(value: $name) -> Self { value as Self }
        }
    };
}

byte_enum! {
    /// How a frame was entered.
    FrameKind {
        /// CALL, or the call of the transaction itself.
        Call = 0,
        /// CALLCODE.
        CallCode = 1,
        /// DELEGATECALL.
        DelegateCall = 2,
        /// STATICCALL.
        StaticCall = 3,
        /// CREATE, or the creation by the transaction itself.
        Create = 4,
        /// CREATE2.
        Create2 = 5,
        /// A call made by the chain itself (EIP-4788, EIP-2935, EIP-7002, EIP-7251).
        System = 6,
    }
}

byte_enum! {
    /// How far a frame has come.
    FrameStatus {
        /// It has not ended.
        Running = 0,
        /// It returned or stopped.
        Succeeded = 1,
        /// It reverted and gave back its remaining gas.
        Reverted = 2,
        /// It ended exceptionally (out of gas, invalid opcode, …).
        Halted = 3,
    }
}

byte_enum! {
    /// A storage access.
    AccessKind {
        /// SLOAD.
        StorageRead = 0,
        /// SSTORE.
        StorageWrite = 1,
        /// TLOAD.
        TransientRead = 2,
        /// TSTORE.
        TransientWrite = 3,
    }
}

byte_enum! {
    /// What flows.
    Asset {
        /// Ether, in wei.
        Ether = 0,
        /// ERC-20, in the token's smallest unit.
        Erc20 = 1,
        /// ERC-721: amount 1 of `token_id`.
        Erc721 = 2,
        /// ERC-1155: `amount` of `token_id`.
        Erc1155 = 3,
    }
}

byte_enum! {
    /// Why ether or a token flows.
    FlowReason {
        /// Value of a call.
        Call = 0,
        /// Value of a creation.
        Create = 1,
        /// Balance moved by SELFDESTRUCT.
        SelfDestruct = 2,
        /// Decoded from a log.
        Log = 3,
    }
}

byte_enum! {
    /// How an account's code changes.
    CodeChangeKind {
        /// A contract was created.
        Create = 0,
        /// A delegation (EIP-7702) was set, replaced or cleared.
        Delegation = 1,
        /// SELFDESTRUCT ran; under EIP-6780 code goes only if it was created in the same transaction.
        SelfDestruct = 2,
    }
}

macro_rules! record {
    ($(#[$doc:meta])* $name:ident: $kind:ident, $size:literal { $($(#[$fdoc:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
        #[repr(C, align(8))]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty,)* }

        impl Record for $name {
            const KIND: Kind = Kind::$kind;
        }

        const _: () = assert!(size_of::<$name>() == $size && $size % 8 == 0);
    };
}

record! {
    /// The block and the transaction that is judged.
    ContextRecord: Context, 320 {
        /// EIP-155 chain id.
        chain_id: u64,
        /// Number of the block the transaction executes in.
        block_number: u64,
        /// Its timestamp, in seconds.
        timestamp: u64,
        /// Its gas limit.
        block_gas_limit: u64,
        /// Gas limit of the transaction.
        gas_limit: u64,
        /// Nonce of the sender before the transaction.
        nonce: u64,
        /// EIP-2718 type.
        tx_type: u8,
        /// 1 in a simulation (`eth_call`, `eth_estimateGas`), which is never committed.
        simulation: u8,
        /// In `on_tx`: the [`FrameStatus`] of the whole transaction.
        status: u8,
        /// Zero.
        zero: [u8; 5],
        /// Fee recipient of the block.
        beneficiary: Address,
        /// Sender.
        sender: Address,
        /// Target; zero in a creation.
        target: Address,
        /// Hash of the transaction; zero in a simulation.
        tx_hash: Word,
        /// Value in wei.
        value: Word,
        /// Base fee of the block, in wei per gas.
        base_fee: Word,
        /// Price the sender pays, in wei per gas.
        gas_price: Word,
        /// PREVRANDAO of the block.
        prev_randao: Word,
        /// Hash of the parent block.
        parent_hash: Word,
    }
}

record! {
    /// An account that the reading attachment guards.
    AccountRecord: Account, 24 {
        /// The account.
        address: Address,
    }
}

record! {
    /// One frame of the call stack, reverted ones included.
    FrameRecord: Frame, 192 {
        /// Its id, which is its index in the section.
        id: u32,
        /// The frame that entered it, or [`NO_FRAME`].
        parent: u32,
        /// Position of its start among all events of the transaction.
        start_seq: u32,
        /// Position of its end; 0 while it runs.
        end_seq: u32,
        /// Depth: 0 for the transaction's own frame.
        depth: u32,
        /// First four bytes of the input, zero-filled. Meaningless in a creation.
        selector: [u8; 4],
        /// A [`FrameKind`].
        kind: u8,
        /// A [`FrameStatus`].
        status: u8,
        /// 1 when state changes are forbidden in it.
        is_static: u8,
        /// 1 when the code is a precompile.
        is_precompile: u8,
        /// Length of the input, in bytes.
        input_len: u32,
        /// Length of the output, in bytes; 0 while it runs.
        output_len: u32,
        /// Zero.
        zero: u32,
        /// Gas it was given.
        gas_limit: u64,
        /// Gas it used; 0 while it runs.
        gas_used: u64,
        /// Who entered it.
        caller: Address,
        /// Account whose storage and balance it works on; in a creation the new account, zero until it is known.
        target: Address,
        /// Account whose code it runs.
        code_address: Address,
        /// Hash of that code; of the delegate's code under EIP-7702; zero in a creation.
        code_hash: Word,
        /// Value that moves, in wei; in a DELEGATECALL the apparent value, which does not move.
        value: Word,
    }
}

record! {
    /// One storage access, in order.
    AccessRecord: Access, 136 {
        /// Position among all events of the transaction.
        seq: u32,
        /// The frame it happened in.
        frame: u32,
        /// An [`AccessKind`].
        kind: u8,
        /// Zero.
        zero: [u8; 7],
        /// Account whose storage it is.
        address: Address,
        /// The slot.
        slot: Word,
        /// Value before.
        old: Word,
        /// Value after; equals `old` in a read.
        new: Word,
    }
}

record! {
    /// Ether or a token that changed hands, in a frame that was not reverted.
    FlowRecord: Flow, 152 {
        /// Position among all events of the transaction.
        seq: u32,
        /// The frame it happened in.
        frame: u32,
        /// An [`Asset`].
        asset: u8,
        /// A [`FlowReason`].
        reason: u8,
        /// Zero.
        zero: [u8; 6],
        /// Token contract; zero for ether.
        token: Address,
        /// Who loses; zero for a mint.
        from: Address,
        /// Who gains; zero for a burn.
        to: Address,
        /// How much.
        amount: Word,
        /// Which one (ERC-721, ERC-1155).
        token_id: Word,
    }
}

record! {
    /// One log of a frame that was not reverted.
    LogRecord: Log, 168 {
        /// Position among all events of the transaction.
        seq: u32,
        /// The frame it was emitted in.
        frame: u32,
        /// Number of topics, 0 to 4.
        topic_count: u32,
        /// Length of the data, in bytes.
        data_len: u32,
        /// Emitter.
        address: Address,
        /// The topics, zero-filled.
        topics: [Word; 4],
    }
}

record! {
    /// Code that appeared, changed or was destroyed.
    CodeChangeRecord: CodeChange, 104 {
        /// Position among all events of the transaction.
        seq: u32,
        /// The frame it happened in; [`NO_FRAME`] for a delegation.
        frame: u32,
        /// A [`CodeChangeKind`].
        kind: u8,
        /// Zero.
        zero: [u8; 7],
        /// The account.
        address: Address,
        /// Code hash before.
        old: Word,
        /// Code hash after.
        new: Word,
    }
}

record! {
    /// A slot whose value the transaction changes.
    SlotChangeRecord: SlotChange, 120 {
        /// The account.
        address: Address,
        /// The slot.
        slot: Word,
        /// Value before the transaction.
        old: Word,
        /// Value after it.
        new: Word,
    }
}
