//! The fixed-size records. Sizes are part of the ABI and asserted at compile time.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::Kind;

/// 256 bits as the EVM writes them to memory: big-endian.
pub type Word = [u8; 32];

/// `parent` or `frame` of a record that belongs to no frame.
pub const NO_FRAME: u32 = u32::MAX;

/// `tx_type` of the context where no transaction is judged: the chain's own system calls and withdrawals.
pub const TX_TYPE_CHAIN: u8 = 255;

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

/// A record that lies in a section.
pub trait Record: FromBytes + IntoBytes + Immutable + KnownLayout + Clone {
    /// The section it lies in.
    const KIND: Kind;
    /// Its fields, in order.
    const FIELDS: &'static [Field];
}

/// Where a field lies in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Bytes before it.
    pub offset: usize,
    /// Its size, in bytes.
    pub bytes: usize,
}

macro_rules! record {
    ($(#[$doc:meta])* $name:ident: $kind:ident, $size:literal { $($(#[$fdoc:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
        #[repr(C, align(8))]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty,)* }

        impl Record for $name {
            const KIND: Kind = Kind::$kind;
            const FIELDS: &'static [Field] = &[$(Field {
                name: stringify!($field),
                offset: core::mem::offset_of!($name, $field),
                bytes: size_of::<$ty>(),
            },)*];
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
        /// EIP-2718 type, or [`TX_TYPE_CHAIN`].
        tx_type: u8,
        /// 1 in a simulation (`eth_call`, `eth_estimateGas`), which is never committed.
        simulation: u8,
        /// In `on_tx`: the [`FrameStatus`](crate::FrameStatus) of the whole transaction.
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
        /// A [`FrameKind`](crate::FrameKind).
        kind: u8,
        /// A [`FrameStatus`](crate::FrameStatus).
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
        /// An [`AccessKind`](crate::AccessKind).
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
        /// An [`Asset`](crate::Asset).
        asset: u8,
        /// A [`FlowReason`](crate::FlowReason).
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
        /// A [`CodeChangeKind`](crate::CodeChangeKind).
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

record! {
    /// 64 bytes that a frame hashed with KECCAK256: how contracts find entries of mappings.
    PreimageRecord: Preimage, 104 {
        /// Position among all events of the transaction.
        seq: u32,
        /// The frame that hashed them.
        frame: u32,
        /// The first 32 bytes: the key, if this finds an entry of a mapping.
        key: Word,
        /// The other 32 bytes: the mapping's own slot.
        base: Word,
        /// Their hash: the entry's slot.
        hash: Word,
    }
}

record! {
    /// One EIP-7702 authorization of the transaction. Applied before the first frame; stays if the transaction fails.
    AuthorizationRecord: Authorization, 80 {
        /// Position among all events of the transaction; 0 when it did not take effect.
        seq: u32,
        /// Its place in the transaction's list.
        index: u32,
        /// 1 when it took effect; 0 when the EIP skips it (wrong chain, nonce or signature, or an account with other code).
        applied: u8,
        /// Zero.
        zero: [u8; 7],
        /// Chain it is for; 0 is any, and a number above 64 bits is cut to the highest.
        chain_id: u64,
        /// Nonce it is for.
        nonce: u64,
        /// Who signed it; zero where the signature is none.
        authority: Address,
        /// The account whose code it gives; zero clears.
        delegate: Address,
    }
}

record! {
    /// A frame that entered an account which delegates (EIP-7702), and whose code ran there.
    DelegateRecord: Delegate, 56 {
        /// The frame.
        frame: u32,
        /// Zero.
        zero: u32,
        /// The account that delegates: the frame's `code_address`.
        account: Address,
        /// The account whose code ran.
        delegate: Address,
    }
}
