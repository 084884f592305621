//! What the contract never writes is refused before anything is allocated for it.

use alloy_primitives::{B256, Bytes, U256};
use parapet_monitor::{MemoryAccount, MemoryState};
use parapet_registry::{
    ACCOUNTS_MAX, ATTACHMENTS_MAX, CONFIGURATION_BYTES_MAX, ESCAPES_MAX, MODULE_BYTES_MAX, REGISTRY_ADDRESS,
    RegistryError, RegistryImage, layout,
};

use crate::{attachment, reader, state};

const ID: B256 = B256::repeat_byte(3);

fn with_slot(slot: U256, value: U256) -> MemoryState {
    let mut state = state(&RegistryImage { attachments: vec![attachment(3)], ..RegistryImage::default() });
    state.pre_tx.get_mut(&REGISTRY_ADDRESS).unwrap().storage.insert(slot, value);
    state
}

fn refuses_length(field: U256, value: U256, limit: u64) {
    let slot = layout::value_of(layout::ATTACHMENTS, ID).wrapping_add(field);
    let error = reader(&mut with_slot(slot, value)).attachment(ID).unwrap_err();
    assert!(matches!(error, RegistryError::Limit { max, name: ID, .. } if max == limit), "{error}");
}

#[test]
fn lengths_over_their_limits_are_errors() {
    for length in [U256::from(ACCOUNTS_MAX + 1), U256::MAX] {
        refuses_length(layout::attachment::ACCOUNTS, length, ACCOUNTS_MAX);
    }
    let long = U256::from(2 * (CONFIGURATION_BYTES_MAX + 1) + 1);
    refuses_length(layout::attachment::CONFIGURATION, long, CONFIGURATION_BYTES_MAX);
    refuses_length(layout::attachment::CONFIGURATION, U256::MAX, CONFIGURATION_BYTES_MAX);
    refuses_length(layout::attachment::CONFIGURATION, U256::from(2 * 32), 31);
    refuses_length(layout::attachment::TERMS, U256::from(u64::MAX) << 40, 100_000_000);
    refuses_length(layout::attachment::TERMS, U256::from(10_001) << 104, 10_000);
    refuses_length(layout::attachment::ESCAPES, U256::from(ESCAPES_MAX + 1), ESCAPES_MAX);
    refuses_length(layout::attachment::ESCAPES, U256::MAX, ESCAPES_MAX);

    let mut state = with_slot(layout::ATTACHMENT_IDS, U256::from(ATTACHMENTS_MAX + 1));
    assert!(matches!(reader(&mut state).attachment_ids(), Err(RegistryError::Limit { max: ATTACHMENTS_MAX, .. })));
}

#[test]
fn modes_and_failures_that_do_not_exist_are_errors() {
    use layout::attachment::{STANDING, TERMS};
    for (slot, offset, field) in [(STANDING, 160, "mode"), (TERMS, 0, "failure")] {
        let slot = layout::value_of(layout::ATTACHMENTS, ID).wrapping_add(slot);
        let error = reader(&mut with_slot(slot, U256::from(3) << offset)).attachment(ID).unwrap_err();
        assert!(matches!(error, RegistryError::Value { what, value: 3, .. } if what == field), "{error}");
    }
}

#[test]
fn a_module_larger_than_the_limit_is_an_error() {
    let hash = B256::repeat_byte(9);
    let base = layout::value_of(layout::MODULES, hash);
    let mut state = with_slot(base, U256::from(MODULE_BYTES_MAX + 1) << 160);
    assert!(matches!(reader(&mut state).module(hash), Err(RegistryError::Limit { max: MODULE_BYTES_MAX, .. })));
}

/// Replaces the code of a module's second chunk.
fn with_second_chunk(code: Bytes) -> RegistryError {
    let mut image = RegistryImage::default();
    let hash = image.register((0..30_000).map(|byte| (byte % 249) as u8).collect());
    let mut state = state(&image);
    let module = reader(&mut state).module(hash).unwrap();
    state.pre_tx.insert(module.chunks[1], MemoryAccount { code, ..MemoryAccount::default() });
    reader(&mut state).module_bytes(&module).unwrap_err()
}

#[test]
fn chunks_that_are_not_data_contracts_are_errors() {
    let live = Bytes::from_static(&[0x60, 1]);
    for code in [Bytes::new(), Bytes::from_static(&[0]), live, vec![0; 24_577].into()] {
        assert!(matches!(with_second_chunk(code), RegistryError::Chunk { .. }));
    }
}

#[test]
fn bytes_that_are_not_those_registered_are_errors() {
    let len = 30_000 - 24_575;
    assert!(matches!(with_second_chunk(vec![0; len].into()), RegistryError::Size { actual: 29_999, .. }));
    assert!(matches!(with_second_chunk(vec![0; len + 1].into()), RegistryError::Hash { .. }));
}
