//! How a guard speaks: [`veto!`](crate::veto) and [`alert!`](crate::alert), each with a code and a detail in words.
//!
//! The detail is written by [`Show`], not by `core::fmt`: the formatting machinery alone is larger than most guards.
//!
//! ```
//! use parapet_guest::{prelude::*, speech};
//!
//! /// A price in dollars with two decimals.
//! struct Price(u64);
//!
//! impl Show for Price {
//!     fn show(&self, detail: &mut Detail) {
//!         detail.push(&(self.0 / 100)).push(".").push(&(self.0 % 100 / 10)).push(&(self.0 % 10));
//!     }
//! }
//!
//! let mut detail = Detail::new();
//! detail.push("it fell to ").push(&Price(1_205)).push(", seen by ").push(&Address::ZERO);
//! assert!(detail.bytes().starts_with(b"it fell to 12.05, seen by 0x0000"));
//!
//! fn refuse(price: Price, last: Option<u64>) {
//!     alert!(1, "now {price}"); // as speech::alert(1, &detail) does
//!     if let Some(last) = last {
//!         veto!(2, "it was {}", Price(last)); // as speech::veto(2, &detail) does
//!     }
//! }
//! ```

use alloc::vec::Vec;

use parapet_abi::import::DETAIL_BYTES_MAX;

use crate::{Address, B256, Bytes4, U256, host};

/// Ends the hook and stops the transaction. What [`veto!`](crate::veto) calls.
pub fn veto(code: u16, detail: &Detail) -> ! {
    host::veto(code, detail.bytes())
}

/// Records an alert. What [`alert!`](crate::alert) calls.
pub fn alert(code: u16, detail: &Detail) {
    host::alert(code, detail.bytes());
}

/// A detail while it is written. What does not fit [`DETAIL_BYTES_MAX`] is cut off at a character.
#[derive(Debug, Default)]
pub struct Detail(Vec<u8>);

impl Detail {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Appends anything that can be shown.
    pub fn push(&mut self, shown: &(impl Show + ?Sized)) -> &mut Self {
        shown.show(self);
        self
    }

    /// What was written, in UTF-8.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn byte(&mut self, byte: u8) {
        if self.room() > 0 {
            self.0.push(byte);
        }
    }

    fn room(&self) -> usize {
        (DETAIL_BYTES_MAX as usize).saturating_sub(self.0.len())
    }

    fn hex(&mut self, bytes: &[u8]) {
        self.push("0x");
        for byte in bytes {
            for nibble in [byte >> 4, byte & 15] {
                self.byte(if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble });
            }
        }
    }
}

/// A value that can stand in a detail.
pub trait Show {
    /// Appends it.
    fn show(&self, detail: &mut Detail);
}

impl<T: Show + ?Sized> Show for &T {
    fn show(&self, detail: &mut Detail) {
        (**self).show(detail);
    }
}

impl Show for str {
    fn show(&self, detail: &mut Detail) {
        let room = detail.room();
        let fits = if self.len() <= room { self.len() } else { boundary_below(self.as_bytes(), room) };
        detail.0.extend_from_slice(&self.as_bytes()[..fits]);
    }
}

/// The last start of a character at or below `at`: not inside of one.
fn boundary_below(text: &[u8], at: usize) -> usize {
    (0..=at).rev().find(|at| text.get(*at).is_none_or(|byte| byte & 0xc0 != 0x80)).unwrap_or(0)
}

impl Show for bool {
    fn show(&self, detail: &mut Detail) {
        detail.push(if *self { "true" } else { "false" });
    }
}

/// Decimal digits that one pass of the long division gives.
const DIGITS_PER_PASS: usize = 9;
/// Digits of nine passes, which 78 digits of 256 bits need.
const DIGITS_MAX: usize = 9 * DIGITS_PER_PASS;

impl Show for U256 {
    /// In decimal, by long division over halves of limbs: 128-bit division would be half of a small guard.
    fn show(&self, detail: &mut Detail) {
        let mut halves = [0_u32; 8];
        for (pair, limb) in halves.chunks_exact_mut(2).zip(self.as_limbs().iter().rev()) {
            pair[0] = (limb >> 32) as u32;
            pair[1] = *limb as u32;
        }
        let mut digits = [b'0'; DIGITS_MAX];
        for pass in digits.rchunks_exact_mut(DIGITS_PER_PASS) {
            let mut rest = divide_by_billion(&mut halves);
            for digit in pass.iter_mut().rev() {
                *digit += (rest % 10) as u8;
                rest /= 10;
            }
            if halves == [0; 8] {
                break;
            }
        }
        let first = digits.iter().position(|digit| *digit != b'0').unwrap_or(DIGITS_MAX - 1);
        for digit in digits.iter().skip(first) {
            detail.byte(*digit);
        }
    }
}

/// Divides in place; gives the remainder.
fn divide_by_billion(halves: &mut [u32; 8]) -> u32 {
    const BILLION: u64 = 1_000_000_000;
    let mut rest = 0;
    for half in halves {
        let dividend = rest << 32 | u64::from(*half);
        *half = (dividend / BILLION) as u32;
        rest = dividend % BILLION;
    }
    rest as u32
}

macro_rules! show_integers {
    ($($ty:ty),*) => {$(
        impl Show for $ty {
            fn show(&self, detail: &mut Detail) {
                U256::from_limbs([*self as u64, 0, 0, 0]).show(detail);
            }
        }
    )*};
}

show_integers!(u8, u16, u32, u64, usize);

macro_rules! show_hex {
    ($($ty:ty),*) => {$(
        impl Show for $ty {
            fn show(&self, detail: &mut Detail) {
                detail.hex(&self.0);
            }
        }
    )*};
}

show_hex!(Address, Bytes4, B256);
