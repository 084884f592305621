//! `parapet guard backtest`: tries a guard on a node's history. The node executes; here is only counted and told.

pub(crate) mod findings;
pub(crate) mod pages;
mod spread;

use alloy_primitives::U64;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parapet_monitor::Candidate;
use serde_json::json;

use crate::{
    BacktestArgs, CliError, Report,
    backtest::{
        findings::{Extent, Findings},
        pages::{Begun, Page, TriedBlock},
    },
    candidate::{Chosen, choose},
    node::Node,
    range::BlockRange,
    report::grouped,
};

pub(crate) async fn run(args: &BacktestArgs) -> Result<Report, CliError> {
    let node = Node::connect(&args.node).await?;
    let chosen = choose(&node, &args.module, &args.terms, &args.terms.parameters).await?;
    let mut findings = Findings::default();
    let ran = over(&node, vec![chosen.candidate.clone()], args.blocks, |fuel_per_gas, block| {
        for transaction in &block.transactions {
            findings.add(block.block_number.to(), transaction, 0, fuel_per_gas);
        }
    });
    let Ran { begun, extent } = ran.await?;
    Ok(report(&chosen, &begun, &extent, &findings))
}

fn report(chosen: &Chosen, begun: &Begun, extent: &Extent, findings: &Findings) -> Report {
    let (guard, ratio) = (&begun.candidates[0], begun.fuel_per_gas);
    let mut json = findings.json(guard, extent, ratio);
    json["accounts"] = json!(chosen.candidate.accounts);
    json["blocks"] = extent_json(extent);
    Report { text: findings.lines(guard, &chosen.whom(), extent, ratio).join("\n"), json }
}

/// How much was executed, for programs.
pub(crate) fn extent_json(extent: &Extent) -> serde_json::Value {
    json!({
        "from": extent.from_block,
        "to": extent.to_block,
        "blocks": extent.blocks,
        "transactions": extent.transactions,
    })
}

/// A backtest that is done.
pub(crate) struct Ran {
    pub(crate) begun: Begun,
    pub(crate) extent: Extent,
}

/// Tries guards out over a range of blocks and hands on each block in which one woke, with the fuel that a gas pays for.
pub(crate) async fn over(
    node: &Node,
    candidates: Vec<Candidate>,
    range: BlockRange,
    mut each: impl FnMut(u64, &TriedBlock),
) -> Result<Ran, CliError> {
    let head: U64 = node.ask_all("asking for the head", "eth_blockNumber", ()).await?;
    let count = candidates.len();
    let (from, to) = (range.from.unwrap_or(0), range.to.unwrap_or(head.to()));
    let begun = pages::begin(node, &candidates, json!(U64::from(from)), Some(to)).await?;
    if begun.candidates.len() != count {
        let reason = format!("it tries {} guards out instead of {count}", begun.candidates.len());
        return Err(node.unusable("guard_backtest", reason));
    }
    let from_block = begun.from_block.to();
    let bar = bar(begun.to_block.unwrap_or_default().to::<u64>().saturating_sub(from_block) + 1);
    let mut extent = Extent { from_block, to_block: to, ..Extent::default() };
    loop {
        let page = tokio::select! {
            page = begun.next(node) => page?,
            _ = tokio::signal::ctrl_c() => {
                begun.stop(node).await;
                return Err(CliError::Interrupted);
            }
        };
        let Page { done, executed_blocks, executed_transactions, blocks, .. } = page;
        extent.blocks += executed_blocks.to::<u64>();
        extent.transactions += executed_transactions.to::<u64>();
        blocks.iter().for_each(|block| each(begun.fuel_per_gas, block));
        bar.set_position(extent.blocks);
        bar.set_message(format!("{} transactions", grouped(extent.transactions)));
        if done {
            break;
        }
        if executed_blocks.is_zero() {
            begun.stop(node).await;
            return Err(CliError::Rewound);
        }
    }
    bar.finish_and_clear();
    Ok(Ran { begun, extent })
}

/// On standard error, and only where a person looks.
fn bar(blocks: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(blocks), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:40} block {pos} of {len}, {msg} ({eta} left)");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
