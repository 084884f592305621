//! Transactions with blobs: their sidecars, their fee, and beside whom they wait.

use std::sync::LazyLock;

use alloy_consensus::{TxEip4844, TxEip4844Variant, TxEip4844WithSidecar};
use alloy_eips::{
    eip4844::builder::{SidecarBuilder, SimpleCoder},
    eip7594::BlobTransactionSidecarVariant,
};
use alloy_primitives::B256;
use parapet_pool::{
    BLOB_TRANSACTIONS_MAX, BlobRules, Candidate, Journal, LowFees, Place, Pool, PoolError, Prices, Rules,
};
use parapet_types::{AccountInfo, Hardfork, Transaction};

use crate::support::{GWEI, RULES, account, add, roomy, sender, signed, transfer};

/// One blob with cell proofs: making them takes a while.
static SIDECAR: LazyLock<BlobTransactionSidecarVariant> =
    LazyLock::new(|| SidecarBuilder::<SimpleCoder>::from_slice(b"parapet").build_7594().unwrap().into());

fn bare(nonce: u64, tip: u128, blob_fee: u128) -> TxEip4844 {
    TxEip4844 {
        chain_id: 31_337,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 2 * GWEI + tip,
        max_priority_fee_per_gas: tip,
        max_fee_per_blob_gas: blob_fee,
        to: sender(0xee),
        blob_versioned_hashes: SIDECAR.versioned_hashes().collect(),
        ..TxEip4844::default()
    }
}

/// As it stands in a block.
fn naked(from: u8, tx: TxEip4844) -> Transaction {
    signed::<TxEip4844Variant>(from, TxEip4844Variant::TxEip4844(tx))
}

fn whole(from: u8, tx: TxEip4844) -> Transaction {
    let tx = TxEip4844WithSidecar::from_tx_and_sidecar(tx, SIDECAR.clone());
    signed::<TxEip4844Variant>(from, TxEip4844Variant::TxEip4844WithSidecar(tx))
}

fn refused(transaction: Transaction) -> PoolError {
    add(&mut roomy(), transaction).unwrap_err()
}

#[test]
fn a_journal_gives_transactions_back_with_their_blobs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pool.journal");
    let mut pool = roomy();
    let sent = [whole(1, bare(0, GWEI, 2_000)), transfer(2, 0, 1), whole(1, bare(1, GWEI, 2_000))];
    for transaction in &sent {
        add(&mut pool, transaction.clone()).unwrap();
    }
    let (mut journal, _) = Journal::open(&path).unwrap();
    journal.append([&sent[0]]).unwrap();
    assert_eq!(Journal::open(&path).unwrap().1.transactions, &sent[..1]);
    journal.rewrite(pool.by_arrival().into_iter().map(Candidate::whole)).unwrap();
    let rejoining = Journal::open(&path).unwrap().1;
    assert_eq!((rejoining.transactions.as_slice(), rejoining.damaged_bytes), (&sent[..], 0));
    let mut again = roomy();
    for transaction in rejoining.transactions {
        add(&mut again, transaction).unwrap();
    }
    assert_eq!(*again.sidecar(*sent[2].tx_hash()).unwrap(), *SIDECAR);
}

#[test]
fn blobs_wait_with_their_transaction_and_stay_out_of_the_block() {
    let mut pool = roomy();
    let transaction = whole(1, bare(0, GWEI, 2_000));
    let added = add(&mut pool, transaction.clone()).unwrap();
    assert_eq!((added.hash, added.place), (*transaction.tx_hash(), Place::Pending));
    assert_eq!(*pool.sidecar(added.hash).unwrap(), *SIDECAR);
    assert!(pool.bytes() > 131_072, "{} bytes", pool.bytes());
    let candidate = pool.best(RULES.prices()).next().unwrap();
    assert!(candidate.encoded_bytes() < 1_000);
    assert!(candidate.transaction().as_eip4844().unwrap().tx().sidecar().is_none());
    assert_eq!(candidate.hash(), added.hash);
    pool.drop(added.hash).unwrap();
    assert_eq!((pool.bytes(), pool.sidecar(added.hash)), (0, None));
}

