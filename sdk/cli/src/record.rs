//! `parapet guard record`: a transaction of a block, as a file for the test of a guard.

use std::{
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
};

use alloy_primitives::B256;
use parapet_recording::Recording;
use serde_json::{json, value::RawValue};

use crate::{CliError, RecordArgs, Report, candidate::beside, node::Node, report::grouped};

pub(crate) async fn run(args: &RecordArgs) -> Result<Report, CliError> {
    let node = Node::connect(&args.node).await?;
    let with = beside(&node, &args.with).await?;
    let candidates: Vec<_> = with.iter().map(|chosen| &chosen.candidate).cloned().collect();
    let what = "recording the transaction";
    let answer: Box<RawValue> = node.ask_all(what, "guard_record", (args.transaction, candidates)).await?;
    // What is written is what a test will accept.
    let recording =
        Recording::read(answer.get().as_bytes()).map_err(|error| node.unusable("guard_record", error.to_string()))?;
    let path = args.out.clone().unwrap_or_else(|| file_name(args.transaction));
    let existing = if args.force { Existing::Replaced } else { Existing::Stays };
    write(&path, answer.get().as_bytes(), existing)?;
    Ok(report(&recording, &path, answer.get().len(), with.as_ref().map(|chosen| chosen.name.as_str())))
}

/// The first digits of the hash.
fn file_name(transaction: B256) -> PathBuf {
    let hex = alloy_primitives::hex::encode(&transaction[..4]);
    PathBuf::from(format!("{hex}.recording.json"))
}

/// What becomes of a file that is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Existing {
    Stays,
    Replaced,
}

fn write(path: &Path, bytes: &[u8], existing: Existing) -> Result<(), CliError> {
    let wrong = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::AlreadyExists => CliError::FileExists(path.to_owned()),
        _ => CliError::Write { path: path.to_owned(), source },
    };
    let mut options = OpenOptions::new();
    options.write(true);
    match existing {
        Existing::Stays => options.create_new(true),
        Existing::Replaced => options.create(true).truncate(true),
    };
    options.open(path).and_then(|mut file| file.write_all(bytes)).map_err(wrong)
}

fn report(recording: &Recording, path: &Path, bytes: usize, with: Option<&str>) -> Report {
    let trace = recording.trace().unwrap_or_default();
    let slots: usize = recording.prestate.accounts.values().map(|account| account.storage.len()).sum();
    let accounts = recording.prestate.accounts.len();
    let destiny = crate::simulate::destiny(&recording.destiny);
    let mut lines = vec![
        format!("recording  {}", path.display()),
        format!("size       {} bytes", grouped(bytes as u64)),
        format!("block      {}", recording.block.number),
        format!("destiny    {destiny}, {} gas, while no guard objects", grouped(recording.gas_used)),
        format!(
            "trace      {} frames, {} accesses, {} logs",
            trace.frames.len(),
            trace.accesses.len(),
            trace.logs.len()
        ),
        format!("state      {accounts} accounts, {slots} slots, {} codes", recording.prestate.code.len()),
    ];
    lines.extend(with.map(|guard| format!("with       {guard}")));
    let json = json!({
        "file": path,
        "bytes": bytes,
        "transaction": recording.transaction.hash,
        "block": recording.block.number,
        "destiny": recording.destiny,
        "gasUsed": recording.gas_used,
        "frames": trace.frames.len(),
        "accounts": accounts,
        "slots": slots,
        "with": with,
    });
    Report { text: lines.join("\n"), json }
}
