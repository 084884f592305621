//! For authors of CosmWasm guards: the messages that a contract gets, the state it may ask for, and the section that
//! says what it is.
//!
//! A CosmWasm guard is a contract built with stock `cosmwasm-std` that exports
//!
//! - `instantiate`, with the attachment's configuration bytes as its message, which are a JSON object (`{}` where there
//!   are none). It is asked at attachment, where an error refuses the configuration and nothing is stored; and again by
//!   the first transaction that is judged, and by the first after the configuration has changed, before its `sudo`.
//!   Then what it stores stays, with the transaction;
//! - `sudo`, called once for each transaction that woke the attachment, after it has executed and before it is
//!   committed, with [`SudoMsg::Judge`]. An error vetoes, with the error's text; events and attributes of the response
//!   become alerts; what it stores stays if the transaction succeeds;
//! - `query`, for readers; optional.
//!
//! ```ignore
//! parapet_contract::guard!(r#"{"abi":1,"name":"quiet","version":"0.1.0","triggers":["frame"]}"#);
//!
//! #[entry_point]
//! fn sudo(deps: DepsMut<GuardQuery>, env: Env, message: SudoMsg) -> Result<Response, Veto> { … }
//! ```
//!
//! What is special here, beside other chains:
//! - Addresses are 20 bytes in hex behind `0x`. Everything that a guard is told is in lower case, and that is the only
//!   spelling that `addr_validate` accepts; `addr_canonicalize` accepts a correct EIP-55 checksum too.
//! - `env.contract.address` names the attachment: `0x` and 64 hex digits. It is no account.
//! - `env.transaction` is not set: a transaction's position would depend on what else is in its block.
//! - `info.sender` of `instantiate` is the registry, and there are no funds.
//! - A response must carry no messages: there is nobody to send them to.
//! - An error's text that begins with `[7] ` has veto code 7, else it is 0. An attribute `code` gives an alert its code.
//! - Modules hold no bulk memory operations and no floats. `parapet guard build` lowers both.
//! - A module has at most 512 KiB, 4,096 functions, 131,072 bytes and 200 locals in each, 64 pages of memory, and four million
//!   units of work for the compiler, counted as in section 8 of `sdk/abi/SPECIFICATION.md`.
//! - Each page of memory is looked through and put back after a call, and paid for; with more than 32 pages, and after a trap,
//!   an instance is lost, which costs far more. A call needs the fuel for that beside what it spends.

mod descriptor;
mod message;
mod query;
mod records;
mod value;
mod veto;

pub use message::{
    AccessKind, Asset, CodeChange, CodeChangeKind, Flow, FlowReason, Frame, FrameKind, FrameStatus, Judge, Log,
    SlotChange, StorageAccess, SudoMsg, Transaction,
};
pub use parapet_abi as abi;
#[doc(hidden)]
pub use parapet_bump as bump;
pub use query::{Bytes, Fork, GuardQuery, Querier};
pub use records::{RECORDS, records};
pub use value::{Address, NotHex, Word};
pub use veto::Veto;
