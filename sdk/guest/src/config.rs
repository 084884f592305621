//! Typed parameters: the configuration bytes are what Solidity's `abi.encode` gives for the parameters in order.
//!
//! Decoding is strict: bytes that `abi.encode` would not have written (set padding bits, a boolean of 2, offsets that
//! point outside) are refused, and so are bytes left over, so a configuration has one meaning and one form.

use alloc::vec::Vec;

use crate::{
    Address, B256, Bytes4, U256, host,
    speech::{Detail, Show},
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
    /// Its value; none when the word is not one.
    fn from_word(word: &[u8; WORD]) -> Option<Self>;
    /// Its word.
    fn to_word(&self) -> [u8; WORD];
}

impl<T: Item> Parameter for T {
    const TYPE: &'static str = T::TYPE;

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        T::from_word(decoder.head()?).ok_or(Fault::Value)
    }

    fn encode(&self, encoder: &mut Encoder) {
        encoder.head.extend_from_slice(&self.to_word());
    }
}

impl<T: Item> Parameter for Vec<T> {
    const TYPE: &'static str = T::ARRAY_TYPE;

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Fault> {
        let mut items = Vec::new();
        for word in decoder.array()? {
            items.push(T::from_word(word).ok_or(Fault::Value)?);
        }
        Ok(items)
    }

    fn encode(&self, encoder: &mut Encoder) {
        let at = encoder.head_bytes + encoder.tail.len();
        encoder.head.extend_from_slice(&(at as u64).to_word());
        encoder.tail.extend_from_slice(&(self.len() as u64).to_word());
        for item in self {
            encoder.tail.extend_from_slice(&item.to_word());
        }
    }
}

/// An offset or a count: nothing that fits a configuration is above 16 bits, so sums of these cannot overflow.
#[inline(never)]
fn small(word: &[u8; WORD]) -> Result<usize, Fault> {
    right(word).map(|bytes| usize::from(u16::from_be_bytes(bytes))).ok_or(Fault::Short)
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
    ($ty:ty, $name:literal, |$word:ident| $from:expr, |$value:ident| $to:expr) => {
        impl Item for $ty {
            const TYPE: &'static str = $name;
            const ARRAY_TYPE: &'static str = concat!($name, "[]");

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
item!(U256, "uint256", |word| Some(Self::from_be_bytes(*word)), |v| (0, v.to_be_bytes::<WORD>()));
item!(u64, "uint64", |word| right(word).map(Self::from_be_bytes), |v| (24, v.to_be_bytes()));
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
