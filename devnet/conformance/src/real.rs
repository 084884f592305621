//! Blocks of real chains: imported as a node imports them, as far as their files go.

use std::collections::BTreeMap;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use parapet_executor::Mode;
use parapet_fixtures::{OpenBlock, RealFile, StateBefore};
use parapet_import::{Parent, import_block};
use parapet_monitor::NoMonitor;
use parapet_state::WorldState;
use parapet_types::{AccountInfo, ReadError, StateChanges, StateReader};

use crate::{ConformanceError, error::Stop, keep::Folders};

/// Runs one block. With a witness the root of the state after it is compared; with a flat state, of which most is absent,
/// gas, receipts and bloom.
///
/// Through the store, that much of the state before it as the block reads is the state of a chain's first block, and what the
/// block makes of it is its second. Their roots are of a part of the state, and are held against those of memory.
pub(crate) fn run(file: RealFile, mode: Mode<'_>, folders: Option<&Folders>) -> Result<(), Stop> {
    let open = file.open()?;
    let Some(folders) = folders else { return import(&open, open.state.reader(), mode, |_| Ok(())) };
    let read = open.state_read()?;
    let stand_ins = StandIns::of(&read);
    let before = WorldState::new().apply(&stand_ins.stored(&read))?;
    let header = Header { state_root: before.root(), ..Header::default() };
    let first = header.hash_slow();
    let mut folder = folders.begin(header, before.clone())?;
    let (world, mut roots) = (folder.go_to(first)?, None);
    import(&open, &Shown { world: &world, stand_ins: &stand_ins }, mode, |changes| {
        let changes = stand_ins.stored(changes);
        roots = Some((before.apply(&changes)?.rebuild_root()?, folder.root_after(&changes)?));
        Ok(())
    })?;
    if let Some((expected, found)) = roots.filter(|(expected, found)| expected != found) {
        return Err(ConformanceError::StateRoot { expected, found }.into());
    }
    folder.verify()?;
    folders.give_back(folder);
    Ok(())
}

/// Imports a block on a state; `kept` is given what it changes.
fn import(
    open: &OpenBlock,
    world: &dyn StateReader,
    mode: Mode<'_>,
    kept: impl FnOnce(&StateChanges) -> Result<(), ReadError>,
) -> Result<(), Stop> {
    let OpenBlock { params, block, ancestors, parent, state } = open;
    let post_state = |changes: &StateChanges| {
        kept(changes)?;
        match state {
            StateBefore::Flat(_) => Ok((block.header.state_root, ())),
            StateBefore::Witness(witness) => {
                witness.root_after(changes).map(|root| (root, ())).map_err(|error| ReadError(Box::new(error)))
            }
        }
    };
    let on = Parent { header: parent.as_ref(), world, ancestors };
    import_block(params, on, block, &NoMonitor, mode, post_state)?;
    Ok(())
}

/// Codes that a witness does not have: of accounts that the block meets, and whose code it never asks for. The store has no
/// account without its code, so the hash of each such code is kept as a code in its place.
struct StandIns(BTreeMap<B256, Bytes>);

impl StandIns {
    fn of(read: &StateChanges) -> Self {
        let hashes = read.accounts.values().filter_map(|change| change.info).map(|info| info.code_hash);
        let unknown = hashes.filter(|hash| *hash != KECCAK256_EMPTY && !read.code.contains_key(hash));
        Self(unknown.map(|hash| (hash, Bytes::from(hash))).collect())
    }

    /// What the store is given.
    fn stored(&self, changes: &StateChanges) -> StateChanges {
        let mut stored = changes.clone();
        for info in stored.accounts.values_mut().filter_map(|change| change.info.as_mut()) {
            if let Some(code) = self.0.get(&info.code_hash) {
                info.code_hash = keccak256(code);
                stored.code.insert(info.code_hash, code.clone());
            }
        }
        stored
    }
}

/// A state of the store with the hashes of the codes that are not in it.
struct Shown<'a> {
    world: &'a WorldState,
    stand_ins: &'a StandIns,
}

impl StateReader for Shown<'_> {
    fn account(&self, address: &Address) -> Result<Option<AccountInfo>, ReadError> {
        let Some(info) = self.world.account(address)? else { return Ok(None) };
        let hash = |(hash, code): (&B256, &Bytes)| (keccak256(code) == info.code_hash).then_some(*hash);
        Ok(Some(AccountInfo { code_hash: self.stand_ins.0.iter().find_map(hash).unwrap_or(info.code_hash), ..info }))
    }

    fn storage(&self, address: &Address, slot: U256) -> Result<U256, ReadError> {
        Ok(self.world.storage(address, slot)?)
    }

    fn has_storage(&self, address: &Address) -> Result<bool, ReadError> {
        Ok(self.world.has_storage(address)?)
    }

    fn code(&self, code_hash: B256) -> Result<Option<Bytes>, ReadError> {
        Ok(self.world.code(code_hash)?)
    }
}
