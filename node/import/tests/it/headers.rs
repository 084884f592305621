//! Rules of headers.

use alloy_consensus::Header;
use alloy_primitives::{B64, B256, Bytes, Sealable as _, U256};
use parapet_import::{Consequence, Field, ImportError, check_header, check_succession};
use parapet_types::{BlobSchedule, ChainParams, ExecutionLimits, GuardParams, Hardfork};

use crate::fixture::{BASE_FEE, Case, FORKS};

#[test]
fn a_valid_block_is_imported_at_every_fork() {
    for fork in FORKS {
        let case = Case::new(fork);
        let imported = case.import().unwrap_or_else(|error| panic!("{fork:?}: {error}"));
        assert_eq!(imported.state.root(), case.block.header.state_root);
        assert_eq!(imported.executed.gas_used, 21_000);
    }
}

/// What a change of the header is refused for.
fn refused(fork: Hardfork, change: impl Fn(&mut Header)) -> ImportError {
    let mut case = Case::new(fork);
    change(&mut case.block.header);
    let error = case.refusal();
    assert_eq!(error.consequence(), Consequence::Refuse, "{error}");
    error
}

#[test]
fn fields_that_the_merge_emptied_stay_empty() {
    let error = refused(Hardfork::Paris, |header| header.difficulty = U256::ONE);
    assert!(matches!(error, ImportError::NotZero(Field::Difficulty)), "{error}");
    let error = refused(Hardfork::Osaka, |header| header.nonce = B64::repeat_byte(1));
    assert!(matches!(error, ImportError::NotZero(Field::Nonce)), "{error}");
    let error = refused(Hardfork::Osaka, |header| header.ommers_hash = B256::ZERO);
    assert!(matches!(error, ImportError::Hash { field: Field::OmmersHash, .. }), "{error}");
}

#[test]
fn extra_data_has_at_most_32_bytes() {
    let error = refused(Hardfork::Osaka, |header| header.extra_data = Bytes::from(vec![1; 33]));
    assert!(matches!(error, ImportError::Bounds { field: Field::ExtraData, found: 33, max: 32, .. }), "{error}");
}

#[test]
fn a_block_stands_on_its_parent() {
    let error = refused(Hardfork::Osaka, |header| header.parent_hash = B256::repeat_byte(1));
    assert!(matches!(error, ImportError::Hash { field: Field::ParentHash, .. }), "{error}");
    for number in [0, 2, u64::MAX] {
        let error = refused(Hardfork::Osaka, |header| header.number = number);
        assert!(matches!(error, ImportError::Quantity { field: Field::Number, expected: 1, .. }), "{error}");
    }
    for earlier in [12, 13] {
        let error = refused(Hardfork::Osaka, |header| header.timestamp -= earlier);
        assert!(matches!(error, ImportError::Bounds { field: Field::Timestamp, .. }), "{error}");
    }
}

fn params(hardfork: Hardfork) -> ChainParams {
    ChainParams {
        chain_id: 1,
        hardfork,
        block_gas_limit: 30_000_000,
        guards: GuardParams::default(),
        deposit_contract: ChainParams::MAINNET_DEPOSITS,
        limits: ExecutionLimits::ETHEREUM,
    }
}

#[test]
fn the_gas_limit_moves_by_less_than_a_1024th() {
    let case = Case::new(Hardfork::Osaka);
    // 30,000,000 / 1024 is 29,296: that far is too far.
    for (limit, allowed) in [
        (30_000_000 + 29_295, true),
        (30_000_000 + 29_296, false),
        (30_000_000 - 29_295, true),
        (30_000_000 - 29_296, false),
        (u64::MAX, false),
    ] {
        let header = Header { gas_limit: limit, ..case.block.header.clone() };
        let outcome = check_succession(&case.params, &case.parent, &header);
        let refused =
            matches!(outcome, Err(ImportError::Bounds { field: Field::GasLimit, found, .. }) if found == limit);
        assert_eq!(outcome.is_ok(), allowed, "{limit}: {outcome:?}");
        assert_eq!(refused, !allowed, "{limit}");
    }
}