#[test]
fn blobs_that_are_missing_wrong_or_too_many_are_refused() {
    assert_eq!(refused(naked(1, bare(0, 1, 2_000))), PoolError::NoSidecar);
    let none = TxEip4844 { blob_versioned_hashes: Vec::new(), ..bare(0, 1, 2_000) };
    assert_eq!(refused(whole(1, none)), PoolError::NoBlobs);
    let other = TxEip4844 { blob_versioned_hashes: vec![B256::repeat_byte(1)], ..bare(0, 1, 2_000) };
    assert!(matches!(refused(whole(1, other)), PoolError::Sidecar { .. }));
    let many = TxEip4844 { blob_versioned_hashes: vec![B256::repeat_byte(1); 7], ..bare(0, 1, 2_000) };
    assert_eq!(refused(whole(1, many)), PoolError::TooManyBlobs { blobs: 7, max: 6 });
    let prague = Rules { hardfork: Hardfork::Prague, ..RULES };
    let error = roomy().add(whole(1, bare(0, 1, 2_000)), account(0), &prague).unwrap_err();
    assert_eq!(error, PoolError::SidecarForm { hardfork: Hardfork::Prague });
    let shanghai = Rules { hardfork: Hardfork::Shanghai, blobs: None, ..RULES };
    let error = roomy().add(whole(1, bare(0, 1, 2_000)), account(0), &shanghai).unwrap_err();
    assert_eq!(error, PoolError::Type { kind: 3, hardfork: Hardfork::Shanghai });
}

#[test]
fn blobs_that_are_proved_as_another_fork_has_it_leave_with_their_fork() {
    let old: BlobTransactionSidecarVariant =
        SidecarBuilder::<SimpleCoder>::from_slice(b"parapet").build_4844().unwrap().into();
    let old = |nonce| {
        let tx = TxEip4844WithSidecar::from_tx_and_sidecar(bare(nonce, GWEI, 2_000), old.clone());
        signed::<TxEip4844Variant>(1, TxEip4844Variant::TxEip4844WithSidecar(tx))
    };
    let prague = Rules { hardfork: Hardfork::Prague, ..RULES };
    let mut pool = roomy();
    for transaction in [old(0), old(1), transfer(2, 0, 1)] {
        pool.add(transaction, account(0), &prague).unwrap();
    }
    assert!(pool.enter(Hardfork::Prague).is_empty());
    let mut dropped: Vec<_> = pool.enter(Hardfork::Osaka).iter().map(|transaction| *transaction.tx_hash()).collect();
    dropped.sort_unstable();
    let mut expected = [*old(0).tx_hash(), *old(1).tx_hash()];
    expected.sort_unstable();
    assert_eq!((dropped.as_slice(), pool.len()), (&expected[..], 1));
    assert_eq!(add(&mut pool, old(0)).unwrap_err(), PoolError::SidecarForm { hardfork: Hardfork::Osaka });
    add(&mut pool, whole(1, bare(0, GWEI, 2_000))).unwrap();
    assert!(pool.enter(Hardfork::Osaka).is_empty());
    assert_eq!(pool.enter(Hardfork::Prague).len(), 1, "a chain may go back to before the fork");
}

#[test]
fn who_does_not_pay_the_blob_fee_waits_or_is_refused() {
    let cheap = whole(1, bare(0, GWEI, 999));
    assert_eq!(refused(cheap.clone()), PoolError::BlobFee { sender: sender(1), max_fee: 999, fee: 1_000 });
    let mut pool = roomy();
    let waiting = Rules { low_fees: LowFees::Wait, ..RULES };
    assert_eq!(pool.add(cheap, account(0), &waiting).unwrap().place, Place::Unpaid);
    assert_eq!(pool.best(RULES.prices()).count(), 0);
    assert_eq!(pool.best(Prices { blob_fee: 999, ..RULES.prices() }).count(), 1);
}

