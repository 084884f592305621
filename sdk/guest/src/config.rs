//! Typed parameters: the configuration bytes are what Solidity's `abi.encode` gives for the parameters in order.
//!
//! Decoding is strict: bytes that `abi.encode` would not have written (set padding bits, a boolean of 2, offsets that
//! point outside) are refused, and so are bytes left over, so a configuration has one meaning and one form.
//!
//! ```
//! use parapet_guest::{
//!     config::{Bytes, Config, ConfigError, Decoder, Encoder, Fault, Item, Parameter},
//!     prelude::*,
//! };
//!
//! /// Stops what is larger.
//! #[guard(name = "cap", triggers(flow))]
//! # #[derive(Debug, PartialEq)]
//! pub struct Cap {
//!     most: U256,
//!     parties: Vec<Address>,
//! }
//! # #[guard] impl Guard for Cap {}
//!
//! let cap = Cap { most: U256::from(5), parties: vec![Address([1; 20])] };
//! let bytes: Bytes = cap.encode();
//! assert_eq!(bytes, Encoder::new(2).push(&cap.most).push(&cap.parties).finish());
//! let mut decoder = Decoder::new(&bytes);
//! assert_eq!(decoder.next::<U256>("most"), Ok(U256::from(5)));
//! assert_eq!(decoder.next::<Vec<Address>>("parties"), Ok(vec![Address([1; 20])]));
//! assert_eq!(decoder.end(), Ok(()));
//! assert_eq!(Cap::decode(&bytes[..40]), Err(ConfigError { parameter: "parties", fault: Fault::Short }));
//! assert_eq!((<Vec<Address> as Parameter>::TYPE, <Bps as Parameter>::UNIT), ("address[]", "bps"));
//! assert_eq!(Address::from_word(&Address([7; 20]).to_word()), Some(Address([7; 20])));
//! ```

use alloc::vec::Vec;

use parapet_abi::descriptor::{UNIT_BPS, UNIT_SECONDS, UNIT_WEI};

use crate::{
    Address, B256, Bps, Bytes4, Seconds, U256, Wei, host,
    speech::{Detail, Show},
    value::{self, number},
};

/// Bytes that one call to the host fetches.
const READ_BYTES: usize = 256;
/// Bytes of a word.
const WORD: usize = 32;

/// Configuration bytes.
pub type Bytes = Vec<u8>;

/// What is wrong with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The parameter; empty when it is the whole.
    pub parameter: &'static str,
    /// Why.
    pub fault: Fault,
}

/// Why bytes are not a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// They end too early.
    Short,
    /// They are no value of this type as `abi.encode` writes it.
    Value,
    /// There are more bytes than parameters account for.
    Long,
}

impl Show for ConfigError {
    fn show(&self, detail: &mut Detail) {
        let fault = match self.fault {
            Fault::Short => "it ends before parameter ",
            Fault::Value => "not a value of its type: parameter ",
            Fault::Long => "bytes are left over behind the last parameter",
        };
        detail.push(fault).push(self.parameter);
    }
}

/// A guard's parameters. Written by `#[guard(…)]`.
pub trait Config: Sized {
    /// Decodes the parameters.
    ///
    /// # Errors
    /// [`ConfigError`] names the first parameter that is wrong.
    fn decode(bytes: &[u8]) -> Result<Self, ConfigError>;

    /// Encodes the parameters as Solidity's `abi.encode` does.
    fn encode(&self) -> Vec<u8>;

    /// Decodes the configuration of the attachment that runs.
    ///
    /// # Errors
    /// [`ConfigError`] names the first parameter that is wrong.
    fn load() -> Result<Self, ConfigError> {
        let mut bytes = Vec::new();
        loop {
            let known = bytes.len();
            bytes.resize(known + READ_BYTES, 0);
            let read = host::config_read(known, &mut bytes[known..]);
            bytes.truncate(known + read);
            if read < READ_BYTES {
                return Self::decode(&bytes);
            }
        }
    }
}

/// Decodes parameters one after the other.
#[derive(Debug)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    head: usize,
    /// Bytes accounted for.
    used: usize,
}

