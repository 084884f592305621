//! Calls and logs with their arguments, from a signature that is text: [`calls!`](crate::calls), [`args!`](crate::args)
//! and [`logs!`](crate::logs) write the decoding.
//!
//! ```
//! use parapet_guest::{calls::{Called, Logged}, prelude::*};
//!
//! /// Nobody is paid more than the limit, whoever asks for it, and what is burnt was not paid before.
//! #[guard(name = "pay_limit", triggers(frame), subscribes(flows))]
//! pub struct PayLimit {
//!     most: U256,
//! }
//!
//! #[guard]
//! impl Guard for PayLimit {
//!     fn on_call(&self, tx: &Tx, frame: &Frame) {
//!         // One frame, as it starts: nothing if it calls something else.
//!         if let Some((to, amount)) = args!(tx, frame, "pay(address,uint256)")
//!             && amount > self.most
//!         {
//!             veto!(1, "{to} is to be paid {amount}");
//!         }
//!     }
//!
//!     fn on_tx(&self, tx: &Tx) {
//!         // Every frame of the transaction, reverted ones included.
//!         for call in calls!(tx, "pay(address,uint256)") {
//!             let call: Called<(Address, U256)> = call;
//!             let (to, amount) = call.arguments;
//!             alert!(2, "{} paid {to} {amount}", call.frame.caller());
//!         }
//!         // Every log with this signature and as many indexed values.
//!         for log in logs!(tx, "Transfer(address indexed,address indexed,uint256)") {
//!             let log: Logged<(Address, Address, U256)> = log;
//!             let (from, to, amount) = log.values;
//!             alert!(3, "{} {amount} from {from} to {to}, log {}", log.log.address(), log.index);
//!         }
//!     }
//! }
//! ```
//!
//! Types are those of [`view!`](crate::view). Types of `alloy_sol_types::sol!` work in a guard too, on [`Tx::input`] and
//! [`Tx::log_data`]; their decoder costs about four times as many bytes.

use alloc::vec::Vec;

use parapet_abi::FrameKind;

use crate::{
    Frame, Log, Tx,
    config::{ConfigError, Decoder},
};

/// Bytes of a selector.
const SELECTOR: usize = 4;

/// Reads arguments, one after the other. Written by the macros.
#[doc(hidden)]
pub type Decode<T> = fn(&mut Decoder<'_>) -> Result<T, ConfigError>;

/// Reads indexed values from the first decoder and the others from the second. Written by the macro.
#[doc(hidden)]
pub type DecodeLog<T> = fn(&mut Decoder<'_>, &mut Decoder<'_>) -> Result<T, ConfigError>;

/// A call of a function, with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called<T> {
    /// The frame that is the call. It may have been reverted.
    pub frame: Frame,
    /// The arguments: a value, or a tuple.
    pub arguments: T,
}

/// A log of an event, with its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged<T> {
    /// Its index in [`Tx::logs`].
    pub index: u32,
    /// The log.
    pub log: Log,
    /// The values: one, or a tuple, in the order of the signature.
    pub values: T,
}

/// The arguments of a frame, if it calls this function with arguments of these types.
#[doc(hidden)]
#[must_use]
pub fn arguments<T>(tx: &Tx, frame: &Frame, selector: [u8; SELECTOR], decode: Decode<T>) -> Option<T> {
    if !calls(frame, selector) {
        return None;
    }
    let input = tx.input(frame);
    decode(&mut Decoder::new(input.get(SELECTOR..)?)).ok()
}

fn calls(frame: &Frame, selector: [u8; SELECTOR]) -> bool {
    let creates = matches!(frame.kind(), Some(FrameKind::Create | FrameKind::Create2));
    frame.selector().0 == selector && frame.input_len() >= SELECTOR as u32 && !creates && !frame.is_precompile()
}

/// Calls of this function so far, by frame.
#[doc(hidden)]
pub fn of<T>(tx: &Tx, selector: [u8; SELECTOR], decode: Decode<T>) -> impl Iterator<Item = Called<T>> {
    tx.frames().filter_map(move |frame| {
        let arguments = arguments(tx, &frame, selector, decode)?;
        Some(Called { frame, arguments })
    })
}

/// Logs of this event so far, in order.
#[doc(hidden)]
pub fn logged<T>(tx: &Tx, topic0: [u8; 32], topics: u32, decode: DecodeLog<T>) -> impl Iterator<Item = Logged<T>> {
    tx.logs().zip(0..).filter_map(move |(log, index)| {
        let [first, indexed @ ..] = log.record().topics.get(..log.record().topic_count as usize)? else { return None };
        if *first != topic0 || log.record().topic_count != topics {
            return None;
        }
        let indexed: Vec<u8> = indexed.concat();
        let data = tx.log_data(index);
        let values = decode(&mut Decoder::new(&indexed), &mut Decoder::new(&data)).ok()?;
        Some(Logged { index, log, values })
    })
}
