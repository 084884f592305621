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

use crate::{Address, B256, Bytes4, U256, value::number};

/// A record as authors see it.
///
/// ```
/// use parapet_guest::{Flow, View, abi::FlowRecord};
///
/// let flow = Flow::of(Box::new(FlowRecord { seq: 7, ..FlowRecord::default() }));
/// assert_eq!(flow.seq(), 7);
/// ```
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
    ///
    /// ```
    /// # use parapet_guest::prelude::*;
    /// # fn show(tx: &Tx) {
    /// let context = tx.context();
    /// alert!(1, "block {} of chain {} at {}", context.block_number(), context.chain_id(), context.timestamp());
    /// alert!(2, "built by {} on {}, {} to draw from", context.beneficiary(), context.parent_hash(), context.prev_randao());
    /// alert!(3, "{} sends {} wei to {}", context.sender(), context.value(), context.target());
    /// alert!(4, "{} of type {}, nonce {}", context.tx_hash(), context.tx_type(), context.nonce());
    /// alert!(5, "{} gas at {}, base fee {}", context.gas_limit(), context.gas_price(), context.base_fee());
    /// if context.is_simulation() || context.status() != Some(FrameStatus::Succeeded) {
    ///     return;
    /// }
    /// # }
    /// ```
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
        value: U256 = |r: &ContextRecord| number(&r.value);
        /// Base fee of the block, in wei per gas.
        base_fee: U256 = |r: &ContextRecord| number(&r.base_fee);
        /// What the sender pays, in wei per gas.
        gas_price: U256 = |r: &ContextRecord| number(&r.gas_price);
        /// PREVRANDAO of the block.
        prev_randao: B256 = |r: &ContextRecord| B256(r.prev_randao);
        /// Hash of the parent block.
        parent_hash: B256 = |r: &ContextRecord| B256(r.parent_hash);
    }
}

view! {
    /// One frame of the call stack, reverted ones included.
    ///
    /// ```
    /// # use parapet_guest::prelude::*;
    /// # fn show(tx: &Tx, frame: &Frame) {
    /// alert!(1, "{} calls {} with {}", frame.caller(), frame.target(), frame.selector());
    /// alert!(2, "code of {} ({}), {} wei", frame.code_address(), frame.code_hash(), frame.value());
    /// alert!(3, "frame {} at depth {} in {}", frame.id(), frame.depth(), frame.parent().unwrap_or_default());
    /// alert!(4, "events {} to {}", frame.start_seq(), frame.end_seq());
    /// alert!(5, "{} of {} gas", frame.gas_used(), frame.gas_limit());
    /// alert!(6, "{} bytes in, {} out", frame.input_len(), frame.output_len());
    /// let creates = matches!(frame.kind(), Some(FrameKind::Create | FrameKind::Create2));
    /// if !creates && !frame.is_static() && !frame.is_precompile() && frame.status() == Some(FrameStatus::Succeeded) {
    ///     alert!(7, "it may have changed something; the ABI's record has {}", frame.record().depth);
    /// }
    /// # }
    /// ```
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
        value: U256 = |r: &FrameRecord| number(&r.value);
    }
}

view! {
    /// One storage access, in order.
    ///
    /// ```
    /// # use parapet_guest::prelude::*;
    /// # fn show(tx: &Tx) {
    /// for access in tx.accesses().filter(|access| access.kind() == Some(AccessKind::StorageWrite)) {
    ///     alert!(1, "event {}, frame {}: {}", access.seq(), access.frame(), access.address());
    ///     alert!(2, "slot {}: {} to {}", access.slot(), access.before(), access.after());
    /// }
    /// # }
    /// ```
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
        slot: U256 = |r: &AccessRecord| number(&r.slot);
        /// Value before.
        before: U256 = |r: &AccessRecord| number(&r.old);
        /// Value after.
        after: U256 = |r: &AccessRecord| number(&r.new);
    }
}

view! {
    /// Ether or a token that changed hands in a frame that was not reverted.
    ///
    /// ```
    /// # use parapet_guest::prelude::*;
    /// # fn show(tx: &Tx) {
    /// for flow in tx.flows().filter(|flow| flow.asset() == Some(Asset::Erc721) && flow.reason() == Some(FlowReason::Log)) {
    ///     alert!(1, "event {}, frame {}", flow.seq(), flow.frame());
    ///     alert!(2, "{} times {} of {}", flow.amount(), flow.token_id(), flow.token());
    ///     alert!(3, "{} to {}", flow.from(), flow.to());
    /// }
    /// # }
    /// ```
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
        amount: U256 = |r: &FlowRecord| number(&r.amount);
        /// Which one (ERC-721, ERC-1155).
        token_id: U256 = |r: &FlowRecord| number(&r.token_id);
    }
}

