//! Instances that wait for their next transaction, on the thread that made them: wasmer's instances do not change threads,
//! and workers need no lock for them.
//!
//! Invariant: whatever waits here is as new. An instance is out of here only while a call runs, and no call runs inside
//! another, so one of each contract is enough.

use std::cell::RefCell;

use parapet_monitor::ModuleHash;

use crate::{instance::Instance, limits::INSTANCES_IDLE_MAX};

thread_local! {
    /// Most recently used first.
    static IDLE: RefCell<Vec<(ModuleHash, Instance)>> = const { RefCell::new(Vec::new()) };
}

/// An instance of a contract, if one waits.
pub(crate) fn take(hash: ModuleHash) -> Option<Instance> {
    IDLE.with_borrow_mut(|idle| {
        let position = idle.iter().position(|(of, _)| *of == hash)?;
        Some(idle.remove(position).1)
    })
}

/// Lets an instance wait, in place of the one that has waited longest if there are too many.
pub(crate) fn put(hash: ModuleHash, instance: Instance) {
    let dropped = IDLE.with_borrow_mut(|idle| {
        idle.insert(0, (hash, instance));
        idle.split_off(idle.len().min(INSTANCES_IDLE_MAX))
    });
    // Outside of the borrow: dropping runs foreign code.
    drop(dropped);
}
