//! Transactions that nobody signed: a development chain lets tools send for accounts whose keys nobody has.
//!
//! Such a transaction carries a mark in place of its signature, with r naming the sender and s zero. ECDSA has no
//! signature with such an s, so no key can make the mark, no other node accepts it, and whoever executes the transaction
//! again sees from it alone what it is. Two senders never have the same transaction, for its hash covers the mark.

use alloy_consensus::{SignableTransaction as _, TxEnvelope, TypedTransaction};
use alloy_primitives::{Address, Signature, U256};

use crate::Transaction;

/// The transaction as `sender` would send it, marked.
#[must_use]
pub fn unsigned_transaction(transaction: TypedTransaction, sender: Address) -> Transaction {
    let signed = TxEnvelope::from(transaction.into_signed(mark(sender)));
    Transaction::new_unchecked(signed, sender)
}

/// Whether a transaction carries its sender's mark in place of a signature.
#[must_use]
pub fn is_unsigned(transaction: &Transaction) -> bool {
    let signature = transaction.inner().signature();
    signature.s().is_zero() && *signature == mark(transaction.signer())
}

fn mark(sender: Address) -> Signature {
    Signature::new(U256::from_be_slice(sender.as_slice()), U256::ZERO, false)
}

#[cfg(test)]
mod tests {
    use alloy_consensus::{TxLegacy, transaction::SignerRecoverable as _};
    use alloy_eips::eip2718::{Decodable2718 as _, Encodable2718 as _};

    use super::*;

    fn of(sender: u8) -> Transaction {
        let transaction = TxLegacy { chain_id: Some(1), nonce: 3, ..TxLegacy::default() };
        unsigned_transaction(transaction.into(), Address::repeat_byte(sender))
    }

    #[test]
    fn the_mark_outlives_the_encoding_and_is_no_signature() {
        let sent = of(7);
        assert!(is_unsigned(&sent));
        let read = TxEnvelope::decode_2718_exact(&sent.inner().encoded_2718()).expect("an envelope");
        assert_eq!(read.tx_hash(), sent.tx_hash());
        assert!(read.recover_signer().is_err(), "no key made it");
        assert!(is_unsigned(&Transaction::new_unchecked(read.clone(), sent.signer())));
        assert!(!is_unsigned(&Transaction::new_unchecked(read, Address::repeat_byte(8))), "another's mark");
    }

    #[test]
    fn the_same_from_two_senders_are_two_transactions() {
        assert_ne!(of(7).tx_hash(), of(8).tx_hash());
    }

    #[test]
    fn what_is_signed_has_no_mark() {
        let signed = TxLegacy::default().into_signed(Signature::test_signature());
        assert!(!is_unsigned(&Transaction::new_unchecked(signed.into(), Address::ZERO)));
    }
}