#[test]
fn the_gas_limit_has_bounds_of_its_own() {
    let valid = Case::new(Hardfork::Osaka).block.header;
    for (limit, allowed) in [(4_999, false), (5_000, true), (i64::MAX as u64, true), (i64::MAX as u64 + 1, false)] {
        let header = Header { gas_limit: limit, gas_used: 0, ..valid.clone() };
        assert_eq!(check_header(&params(Hardfork::Osaka), &header).is_ok(), allowed, "{limit}");
    }
    let header = Header { gas_used: valid.gas_limit + 1, ..valid };
    let outcome = check_header(&params(Hardfork::Osaka), &header);
    assert!(matches!(outcome, Err(ImportError::Bounds { field: Field::GasUsed, .. })), "{outcome:?}");
}

#[test]
fn the_base_fee_follows_the_parents_gas() {
    for (used, expected) in [(0, BASE_FEE), (15_000_000, 1_000_000_000), (30_000_000, 1_125_000_000)] {
        let case = Case::new(Hardfork::Osaka);
        let parent = Header { gas_used: used, ..case.parent.inner().clone() }.seal_slow();
        let header =
            |fee| Header { parent_hash: parent.hash(), base_fee_per_gas: Some(fee), ..case.block.header.clone() };
        assert!(check_succession(&case.params, &parent, &header(expected)).is_ok(), "{used}");
        let outcome = check_succession(&case.params, &parent, &header(expected + 1));
        let ImportError::Quantity { field: Field::BaseFee, expected: wanted, found } = outcome.unwrap_err() else {
            panic!("another error");
        };
        assert_eq!((wanted, found), (expected, expected + 1));
    }
}

#[test]
fn every_field_is_there_from_its_fork_on() {
    type Change = fn(&mut Header);
    let fields: [(Field, Hardfork, Change, Change); 5] = [
        (
            Field::WithdrawalsRoot,
            Hardfork::Shanghai,
            |h| h.withdrawals_root = None,
            |h| {
                h.withdrawals_root = Some(B256::ZERO);
            },
        ),
        (Field::BlobGasUsed, Hardfork::Cancun, |h| h.blob_gas_used = None, |h| h.blob_gas_used = Some(0)),
        (Field::ExcessBlobGas, Hardfork::Cancun, |h| h.excess_blob_gas = None, |h| h.excess_blob_gas = Some(0)),
        (
            Field::ParentBeaconRoot,
            Hardfork::Cancun,
            |h| h.parent_beacon_block_root = None,
            |h| {
                h.parent_beacon_block_root = Some(B256::ZERO);
            },
        ),
        (Field::RequestsHash, Hardfork::Prague, |h| h.requests_hash = None, |h| h.requests_hash = Some(B256::ZERO)),
    ];
    for fork in FORKS {
        let valid = Case::new(fork).block.header;
        for (field, since, take, give) in fields {
            let mut header = valid.clone();
            if fork >= since {
                take(&mut header)
            } else {
                give(&mut header)
            }
            let error = check_header(&params(fork), &header).unwrap_err();
            let named = match error {
                ImportError::Missing { field, .. } if fork >= since => field,
                ImportError::Unexpected { field, .. } if fork < since => field,
                other => panic!("{fork:?}, {field}: {other}"),
            };
            assert_eq!(named, field, "{fork:?}");
        }
    }
    let without_fee = Header { base_fee_per_gas: None, ..Case::new(Hardfork::Paris).block.header };
    let outcome = check_header(&params(Hardfork::Paris), &without_fee);
    assert!(matches!(outcome, Err(ImportError::Missing { field: Field::BaseFee, .. })), "{outcome:?}");
}

#[test]
fn fields_of_forks_to_come_are_refused() {
    let error = refused(Hardfork::Osaka, |header| header.block_access_list_hash = Some(B256::ZERO));
    assert!(matches!(error, ImportError::Unexpected { field: Field::AccessListHash, .. }), "{error}");
}