impl<'a> Decoder<'a> {
    /// Starts at the first parameter.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, head: 0, used: 0 }
    }

    /// The next parameter.
    ///
    /// # Errors
    /// [`ConfigError`] with its name.
    pub fn next<P: Parameter>(&mut self, parameter: &'static str) -> Result<P, ConfigError> {
        P::decode(self).map_err(|fault| ConfigError { parameter, fault })
    }

    /// Checks that nothing is left over.
    ///
    /// # Errors
    /// [`Fault::Long`] when bytes are.
    pub fn end(self) -> Result<(), ConfigError> {
        if self.used.max(self.head) == self.bytes.len() {
            Ok(())
        } else {
            Err(ConfigError { parameter: "", fault: Fault::Long })
        }
    }

    fn word_at(&mut self, at: usize) -> Result<&'a [u8; WORD], Fault> {
        let word = self.bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(Fault::Short)?;
        self.used = self.used.max(at + WORD);
        Ok(word)
    }

    #[inline(never)]
    fn head(&mut self) -> Result<&'a [u8; WORD], Fault> {
        let word = self.word_at(self.head)?;
        self.head += WORD;
        Ok(word)
    }

    /// The words of an array: the head says where its length stands, the items lie behind that.
    fn array(&mut self) -> Result<&'a [[u8; WORD]], Fault> {
        let at = small(self.head()?)?;
        let count = small(self.word_at(at)?)?;
        let first = at + WORD;
        let words = self.bytes.get(first..first + count * WORD).ok_or(Fault::Short)?;
        self.used = self.used.max(first + words.len());
        Ok(words.as_chunks().0)
    }
}

/// Encodes parameters one after the other.
#[derive(Debug)]
pub struct Encoder {
    head: Vec<u8>,
    tail: Vec<u8>,
    head_bytes: usize,
}

impl Encoder {
    /// For so many parameters.
    #[must_use]
    pub const fn new(parameters: usize) -> Self {
        Self { head: Vec::new(), tail: Vec::new(), head_bytes: parameters * WORD }
    }

    /// Appends a parameter.
    #[must_use]
    pub fn push<P: Parameter>(mut self, parameter: &P) -> Self {
        parameter.encode(&mut self);
        self
    }

    /// Where the next tail begins.
    fn offset(&self) -> [u8; WORD] {
        ((self.head_bytes + self.tail.len()) as u64).to_word()
    }

    /// Joins heads and tails.
    #[must_use]
    #[inline(never)]
    pub fn finish(mut self) -> Vec<u8> {
        self.head.append(&mut self.tail);
        self.head
    }
}

/// A type that a parameter can have.
pub trait Parameter: Sized {
    /// Its name in Solidity's ABI.
    const TYPE: &'static str;
    /// Its unit, as the descriptor names it; empty for none.
    const UNIT: &'static str = "";
    /// Reads the next one.
    ///
    /// # Errors
    /// [`Fault`] when the bytes are none.
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault>;
    /// Appends it.
    fn encode(&self, encoder: &mut Encoder);
}

/// A type that takes one word, also as the item of an array.
pub trait Item: Sized {
    /// Its name in Solidity's ABI.
    const TYPE: &'static str;
    /// Name of the array of it.
    const ARRAY_TYPE: &'static str;
    /// Its unit; empty for none.
    const UNIT: &'static str = "";
    /// Its value; none when the word is not one.
    fn from_word(word: &[u8; WORD]) -> Option<Self>;
    /// Its word.
    fn to_word(&self) -> [u8; WORD];
}

impl<T: Item> Parameter for T {
    const TYPE: &'static str = T::TYPE;
    const UNIT: &'static str = T::UNIT;

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        T::from_word(decoder.head()?).ok_or(Fault::Value)
    }

    fn encode(&self, encoder: &mut Encoder) {
        encoder.head.extend_from_slice(&self.to_word());
    }
}

