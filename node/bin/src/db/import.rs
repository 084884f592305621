//! Begins a chain with a state out of a file, or appends a file of blocks.

use std::{fs, path::Path};

use alloy_primitives::B256;
use parapet_builder::stored_block;
use parapet_executor::Workers;
use parapet_genesis::genesis_of_file;
use parapet_import::{IncomingBlock, Parent, import_block};
use parapet_monitor::Monitor;
use parapet_state::{ChainStore, StoreError, StoreSettings, WorldState};
use parapet_types::ReadError;
use serde_json::json;

use super::{
    args::FolderArgs,
    open,
    show::{Bar, print},
};
use crate::{args::default_threads, dev, failure::Failure};

/// Blocks after which a file's blocks are told of.
const FIRST: u64 = 1;

pub(super) fn run(folder: &FolderArgs, file: &Path) -> Result<(), Failure> {
    let bytes = fs::read(file).map_err(|source| Failure::File { path: file.to_owned(), source })?;
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{') {
        return begin(folder, file, &bytes);
    }
    let mut store = open(&folder.datadir)?;
    let bar = Bar::new(folder.json);
    let monitor = dev::monitor(Some(&folder.datadir))?;
    let before = store.head().number();
    append_blocks(&mut store, &bytes, &*monitor, &Workers::new(default_threads()), &bar)?;
    let (head, count) = (store.head().number(), store.head().number() - before);
    print(folder.json, &json!({ "blocks": count, "head": head }), || {
        format!("{count} blocks were executed and appended; the newest is block {head}")
    })
}

/// Executes a file's blocks, each with every check that an import makes, and appends them. Those that the chain has already
/// are passed over.
pub(crate) fn append_blocks(
    store: &mut ChainStore,
    file: &[u8],
    monitor: &dyn Monitor,
    workers: &Workers,
    bar: &Bar,
) -> Result<(), Failure> {
    let blocks = split(file)?;
    bar.begin("executing blocks", Some(blocks.len() as u64));
    for rlp in blocks {
        append(store, rlp, monitor, workers)?;
        bar.advance();
    }
    bar.end();
    Ok(())
}

/// Begins a chain in a folder in which there is none.
fn begin(folder: &FolderArgs, file: &Path, json: &[u8]) -> Result<(), Failure> {
    if folder.datadir.join("chain/CURRENT").exists() {
        return Err(StoreError::ChainThere { path: folder.datadir.clone() }.into());
    }
    let genesis = genesis_of_file(json).map_err(|source| Failure::GenesisFile { path: file.to_owned(), source })?;
    let store = ChainStore::open(&folder.datadir, genesis, StoreSettings::default())?;
    let head = store.head();
    print(folder.json, &json!({ "genesis": head.hash(), "stateRoot": head.header.state_root }), || {
        let name = file.display();
        format!("a chain has begun; go on with: parapet dev --datadir {} --genesis {name}", folder.datadir.display())
    })
}

/// The RLP of each block.
fn split(mut bytes: &[u8]) -> Result<Vec<&[u8]>, Failure> {
    let mut blocks = Vec::new();
    while !bytes.is_empty() {
        let mut rest = bytes;
        let header = alloy_rlp::Header::decode(&mut rest).map_err(parapet_import::ImportError::Encoding)?;
        let length = bytes.len() - rest.len() + header.payload_length;
        let (block, rest) = bytes
            .split_at_checked(length)
            .ok_or(parapet_import::ImportError::Encoding(alloy_rlp::Error::InputTooShort))?;
        blocks.push(block);
        bytes = rest;
    }
    Ok(blocks)
}

fn append(store: &mut ChainStore, rlp: &[u8], monitor: &dyn Monitor, workers: &Workers) -> Result<(), Failure> {
    let incoming = IncomingBlock::decode(rlp)?;
    let known = store.block(incoming.header.number)?;
    if incoming.header.number < FIRST || known.is_some_and(|known| known.hash() == incoming.header.hash()) {
        return Ok(());
    }
    let (head, world) = (store.head(), store.head_world());
    let ancestors = store.ancestors(incoming.header.number)?;
    let parent = Parent { header: Some(&head.header), world: &world, ancestors: &ancestors };
    let mode = parapet_executor::Mode::Parallel(workers);
    let post_state = |changes: &_| -> Result<(B256, WorldState), ReadError> {
        let after = world.apply(changes)?;
        Ok((after.root(), after))
    };
    let imported = import_block(&store.spec().of(&incoming.header), parent, &incoming, monitor, mode, post_state)?;
    let mut executed = imported.executed;
    let listed = executed.access_list.take();
    store.commit_listed(stored_block(incoming, executed), listed, imported.state)?;
    Ok(())
}