#[test]
fn blob_gas_comes_in_blobs_and_has_a_maximum() {
    for (fork, most) in [(Hardfork::Cancun, 6), (Hardfork::Prague, 9), (Hardfork::Osaka, 9), (Hardfork::BPO1, 15)] {
        let valid = Case::new(fork).block.header;
        let header = |used| Header { blob_gas_used: Some(used), ..valid.clone() };
        assert!(check_header(&params(fork), &header(most * 131_072)).is_ok(), "{fork:?}");
        let outcome = check_header(&params(fork), &header((most + 1) * 131_072));
        assert!(matches!(outcome, Err(ImportError::Bounds { field: Field::BlobGasUsed, .. })), "{fork:?}");
        let outcome = check_header(&params(fork), &header(131_071));
        assert!(matches!(outcome, Err(ImportError::PartOfABlob { found: 131_071 })), "{fork:?}");
    }
}

/// The excess that a successor of this parent must have.
fn next_excess(fork: Hardfork, excess: Option<u64>, used: Option<u64>, base_fee: u64) -> u64 {
    let case = Case::new(fork);
    let parent = Header {
        excess_blob_gas: excess,
        blob_gas_used: used,
        base_fee_per_gas: Some(base_fee),
        gas_used: 15_000_000,
        ..case.parent.inner().clone()
    };
    let parent = parent.seal_slow();
    let header = Header {
        parent_hash: parent.hash(),
        base_fee_per_gas: Some(base_fee),
        excess_blob_gas: Some(u64::MAX),
        ..case.block.header
    };
    match check_succession(&case.params, &parent, &header) {
        Err(ImportError::Quantity { field: Field::ExcessBlobGas, expected, .. }) => expected,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_excess_of_blob_gas_follows_the_forks_target() {
    let (blob, gwei) = (131_072, 1_000_000_000);
    assert_eq!(next_excess(Hardfork::Cancun, Some(10 * blob), Some(6 * blob), gwei), 13 * blob);
    assert_eq!(next_excess(Hardfork::Prague, Some(10 * blob), Some(9 * blob), gwei), 13 * blob);
    assert_eq!(next_excess(Hardfork::Cancun, Some(0), Some(3 * blob), gwei), 0);
    // The first block with blobs has a parent that knows none.
    assert_eq!(next_excess(Hardfork::Cancun, None, None, gwei), 0);
    // EIP-7918: blobs cost at least 2^13 gas each. At 16 wei per gas that is the price of 2^17 units of blob gas at one
    // wei; one wei more, and the excess no longer falls: it grows by a third of what was used, six of nine being the
    // target.
    assert_eq!(next_excess(Hardfork::Osaka, Some(10 * blob), Some(9 * blob), 16), 13 * blob);
    assert_eq!(next_excess(Hardfork::Osaka, Some(10 * blob), Some(9 * blob), 17), 13 * blob);
    assert_eq!(next_excess(Hardfork::Osaka, Some(10 * blob), Some(6 * blob), 17), 12 * blob);
    assert_eq!(next_excess(Hardfork::Osaka, Some(10 * blob), Some(6 * blob), 16), 10 * blob);
    // Other parameters, other targets (EIP-7892).
    assert_eq!(next_excess(Hardfork::BPO1, Some(10 * blob), Some(9 * blob), 7), 9 * blob);
    let custom = Hardfork::Bpo(BlobSchedule { target: 1, max: 2, base_fee_update_fraction: 5_000_000 });
    assert_eq!(next_excess(custom, Some(10 * blob), Some(2 * blob), 7), 11 * blob);
}

#[test]
fn a_parent_beyond_all_bounds_is_an_error_and_no_overflow() {
    type Change = fn(&mut Header);
    let changes: [(Field, Change); 4] = [
        (Field::GasUsed, |header| header.gas_used = header.gas_limit + 1),
        (Field::BaseFee, |header| header.base_fee_per_gas = Some(u64::MAX)),
        (Field::ExcessBlobGas, |header| header.excess_blob_gas = Some(u64::MAX)),
        (Field::BlobGasUsed, |header| header.blob_gas_used = Some(u64::MAX)),
    ];
    for (wrong, change) in changes {
        let case = Case::new(Hardfork::Osaka);
        let mut parent = case.parent.inner().clone();
        change(&mut parent);
        let outcome = check_succession(&case.params, &parent.seal_slow(), &case.block.header);
        assert!(matches!(outcome, Err(ImportError::Parent { field, .. }) if field == wrong), "{outcome:?}");
    }
}
