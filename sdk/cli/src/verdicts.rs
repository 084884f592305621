//! `parapet guard verdicts`: what guards said of a transaction.

use alloy_primitives::U64;
use parapet_monitor::{Hook, Mode, Origin, Outcome, Verdict};
use serde::Deserialize;
use serde_json::json;

use crate::{CliError, Report, VerdictsArgs, node::Node, report::grouped};

pub(crate) async fn run(args: &VerdictsArgs) -> Result<Report, CliError> {
    let node = Node::connect(&args.node).await?;
    let verdicts: Option<Vec<Verdict>> = node.ask("asking for verdicts", "guard_getVerdicts", args.transaction).await?;
    let verdicts = verdicts.ok_or(CliError::UnknownTransaction(args.transaction))?;
    let receipt: GuardCost = node.ask("asking for the receipt", "eth_getTransactionReceipt", args.transaction).await?;
    let mut lines = vec![match verdicts.len() {
        0 => format!("transaction {} woke no guard", args.transaction),
        1 => format!("transaction {}: 1 verdict", args.transaction),
        count => format!("transaction {}: {count} verdicts", args.transaction),
    }];
    lines.extend(verdicts.iter().flat_map(|verdict| [said(verdict), cost(verdict)]));
    lines.extend(receipt.line());
    let json = json!({
        "transaction": args.transaction,
        "guardGasUsed": receipt.guard_gas_used.to::<u64>(),
        "guardFuel": receipt.guard_fuel.to::<u64>(),
        "verdicts": verdicts,
    });
    Ok(Report { text: lines.join("\n"), json })
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

fn said(verdict: &Verdict) -> String {
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

fn cost(verdict: &Verdict) -> String {
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
