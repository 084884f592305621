//! `parapet guard watch`: tells what guards say, as blocks come: those of the chain, or one that is attached nowhere.
//!
//! ```text
//! heads (WebSocket, or a clock) → look: blocks that were not told of → lines
//! ```
//!
//! A node that goes away is waited for; a chain that is taken back is told. It ends by Ctrl-C, or when nobody reads.

mod heads;
mod seen;

use std::time::Duration;

use alloy_eips::BlockId;
use alloy_primitives::{B256, U64};
use parapet_monitor::{Candidate, Outcome, Verdict};
use serde_json::{Value, json};

use crate::{
    CliError, Exit, Report, WatchArgs,
    backtest::pages::{self, Begun},
    candidate::{Chosen, beside},
    node::Node,
    report::{Form, Reader, progress, tell},
    verdicts::{BlockVerdicts, said},
    watch::{
        heads::Heads,
        seen::{Seen, header},
    },
};

/// How long one waits for a node that does not answer, before it is asked again.
const AWAY: Duration = Duration::from_secs(1);
/// Most blocks of which one look tells; the next look goes on.
const BLOCKS_MAX: u64 = 1_000;

pub(crate) async fn run(args: &WatchArgs, form: Form) -> Result<Report, CliError> {
    let node = Node::connect(&args.node).await?;
    let with = beside(&node, &args.with).await?;
    let mut watch = Watch::begin(&node, args, with, form).await?;
    progress("watching; Ctrl-C ends it");
    let ended = tokio::select! {
        ended = watch.go_on(&node) => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    if let Source::Tried { begun, .. } = &watch.source {
        begun.stop(&node).await;
    }
    ended?;
    let (told, blocks) = (watch.told, watch.blocks);
    Ok(Report {
        text: format!("watched {blocks} blocks, told {told} verdicts"),
        json: json!({ "watched": { "blocks": blocks, "verdicts": told } }),
    })
}

/// Whose verdicts are told.
enum Source {
    /// Those of attachments; of all, where none is named.
    Chain { attachments: Vec<B256> },
    /// That of a guard which is attached nowhere: a backtest that follows the head.
    Tried { candidate: Box<Candidate>, begun: Begun },
}

struct Watch<'a> {
    args: &'a WatchArgs,
    form: Form,
    source: Source,
    next_block: u64,
    seen: Seen,
    told: u64,
    blocks: u64,
}

impl<'a> Watch<'a> {
    async fn begin(node: &Node, args: &'a WatchArgs, with: Option<Chosen>, form: Form) -> Result<Self, CliError> {
        let head: U64 = node.ask_all("asking for the head", "eth_blockNumber", ()).await?;
        let next_block = args.from_block.unwrap_or(head.to::<u64>() + 1);
        let source = match with {
            None => Source::Chain { attachments: args.attachments.clone() },
            Some(Chosen { candidate, .. }) => {
                let begun = follow(node, &candidate, next_block).await?;
                Source::Tried { candidate: Box::new(candidate), begun }
            }
        };
        Ok(Self { args, form, source, next_block, seen: Seen::default(), told: 0, blocks: 0 })
    }