#[test]
fn a_replacement_must_double_all_three_fees() {
    let mut pool = roomy();
    add(&mut pool, whole(1, bare(0, GWEI, 2_000))).unwrap();
    let replacement =
        |tip, max_fee, blob_fee| whole(1, TxEip4844 { max_fee_per_gas: max_fee, ..bare(0, tip, blob_fee) });
    for (tip, max_fee, blob_fee) in
        [(2 * GWEI - 1, 6 * GWEI, 4_000), (2 * GWEI, 6 * GWEI - 1, 4_000), (2 * GWEI, 6 * GWEI, 3_999)]
    {
        let error = add(&mut pool, replacement(tip, max_fee, blob_fee)).unwrap_err();
        assert!(matches!(error, PoolError::Underpriced { percent: 100, .. }), "{error}");
    }
    assert!(add(&mut pool, replacement(2 * GWEI, 6 * GWEI, 4_000)).unwrap().replaced.is_some());
}

#[test]
fn a_sender_waits_with_blobs_or_without_and_never_behind_a_gap_with_them() {
    let mut pool = roomy();
    add(&mut pool, transfer(1, 0, 1)).unwrap();
    let error = add(&mut pool, whole(1, bare(1, 1, 2_000))).unwrap_err();
    assert_eq!(error, PoolError::Reserved { sender: sender(1) });
    add(&mut pool, whole(2, bare(0, 1, 2_000))).unwrap();
    assert_eq!(add(&mut pool, transfer(2, 1, 1)).unwrap_err(), PoolError::Reserved { sender: sender(2) });
    let error = add(&mut pool, whole(2, bare(2, 1, 2_000))).unwrap_err();
    assert_eq!(error, PoolError::BlobGap { sender: sender(2), nonce: 2, next: 1 });
}

#[test]
fn one_sender_has_so_many_with_blobs_and_no_more() {
    // Their proofs are checked each time, which takes milliseconds: before Osaka there is one for each blob.
    let sidecar = SidecarBuilder::<SimpleCoder>::from_slice(b"parapet").build_4844().unwrap();
    let prague =
        Rules { hardfork: Hardfork::Prague, blobs: RULES.blobs.map(|blobs| BlobRules { fee: 1, ..blobs }), ..RULES };
    let mut pool = Pool::new(parapet_pool::Limits::default());
    let mut send = |nonce| {
        let tx = TxEip4844 { blob_versioned_hashes: sidecar.versioned_hashes().collect(), ..bare(nonce, 1, 2_000) };
        let tx = TxEip4844WithSidecar::from_tx_and_sidecar(tx, BlobTransactionSidecarVariant::Eip4844(sidecar.clone()));
        pool.add(signed::<TxEip4844Variant>(1, TxEip4844Variant::TxEip4844WithSidecar(tx)), account(0), &prague)
    };
    for nonce in 0..BLOB_TRANSACTIONS_MAX as u64 {
        send(nonce).unwrap();
    }
    let error = send(BLOB_TRANSACTIONS_MAX as u64).unwrap_err();
    assert_eq!(error, PoolError::SenderLimit { sender: sender(1), max: BLOB_TRANSACTIONS_MAX });
}

#[test]
fn proofs_are_looked_at_only_for_a_sender_who_could_pay() {
    let BlobTransactionSidecarVariant::Eip7594(mut sidecar) = SIDECAR.clone() else { panic!("it has cell proofs") };
    sidecar.cell_proofs.rotate_left(1);
    let tx = TxEip4844WithSidecar::from_tx_and_sidecar(bare(0, GWEI, 2_000), sidecar.into());
    let wrong = signed::<TxEip4844Variant>(1, TxEip4844Variant::TxEip4844WithSidecar(tx));
    assert!(matches!(refused(wrong.clone()), PoolError::Sidecar { .. }));
    let poor = AccountInfo::default();
    assert!(matches!(Candidate::check(wrong, &poor, &RULES), Err(PoolError::InsufficientFunds { .. })));
}
