//! What a header announces of its block's execution.

use std::cell::Cell;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bloom, Bytes, U256};
use parapet_executor::{BlockError, Mode};
use parapet_import::{Consequence, Field, ImportError, Parent, import_block};
use parapet_monitor::NoMonitor;
use parapet_types::{AccountInfo, Hardfork, ReadError, StateReader};

use crate::fixture::Case;

#[test]
fn whatever_a_header_announces_wrongly_is_named() {
    type Change = fn(&mut Header);
    let hashes: [(Field, Change); 3] = [
        (Field::ReceiptsRoot, |header| header.receipts_root = B256::ZERO),
        (Field::RequestsHash, |header| header.requests_hash = Some(B256::ZERO)),
        (Field::StateRoot, |header| header.state_root = B256::ZERO),
    ];
    for (wrong, change) in hashes {
        let mut case = Case::new(Hardfork::Osaka);
        change(&mut case.block.header);
        let error = case.refusal();
        assert!(
            matches!(error, ImportError::Hash { field, found, .. } if field == wrong && found.is_zero()),
            "{error}"
        );
        assert_eq!(error.consequence(), Consequence::Refuse);
    }
    let mut case = Case::new(Hardfork::Osaka);
    case.block.header.gas_used += 1;
    let error = case.refusal();
    let ImportError::Quantity { field: Field::GasUsed, expected: 21_000, found: 21_001 } = error else {
        panic!("{error}");
    };
    case.block.header.gas_used -= 1;
    case.block.header.logs_bloom = Bloom::repeat_byte(1);
    assert!(matches!(case.refusal(), ImportError::LogsBloom));
}

#[test]
fn the_state_above_is_asked_for_only_when_all_else_is_right() {
    let asked = |case: &Case| {
        let asked = Cell::new(0);
        let on = Parent { header: Some(&case.parent), world: &case.world, ancestors: &case.ancestors };
        let root = case.block.header.state_root;
        let outcome = import_block(&case.params, on, &case.incoming(), &NoMonitor, Mode::Sequential, |_| {
            asked.set(asked.get() + 1);
            Ok((root, ()))
        });
        (outcome.is_ok(), asked.get())
    };
    let mut case = Case::new(Hardfork::Osaka);
    assert_eq!(asked(&case), (true, 1));
    case.block.header.gas_used += 1;
    assert_eq!(asked(&case), (false, 0));
}

#[test]
fn a_transaction_that_cannot_be_included_fails_the_block() {
    let mut case = Case::new(Hardfork::Shanghai);
    let again = case.block.body.transactions[0].clone();
    case.block.body.transactions.push(again);
    case.fill_body();
    let error = case.refusal();
    assert!(matches!(error, ImportError::Execution(BlockError::Transaction { index: 1, .. })), "{error}");
    assert_eq!(error.consequence(), Consequence::Refuse);
}

/// A state that cannot be read.
struct Broken;

fn broken<T>() -> Result<T, ReadError> {
    Err(ReadError("the disk is gone".into()))
}

impl StateReader for Broken {
    fn account(&self, _: &Address) -> Result<Option<AccountInfo>, ReadError> {
        broken()
    }

    fn storage(&self, _: &Address, _: U256) -> Result<U256, ReadError> {
        broken()
    }

    fn has_storage(&self, _: &Address) -> Result<bool, ReadError> {
        broken()
    }

    fn code(&self, _: B256) -> Result<Option<Bytes>, ReadError> {
        broken()
    }
}

#[test]
fn a_state_that_cannot_be_read_says_nothing_of_the_block() {
    let case = Case::new(Hardfork::Shanghai);
    let error = case.import_on(&Broken, &case.incoming()).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("the disk is gone"), "{error}");
    assert_eq!(error.consequence(), Consequence::Retry);

    let on = Parent { header: Some(&case.parent), world: &case.world, ancestors: &case.ancestors };
    let outcome =
        import_block(&case.params, on, &case.incoming(), &NoMonitor, Mode::Sequential, |_| broken::<(B256, ())>());
    assert_eq!(outcome.map(|_| ()).unwrap_err().consequence(), Consequence::Retry);
}
