//! Rules of bodies.

use alloy_consensus::{
    Header, SignableTransaction as _, TxEip4844, TxEip4844Variant, TxEip4844WithSidecar, TxEip7702, TxEnvelope,
    transaction::Recovered,
};
use alloy_eips::{eip4844::BlobTransactionSidecar, eip7594::BlobTransactionSidecarVariant};
use alloy_primitives::{Address, B256, Signature, U256};
use parapet_import::{Field, ImportError, OSAKA_BLOCK_BYTES_MAX, check_body};
use parapet_types::Hardfork;

use crate::fixture::{Case, FORKS};

fn blob_transaction(blobs: usize) -> TxEip4844 {
    let mut hash = B256::ZERO;
    hash[0] = 1;
    TxEip4844 { blob_versioned_hashes: vec![hash; blobs], max_fee_per_blob_gas: 1, ..TxEip4844::default() }
}

/// Checks the body of a fork's valid block with one transaction more; the header's blob gas is that of `blobs`.
fn with(fork: Hardfork, transaction: TxEnvelope, blobs: u64) -> Result<(), ImportError> {
    let mut case = Case::new(fork);
    let mut block = case.incoming();
    block.transactions.push(Recovered::new_unchecked(transaction.clone(), Address::ZERO));
    case.block.body.transactions.push(transaction);
    case.fill_body();
    let header = case.block.header.clone();
    let header = Header { blob_gas_used: header.blob_gas_used.map(|_| blobs * 131_072), ..header };
    block.header = alloy_primitives::Sealable::seal_slow(header);
    check_body(&case.params, &block)
}

fn signed(transaction: TxEip4844) -> TxEnvelope {
    let transaction: TxEip4844Variant = TxEip4844Variant::TxEip4844(transaction);
    transaction.into_signed(Signature::new(U256::ONE, U256::ONE, false)).into()
}

#[test]
fn types_of_transactions_come_with_their_forks() {
    for fork in FORKS {
        let outcome = with(fork, signed(blob_transaction(1)), 1);
        let refused = matches!(outcome, Err(ImportError::TransactionType { index: 1, tx_type: 3, .. }));
        assert_eq!((outcome.is_ok(), refused), (fork >= Hardfork::Cancun, fork < Hardfork::Cancun), "{outcome:?}");
        let delegation = TxEip7702::default().into_signed(Signature::new(U256::ONE, U256::ONE, false)).into();
        let outcome = with(fork, delegation, 0);
        let refused = matches!(outcome, Err(ImportError::TransactionType { index: 1, tx_type: 4, .. }));
        assert_eq!((outcome.is_ok(), refused), (fork >= Hardfork::Prague, fork < Hardfork::Prague), "{outcome:?}");
    }
}

#[test]
fn the_headers_blob_gas_is_that_of_the_bodys_blobs() {
    let outcome = with(Hardfork::Cancun, signed(blob_transaction(2)), 1);
    let ImportError::Quantity { field: Field::BlobGasUsed, expected: 262_144, found: 131_072 } = outcome.unwrap_err()
    else {
        panic!("another error");
    };
    for (fork, most) in [(Hardfork::Cancun, 6), (Hardfork::Prague, 9), (Hardfork::BPO1, 15)] {
        assert!(with(fork, signed(blob_transaction(most)), most as u64).is_ok(), "{fork:?}");
        let outcome = with(fork, signed(blob_transaction(most + 1)), most as u64 + 1);
        assert!(matches!(outcome, Err(ImportError::Bounds { field: Field::BlobGasUsed, .. })), "{outcome:?}");
    }
}

#[test]
fn blobs_never_travel_in_a_block() {
    let sidecar = BlobTransactionSidecarVariant::Eip4844(BlobTransactionSidecar::default());
    let carried = TxEip4844Variant::TxEip4844WithSidecar(TxEip4844WithSidecar { tx: blob_transaction(1), sidecar });
    let transaction = carried.into_signed(Signature::new(U256::ONE, U256::ONE, false)).into();
    let outcome = with(Hardfork::Osaka, transaction, 1);
    assert!(matches!(outcome, Err(ImportError::Sidecar { index: 1 })), "{outcome:?}");
}

#[test]
fn a_block_has_no_ommers() {
    let mut case = Case::new(Hardfork::Osaka);
    case.block.body.ommers.push(Header::default());
    let error = case.refusal();
    assert!(matches!(error, ImportError::Quantity { field: Field::Ommers, expected: 0, found: 1 }), "{error}");
}

#[test]
fn the_roots_are_those_of_the_body() {
    let mut case = Case::new(Hardfork::Osaka);
    case.block.body.transactions.clear();
    let error = case.refusal();
    assert!(matches!(error, ImportError::Hash { field: Field::TransactionsRoot, .. }), "{error}");

    let mut case = Case::new(Hardfork::Osaka);
    case.block.body.withdrawals = Some(Vec::new().into());
    let error = case.refusal();
    assert!(matches!(error, ImportError::Hash { field: Field::WithdrawalsRoot, .. }), "{error}");
}

#[test]
fn withdrawals_are_there_from_shanghai_on() {
    let mut case = Case::new(Hardfork::Shanghai);
    case.block.body.withdrawals = None;
    let error = case.refusal();
    assert!(matches!(error, ImportError::Missing { field: Field::Withdrawals, .. }), "{error}");

    let mut case = Case::new(Hardfork::Paris);
    case.block.body.withdrawals = Some(Vec::new().into());
    let error = case.refusal();
    assert!(matches!(error, ImportError::Unexpected { field: Field::Withdrawals, .. }), "{error}");
}

#[test]
fn blocks_have_a_longest_length_from_osaka_on() {
    for (fork, capped) in [(Hardfork::Prague, false), (Hardfork::Osaka, true), (Hardfork::BPO2, true)] {
        let case = Case::new(fork);
        let mut block = case.incoming();
        block.rlp_bytes = usize::try_from(OSAKA_BLOCK_BYTES_MAX).unwrap();
        assert!(check_body(&case.params, &block).is_ok(), "{fork:?}");
        block.rlp_bytes += 1;
        let outcome = check_body(&case.params, &block);
        let refused = matches!(outcome, Err(ImportError::Bounds { field: Field::BlockSize, max: 8_388_608, .. }));
        assert_eq!(refused, capped, "{fork:?}: {outcome:?}");
    }
}
