//! `parapet db`: looks after the folder of a chain that is kept.

mod args;
mod export;
mod import;
mod show;

use std::{fmt::Write as _, path::Path};

use parapet_state::{ChainStore, Checked, Scope, StoreSettings, StoreStats};
use serde_json::json;

pub(crate) use args::DbArgs;
use args::{DbCommand, FolderArgs};
pub(crate) use import::append_blocks;
pub(crate) use show::Bar;
use show::print;

use crate::failure::Failure;

/// Bytes in a mebibyte.
const MIB: f64 = 1_048_576.0;

/// Does what was asked for.
pub(crate) fn run(args: &DbArgs) -> Result<(), Failure> {
    match &args.command {
        DbCommand::Stats { folder } => stats(folder),
        DbCommand::Verify { folder, every } => verify(folder, if *every { Scope::Every } else { Scope::Ends }),
        DbCommand::RebuildRoot { folder, block } => rebuild_root(folder, *block),
        DbCommand::Prune { folder, keep } => {
            let (mut store, mut bar) = (open(&folder.datadir)?, Bar::new(folder.json));
            store.prune(*keep, &mut |progress| bar.tell(progress))?;
            bar.end();
            let oldest = store.oldest_state();
            print(folder.json, &json!({ "oldestState": oldest }), || format!("states are kept from block {oldest} on"))
        }
        DbCommand::Migrate { folder, into } => migrate(folder, into),
        DbCommand::Export { folder, file, form, block } => export::run(folder, file, *form, *block),
        DbCommand::Import { folder, file } => import::run(folder, file),
    }
}

/// Opens a folder in which there is a chain, whatever it began with.
fn open(folder: &Path) -> Result<ChainStore, Failure> {
    Ok(ChainStore::open_existing(folder, StoreSettings::default())?)
}

fn migrate(FolderArgs { datadir, json }: &FolderArgs, into: &Path) -> Result<(), Failure> {
    let mut bar = Bar::new(*json);
    let head = ChainStore::migrate(datadir, into, StoreSettings::default(), &mut |progress| bar.tell(progress))?;
    bar.end();
    print(*json, &json!({ "head": head.number(), "hash": head.hash() }), || {
        let (from, into, number) = (datadir.display(), into.display(), head.number());
        format!("{into} has the chain up to block {number} now; {from} is as it was")
    })
}

fn stats(FolderArgs { datadir, json }: &FolderArgs) -> Result<(), Failure> {
    let stats = open(datadir)?.stats()?.expect("it was opened in a folder");
    print(*json, &stats, || stats_text(&stats))
}

fn stats_text(stats: &StoreStats) -> String {
    let StoreStats { format, head, oldest_state, families, .. } = stats;
    let mut text = format!("format {format}, newest block {head}, states kept from block {oldest_state} on\n");
    let mut line = |name: &str, records: &str, files: &str, tables: &str| {
        // Writing to a string does not fail.
        let _: Result<(), _> = writeln!(text, "{name:<14} {records:>12} {files:>12} {tables:>12}");
    };
    line("family", "records", "files MiB", "tables MiB");
    let mib = |bytes: u64| format!("{:.2}", bytes as f64 / MIB);
    for family in families {
        line(family.name, &family.records.to_string(), &mib(family.file_bytes), &mib(family.table_bytes));
    }
    text + "Records are the database's own estimate."
}

fn verify(FolderArgs { datadir, json }: &FolderArgs, scope: Scope) -> Result<(), Failure> {
    let (store, mut bar) = (open(datadir)?, Bar::new(*json));
    let checked = store.verify(scope, &mut |progress| bar.tell(progress))?;
    bar.end();
    print(*json, &checked, || {
        let Checked { blocks, transactions, records, states, rebuilt, accounts, slots, nodes, root } = checked;
        format!(
            "all is well: {blocks} blocks with {transactions} transactions, {records} records of state; {states} states \
             checked, {rebuilt} of them computed anew; the newest has {accounts} accounts, {slots} slots, {nodes} trie nodes and root {root}"
        )
    })
}

fn rebuild_root(FolderArgs { datadir, json }: &FolderArgs, block: Option<u64>) -> Result<(), Failure> {
    let (store, mut bar) = (open(datadir)?, Bar::new(*json));
    let block = block.unwrap_or_else(|| store.head().number());
    let root = store.rebuild_root(block, &mut |progress| bar.tell(progress))?;
    bar.end();
    print(*json, &json!({ "block": block, "root": root }), || {
        format!("the state of block {block} has root {root}, as its header says")
    })
}
