//! What sections hold.

use crate::record::{
    AccessRecord, AccountRecord, AuthorizationRecord, CodeChangeRecord, ContextRecord, DelegateRecord, Field,
    FlowRecord, FrameRecord, LogRecord, PreimageRecord, Record as _, SlotChangeRecord,
};

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
    /// [`PreimageRecord`]s, by the order in which they were hashed; subscription `preimages`.
    Preimage = 9,
    /// [`AuthorizationRecord`]s: the transaction's EIP-7702 authorizations, in order; there from the first hook on.
    Authorization = 10,
    /// [`DelegateRecord`]s: frames that ran code by way of an EIP-7702 delegation, by the order in which they started.
    Delegate = 11,
}

impl Kind {
    /// Every kind, in the order in which a region lists them.
    pub const ALL: [Self; 11] = [
        Self::Context,
        Self::Account,
        Self::Frame,
        Self::Access,
        Self::Flow,
        Self::Log,
        Self::CodeChange,
        Self::SlotChange,
        Self::Preimage,
        Self::Authorization,
        Self::Delegate,
    ];

    /// The kind of a number, if this version knows it.
    #[must_use]
    pub fn from_u32(value: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == value)
    }

    /// The fields of this version's record, in order.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Context => ContextRecord::FIELDS,
            Self::Account => AccountRecord::FIELDS,
            Self::Frame => FrameRecord::FIELDS,
            Self::Access => AccessRecord::FIELDS,
            Self::Flow => FlowRecord::FIELDS,
            Self::Log => LogRecord::FIELDS,
            Self::CodeChange => CodeChangeRecord::FIELDS,
            Self::SlotChange => SlotChangeRecord::FIELDS,
            Self::Preimage => PreimageRecord::FIELDS,
            Self::Authorization => AuthorizationRecord::FIELDS,
            Self::Delegate => DelegateRecord::FIELDS,
        }
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
            Self::Preimage => size_of::<PreimageRecord>(),
            Self::Authorization => size_of::<AuthorizationRecord>(),
            Self::Delegate => size_of::<DelegateRecord>(),
        }
    }
}
