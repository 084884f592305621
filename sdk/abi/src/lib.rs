//! The trace as guards read it: one layout, shared by the host that records it and the guest that judges it.
//!
//! A trace is a set of *sections*. A section holds records of one [`Kind`], all of one size, in the order they
//! happened. During execution the host serves single records on demand ([`import`]); a finished trace can be written
//! as one flat [`region`] with a header, a section table and the records, which is also the file format of recorded
//! traces.
//!
//! `SPECIFICATION.md` says all of it in words, offsets and limits included.
//!
//! Rules of the layout, pinned byte by byte in `tests/golden.rs`:
//! - integers are little-endian and every record is a multiple of 8 bytes;
//! - addresses are 20 bytes followed by 4 zero bytes; 256-bit words (amounts, slots, hashes) are 32 bytes in the order
//!   in which the EVM writes them to memory, which is big-endian;
//! - records only ever grow at their end, and kinds are only ever added: a reader takes the record size from the
//!   section, ignores bytes behind those it knows, and skips kinds it does not know. So a guard built for version 1
//!   runs for ever.

#![no_std]
extern crate alloc;

pub mod descriptor;
mod enumeration;
pub mod import;
mod kind;
pub mod record;
pub mod region;

pub use enumeration::{AccessKind, Asset, CodeChangeKind, FlowReason, FrameKind, FrameStatus};
pub use kind::Kind;
pub use record::{
    AccessRecord, AccountRecord, Address, AuthorizationRecord, CodeChangeRecord, ContextRecord, DelegateRecord, Field,
    FlowRecord, FrameRecord, LogRecord, NO_FRAME, PreimageRecord, Record, SlotChangeRecord, TX_TYPE_CHAIN, Word,
};

/// Version of the layout that this crate describes.
pub const ABI_VERSION: u32 = 1;
