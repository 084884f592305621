//! A veto as Ethereum tools see it: the output of the transaction is the Solidity error `GuardVeto`.

use alloy_primitives::Bytes;
use alloy_sol_types::{SolError as _, sol};

use crate::Veto;

sol! {
    /// Output of a vetoed transaction.
    #[derive(Debug, PartialEq, Eq)]
    error GuardVeto(address guard, bytes32 attachment, uint16 code, bytes detail);
}

impl Veto {
    /// The ABI encoding of [`GuardVeto`]: what the vetoed transaction returns.
    #[must_use]
    pub fn output(&self) -> Bytes {
        let error =
            GuardVeto { guard: self.guard, attachment: self.attachment, code: self.code, detail: self.detail.clone() };
        error.abi_encode().into()
    }

    /// Reads an output back; `None` if it is no encoding of [`GuardVeto`].
    #[must_use]
    pub fn from_output(output: &[u8]) -> Option<Self> {
        let GuardVeto { guard, attachment, code, detail } = GuardVeto::abi_decode(output).ok()?;
        Some(Self { guard, attachment, code, detail })
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256, hex};

    use super::*;

    #[test]
    fn output_is_the_solidity_error_and_reads_back() {
        let veto = Veto {
            guard: Address::repeat_byte(0x11),
            attachment: B256::repeat_byte(0x22),
            code: 7,
            detail: Bytes::from_static(b"no"),
        };
        let expected = concat!(
            "7e7fbc48",
            "0000000000000000000000001111111111111111111111111111111111111111",
            "2222222222222222222222222222222222222222222222222222222222222222",
            "0000000000000000000000000000000000000000000000000000000000000007",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "0000000000000000000000000000000000000000000000000000000000000002",
            "6e6f000000000000000000000000000000000000000000000000000000000000",
        );
        assert_eq!(hex::encode(veto.output())[8..], expected[8..]);
        assert_eq!(veto.output()[..4], alloy_primitives::keccak256("GuardVeto(address,bytes32,uint16,bytes)")[..4]);
        assert_eq!(Veto::from_output(&veto.output()), Some(veto));
    }

    #[test]
    fn output_of_another_error_is_no_veto() {
        assert_eq!(Veto::from_output(&hex!("08c379a0")), None);
        assert_eq!(Veto::from_output(&[]), None);
    }
}
