//! The way over from format 2: every block with its receipts and results, and the state after each, into another folder.
//!
//! Nothing is executed again: the old folder says how each block's state leads back to the one before it. What comes out is
//! compared with the root in every block's header as it is stored. The old folder is only read, and the new one has no chain
//! until it has all of it.

use std::{path::Path, sync::Arc};

use alloy_primitives::Address;
use parapet_types::{AccountChange, StateChanges};

use super::ChainStore;
use crate::{
    GenesisBlock, Progress, Step, StoreError, StoreSettings, StoredBlock, SyncMode, WorldState,
    disk::{Former, Unfinished},
};

impl ChainStore {
    /// Takes the chain of a folder of format 2 over into another one; gives its newest block. All states are in memory
    /// meanwhile, as programs of that format had them. Where it was interrupted, it is to be called again.
    ///
    /// # Errors
    /// [`StoreError::ChainThere`] and [`StoreError::NotFormer`]; what is wrong with the old folder; a fault of either.
    pub fn migrate(
        from: &Path,
        into: &Path,
        settings: StoreSettings,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Arc<StoredBlock>, StoreError> {
        let unfinished = Unfinished::begin(into)?;
        let former = Former::open(from)?;
        let mut worlds = worlds_back(&former, tell)?;
        let first = former.block(0)?;
        let world = worlds.pop().unwrap_or_default();
        let expected = first.header.state_root;
        if world.root() != expected {
            let path = from.to_owned();
            return Err(StoreError::StoredRoot { path, number: 0, expected, computed: world.root() });
        }
        let genesis = GenesisBlock { spec: former.spec()?, header: first.header.into_inner(), world };
        // It is on disk before anybody sees it, so none of its blocks needs to wait.
        let settings = StoreSettings { sync: SyncMode::System, prune: None, ..settings };
        let mut store = Self::open(&unfinished.folder(), genesis, settings)?;
        let head = former.head();
        for number in 1..=head {
            let after = worlds.pop().expect("there is a state after every block");
            let before = store.head_world();
            let world = before.apply(&forward(&former.undo(number)?, &before, &after)?)?;
            store.commit(former.block(number)?, world)?;
            tell(Progress { step: Step::Migrate, done: number, total: Some(head) });
        }
        let amendments = former.amendments()?;
        if amendments != StateChanges::default() {
            store.amend_head(&amendments)?;
        }
        let newest = store.head();
        drop(store);
        unfinished.finish(head)?;
        Ok(newest)
    }
}

/// The states after all blocks, the newest first.
fn worlds_back(former: &Former, tell: &mut dyn FnMut(Progress)) -> Result<Vec<WorldState>, StoreError> {
    let head = former.head();
    let mut world = former.head_world()?;
    let mut worlds = Vec::new();
    for number in (1..=head).rev() {
        let before = world.apply(&former.undo(number)?)?;
        worlds.push(std::mem::replace(&mut world, before));
        tell(Progress { step: Step::WalkBack, done: head - number + 1, total: Some(head) });
    }
    worlds.push(world);
    Ok(worlds)
}

/// The changes that lead to the state after a block, out of those that lead back from it.
fn forward(undo: &StateChanges, before: &WorldState, after: &WorldState) -> Result<StateChanges, StoreError> {
    let mut changes = StateChanges::default();
    for (address, back) in &undo.accounts {
        changes.accounts.insert(*address, change_to(after, address, back)?);
        let Some(info) = after.account(address)? else { continue };
        if before.code(info.code_hash)?.is_none() {
            changes.code.extend(after.code(info.code_hash)?.map(|code| (info.code_hash, code)));
        }
    }
    Ok(changes)
}

fn change_to(after: &WorldState, address: &Address, back: &AccountChange) -> Result<AccountChange, StoreError> {
    let info = after.account(address)?;
    // Where the way back drops all that is there, all that is there came with the block.
    let wipe_storage = back.wipe_storage || back.info.is_none() || info.is_none();
    let storage = if wipe_storage {
        after.slots(address)?.into_iter().collect()
    } else {
        let slots = back.storage.keys().map(|slot| Ok((*slot, after.storage(address, *slot)?)));
        slots.collect::<Result<_, StoreError>>()?
    };
    Ok(AccountChange { info, wipe_storage, storage })
}