    /// Looks whenever there may be something new. Ends when nobody reads, or by an error that waiting does not mend.
    async fn go_on(&mut self, node: &Node) -> Result<(), CliError> {
        let mut heads = Heads::of(node.url());
        let mut is_away = false;
        loop {
            match self.look(node).await {
                Ok(Reader::Gone) => return Ok(()),
                Ok(Reader::There) => {
                    if std::mem::take(&mut is_away) {
                        progress("the node answers again");
                    }
                    heads.wait().await;
                }
                Err(CliError::NoAnswer { url, .. }) => {
                    if !std::mem::replace(&mut is_away, true) {
                        progress(&format!("no answer from {url}; waiting for the node"));
                    }
                    tokio::time::sleep(AWAY).await;
                }
                Err(error) if error.exit() == Exit::Refused && self.begin_anew(node).await? => {
                    progress(&format!("{error}: it begins anew, without state, at block {}", self.next_block));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// A guard that is tried out has lost its backtest: the chain was taken back, or the node was started again.
    async fn begin_anew(&mut self, node: &Node) -> Result<bool, CliError> {
        let Source::Tried { candidate, begun } = &mut self.source else { return Ok(false) };
        let head: U64 = node.ask_all("asking for the head", "eth_blockNumber", ()).await?;
        self.next_block = self.next_block.min(head.to::<u64>() + 1);
        *begun = follow(node, candidate, self.next_block).await?;
        Ok(true)
    }

    /// Tells of all blocks that are there and were not told of.
    async fn look(&mut self, node: &Node) -> Result<Reader, CliError> {
        match &self.source {
            Source::Chain { .. } => self.look_at_chain(node).await,
            Source::Tried { .. } => self.look_at_tried(node).await,
        }
    }

    async fn look_at_chain(&mut self, node: &Node) -> Result<Reader, CliError> {
        if let Some(anew) = self.seen.taken_back(node).await? {
            progress(&format!("the chain was taken back to block {}", anew.saturating_sub(1)));
            self.next_block = anew;
        }
        for _ in 0..BLOCKS_MAX {
            let Some(header) = header(node, U64::from(self.next_block)).await? else { break };
            let method = "guard_getBlockVerdicts";
            let answer: Value = node.ask("asking for a block's verdicts", method, BlockId::from(header.hash)).await?;
            let Some(block) = node.understood::<Option<BlockVerdicts>>(method, &answer)? else { break };
            let (number, transactions, acts) = block.verdicts();
            for (transaction, verdict) in transactions {
                if self.tell(number, Some(transaction), &verdict) == Reader::Gone {
                    return Ok(Reader::Gone);
                }
            }
            for verdict in acts {
                if self.tell(number, None, &verdict) == Reader::Gone {
                    return Ok(Reader::Gone);
                }
            }
            self.seen.note(header.number.to(), header.hash);
            self.next_block += 1;
            self.blocks += 1;
        }
        Ok(Reader::There)
    }

    async fn look_at_tried(&mut self, node: &Node) -> Result<Reader, CliError> {
        loop {
            let Source::Tried { begun, .. } = &self.source else { return Ok(Reader::There) };
            let page = begun.next(node).await?;
            for block in page.blocks {
                for transaction in block.transactions {
                    for verdict in transaction.candidates.iter().flat_map(|opinion| &opinion.verdicts) {
                        let hash = Some(transaction.transaction_hash);
                        if self.tell(block.block_number.to(), hash, verdict) == Reader::Gone {
                            return Ok(Reader::Gone);
                        }
                    }
                }
            }
            self.blocks += page.executed_blocks.to::<u64>();
            self.next_block = page.next_block.to();
            if page.executed_blocks.is_zero() {
                return Ok(Reader::There);
            }
        }
    }

    fn tell(&mut self, block: u64, transaction: Option<B256>, verdict: &Verdict) -> Reader {
        let is_wanted = match &self.source {
            Source::Chain { attachments } => attachments.is_empty() || attachments.contains(&verdict.attachment),
            Source::Tried { .. } => true,
        };
        if !is_wanted || (verdict.outcome == Outcome::Allow && !self.args.all) {
            return Reader::There;
        }
        self.told += 1;
        tell(self.form, || line(block, transaction, verdict), || json_line(block, transaction, verdict))
    }
}

async fn follow(node: &Node, candidate: &Candidate, from_block: u64) -> Result<Begun, CliError> {
    pages::begin(node, std::slice::from_ref(candidate), json!(U64::from(from_block)), None).await
}

fn line(block: u64, transaction: Option<B256>, verdict: &Verdict) -> String {
    let about = transaction.map_or("the chain's own act".to_owned(), |hash| hash.to_string());
    format!("block {block} {about}:{} (attachment {})", &said(verdict)[1..], verdict.attachment)
}

fn json_line(block: u64, transaction: Option<B256>, verdict: &Verdict) -> Value {
    let mut json = json!(verdict);
    json["block"] = json!(block);
    json["transaction"] = json!(transaction);
    json["reason"] = json!(verdict.detail_text());
    json
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{B256, Bytes};
    use parapet_monitor::{Fuel, Hook, Mode, Outcome, Verdict};

    use super::{json_line, line};

    #[test]
    fn a_verdict_is_one_line_for_people_and_one_for_programs() {
        let verdict = Verdict {
            attachment: B256::ZERO,
            module: B256::ZERO,
            guard: "reentrancy".to_owned(),
            mode: Mode::Enforce,
            outcome: Outcome::Veto,
            hook: Some(Hook::OnCall),
            frame: Some(3),
            code: 1,
            detail: Bytes::from_static(b"re-entered"),
            fuel: Fuel(5),
            elapsed_ns: 0,
            origin: Default::default(),
        };
        let hash = B256::repeat_byte(7);
        let text = line(12, Some(hash), &verdict);
        let words =
            format!("block 12 {hash}: reentrancy vetoed in on_call of frame 3, code 1: re-entered (attachment 0x00");
        assert!(text.starts_with(&words), "{text}");
        assert!(line(12, None, &verdict).starts_with("block 12 the chain's own act: reentrancy vetoed"));
        let json = json_line(12, Some(hash), &verdict);
        assert_eq!(
            (&json["block"], &json["reason"], &json["outcome"]),
            (&12.into(), &"re-entered".into(), &"veto".into())
        );
    }
}
