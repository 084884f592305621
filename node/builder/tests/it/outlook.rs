//! What development tools fix of blocks to come, and of the pool.

use std::{sync::atomic::Ordering, time::Duration};

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, U256};
use parapet_builder::{Amendment, BlockOverride, ChainError, MineRequest, Mining, Settings};
use parapet_types::unsigned_transaction;

use crate::fixture::{Dev, GENESIS_TIME, GWEI, call};

fn manual() -> Dev {
    Dev::new(Settings { mining: Mining::Manual, ..Settings::default() })
}

fn mined(dev: &Dev) -> std::sync::Arc<parapet_state::StoredBlock> {
    dev.chain.mine(MineRequest::default()).unwrap();
    std::sync::Arc::clone(&dev.chain.head().block)
}

#[test]
fn some_of_what_is_fixed_lasts_and_some_is_used_up() {
    let dev = manual();
    let (miner, word) = (Address::repeat_byte(0x11), B256::repeat_byte(0x22));
    for with in [
        BlockOverride::Beneficiary(miner),
        BlockOverride::GasLimit(12_345_678),
        BlockOverride::BaseFee(5),
        BlockOverride::PrevRandao(word),
    ] {
        dev.chain.override_blocks(with).unwrap();
    }
    let promised = dev.chain.next_context(&dev.chain.head());
    assert_eq!((dev.chain.head().next_base_fee(), dev.chain.params().block_gas_limit), (5, 12_345_678));
    let first = mined(&dev);
    let of = |header: &alloy_consensus::Header| {
        (header.beneficiary, header.gas_limit, header.base_fee_per_gas.unwrap(), header.mix_hash)
    };
    assert_eq!(of(&first.header), (miner, 12_345_678, 5, word));
    assert_eq!(of(&first.header), (promised.beneficiary, promised.gas_limit, promised.base_fee, promised.prev_randao));
    let (beneficiary, gas_limit, base_fee, randao) = of(&mined(&dev).header);
    assert_eq!((beneficiary, gas_limit), (miner, 12_345_678));
    assert_eq!(base_fee, 5, "an empty block lowers five wei by less than one");
    assert_ne!(randao, word);
    let refused = dev.chain.override_blocks(BlockOverride::GasLimit(4_999)).unwrap_err();
    assert!(matches!(refused, ChainError::GasLimit(4_999)));
}

#[test]
fn a_fixed_base_fee_decides_who_is_admitted_and_mined() {
    let dev = Dev::new(Settings::default());
    let cheap = || TxEip1559 { max_fee_per_gas: 10, max_priority_fee_per_gas: 1, ..call(Address::ZERO, U256::ONE) };
    dev.chain.submit(dev.sign(0, cheap())).unwrap_err();
    dev.chain.override_blocks(BlockOverride::BaseFee(7)).unwrap();
    let hash = dev.submit(dev.sign(0, cheap()));
    let (block, _) = dev.chain.transaction(hash).unwrap().unwrap();
    assert_eq!(block.header.base_fee_per_gas, Some(7));
}

#[test]
fn the_first_block_has_the_base_fee_of_the_settings() {
    let settings = Settings { mining: Mining::Manual, first_base_fee: Some(3 * GWEI as u64), ..Settings::default() };
    let dev = Dev::new(settings);
    assert_eq!(mined(&dev).header.base_fee_per_gas, Some(3 * GWEI as u64));
    assert_ne!(mined(&dev).header.base_fee_per_gas, Some(3 * GWEI as u64));
    dev.chain.reset().unwrap();
    assert_eq!(mined(&dev).header.base_fee_per_gas, Some(3 * GWEI as u64));
}

#[test]
fn blocks_are_spaced_until_the_clock_decides_again() {
    let dev = manual();
    assert_eq!(dev.chain.set_block_spacing(Some(12)).unwrap(), None);
    let stamps = [mined(&dev).header.timestamp, mined(&dev).header.timestamp];
    assert_eq!(stamps, [GENESIS_TIME + 12, GENESIS_TIME + 24]);
    assert_eq!(dev.chain.set_block_spacing(None).unwrap(), Some(12));
    assert_eq!(mined(&dev).header.timestamp, GENESIS_TIME + 100);
}

#[test]
fn time_is_moved_on_from_a_head_that_is_ahead_of_the_clock() {
    let dev = manual();
    for _ in 0..20 {
        mined(&dev);
    }
    let before = mined(&dev).header.timestamp;
    assert_eq!(before, GENESIS_TIME + 120, "the clock stands still");
    assert_eq!(dev.chain.increase_time(3_600).unwrap(), 3_620);
    assert_eq!(mined(&dev).header.timestamp, before + 3_600);
}

#[test]
fn time_that_was_set_runs_on_and_never_goes_back() {
    let dev = manual();
    assert_eq!(dev.chain.set_time(GENESIS_TIME + 1_100).unwrap(), 1_000);
    dev.clock.fetch_add(5, Ordering::SeqCst);
    assert_eq!(mined(&dev).header.timestamp, GENESIS_TIME + 1_105);
    assert_eq!(dev.chain.set_time(GENESIS_TIME).unwrap(), 0);
    assert_eq!(mined(&dev).header.timestamp, GENESIS_TIME + 1_106);
}

#[test]
fn mixed_mining_takes_a_transaction_at_once() {
    let dev = Dev::new(Settings { mining: Mining::Mixed(Duration::from_secs(3_600)), ..Settings::default() });
    dev.submit(dev.transfer(0, 0));
    assert_eq!(dev.number(), 1);
    assert!(dev.chain.set_mining(Mining::Mixed(Duration::ZERO)).is_err());
}

#[test]
fn transactions_are_dropped_one_by_one_by_sender_and_all() {
    let dev = manual();
    let sent: Vec<_> =
        [(0, 0), (0, 1), (0, 5), (1, 0), (2, 0)].map(|(who, nonce)| dev.submit(dev.transfer(who, nonce))).into();
    assert!(dev.chain.drop_transaction(sent[1]));
    assert!(!dev.chain.drop_transaction(sent[1]));
    assert_eq!(dev.chain.pool_counts(), (3, 1));
    dev.chain.drop_transactions_of(&dev.address(0));
    assert_eq!(dev.chain.pool_counts(), (2, 0));
    dev.chain.drop_all_transactions();
    assert_eq!(dev.chain.pool_counts(), (0, 0));
}

#[test]
fn a_contract_that_nobody_signs_for_is_mined_and_its_block_has_its_transaction_again() {
    let dev = Dev::new(Settings::default());
    let contract = Address::repeat_byte(0x99);
    dev.chain.amend(contract, Amendment::Code([0x00].into())).unwrap();
    dev.chain.amend(contract, Amendment::MoreBalance(U256::from(GWEI * GWEI))).unwrap();
    let hash = dev.submit(unsigned_transaction(call(dev.address(1), U256::ONE).into(), contract));
    let (block, index) = dev.chain.transaction(hash).unwrap().unwrap();
    assert_eq!((block.transactions[index].signer(), block.executed[index].succeeded()), (contract, true));
}
