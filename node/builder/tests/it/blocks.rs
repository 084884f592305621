//! What is in a block.

use alloy_consensus::{TxEip1559, constants::EMPTY_WITHDRAWALS, proofs};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{Address, B256, Bloom, Bytes, TxKind, U256, hex};
use parapet_builder::{MineRequest, Mining, Settings, next_base_fee};

use crate::fixture::{Dev, GENESIS_TIME, GWEI, call};

#[test]
fn a_block_has_every_field_of_its_fork_and_follows_its_parent() {
    let dev = Dev::new(Settings::default());
    let genesis = dev.chain.head();
    dev.submit(dev.transfer(0, 0));
    let head = dev.chain.head();
    let header = head.block.header.inner();
    assert_eq!(header.number, 1);
    assert_eq!(header.parent_hash, genesis.block.hash());
    assert_eq!(header.timestamp, GENESIS_TIME + 100);
    assert_eq!(header.state_root, head.world.root());
    assert_ne!(header.state_root, genesis.block.header.state_root);
    assert_eq!(
        header.transactions_root,
        proofs::calculate_transaction_root(&head.block.to_consensus_block().body.transactions)
    );
    assert_eq!(header.receipts_root, proofs::calculate_receipt_root(&head.block.receipts));
    assert_eq!(header.withdrawals_root, Some(EMPTY_WITHDRAWALS));
    assert_eq!(header.requests_hash, Some(EMPTY_REQUESTS_HASH));
    assert_eq!(header.parent_beacon_block_root, Some(B256::ZERO));
    assert_eq!((header.blob_gas_used, header.excess_blob_gas), (Some(0), Some(0)));
    assert_eq!(header.gas_used, 21_000);
    assert_eq!(header.gas_limit, parapet_genesis::BLOCK_GAS_LIMIT);
    assert_eq!(header.logs_bloom, Bloom::ZERO);
    assert_eq!(header.extra_data, Bytes::from_static(b"parapet"));
    assert_ne!(header.mix_hash, B256::ZERO);
    assert_eq!(head.block.hash(), header.hash_slow());
}

#[test]
fn the_base_fee_falls_after_empty_blocks_and_rises_after_full_ones() {
    let dev = Dev::new(Settings { mining: Mining::Manual, ..Settings::default() });
    let genesis_fee = dev.chain.head().block.header.base_fee_per_gas.unwrap();
    dev.chain.mine(MineRequest::default()).unwrap();
    let after_empty = dev.chain.head().block.header.base_fee_per_gas.unwrap();
    assert_eq!(after_empty, genesis_fee - genesis_fee / 8);

    // An endless loop burns all the gas it is given.
    let burn = |nonce| {
        let input = Bytes::from_static(&hex!("5b600056"));
        dev.sign(
            0,
            TxEip1559 { nonce, gas_limit: 15_000_000, to: TxKind::Create, input, ..call(Address::ZERO, U256::ZERO) },
        )
    };
    dev.submit(burn(0));
    dev.submit(burn(1));
    dev.chain.mine(MineRequest::default()).unwrap();
    let full = dev.chain.head();
    assert_eq!(full.block.transactions.len(), 2);
    assert_eq!(full.block.header.gas_used, 30_000_000);
    let fee = full.block.header.base_fee_per_gas.unwrap();
    assert_eq!(next_base_fee(&full.block.header), fee + fee / 8);
}

#[test]
fn logs_are_in_the_bloom_of_their_block() {
    let dev = Dev::new(Settings::default());
    // PUSH1 7, PUSH0, PUSH0, LOG1: a log with topic 7 and no data.
    let input = Bytes::from_static(&hex!("60075f5fa1"));
    dev.submit(
        dev.sign(0, TxEip1559 { gas_limit: 100_000, to: TxKind::Create, input, ..call(Address::ZERO, U256::ZERO) }),
    );
    let block = dev.chain.head().block.clone();
    let log = &block.receipts[0].logs()[0];
    assert_eq!(log.topics(), [B256::with_last_byte(7)]);
    let mut bloom = Bloom::ZERO;
    bloom.accrue_log(log);
    assert_eq!(block.header.logs_bloom, bloom);
}

#[test]
fn the_sender_pays_and_the_beneficiary_earns_the_tip() {
    let beneficiary = Address::repeat_byte(0xbe);
    let dev = Dev::new(Settings { beneficiary, ..Settings::default() });
    let before = dev.balance(dev.address(0));
    dev.submit(dev.transfer(0, 0));
    let base_fee = u128::from(dev.chain.head().block.header.base_fee_per_gas.unwrap());
    let fee = U256::from(21_000 * (base_fee + GWEI));
    assert_eq!(before - dev.balance(dev.address(0)), fee + U256::ONE);
    assert_eq!(dev.balance(beneficiary), U256::from(21_000 * GWEI));
}

#[test]
fn blocks_are_found_by_number_hash_and_transaction() {
    let dev = Dev::new(Settings::default());
    let hash = dev.submit(dev.transfer(0, 0));
    let head = dev.chain.head();
    assert_eq!(dev.chain.block(1).unwrap().unwrap(), head.block);
    assert_eq!(dev.chain.block_by_hash(head.block.hash()).unwrap().unwrap(), head.block);
    assert_eq!(dev.chain.transaction(hash).unwrap().unwrap(), (head.block.clone(), 0));
    assert_eq!(dev.chain.block(2).unwrap(), None);
    assert_eq!(dev.chain.ancestors(2).unwrap().len(), 2);
}
