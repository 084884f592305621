//! The records of a trace, as authors read them: typed, without padding.
//!
//! A record is boxed: handing one on then moves a pointer, where moving its bytes would cost a guest as much fuel as
//! everything else it does with them.

use alloc::boxed::Box;

use parapet_abi::{
    AccessKind, AccessRecord, Asset, AuthorizationRecord, CodeChangeKind, CodeChangeRecord, ContextRecord,
    DelegateRecord, FlowReason, FlowRecord, FrameKind, FrameRecord, FrameStatus, LogRecord, NO_FRAME, PreimageRecord,
    Record, SlotChangeRecord,
};

use crate::{Address, B256, Bytes4, U256};

/// A record as authors see it.
pub trait View: Sized {
    /// The record of the ABI.
    type Of: Record;
    /// Wraps it.
    fn of(record: Box<Self::Of>) -> Self;
}

macro_rules! view {
    ($(#[$doc:meta])* $name:ident($record:ident) { $($(#[$fdoc:meta])* $field:ident: $ty:ty = $read:expr;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(Box<$record>);

        impl View for $name {
            type Of = $record;
            fn of(record: Box<$record>) -> Self {
                Self(record)
            }
        }

        impl $name {
            /// The record of the ABI.
            #[must_use]
            pub fn record(&self) -> &$record {
                &self.0
            }

            $($(#[$fdoc])* #[must_use] pub fn $field(&self) -> $ty { ($read)(&self.0) })*
        }
    };
}

fn some_frame(id: u32) -> Option<u32> {
    if id == NO_FRAME { None } else { Some(id) }
}

view! {
    /// The block and the transaction that is judged.
    Context(ContextRecord) {
        /// EIP-155 chain id.
        chain_id: u64 = |r: &ContextRecord| r.chain_id;
        /// Number of the block.
        block_number: u64 = |r: &ContextRecord| r.block_number;
        /// Timestamp of the block, in seconds.
        timestamp: u64 = |r: &ContextRecord| r.timestamp;
        /// Gas limit of the transaction.
        gas_limit: u64 = |r: &ContextRecord| r.gas_limit;
        /// Nonce of the sender before the transaction.
        nonce: u64 = |r: &ContextRecord| r.nonce;
        /// EIP-2718 type.
        tx_type: u8 = |r: &ContextRecord| r.tx_type;
        /// Whether this is a simulation, which is never committed.
        is_simulation: bool = |r: &ContextRecord| r.simulation == 1;
        /// In `on_tx`: how the transaction ended.
        status: Option<FrameStatus> = |r: &ContextRecord| FrameStatus::from_u8(r.status);
        /// Fee recipient of the block.
        beneficiary: Address = |r: &ContextRecord| r.beneficiary.into();
        /// Sender of the transaction.
        sender: Address = |r: &ContextRecord| r.sender.into();
        /// Target of the transaction; zero in a creation.
        target: Address = |r: &ContextRecord| r.target.into();
        /// Hash of the transaction; zero in a simulation.
        tx_hash: B256 = |r: &ContextRecord| B256(r.tx_hash);
        /// Value of the transaction, in wei.
        value: U256 = |r: &ContextRecord| U256::from_be_bytes(r.value);
        /// Base fee of the block, in wei per gas.
        base_fee: U256 = |r: &ContextRecord| U256::from_be_bytes(r.base_fee);
        /// What the sender pays, in wei per gas.
        gas_price: U256 = |r: &ContextRecord| U256::from_be_bytes(r.gas_price);
        /// PREVRANDAO of the block.
        prev_randao: B256 = |r: &ContextRecord| B256(r.prev_randao);
        /// Hash of the parent block.
        parent_hash: B256 = |r: &ContextRecord| B256(r.parent_hash);
    }
}

view! {
    /// One frame of the call stack, reverted ones included.
    Frame(FrameRecord) {
        /// Its id: frames are numbered as they start.
        id: u32 = |r: &FrameRecord| r.id;
        /// The frame that entered it.
        parent: Option<u32> = |r: &FrameRecord| some_frame(r.parent);
        /// Position of its start among all events.
        start_seq: u32 = |r: &FrameRecord| r.start_seq;
        /// Position of its end; 0 while it runs.
        end_seq: u32 = |r: &FrameRecord| r.end_seq;
        /// Depth; 0 for the transaction's own frame.
        depth: u32 = |r: &FrameRecord| r.depth;
        /// First four bytes of the input, zero-filled; meaningless in a creation.
        selector: Bytes4 = |r: &FrameRecord| Bytes4(r.selector);
        /// How it was entered; none for a kind this version does not know.
        kind: Option<FrameKind> = |r: &FrameRecord| FrameKind::from_u8(r.kind);
        /// How far it has come; none for a status this version does not know.
        status: Option<FrameStatus> = |r: &FrameRecord| FrameStatus::from_u8(r.status);
        /// Whether state changes are forbidden in it.
        is_static: bool = |r: &FrameRecord| r.is_static == 1;
        /// Whether its code is a precompile.
        is_precompile: bool = |r: &FrameRecord| r.is_precompile == 1;
        /// Length of the input, in bytes.
        input_len: u32 = |r: &FrameRecord| r.input_len;
        /// Length of the output, in bytes; 0 while it runs.
        output_len: u32 = |r: &FrameRecord| r.output_len;
        /// Gas it was given.
        gas_limit: u64 = |r: &FrameRecord| r.gas_limit;
        /// Gas it used; 0 while it runs.
        gas_used: u64 = |r: &FrameRecord| r.gas_used;
        /// Who entered it.
        caller: Address = |r: &FrameRecord| r.caller.into();
        /// Account whose storage and balance it works on; in a creation zero until it is known.
        target: Address = |r: &FrameRecord| r.target.into();
        /// Account whose code it runs.
        code_address: Address = |r: &FrameRecord| r.code_address.into();
        /// Hash of that code; zero in a creation.
        code_hash: B256 = |r: &FrameRecord| B256(r.code_hash);
        /// Value in wei; in a DELEGATECALL the apparent one, which does not move.
        value: U256 = |r: &FrameRecord| U256::from_be_bytes(r.value);
    }
}

view! {
    /// One storage access, in order.
    Access(AccessRecord) {
        /// Position among all events.
        seq: u32 = |r: &AccessRecord| r.seq;
        /// The frame it happened in.
        frame: u32 = |r: &AccessRecord| r.frame;
        /// Which access; none for a kind this version does not know.
        kind: Option<AccessKind> = |r: &AccessRecord| AccessKind::from_u8(r.kind);
        /// Account whose storage it is.
        address: Address = |r: &AccessRecord| r.address.into();
        /// The slot.
        slot: U256 = |r: &AccessRecord| U256::from_be_bytes(r.slot);
        /// Value before.
        before: U256 = |r: &AccessRecord| U256::from_be_bytes(r.old);
        /// Value after.
        after: U256 = |r: &AccessRecord| U256::from_be_bytes(r.new);
    }
}

view! {
    /// Ether or a token that changed hands in a frame that was not reverted.
    Flow(FlowRecord) {
        /// Position among all events.
        seq: u32 = |r: &FlowRecord| r.seq;
        /// The frame it happened in.
        frame: u32 = |r: &FlowRecord| r.frame;
        /// What flows; none for an asset this version does not know.
        asset: Option<Asset> = |r: &FlowRecord| Asset::from_u8(r.asset);
        /// Why; none for a reason this version does not know.
        reason: Option<FlowReason> = |r: &FlowRecord| FlowReason::from_u8(r.reason);
        /// Token contract; zero for ether.
        token: Address = |r: &FlowRecord| r.token.into();
        /// Who loses; zero for a mint.
        from: Address = |r: &FlowRecord| r.from.into();
        /// Who gains; zero for a burn.
        to: Address = |r: &FlowRecord| r.to.into();
        /// How much, in wei or the token's smallest unit.
        amount: U256 = |r: &FlowRecord| U256::from_be_bytes(r.amount);
        /// Which one (ERC-721, ERC-1155).
        token_id: U256 = |r: &FlowRecord| U256::from_be_bytes(r.token_id);
    }
}

view! {
    /// One log of a frame that was not reverted. Its data is [`crate::Tx::log_data`].
    Log(LogRecord) {
        /// Position among all events.
        seq: u32 = |r: &LogRecord| r.seq;
        /// The frame it was emitted in.
        frame: u32 = |r: &LogRecord| r.frame;
        /// Length of the data, in bytes.
        data_len: u32 = |r: &LogRecord| r.data_len;
        /// Emitter.
        address: Address = |r: &LogRecord| r.address.into();
    }
}

impl Log {
    /// A topic; none beyond those the log has.
    #[must_use]
    pub fn topic(&self, index: usize) -> Option<B256> {
        let topics = self.0.topics.get(..self.0.topic_count as usize)?;
        topics.get(index).copied().map(B256)
    }
}

view! {
    /// Code that appeared, changed or was destroyed.
    CodeChange(CodeChangeRecord) {
        /// Position among all events.
        seq: u32 = |r: &CodeChangeRecord| r.seq;
        /// The frame it happened in; none for a delegation.
        frame: Option<u32> = |r: &CodeChangeRecord| some_frame(r.frame);
        /// Which change; none for a kind this version does not know.
        kind: Option<CodeChangeKind> = |r: &CodeChangeRecord| CodeChangeKind::from_u8(r.kind);
        /// The account.
        address: Address = |r: &CodeChangeRecord| r.address.into();
        /// Code hash before.
        before: B256 = |r: &CodeChangeRecord| B256(r.old);
        /// Code hash after.
        after: B256 = |r: &CodeChangeRecord| B256(r.new);
    }
}

view! {
    /// A slot whose value the transaction changes.
    SlotChange(SlotChangeRecord) {
        /// The account.
        address: Address = |r: &SlotChangeRecord| r.address.into();
        /// The slot.
        slot: U256 = |r: &SlotChangeRecord| U256::from_be_bytes(r.slot);
        /// Value before the transaction.
        before: U256 = |r: &SlotChangeRecord| U256::from_be_bytes(r.old);
        /// Value after it.
        after: U256 = |r: &SlotChangeRecord| U256::from_be_bytes(r.new);
    }
}

view! {
    /// 64 bytes that a frame hashed: how contracts find entries of mappings.
    Preimage(PreimageRecord) {
        /// Position among all events.
        seq: u32 = |r: &PreimageRecord| r.seq;
        /// The frame that hashed them.
        frame: u32 = |r: &PreimageRecord| r.frame;
        /// The key, if this finds an entry of a mapping.
        key: B256 = |r: &PreimageRecord| B256(r.key);
        /// The mapping's own slot.
        base: U256 = |r: &PreimageRecord| U256::from_be_bytes(r.base);
        /// The entry's slot.
        slot: U256 = |r: &PreimageRecord| U256::from_be_bytes(r.hash);
    }
}

view! {
    /// One EIP-7702 authorization of the transaction.
    Authorization(AuthorizationRecord) {
        /// Whether it took effect.
        is_applied: bool = |r: &AuthorizationRecord| r.applied == 1;
        /// Chain it is for; 0 is any.
        chain_id: u64 = |r: &AuthorizationRecord| r.chain_id;
        /// Nonce it is for.
        nonce: u64 = |r: &AuthorizationRecord| r.nonce;
        /// Who signed it; zero where the signature is none.
        authority: Address = |r: &AuthorizationRecord| r.authority.into();
        /// The account whose code it gives; zero clears.
        delegate: Address = |r: &AuthorizationRecord| r.delegate.into();
    }
}

view! {
    /// A frame that ran code by way of a delegation (EIP-7702).
    Delegate(DelegateRecord) {
        /// The frame.
        frame: u32 = |r: &DelegateRecord| r.frame;
        /// The account that delegates.
        account: Address = |r: &DelegateRecord| r.account.into();
        /// The account whose code ran.
        delegate: Address = |r: &DelegateRecord| r.delegate.into();
    }
}
