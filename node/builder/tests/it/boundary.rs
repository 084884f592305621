//! What waits when the chain enters another fork.

use std::sync::{Arc, atomic::Ordering};

use alloy_consensus::{
    SidecarBuilder, SignableTransaction as _, SimpleCoder, TxEip4844, TxEip4844Variant, TxEip4844WithSidecar,
    TxEnvelope,
};
use alloy_eips::eip7594::BlobTransactionSidecarVariant;
use alloy_primitives::Address;
use alloy_signer::SignerSync as _;
use parapet_builder::{ChainError, MineRequest, Mining, Settings};
use parapet_genesis::{DevGenesis, DevSettings};
use parapet_monitor::NoMonitor;
use parapet_pool::PoolError;
use parapet_state::{ChainStore, GenesisBlock};
use parapet_types::{Activation, ChainSpec, Hardfork, Transaction, Upgrade};

use crate::fixture::{Dev, GENESIS_TIME, GWEI, payload_request};

/// When the chain enters Osaka.
const OSAKA_TIME: u64 = GENESIS_TIME + 1_000;

fn dev() -> Dev {
    let mut begun = DevSettings::at(GENESIS_TIME);
    begun.params.hardfork = Hardfork::Prague;
    let GenesisBlock { header, world, .. } = DevGenesis::build(&begun).unwrap().block;
    let osaka = Upgrade { since: Activation::Time(OSAKA_TIME), hardfork: Hardfork::Osaka };
    let spec = ChainSpec::new(begun.params, vec![osaka]).unwrap();
    let store = ChainStore::in_memory(GenesisBlock { spec, header, world });
    Dev::on(store, Settings { mining: Mining::Manual, ..Settings::default() }, Arc::new(NoMonitor))
}

fn with_blob(dev: &Dev, sidecar: BlobTransactionSidecarVariant) -> Transaction {
    let tx = TxEip4844 {
        chain_id: dev.chain.params().chain_id,
        gas_limit: 21_000,
        max_fee_per_gas: 100 * GWEI,
        max_priority_fee_per_gas: GWEI,
        max_fee_per_blob_gas: GWEI,
        blob_versioned_hashes: sidecar.versioned_hashes().collect(),
        to: Address::repeat_byte(0x77),
        ..TxEip4844::default()
    };
    let signature = dev.signers[0].sign_hash_sync(&tx.signature_hash()).unwrap();
    let whole = TxEip4844WithSidecar::from_tx_and_sidecar(tx, sidecar);
    let signed = TxEip4844Variant::TxEip4844WithSidecar(whole).into_signed(signature);
    Transaction::new_unchecked(TxEnvelope::Eip4844(signed), dev.address(0))
}

/// A transaction with a proof for its blob, and the same one with proofs of the blob's cells.
fn in_both_forms(dev: &Dev) -> (Transaction, Transaction) {
    let builder = || SidecarBuilder::<SimpleCoder>::from_slice(b"parapet");
    (with_blob(dev, builder().build_4844().unwrap().into()), with_blob(dev, builder().build_7594().unwrap().into()))
}

#[test]
fn blobs_with_proofs_of_before_osaka_leave_the_pool_with_its_first_block_and_can_be_sent_anew() {
    let dev = dev();
    let (old, new) = in_both_forms(&dev);
    let hash = dev.submit(old.clone());
    dev.clock.store(OSAKA_TIME, Ordering::SeqCst);
    dev.chain.mine(MineRequest::default()).unwrap();
    assert!(dev.chain.head().block.transactions.is_empty());
    assert_eq!((dev.chain.pool_counts(), dev.chain.sidecar(hash)), ((0, 0), None));
    let refused = dev.chain.submit(old).unwrap_err();
    assert!(matches!(refused, ChainError::Pool(PoolError::SidecarForm { .. })), "{refused}");
    assert_eq!(dev.submit(new), hash);
    dev.chain.mine(MineRequest::default()).unwrap();
    assert_eq!(dev.chain.head().block.transactions.len(), 1);
}

#[test]
fn who_is_given_a_block_of_osaka_is_given_no_blobs_with_older_proofs() {
    let dev = dev();
    let hash = dev.submit(in_both_forms(&dev).0);
    let build = |timestamp| {
        let payload = dev.chain.build_apart(payload_request(&dev.chain, timestamp)).unwrap();
        (payload.block.transactions.len(), payload.sidecars.len())
    };
    assert_eq!(build(OSAKA_TIME - 1), (1, 1));
    assert_eq!(build(OSAKA_TIME), (0, 0));
    assert!(dev.chain.sidecar(hash).is_some(), "nothing is taken from the pool for a block that is none of the chain");
    assert_eq!(build(OSAKA_TIME - 1), (1, 1));
}
