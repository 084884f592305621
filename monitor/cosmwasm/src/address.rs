//! Addresses as contracts write them: 20 bytes in hex behind `0x`.

use alloy_primitives::{Address, hex};
use cosmwasm_vm::{BackendApi, BackendError, BackendResult, GasInfo};

use crate::metering;

/// Fuel of reading an address in lower case, and of comparing its checksum.
const READ: u64 = 50;
const CHECKSUM: u64 = parapet_vm::metering::KECCAK_BLOCK;

/// Reads and writes addresses for contracts.
///
/// The normal spelling is in lower case. [`BackendApi::addr_validate`] accepts that alone, so that two texts that it
/// accepted are equal exactly if they name one account; the other direction accepts a correct EIP-55 checksum too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses;

impl BackendApi for Addresses {
    fn addr_validate(&self, input: &str) -> BackendResult<()> {
        let valid = lower(input).map(|_| ()).ok_or_else(|| wrong("0x and 40 hex digits in lower case"));
        (valid, cost(READ))
    }

    fn addr_canonicalize(&self, human: &str) -> BackendResult<Vec<u8>> {
        let canonical = lower(human).or_else(|| Address::parse_checksummed(human, None).ok());
        let canonical = canonical.map(|address| address.to_vec());
        let expected = "0x and 40 hex digits, in lower case or with their EIP-55 checksum";
        (canonical.ok_or_else(|| wrong(expected)), cost(READ + CHECKSUM))
    }

    fn addr_humanize(&self, canonical: &[u8]) -> BackendResult<String> {
        let human = <[u8; 20]>::try_from(canonical).map(hex::encode_prefixed);
        (human.map_err(|_| wrong("20 bytes")), cost(READ))
    }
}

/// Told to the contract, which may go on.
fn wrong(expected: &str) -> BackendError {
    BackendError::user_err(format!("no address; expected {expected}"))
}

fn cost(fuel: u64) -> GasInfo {
    GasInfo::with_cost(metering::gas(fuel))
}

fn lower(text: &str) -> Option<Address> {
    let digits = text.strip_prefix("0x")?;
    let spelled = digits.len() == 40 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    spelled.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOWER: &str = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
    const CHECKSUMMED: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

    #[test]
    fn only_lower_case_is_valid() {
        assert_eq!(Addresses.addr_validate(LOWER).0, Ok(()));
        for other in [CHECKSUMMED, &LOWER[2..], "", "0x", "0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "cosmos1abc"] {
            assert!(matches!(Addresses.addr_validate(other).0, Err(BackendError::UserErr { .. })), "{other}");
        }
    }

    #[test]
    fn an_address_has_one_canonical_form_and_one_spelling_that_comes_back() {
        let canonical = Addresses.addr_canonicalize(LOWER).0.expect("it is an address");
        assert_eq!(canonical.len(), 20);
        assert_eq!(Addresses.addr_canonicalize(CHECKSUMMED).0.expect("it is an address"), canonical);
        assert_eq!(Addresses.addr_humanize(&canonical).0.expect("it is an address"), LOWER);
        let wrong_checksum = CHECKSUMMED.replace("5aA", "5Aa");
        assert!(Addresses.addr_canonicalize(&wrong_checksum).0.is_err());
        assert!(Addresses.addr_humanize(&canonical[1..]).0.is_err());
    }
}
