//! What single bytes of records mean. Values are only ever added.

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
        /// What the sender pays for gas, and what the fee recipient gets of it; subscription `fees`.
        Fee = 4,
        /// A withdrawal from the beacon chain (EIP-4895).
        Withdrawal = 5,
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
