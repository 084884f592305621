//! Writes a state or a chain into a file.

use std::{
    fs::OpenOptions,
    io::{BufWriter, Write as _},
    path::Path,
};

use alloy_rlp::Encodable as _;
use parapet_genesis::{StateForm, write_state};
use parapet_state::{ChainStore, StoreError};
use serde_json::json;

use super::{
    args::{FolderArgs, Form},
    open,
    show::{Bar, print},
};
use crate::failure::Failure;

pub(super) fn run(folder: &FolderArgs, file: &Path, form: Form, block: Option<u64>) -> Result<(), Failure> {
    let (store, bar) = (open(&folder.datadir)?, Bar::new(folder.json));
    let head = store.head().number();
    let number = block.unwrap_or(head);
    let failed = |source| Failure::File { path: file.to_owned(), source };
    let created = OpenOptions::new().write(true).create_new(true).open(file).map_err(failed)?;
    let mut out = BufWriter::new(created);
    let count = match form {
        Form::Blocks => {
            bar.begin("writing blocks", Some(number));
            for number in 1..=number {
                let block = store.block(number)?.ok_or(StoreError::NoBlock { number, head })?;
                let mut rlp = Vec::new();
                block.to_consensus_block().encode(&mut rlp);
                out.write_all(&rlp).map_err(failed)?;
                bar.advance();
            }
            number
        }
        Form::Genesis | Form::Anvil => state_of_block(&store, number, form, &mut out, &bar)?,
    };
    out.into_inner().map_err(|error| failed(error.into_error()))?.sync_all().map_err(failed)?;
    bar.end();
    let what = if form == Form::Blocks { "blocks" } else { "accounts" };
    print(folder.json, &json!({ "file": file, "block": number, what: count }), || {
        format!("{count} {what}, up to block {number}, are in {}", file.display())
    })
}

/// Writes the state after a block; gives the number of its accounts.
fn state_of_block(
    store: &ChainStore,
    number: u64,
    form: Form,
    out: &mut impl std::io::Write,
    bar: &Bar,
) -> Result<u64, Failure> {
    let no_block = StoreError::NoBlock { number, head: store.head().number() };
    let (Some(block), Some(world)) = (store.block(number)?, store.world(number)?) else { return Err(no_block.into()) };
    bar.begin("writing accounts", None);
    let form = match form {
        Form::Anvil => StateForm::Anvil,
        Form::Genesis | Form::Blocks => StateForm::Geth(store.spec()),
    };
    Ok(write_state(&world, &block.header, form, out, || bar.advance())?)
}
