//! Prints what came of a replay: a line per block for people, or one JSON object for programs.

use std::{fmt::Write as _, io::Write as _, process::ExitCode};

use alloy_primitives::{Address, U256};
use serde::Serialize;

use super::{
    rerun::Replayed,
    waits::{Place, Waits},
};
use crate::args::ReplayArgs;

/// Most places that are named below a block's line.
const PLACES_SHOWN_MAX: usize = 5;
/// Most places of each kind that JSON has of a block.
const PLACES_JSON_MAX: usize = 100;

/// What has been replayed so far.
pub(crate) struct Show {
    json: bool,
    explain: bool,
    threads: usize,
    blocks: Vec<JsonBlock>,
    replayed: usize,
    different: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    threads: usize,
    replayed: usize,
    different: usize,
    blocks: Vec<JsonBlock>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonBlock {
    block: String,
    matches: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    mismatch: Option<String>,
    transactions: usize,
    gas: u64,
    speculated: u64,
    settled: u64,
    as_one: u64,
    put_off: u64,
    hints_right: u64,
    hints_wrong: u64,
    accounts: usize,
    slots: usize,
    /// Where speculation failed in this run.
    conflicts: Vec<JsonPlace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waits: Option<JsonWaits>,
}

/// What transactions need of each other, whoever executes them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonWaits {
    waiting: usize,
    chain_transactions: usize,
    chain_gas: u64,
    gas: u64,
    places: Vec<JsonPlace>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonPlace {
    address: Address,
    /// Absent where it is about the account itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<U256>,
    times: u64,
}

impl Show {
    pub(crate) fn new(args: &ReplayArgs) -> Self {
        let threads = args.threads.get();
        Self { json: args.json, explain: args.explain, threads, blocks: Vec::new(), replayed: 0, different: 0 }
    }

    /// The head of the table.
    pub(crate) fn begin(&self) {
        if !self.json {
            print(&row(["block", "transactions", "gas", "ahead", "settled", "as one"].map(str::to_owned), "result"));
        }
    }

    /// A block that was replayed.
    pub(crate) fn block(&mut self, replayed: Replayed) {
        self.replayed += 1;
        self.different += usize::from(replayed.mismatch.is_some());
        if self.json {
            self.blocks.push(replayed.into());
            return;
        }
        let mut text = line(&replayed);
        if self.explain {
            explain(&mut text, &replayed).expect("writing to a string cannot fail");
        }
        print(&text);
    }

