//! Blocks as bytes.

use alloy_consensus::{SignableTransaction as _, TxEnvelope, TxLegacy};
use alloy_primitives::{Signature, U256};
use parapet_import::{ImportError, IncomingBlock};
use parapet_types::Hardfork;

use crate::fixture::{Case, FORKS};

#[test]
fn a_block_keeps_its_hash_its_senders_and_its_length() {
    for fork in FORKS {
        let case = Case::new(fork);
        let rlp = alloy_rlp::encode(&case.block);
        let block = IncomingBlock::decode(&rlp).unwrap();
        assert_eq!(block.header.hash(), case.block.header.hash_slow());
        assert_eq!(block.transactions[0].signer(), case.key.address());
        assert_eq!(block.rlp_bytes, rlp.len());
        let direct = IncomingBlock::from_block(case.block.clone()).unwrap();
        assert_eq!((direct.header.hash(), direct.rlp_bytes), (block.header.hash(), rlp.len()));
    }
}

#[test]
fn bytes_after_a_block_are_refused() {
    let mut rlp = alloy_rlp::encode(&Case::new(Hardfork::Osaka).block);
    rlp.extend([0, 0]);
    assert!(matches!(IncomingBlock::decode(&rlp), Err(ImportError::TrailingBytes(2))));
}

#[test]
fn a_block_cut_anywhere_is_refused() {
    let rlp = alloy_rlp::encode(&Case::new(Hardfork::Osaka).block);
    for end in 0..rlp.len() {
        assert!(matches!(IncomingBlock::decode(&rlp[..end]), Err(ImportError::Encoding(_))), "cut at {end}");
    }
}

#[test]
fn a_changed_byte_never_gives_the_same_block() {
    let case = Case::new(Hardfork::Osaka);
    let (rlp, hash) = (alloy_rlp::encode(&case.block), case.block.header.hash_slow());
    let mut others = 0;
    for at in 0..rlp.len() {
        for flip in [1, 0x80] {
            let mut changed = rlp.clone();
            changed[at] ^= flip;
            let Ok(block) = IncomingBlock::decode(&changed) else { continue };
            // Some fields are the proposer's to choose; with another choice it is another block.
            if case.import_on(&case.world, &block).is_ok() {
                assert_ne!(block.header.hash(), hash, "byte {at} changed by {flip}");
                others += 1;
            }
        }
    }
    assert!(others > 0, "the extra data at least is free");
}

#[test]
fn a_transaction_in_a_string_of_another_length_is_refused() {
    // Readers that trust the inner list's length read the same block.
    let case = Case::new(Hardfork::Osaka);
    let mut rlp = alloy_rlp::encode(&case.block);
    let transaction = alloy_rlp::encode(&case.block.body.transactions[0]);
    let at = rlp.windows(transaction.len()).position(|window| window == transaction).unwrap();
    assert_eq!(rlp[at], 0xb8, "a string whose length is the next byte");
    rlp[at + 1] -= 1;
    assert!(matches!(IncomingBlock::decode(&rlp), Err(ImportError::NotCanonical)));
}

#[test]
fn a_signature_without_a_signer_is_named() {
    let mut case = Case::new(Hardfork::Osaka);
    let nobody: TxEnvelope = TxLegacy::default().into_signed(Signature::new(U256::ZERO, U256::ZERO, false)).into();
    case.block.body.transactions.push(nobody);
    let outcome = IncomingBlock::decode(&alloy_rlp::encode(&case.block));
    assert!(matches!(outcome, Err(ImportError::Signature { index: 1, .. })), "{outcome:?}");
}

#[test]
fn a_signature_with_a_high_s_is_refused() {
    // EIP-2: of the two signatures that give one signer, the one with the lower s.
    let case = Case::new(Hardfork::Osaka);
    let TxEnvelope::Eip1559(transfer) = case.transfer(0) else { panic!("the fixture makes these") };
    let order = U256::from_str_radix("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16).unwrap();
    let (transaction, signature, _) = transfer.into_parts();
    let high = Signature::new(signature.r(), order - signature.s(), !signature.v());
    let mut block = case.block.clone();
    block.body.transactions = vec![transaction.into_signed(high).into()];
    let outcome = IncomingBlock::from_block(block);
    assert!(matches!(outcome, Err(ImportError::Signature { index: 0, .. })), "{outcome:?}");
}