view! {
    /// One log of a frame that was not reverted. Its data is [`crate::Tx::log_data`].
    ///
    /// ```
    /// # use parapet_guest::prelude::*;
    /// # fn show(tx: &Tx) {
    /// for (index, log) in (0..).zip(tx.logs()) {
    ///     let data = tx.log_data(index);
    ///     alert!(1, "event {}, frame {}, {} of {} bytes", log.seq(), log.frame(), data.len(), log.data_len());
    ///     alert!(2, "{} emits {}", log.address(), log.topic(0).unwrap_or_default());
    /// }
    /// # }
    /// ```
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
    ///
    /// ```
    /// # use parapet_guest::prelude::*;
    /// # fn show(tx: &Tx) {
    /// for change in tx.code_changes().filter(|change| change.kind() == Some(CodeChangeKind::Delegation)) {
    ///     alert!(1, "{}: {} to {}", change.address(), change.before(), change.after());
    ///     alert!(2, "event {}, frame {}", change.seq(), change.frame().unwrap_or_default());
    /// }
    /// # }
    /// ```
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
    ///
    /// ```
    /// # use parapet_guest::prelude::*;
    /// # fn show(tx: &Tx) {
    /// for change in tx.slot_changes().filter(|change| tx.is_guarded(change.address())) {
    ///     alert!(1, "slot {}: {} to {}", change.slot(), change.before(), change.after());
    /// }
    /// # }
    /// ```
    SlotChange(SlotChangeRecord) {
        /// The account.
        address: Address = |r: &SlotChangeRecord| r.address.into();
        /// The slot.
        slot: U256 = |r: &SlotChangeRecord| number(&r.slot);
        /// Value before the transaction.
        before: U256 = |r: &SlotChangeRecord| number(&r.old);
        /// Value after it.
        after: U256 = |r: &SlotChangeRecord| number(&r.new);
    }
}

view! {
    /// 64 bytes that a frame hashed: how contracts find entries of mappings.
    ///
    /// ```
    /// # use parapet_guest::prelude::*;
    /// # fn show(tx: &Tx) {
    /// for preimage in tx.preimages() {
    ///     alert!(1, "event {}, frame {}", preimage.seq(), preimage.frame());
    ///     alert!(2, "key {} of mapping {} lies at {}", preimage.key(), preimage.base(), preimage.slot());
    /// }
    /// # }
    /// ```
    Preimage(PreimageRecord) {
        /// Position among all events.
        seq: u32 = |r: &PreimageRecord| r.seq;
        /// The frame that hashed them.
        frame: u32 = |r: &PreimageRecord| r.frame;
        /// The key, if this finds an entry of a mapping.
        key: B256 = |r: &PreimageRecord| B256(r.key);
        /// The mapping's own slot.
        base: U256 = |r: &PreimageRecord| number(&r.base);
        /// The entry's slot.
        slot: U256 = |r: &PreimageRecord| number(&r.hash);
    }
}

view! {
    /// One EIP-7702 authorization of the transaction.
    ///
    /// ```
    /// # use parapet_guest::prelude::*;
    /// # fn show(tx: &Tx) {
    /// for authorization in tx.authorizations().filter(|authorization| authorization.is_applied()) {
    ///     alert!(1, "{} takes the code of {}", authorization.authority(), authorization.delegate());
    ///     alert!(2, "chain {}, nonce {}", authorization.chain_id(), authorization.nonce());
    /// }
    /// # }
    /// ```
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
    ///
    /// ```
    /// # use parapet_guest::prelude::*;
    /// # fn show(tx: &Tx) {
    /// for delegate in tx.delegates() {
    ///     alert!(1, "frame {}: {} ran {}", delegate.frame(), delegate.account(), delegate.delegate());
    /// }
    /// # }
    /// ```
    Delegate(DelegateRecord) {
        /// The frame.
        frame: u32 = |r: &DelegateRecord| r.frame;
        /// The account that delegates.
        account: Address = |r: &DelegateRecord| r.account.into();
        /// The account whose code ran.
        delegate: Address = |r: &DelegateRecord| r.delegate.into();
    }
}
