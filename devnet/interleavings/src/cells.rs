//! The versioned cells by themselves: readers and writers at several versions at once.
//!
//! What readers saw is kept in plain memory, of which the machine knows nothing: keeping it orders nothing.

use std::{collections::HashMap, convert::Infallible, fmt::Debug, hash::Hash, sync::Mutex as Plain};

use alloy_primitives::{Address, U256};
use parapet_monitor::StateOp;
use parapet_types::AccountInfo;

use crate::{
    parallel::{
        account::{AccountCell, AccountView, AccountWrite, Version},
        slot::{AccountIndex, SlotCell, SlotView},
    },
    sync::{Task, side_by_side},
};

/// Above every power of two that a writer adds.
const BASE: u64 = 1 << 20;

fn account() -> AccountCell {
    let cell = AccountCell::new(Address::ZERO);
    // A cell that is written was read before.
    read_account(&cell, 0);
    cell
}

fn read_account(cell: &AccountCell, at: u32) -> (AccountView, u64) {
    let base = AccountInfo { balance: U256::from(BASE), ..AccountInfo::default() };
    cell.read::<Infallible>(Version(at), || Ok(Some(base))).unwrap_or_else(|never| match never {})
}

fn read_slot(cell: &SlotCell, at: u32) -> (SlotView, u64) {
    let read = cell.read::<Infallible>(Version(at), Version::BASE, || Ok(U256::from(BASE)));
    read.unwrap_or_else(|never| match never {})
}

fn add(bit: u32) -> AccountWrite {
    AccountWrite { balance: U256::from(1_u64 << bit), identity: None }
}

/// The bits that a balance has above its base: who wrote it.
fn writers(view: &AccountView) -> u64 {
    let sum: u64 = view.balance.to();
    sum.checked_sub(BASE).expect("nothing is ever taken away from the base")
}

/// Writers at versions 1, 3 and 5 add a bit each, and 3 takes its own back; readers stand between them.
pub fn readers_see_only_whole_writes_below_them() {
    let cell = account();
    let write = |version: u32| -> Task<'_> {
        let cell = &cell;
        Box::new(move || {
            cell.write(Version(version), Version(1), add(version));
        })
    };
    let again = || {
        cell.write(Version(3), Version(1), add(3));
        cell.retract(Version(3));
    };
    let read = |at: u32| -> Task<'_> {
        let cell = &cell;
        Box::new(move || {
            let (first, _) = read_account(cell, at);
            let second = cell.read_again(Version(at));
            for view in [first, second] {
                let allowed = (0..at).fold(0, |bits, version| bits | 1 << version) & 0b10_1010;
                assert_eq!(writers(&view) & !allowed, 0, "a reader at {at} saw {:b}", writers(&view));
                assert!(view.writer < Version(at));
            }
            let kept = 0b10_0010;
            assert_eq!(writers(&first) & kept & !writers(&second), 0, "what was there is gone");
        })
    };
    side_by_side(vec![write(1), Box::new(again), write(5), read(2), read(4)]);
    for (at, bits) in [(1, 0), (2, 0b10), (4, 0b10), (6, 0b10_0010)] {
        assert_eq!(writers(&cell.read_again(Version(at))), bits, "when all is done, at {at}");
    }
}

/// The owner of the frontier settles, fees included, and folds; a reader above must never miss what is settled below.
pub fn folding_hides_nothing_from_readers_above() {
    let cell = account();
    cell.write(Version(1), Version(1), add(1));
    cell.write(Version(2), Version(1), add(2));
    let settle = || {
        let settled = cell.settle::<Infallible>(Version(2), || Ok(None), AccountWrite::default());
        settled.unwrap_or_else(|never| match never {});
        cell.write(Version(6), Version(3), add(6));
        cell.retract(Version(6));
    };
    let read = || {
        for _ in 0..3 {
            let view = cell.read_again(Version(4));
            assert_eq!(writers(&view), 0b110);
            assert_eq!(view.writer, Version(2));
        }
    };
    side_by_side(vec![Box::new(settle), Box::new(read), Box::new(read)]);
}

