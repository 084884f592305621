//! Blocks from before the merge.

use std::num::NonZeroUsize;

use alloy_consensus::{Eip658Value, Header, ReceiptEnvelope, TxReceipt as _};
use alloy_primitives::{Address, B256, Sealable as _, U256};
use parapet_executor::{Mode, Workers};
use parapet_import::{Field, ImportError, Parent, check_succession, import_block};
use parapet_monitor::NoMonitor;
use parapet_types::{Era, Hardfork};

use crate::fixture::Case;

/// Forks whose receipts hold roots.
const ROOTED: [Era; 3] = [Era::Homestead, Era::Tangerine, Era::Spurious];
const GWEI: u64 = 1_000_000_000;

/// A block of an era with these transfers of wei, by a sender who begins with nonce 0.
fn case(era: Era, transfers: &[(Address, u64)]) -> Case {
    let mut case = Case::new(Hardfork::ProofOfWork(era));
    let transfers = (0..).zip(transfers);
    let transactions = transfers.map(|(nonce, (to, wei))| case.old_transfer(nonce, *to, *wei, None)).collect();
    case.block.body.transactions = transactions;
    case.fill();
    case
}

fn roots(receipts: impl Iterator<Item = ReceiptEnvelope>) -> Vec<B256> {
    let root = |receipt: ReceiptEnvelope| match receipt.status_or_post_state() {
        Eip658Value::PostState(root) => root,
        Eip658Value::Eip658(_) => panic!("a receipt with a status"),
    };
    receipts.map(root).collect()
}

#[test]
fn receipts_before_byzantium_hold_the_root_after_their_transaction() {
    let to = [Address::repeat_byte(0xa), Address::repeat_byte(0xb), Address::repeat_byte(0xa)].map(|to| (to, 5));
    let workers = Workers::new(NonZeroUsize::new(2).unwrap());
    for era in ROOTED {
        let whole = case(era, &to);
        let receipts = |mode| {
            let on = Parent { header: Some(&whole.parent), world: &whole.world, ancestors: &whole.ancestors };
            let imported = import_block(&whole.params, on, &whole.incoming(), &NoMonitor, mode, |changes| {
                Ok((whole.world.apply(changes)?.root(), ()))
            });
            imported.unwrap().executed.included.into_iter().map(|included| included.receipt)
        };
        let found = roots(receipts(Mode::Sequential));
        for mode in [Mode::Sequential, Mode::Parallel(&workers)] {
            assert_eq!(roots(receipts(mode)), found, "{era:?}");
        }
        // The state after each prefix, without what the miner is paid for the block.
        for count in 1..=to.len() {
            let part = case(era, &to[..count]);
            let mut changes = part.import().unwrap().executed.changes;
            let miner = changes.accounts.get_mut(&part.block.header.beneficiary).unwrap();
            let info = miner.info.as_mut().unwrap();
            info.balance -= U256::from(era.reward_gwei()) * U256::from(GWEI);
            assert_eq!(part.world.apply(&changes).unwrap().root(), found[count - 1], "{era:?}, {count}");
        }
    }
    let byzantium = case(Era::Byzantium, &to).import().unwrap().executed.included;
    assert!(byzantium.iter().all(|included| included.receipt.status_or_post_state() == Eip658Value::Eip658(true)));
}

#[test]
fn who_is_paid_nothing_exists_before_spurious_dragon_and_not_since() {
    let nobody = Address::repeat_byte(0xcc);
    for era in ROOTED {
        let after = case(era, &[(nobody, 0), (nobody, 0)]).import().unwrap().state;
        assert_eq!(after.account(&nobody).unwrap().is_some(), era < Era::Spurious, "{era:?}");
    }
}

#[test]
fn a_transaction_that_names_its_chain_is_none_before_spurious_dragon() {
    for era in ROOTED {
        let mut case = case(era, &[]);
        let chain = Some(case.params.chain_id);
        case.block.body.transactions = vec![case.old_transfer(0, Address::repeat_byte(1), 1, chain)];
        case.fill();
        match case.import() {
            Ok(_) => assert_eq!(era, Era::Spurious),
            Err(error) => {
                assert!(matches!(error, ImportError::TransactionType { index: 0, .. }), "{error}");
                assert!(era < Era::Spurious);
            }
        }
    }
}

#[test]
fn miners_are_paid_for_their_block_and_their_ommers() {
    for (era, reward) in [(Era::Homestead, 5), (Era::Byzantium, 3), (Era::London, 2)] {
        let mut case = Case::new(Hardfork::ProofOfWork(era));
        let number = case.block.header.number;
        let ommer = Address::repeat_byte(0xee);
        case.block.body.ommers = vec![Header { number: number - 1, beneficiary: ommer, ..Header::default() }];
        case.fill();
        let after = case.import().unwrap().state;
        let ether = U256::from(reward) * U256::from(GWEI) * U256::from(GWEI);
        assert_eq!(after.account(&ommer).unwrap().unwrap().balance, ether / U256::from(8) * U256::from(7), "{era:?}");
        let miner = after.account(&case.block.header.beneficiary).unwrap().unwrap().balance;
        assert!(miner >= ether + ether / U256::from(32), "{era:?}: {miner}");
    }
}

#[test]
fn where_the_base_fee_begins_the_gas_limit_doubles() {
    let case = Case::new(Hardfork::LONDON);
    let parent = Header { base_fee_per_gas: None, ..case.parent.inner().clone() }.seal_slow();
    let first = |gas_limit, fee| Header {
        parent_hash: parent.hash(),
        gas_limit,
        base_fee_per_gas: Some(fee),
        ..case.block.header.clone()
    };
    let check = |header: Header| check_succession(&case.params, &parent, &header);
    check(first(2 * parent.gas_limit, GWEI)).unwrap();
    let same = check(first(parent.gas_limit, GWEI)).unwrap_err();
    assert!(matches!(same, ImportError::Bounds { field: Field::GasLimit, .. }), "{same}");
    let other_fee = check(first(2 * parent.gas_limit, 875_000_000)).unwrap_err();
    assert!(matches!(other_fee, ImportError::Quantity { field: Field::BaseFee, .. }), "{other_fee}");
}