impl<T: Item> Parameter for Vec<T> {
    const TYPE: &'static str = T::ARRAY_TYPE;
    const UNIT: &'static str = T::UNIT;

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let mut items = Vec::new();
        for word in decoder.array()? {
            items.push(T::from_word(word).ok_or(Fault::Value)?);
        }
        Ok(items)
    }

    fn encode(&self, encoder: &mut Encoder) {
        encoder.head.extend_from_slice(&encoder.offset());
        encoder.tail.extend_from_slice(&(self.len() as u64).to_word());
        for item in self {
            encoder.tail.extend_from_slice(&item.to_word());
        }
    }
}

/// Bytes of any length. As a parameter of a guard it is hex.
impl Parameter for Vec<u8> {
    const TYPE: &'static str = "bytes";

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let at = small(decoder.head()?)?;
        let len = small(decoder.word_at(at)?)?;
        let first = at + WORD;
        let padded = len.next_multiple_of(WORD);
        let words = decoder.bytes.get(first..first + padded).ok_or(Fault::Short)?;
        decoder.used = decoder.used.max(first + padded);
        let (bytes, padding) = words.split_at(len);
        if padding.iter().any(|byte| *byte != 0) {
            return Err(Fault::Value);
        }
        Ok(bytes.to_vec())
    }

    fn encode(&self, encoder: &mut Encoder) {
        encoder.head.extend_from_slice(&encoder.offset());
        encoder.tail.extend_from_slice(&(self.len() as u64).to_word());
        encoder.tail.extend_from_slice(self);
        encoder.tail.resize(encoder.tail.len().next_multiple_of(WORD), 0);
    }
}

/// An offset or a count: nothing that a guard can be shown is above 24 bits, so sums of these cannot overflow.
#[inline(never)]
fn small(word: &[u8; WORD]) -> Result<usize, Fault> {
    let number = right(word).map(u32::from_be_bytes).ok_or(Fault::Short)?;
    if number < 1 << 24 { Ok(number as usize) } else { Err(Fault::Short) }
}

/// The last `N` bytes when those before are zero: how numbers and addresses lie in a word.
fn right<const N: usize>(word: &[u8; WORD]) -> Option<[u8; N]> {
    let (zero, value) = word.split_last_chunk()?;
    zero.iter().all(|byte| *byte == 0).then_some(*value)
}

/// The first `N` bytes when those behind are zero: how byte strings lie in a word.
fn left<const N: usize>(word: &[u8; WORD]) -> Option<[u8; N]> {
    let (value, zero) = word.split_first_chunk()?;
    zero.iter().all(|byte| *byte == 0).then_some(*value)
}

macro_rules! item {
    ($ty:ty, $name:literal $(in $unit:expr)?, |$word:ident| $from:expr, |$value:ident| $to:expr) => {
        impl Item for $ty {
            const TYPE: &'static str = $name;
            const ARRAY_TYPE: &'static str = concat!($name, "[]");
            $(const UNIT: &'static str = $unit;)?

            fn from_word($word: &[u8; WORD]) -> Option<Self> {
                $from
            }

            fn to_word(&self) -> [u8; WORD] {
                let mut word = [0; WORD];
                let $value = self;
                let (at, bytes) = $to;
                word[at..at + bytes.len()].copy_from_slice(&bytes);
                word
            }
        }
    };
}

item!(Address, "address", |word| right(word).map(Self), |v| (12, v.0));
item!(U256, "uint256", |word| Some(number(word)), |v| (0, value::word(v)));
item!(u64, "uint64", |word| right(word).map(Self::from_be_bytes), |v| (24, v.to_be_bytes()));
item!(Wei, "uint256" in UNIT_WEI, |word| Some(Self::new(number(word))), |v| (0, value::word(&v.get())));
item!(Bps, "uint64" in UNIT_BPS, |word| Self::checked(u64::from_word(word)?), |v| (24, v.get().to_be_bytes()));
item!(Seconds, "uint64" in UNIT_SECONDS, |word| Self::checked(u64::from_word(word)?), |v| (24, v.get().to_be_bytes()));
item!(Bytes4, "bytes4", |word| left(word).map(Self), |v| (0, v.0));
item!(B256, "bytes32", |word| Some(Self(*word)), |v| (0, v.0));
item!(
    bool,
    "bool",
    |word| match right(word)? {
        [0] => Some(false),
        [1] => Some(true),
        _ => None,
    },
    |v| (31, [u8::from(*v)])
);
