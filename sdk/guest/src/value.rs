//! Addresses, selectors and hashes. They print as lower-case hex with `0x`.
//!
//! ```
//! use parapet_guest::prelude::*;
//!
//! const OWNER: Address = Address::from_hex("0x00000000000000000000000000000000000000aa");
//! const TRANSFER: Bytes4 = Bytes4::from_hex("0xa9059cbb");
//!
//! assert!(keccak256(b"transfer(address,uint256)").0.starts_with(&TRANSFER.0));
//! assert_eq!(B256::from(OWNER).to_u256(), U256::from(0xaa));
//! assert_eq!(B256::from(U256::from(0xaa)), B256::from(OWNER));
//! assert_ne!(OWNER, Address::ZERO);
//! ```

use core::fmt::{self, Write as _};

use crate::{U256, host};

/// An account's address.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 20]);

/// A function selector, or any four bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes4(pub [u8; 4]);

/// A hash, or any 32 bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct B256(pub [u8; 32]);

/// Keccak-256.
#[must_use]
pub fn keccak256(data: &[u8]) -> B256 {
    B256(host::keccak256(data))
}

/// The number in a big-endian word. One function for all, never inlined: guards read many words, and each copy of the
/// byte swaps would be as large as a small function of their own.
#[inline(never)]
pub(crate) fn number(word: &[u8; 32]) -> U256 {
    let (limbs, _) = word.as_chunks::<8>();
    U256::from_limbs(core::array::from_fn(|limb| u64::from_be_bytes(limbs[3 - limb])))
}

/// The big-endian word of a number.
#[inline(never)]
pub(crate) fn word(number: &U256) -> [u8; 32] {
    let mut word = [0; 32];
    for (bytes, limb) in word.as_chunks_mut::<8>().0.iter_mut().zip(number.as_limbs().iter().rev()) {
        *bytes = limb.to_be_bytes();
    }
    word
}

impl B256 {
    /// The number that these bytes are, big-endian.
    #[must_use]
    pub fn to_u256(self) -> U256 {
        number(&self.0)
    }
}

impl From<U256> for B256 {
    fn from(number: U256) -> Self {
        Self(word(&number))
    }
}

impl From<Address> for B256 {
    /// The word that holds an address alone, as Solidity stores and logs it.
    fn from(address: Address) -> Self {
        let mut word = [0; 32];
        word[12..].copy_from_slice(&address.0);
        Self(word)
    }
}

impl Address {
    /// The zero address.
    pub const ZERO: Self = Self([0; 20]);

    /// Equality with a record's address, in three steps instead of twenty: the comparison that guards make most.
    pub(crate) fn is(self, other: parapet_abi::Address) -> bool {
        let halves = |address: &[u8; 20]| {
            let (ends, _) = address.as_chunks::<8>();
            (u64::from_ne_bytes(ends[0]), u64::from_ne_bytes(ends[1]))
        };
        halves(&self.0) == halves(&other.bytes) && self.0.last_chunk::<4>() == other.bytes.last_chunk::<4>()
    }
}

impl From<parapet_abi::Address> for Address {
    fn from(padded: parapet_abi::Address) -> Self {
        Self(padded.bytes)
    }
}

impl From<Address> for parapet_abi::Address {
    fn from(address: Address) -> Self {
        Self::new(address.0)
    }
}

macro_rules! hex_value {
    ($name:ident, $bytes:literal) => {
        impl $name {
            /// Reads `0x` and hex digits; meant for constants, where a mistake stops the build.
            ///
            /// # Panics
            /// When the text is anything else.
            #[must_use]
            pub const fn from_hex(text: &str) -> Self {
                Self(parse_hex(text))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl From<[u8; $bytes]> for $name {
            fn from(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }
        }
    };
}

hex_value!(Address, 20);
hex_value!(Bytes4, 4);
hex_value!(B256, 32);

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("0x")?;
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            f.write_char(char::from(if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble }))?;
        }
    }
    Ok(())
}

const fn parse_hex<const N: usize>(text: &str) -> [u8; N] {
    let text = text.as_bytes();
    assert!(text.len() == 2 + 2 * N && text[0] == b'0' && text[1] == b'x', "0x and two hex digits for each byte");
    let mut out = [0; N];
    let mut at = 0;
    while at < N {
        out[at] = nibble(text[2 + 2 * at]) << 4 | nibble(text[3 + 2 * at]);
        at += 1;
    }
    out
}

const fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => panic!("not a hex digit"),
    }
}