/// Changes that do not know what they change are made, taken back and folded; a reader above sees the sum of what is
/// settled below it, and of nothing that stands above it.
pub fn folding_changes_of_a_slot_hides_nothing_from_readers_above() {
    let cell = SlotCell::new(AccountIndex(0), U256::ZERO);
    let add = |bit: u32| [StateOp::Add { amount: U256::from(1_u64 << bit), cap: U256::MAX }];
    let bits = |view: SlotView| view.value.to::<u64>() - BASE;
    cell.change(Version(1), &add(1));
    cell.change(Version(2), &add(2));
    let fold = |settled: u32| {
        let folded = cell.fold::<Infallible>(Version(settled), Version::BASE, || Ok(U256::from(BASE)));
        folded.unwrap_or_else(|never| match never {});
    };
    let settle = || {
        fold(2);
        fold(3);
        cell.change(Version(6), &add(6));
        cell.retract(Version(6));
    };
    let ahead = || {
        cell.change(Version(3), &add(3));
        cell.retract(Version(3));
        cell.change(Version(3), &add(4));
    };
    let read = || {
        for _ in 0..3 {
            let (view, _) = read_slot(&cell, 4);
            assert!([0b110, 0b1110, 0b1_0110].contains(&bits(view)), "a reader at 4 saw {:b}", bits(view));
            assert!(view.writer == Version(2) || view.writer == Version(3));
        }
    };
    side_by_side(vec![Box::new(settle), Box::new(ahead), Box::new(read), Box::new(read)]);
    assert_eq!(bits(read_slot(&cell, 4).0), 0b1_0110);
}

/// Views by the stamp that came with them.
struct Observed<V>(Plain<HashMap<(u32, u64), V>>);

impl<V: Copy + Debug + PartialEq> Observed<V>
where
    (u32, u64): Hash,
{
    fn new() -> Self {
        Self(Plain::new(HashMap::new()))
    }

    fn note(&self, at: u32, (view, stamp): (V, u64)) {
        let mut seen = self.0.lock().expect("threads of a model take turns");
        let first = *seen.entry((at, stamp)).or_insert(view);
        assert_eq!(first, view, "two views at {at} have the stamp {stamp}");
    }
}

/// An account's writes are made and taken back under readers' eyes: no two different views at a version share a stamp.
pub fn equal_stamps_of_an_account_mean_equal_views() {
    let cell = account();
    let observed = Observed::new();
    let change = || {
        cell.write(Version(1), Version(1), add(1));
        cell.retract(Version(1));
        cell.write(Version(1), Version(1), add(2));
    };
    let other = || {
        cell.write(Version(2), Version(1), add(3));
    };
    let read = || {
        for _ in 0..3 {
            let before = cell.stamp();
            let (view, stamp) = read_account(&cell, 4);
            assert!(stamp >= before, "a stamp went back");
            observed.note(4, (view, stamp));
        }
    };
    side_by_side(vec![Box::new(change), Box::new(other), Box::new(read), Box::new(read)]);
    observed.note(4, read_account(&cell, 4));
}

/// As [`equal_stamps_of_an_account_mean_equal_views`], of a slot.
pub fn equal_stamps_of_a_slot_mean_equal_views() {
    let cell = SlotCell::new(AccountIndex(0), U256::ZERO);
    let observed = Observed::new();
    let change = || {
        cell.write(Version(1), Version(1), U256::from(10));
        cell.retract(Version(1));
        cell.write(Version(1), Version(1), U256::from(20));
    };
    // Made without knowing what it changes.
    let other = || {
        cell.change(Version(2), &[StateOp::Add { amount: U256::from(1), cap: U256::MAX }]);
    };
    let read = || {
        for _ in 0..2 {
            for at in [2, 4] {
                let before = cell.stamp();
                let (view, stamp) = read_slot(&cell, at);
                assert!(stamp >= before, "a stamp went back");
                assert!(view.writer < Version(at));
                observed.note(at, (view, stamp));
            }
        }
    };
    side_by_side(vec![Box::new(change), Box::new(other), Box::new(read), Box::new(read)]);
    for at in [2, 4] {
        observed.note(at, read_slot(&cell, at));
    }
}
