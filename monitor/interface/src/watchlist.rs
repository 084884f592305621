//! Whom a monitor waits for, as far as an executor must know to leave the others alone.
//!
//! Invariant: a transaction that meets nobody on the list wakes nobody. *Meeting* is that an account enters a frame, is
//! entered, lends its code, is a party of a flow, or has its code changed. The list may hold too many, never too few.

use alloy_primitives::{Address, map::AddressSet};

/// Bits of the filter for each account: enough that one in eight strangers is looked up at all.
const FILTER_BITS_EACH: usize = 8;
/// Least and most bits of the filter, as powers of two: a cache line or two, and 128 KiB.
const FILTER_BITS_MIN_LOG2: u32 = 10;
const FILTER_BITS_MAX_LOG2: u32 = 20;
/// Spreads addresses over the filter (Fibonacci hashing: 2^64 divided by the golden ratio).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Accounts that somebody waits for.
#[derive(Clone, Debug)]
pub struct Watchlist {
    everybody: bool,
    tokens: bool,
    fees: bool,
    accounts: AddressSet,
    /// One bit for each account, others may share it.
    filter: Box<[u64]>,
    filter_shift: u32,
}

/// What is waited for besides frames, by kinds that a transaction can leave without entering an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remote {
    /// Flows of tokens: a party need not have been entered.
    pub tokens: bool,
    /// Fees: nobody enters the fee recipient.
    pub fees: bool,
}

impl Watchlist {
    /// Everybody is waited for.
    #[must_use]
    pub fn everybody() -> Self {
        Self { everybody: true, ..Self::new(AddressSet::default(), Remote::default()) }
    }

    /// These accounts are waited for.
    #[must_use]
    pub fn new(accounts: AddressSet, remote: Remote) -> Self {
        let bits = (accounts.len() * FILTER_BITS_EACH).max(1).next_power_of_two().ilog2();
        let bits = bits.clamp(FILTER_BITS_MIN_LOG2, FILTER_BITS_MAX_LOG2);
        let filter = vec![0; (1 << bits) / u64::BITS as usize].into_boxed_slice();
        let Remote { tokens, fees } = remote;
        // Fees that are burned flow to the zero address, so whoever watches those meets everybody.
        let everybody = fees && accounts.contains(&Address::ZERO);
        let mut list = Self { everybody, tokens, fees, accounts, filter, filter_shift: u64::BITS - bits };
        for account in &list.accounts {
            let (word, bit) = place(account, list.filter_shift);
            list.filter[word] |= bit;
        }
        list
    }

    /// Whether every transaction meets somebody.
    #[must_use]
    pub const fn is_everybody(&self) -> bool {
        self.everybody
    }

    /// Whether somebody waits for this account.
    #[inline]
    #[must_use]
    pub fn has(&self, account: &Address) -> bool {
        let (word, bit) = place(account, self.filter_shift);
        self.filter[word] & bit != 0 && self.accounts.contains(account)
    }

    /// Whether parties of token flows are met, though nothing of theirs ran.
    #[must_use]
    pub const fn waits_for_tokens(&self) -> bool {
        self.tokens
    }

    /// Whether those who pay or are paid fees are met.
    #[must_use]
    pub const fn waits_for_fees(&self) -> bool {
        self.fees
    }
}

/// Where an account's bit is.
#[inline]
fn place(account: &Address, shift: u32) -> (usize, u64) {
    let [.., a, b, c, d, e, f, g, h] = account.0.0;
    let spread = (u64::from_le_bytes([a, b, c, d, e, f, g, h]).wrapping_mul(SPREAD)) >> shift;
    ((spread / u64::from(u64::BITS)) as usize, 1 << (spread % u64::from(u64::BITS)))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{U256, keccak256};

    use super::*;

    fn account(number: u64) -> Address {
        Address::from_word(keccak256(U256::from(number).to_be_bytes::<32>()))
    }

    #[test]
    fn a_list_of_any_length_has_its_accounts_and_no_others() {
        for length in [0, 1, 100, 4_096, 20_000] {
            let list = Watchlist::new((0..length).map(account).collect(), Remote::default());
            assert!((0..length).all(|number| list.has(&account(number))));
            assert!(!(length..length + 10_000).any(|number| list.has(&account(number))));
            assert!(!list.is_everybody());
        }
    }

    #[test]
    fn accounts_that_end_alike_are_told_apart() {
        let alike = |first: u8| Address::left_padding_from(&[[first; 12].as_slice(), &[7; 8]].concat());
        let list = Watchlist::new([alike(1)].into_iter().collect(), Remote::default());
        assert!(list.has(&alike(1)));
        assert!(!list.has(&alike(2)));
    }

    #[test]
    fn who_watches_burned_fees_meets_everybody() {
        let list = |fees| Watchlist::new([Address::ZERO].into_iter().collect(), Remote { tokens: false, fees });
        assert!(list(true).is_everybody());
        assert!(!list(false).is_everybody());
    }
}