    /// All have been replayed. Code 1 tells that some are not what they were.
    pub(crate) fn end(self) -> ExitCode {
        let Self { json, threads, blocks, replayed, different, .. } = self;
        if json {
            let json = Json { threads, replayed, different, blocks };
            print(&format!("{}\n", serde_json::to_string(&json).expect("plain data")));
        } else {
            let (blocks, threads) = (count(replayed, "block"), count(threads, "thread"));
            let ways = format!("{blocks} executed again, by {threads} and sequentially");
            print(&match different {
                0 => format!("{ways}: 0 differ\n"),
                _ => format!("{ways}: {different} DIFFER\n"),
            });
        }
        if different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

impl From<Replayed> for JsonBlock {
    fn from(replayed: Replayed) -> Self {
        let Replayed { name, transactions, gas, threads: _, report, mismatch, waits } = replayed;
        let conflicts = report.conflicts.iter().take(PLACES_JSON_MAX);
        Self {
            block: name,
            matches: mismatch.is_none(),
            mismatch: mismatch.map(|mismatch| mismatch.to_string()),
            transactions,
            gas,
            speculated: report.speculated,
            settled: report.settled,
            as_one: report.as_one,
            put_off: report.waits,
            hints_right: report.hints_right,
            hints_wrong: report.hints_wrong,
            accounts: report.accounts,
            slots: report.slots,
            conflicts: conflicts
                .map(|(address, slot, times)| JsonPlace { address: *address, slot: *slot, times: *times })
                .collect(),
            waits: waits.map(JsonWaits::from),
        }
    }
}

impl From<Waits> for JsonWaits {
    fn from(waits: Waits) -> Self {
        let Waits { places, waiting, chain, chain_gas, gas } = waits;
        let place = |(Place { address, slot }, times): (Place, usize)| JsonPlace {
            address,
            slot: Some(slot),
            times: u64::try_from(times).unwrap_or(u64::MAX),
        };
        let places = places.into_iter().take(PLACES_JSON_MAX).map(place).collect();
        Self { waiting, chain_transactions: chain, chain_gas, gas, places }
    }
}

fn line(replayed: &Replayed) -> String {
    let Replayed { name, transactions, gas, report, mismatch, .. } = replayed;
    let numbers = [name.clone(), transactions.to_string(), gas.to_string()].into_iter();
    let counts = [report.speculated, report.settled, report.as_one].map(|count| count.to_string());
    let mut cells = numbers.chain(counts);
    let cells = std::array::from_fn(|_| cells.next().unwrap_or_default());
    match mismatch {
        None => row(cells, "as it was"),
        Some(mismatch) => row(cells, &format!("DIFFERS: {mismatch}")),
    }
}

fn row([name, transactions, gas, ahead, settled, as_one]: [String; 6], result: &str) -> String {
    format!("{name:<24} {transactions:>12} {gas:>12} {ahead:>8} {settled:>8} {as_one:>8}  {result}\n")
}

/// The places that made transactions wait, and how this run fared with them.
fn explain(text: &mut String, replayed: &Replayed) -> std::fmt::Result {
    let Replayed { transactions, threads, report, waits, .. } = replayed;
    if let Some(Waits { places, waiting, chain, chain_gas, gas }) = waits.as_ref().filter(|waits| waits.waiting > 0) {
        writeln!(text, "  {waiting} of {transactions} transactions needed what an earlier one of the block wrote")?;
        for (Place { address, slot }, times) in places.iter().take(PLACES_SHOWN_MAX) {
            writeln!(text, "  slot {slot:#x} of {address} was fought over {}", times_in_words(*times))?;
        }
        if places.len() > PLACES_SHOWN_MAX {
            writeln!(text, "  and other slots, less often: {}", places.len() - PLACES_SHOWN_MAX)?;
        }
        let share = percent(*chain_gas, *gas);
        match chain {
            1 => write!(text, "  one transaction alone has {share}% of the gas")?,
            _ => write!(text, "  the longest wait is a chain of {chain} transactions with {share}% of the gas")?,
        }
        let bound = *gas as f64 / (*chain_gas).max(1) as f64;
        writeln!(text, ": no number of threads makes this block more than {bound:.1} times as fast")?;
    }
    for (address, slot, times) in report.conflicts.iter().take(PLACES_SHOWN_MAX) {
        let times = times_in_words(usize::try_from(*times).unwrap_or(usize::MAX));
        match slot {
            Some(slot) => writeln!(text, "  running ahead failed {times} in this run, at slot {slot:#x} of {address}")?,
            None => writeln!(text, "  running ahead failed {times} in this run, at the account {address}")?,
        }
    }
    let guesses = report.hints_right + report.hints_wrong;
    if guesses > 0 {
        let (waits, right) = (times_in_words(usize::try_from(report.waits).unwrap_or(usize::MAX)), report.hints_right);
        writeln!(
            text,
            "  a transaction was put off {waits} in this run; {right} of {guesses} guesses of who needs whom were right"
        )?;
    }
    if report.as_one > 0 {
        let share = percent(report.as_one, u64::try_from(*transactions).unwrap_or(u64::MAX));
        writeln!(text, "  {share}% of the transactions ran as one stretch: {}", why_as_one(*threads, waits.as_ref()))?;
    }
    Ok(())
}

/// Why transactions ran as one stretch, as far as can be told from outside.
fn why_as_one(threads: usize, waits: Option<&Waits>) -> &'static str {
    match waits {
        _ if threads == 1 => "there is one thread",
        Some(waits) if waits.chain > 1 && waits.chain_gas >= waits.gas / 2 => "most of them need the one before them",
        _ => "they seemed to need one another, or too little work for several threads",
    }
}

fn count(number: usize, of: &str) -> String {
    if number == 1 { format!("1 {of}") } else { format!("{number} {of}s") }
}

fn times_in_words(times: usize) -> String {
    if times == 1 { "once".to_owned() } else { format!("{times} times") }
}

/// Whole per cent, rounded down.
fn percent(part: u64, whole: u64) -> u64 {
    (u128::from(part) * 100 / u128::from(whole.max(1))).try_into().unwrap_or(u64::MAX)
}

fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    // Whoever does not read the table still has the exit code.
    let _: Result<(), _> = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
