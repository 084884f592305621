//! The registry's storage, read back as it was written and refused where it is damaged.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod artefact;
mod damage;
mod reading;

use alloy_primitives::{Address, B256, Bytes, Selector};
use parapet_monitor::{Fork, Fuel, MemoryAccounts, MemoryState, Mode};
use parapet_registry::{Attachment, Failure, RegistryImage, RegistryReader, SelectedTriggers};

/// An attachment in which every field differs from every other.
fn attachment(number: u8) -> Attachment {
    Attachment {
        id: B256::repeat_byte(number),
        module: B256::repeat_byte(0xaa),
        manager: Address::repeat_byte(0x77),
        mode: Some(Mode::Enforce),
        paused: true,
        demoted: true,
        delay: 0x0102_0304,
        revision: u32::MAX,
        failure: Failure::Open,
        priority: 0xdead_beef,
        fuel_max: Fuel(99_999_999),
        demotion_share: 9_999,
        triggers: SelectedTriggers(0x8000_0001),
        escapes: (1..=9).map(Selector::repeat_byte).collect(),
        attached_at: u64::MAX,
        accounts: vec![Address::repeat_byte(1), Address::repeat_byte(2)],
        configuration: Bytes::from_static(b"five!"),
    }
}

fn state(image: &RegistryImage) -> MemoryState {
    let mut accounts = MemoryAccounts::new();
    image.write(&mut accounts);
    MemoryState::unchanged(accounts)
}

fn reader(state: &mut MemoryState) -> RegistryReader<'_> {
    RegistryReader::new(state, Fork::PreTx)
}
