//! `parapet guard verdicts`: what guards said of a transaction, in a block, or what one attachment said.

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, U64};
use parapet_monitor::{Hook, Mode, Origin, Outcome, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{CliError, Report, VerdictsArgs, node::Node, report::grouped};

pub(crate) async fn run(args: &VerdictsArgs) -> Result<Report, CliError> {
    let node = Node::connect(&args.node).await?;
    match (args.transaction, args.block, args.attachment) {
        (Some(transaction), ..) => of_transaction(&node, transaction).await,
        (None, _, Some(attachment)) => of_attachment(&node, attachment, args).await,
        (None, block, None) => of_block(&node, block.unwrap_or_default()).await,
    }
}

async fn of_transaction(node: &Node, transaction: B256) -> Result<Report, CliError> {
    let verdicts: Option<Vec<Verdict>> = node.ask("asking for verdicts", "guard_getVerdicts", transaction).await?;
    let verdicts = verdicts.ok_or(CliError::UnknownTransaction(transaction))?;
    let receipt: GuardCost = node.ask("asking for the receipt", "eth_getTransactionReceipt", transaction).await?;
    let mut lines = vec![match verdicts.len() {
        0 => format!("transaction {transaction} woke no guard"),
        count => format!("transaction {transaction}: {}", counted(count)),
    }];
    lines.extend(verdicts.iter().flat_map(|verdict| [said(verdict), cost(verdict)]));
    lines.extend(receipt.line());
    let json = json!({
        "transaction": transaction,
        "guardGasUsed": receipt.guard_gas_used.to::<u64>(),
        "guardFuel": receipt.guard_fuel.to::<u64>(),
        "verdicts": verdicts,
    });
    Ok(Report { text: lines.join("\n"), json })
}

async fn of_block(node: &Node, id: BlockId) -> Result<Report, CliError> {
    let answer: Value = node.ask("asking for a block's verdicts", "guard_getBlockVerdicts", id).await?;
    let block: Option<BlockVerdicts> = node.understood("guard_getBlockVerdicts", &answer)?;
    let Some(block) = block else { return Err(CliError::UnknownBlock(named(id))) };
    Ok(Report { text: block.lines().join("\n"), json: answer })
}

async fn of_attachment(node: &Node, attachment: B256, args: &VerdictsArgs) -> Result<Report, CliError> {
    let number = |number: u64| json!(U64::from(number));
    let query = json!({
        "attachment": attachment,
        "fromBlock": number(args.from_block.unwrap_or(0)),
        "toBlock": args.to_block.map_or(json!("latest"), number),
    });
    let method = "guard_getAttachmentVerdicts";
    let answer: Value = node.ask("asking for an attachment's verdicts", method, query).await?;
    let blocks: Vec<BlockVerdicts> = node.understood(method, &answer)?;
    let mut lines = vec![match blocks.iter().map(BlockVerdicts::count).sum() {
        0 => {
            format!("attachment {attachment} said nothing in these blocks; `parapet guard list` tells which there are")
        }
        count => format!("attachment {attachment}: {}", counted(count)),
    }];
    lines.extend(blocks.iter().flat_map(BlockVerdicts::lines));
    Ok(Report { text: lines.join("\n"), json: json!({ "attachment": attachment, "blocks": answer }) })
}

fn named(id: BlockId) -> String {
    match id {
        BlockId::Hash(hash) => hash.block_hash.to_string(),
        BlockId::Number(BlockNumberOrTag::Number(number)) => number.to_string(),
        BlockId::Number(tag) => tag.to_string(),
    }
}

fn counted(verdicts: usize) -> String {
    if verdicts == 1 { "1 verdict".to_owned() } else { format!("{verdicts} verdicts") }
}

/// What was said in a block, as nodes tell it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlockVerdicts {
    block_number: U64,
    block_hash: B256,
    transactions: Vec<TransactionVerdicts>,
    chain_acts: Vec<JudgedAct>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TransactionVerdicts {
    transaction_hash: B256,
    verdicts: Vec<Verdict>,
}

#[derive(Debug, Deserialize)]
struct JudgedAct {
    act: ChainAct,
    verdicts: Vec<Verdict>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
enum ChainAct {
    SystemCall { target: Address },
    Withdrawals,
    Demotions,
}

impl BlockVerdicts {
    /// The block's number, what was said of its transactions, and what of the chain's own acts.
    pub(crate) fn verdicts(self) -> (u64, Vec<(B256, Verdict)>, Vec<Verdict>) {
        let of_transactions = self.transactions.into_iter().flat_map(|said| {
            let hash = said.transaction_hash;
            said.verdicts.into_iter().map(move |verdict| (hash, verdict))
        });
        let of_acts = self.chain_acts.into_iter().flat_map(|judged| judged.verdicts);
        (self.block_number.to(), of_transactions.collect(), of_acts.collect())
    }

    fn count(&self) -> usize {
        let transactions = self.transactions.iter().map(|said| said.verdicts.len());
        transactions.chain(self.chain_acts.iter().map(|said| said.verdicts.len())).sum()
    }

    fn lines(&self) -> Vec<String> {
        let (number, hash) = (grouped(self.block_number.to()), self.block_hash);
        let mut lines = vec![match self.count() {
            0 => format!("block {number} ({hash}) woke no guard"),
            count => format!("block {number} ({hash}): {}", counted(count)),
        }];
        let mut add = |of: String, verdicts: &[Verdict]| {
            lines.push(of);
            lines.extend(verdicts.iter().flat_map(|verdict| [said(verdict), cost(verdict)]));
        };
        for said in &self.transactions {
            add(format!("transaction {}", said.transaction_hash), &said.verdicts);
        }
        for judged in &self.chain_acts {
            let act = match judged.act {
                ChainAct::SystemCall { target } => format!("the chain's own call of {target}"),
                ChainAct::Withdrawals => "the block's withdrawals".to_owned(),
                ChainAct::Demotions => "attachments that veto too much".to_owned(),
            };
            add(act, &judged.verdicts);
        }
        lines
    }
}

/// What a receipt says of guards. A node leaves it out where they spent nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct GuardCost {
    guard_gas_used: U64,
    guard_fuel: U64,
}

impl GuardCost {
    fn line(&self) -> Option<String> {
        let (gas, fuel) = (self.guard_gas_used.to(), self.guard_fuel.to::<u64>());
        (fuel > 0).then(|| format!("  paid: {} gas for {} fuel", grouped(gas), grouped(fuel)))
    }
}

pub(crate) fn said(verdict: &Verdict) -> String {
    let outcome = match verdict.outcome {
        Outcome::Allow => "allowed",
        Outcome::Alert => "alerted",
        Outcome::Veto => "vetoed",
        Outcome::WouldVeto => "would have vetoed",
    };
    let hook = match verdict.hook {
        Some(Hook::Init) => " in init",
        Some(Hook::OnCall) => " in on_call",
        Some(Hook::OnCallEnd) => " in on_call_end",
        Some(Hook::OnTx) => " in on_tx",
        None => "",
    };
    let frame = verdict.frame.map_or(String::new(), |frame| format!(" of frame {frame}"));
    let words = match verdict.outcome {
        Outcome::Allow => String::new(),
        Outcome::Alert | Outcome::Veto | Outcome::WouldVeto => {
            format!(", code {}: {}", verdict.code, verdict.detail_text())
        }
    };
    format!("  {} {outcome}{hook}{frame}{words}", verdict.guard)
}

pub(crate) fn cost(verdict: &Verdict) -> String {
    let mode = match verdict.mode {
        Mode::Shadow => "shadow",
        Mode::Enforce => "enforce",
    };
    let (micros, tenths) = (verdict.elapsed_ns / 1_000, verdict.elapsed_ns % 1_000 / 100);
    let fuel = grouped(verdict.fuel.0);
    let local = match verdict.origin {
        Origin::Chain => "",
        Origin::Local => ", this node's own",
    };
    format!("    {mode}{local}, {fuel} fuel, {micros}.{tenths} µs, attachment {}", verdict.attachment)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{B256, Bytes};
    use parapet_monitor::{Fuel, Hook, Mode, Outcome, Verdict};

    use super::{GuardCost, cost, said};

    #[test]
    fn a_veto_reads_as_a_sentence_with_its_cost() {
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
            fuel: Fuel(12_345),
            elapsed_ns: 45_678,
            origin: Default::default(),
        };
        assert_eq!(said(&verdict), "  reentrancy vetoed in on_call of frame 3, code 1: re-entered");
        assert!(cost(&verdict).starts_with("    enforce, 12,345 fuel, 45.6 µs, attachment 0x00"));
    }
    #[test]
    fn a_receipt_without_guards_says_nothing_of_them() {
        let plain: GuardCost = serde_json::from_str(r#"{"gasUsed":"0x5208"}"#).expect("a receipt");
        assert_eq!(plain.line(), None);
        let paid: GuardCost =
            serde_json::from_str(r#"{"guardGasUsed":"0x3e8","guardFuel":"0xfa0"}"#).expect("a receipt");
        assert_eq!(paid.line().as_deref(), Some("  paid: 1,000 gas for 4,000 fuel"));
    }
}
