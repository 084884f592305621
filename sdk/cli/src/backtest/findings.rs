//! What a backtest found out about one guard.

use alloy_primitives::B256;
use parapet_monitor::{Outcome, Verdict};
use serde_json::{Value, json};

use crate::{
    backtest::{
        pages::{TriedGuard, TriedTransaction},
        spread::Costs,
    },
    report::grouped,
    verdicts::said,
};

/// Most vetoes and alerts that are told one by one, of each; the others are counted.
pub(crate) const TOLD_MAX: usize = 10_000;
/// Most of them in text, which people read.
const SHOWN_MAX: usize = 50;

/// One objection, or one alert.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    pub(crate) block: u64,
    pub(crate) transaction: B256,
    pub(crate) verdict: Verdict,
}

/// Everything about one guard.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Findings {
    woken: u64,
    vetoed: u64,
    alerted: u64,
    /// Transactions on which it was not asked, because it had spent what a block has.
    unasked: u64,
    /// Transactions whose gas would not have paid for it.
    short: u64,
    fuel: Costs,
    vetoes: Vec<Finding>,
    alerts: Vec<Finding>,
}

/// How much was executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) from_block: u64,
    pub(crate) to_block: u64,
    pub(crate) blocks: u64,
    pub(crate) transactions: u64,
}

impl Findings {
    /// Adds what the guard of this place made of a transaction.
    pub(crate) fn add(&mut self, block: u64, tried: &TriedTransaction, place: usize, fuel_per_gas: u64) {
        let Some(opinion) = tried.candidates.get(place) else { return };
        self.unasked += u64::from(opinion.block_full);
        if opinion.verdicts.is_empty() {
            return;
        }
        self.woken += 1;
        self.fuel.add(opinion.fuel.0);
        let left = tried.gas.to::<u64>().saturating_sub(tried.gas_used.to());
        self.short += u64::from(gas(opinion.fuel.0, fuel_per_gas) > left);
        for verdict in &opinion.verdicts {
            let (count, list) = match verdict.outcome {
                Outcome::Allow => continue,
                Outcome::Alert => (&mut self.alerted, &mut self.alerts),
                Outcome::Veto | Outcome::WouldVeto => (&mut self.vetoed, &mut self.vetoes),
            };
            *count += 1;
            if list.len() < TOLD_MAX {
                list.push(Finding { block, transaction: tried.transaction_hash, verdict: verdict.clone() });
            }
        }
    }

    /// For people.
    pub(crate) fn lines(&self, guard: &TriedGuard, whom: &str, extent: &Extent, fuel_per_gas: u64) -> Vec<String> {
        let unwoken = extent.transactions.saturating_sub(self.woken);
        let mut lines = vec![
            format!("guard      {} {} (module {})", guard.guard, guard.version, guard.module),
            format!("on         {whom}"),
            format!(
                "blocks     {} to {}: {} with {} transactions",
                grouped(extent.from_block),
                grouped(extent.to_block),
                grouped(extent.blocks),
                grouped(extent.transactions),
            ),
            format!(
                "woken      by {} transactions ({}), not by {}",
                grouped(self.woken),
                share(self.woken, extent.transactions),
                grouped(unwoken),
            ),
            format!(
                "vetoes     {} ({} of all, {} of those that woke it)",
                grouped(self.vetoed),
                share(self.vetoed, extent.transactions),
                share(self.vetoed, self.woken),
            ),
            format!("alerts     {}", grouped(self.alerted)),
        ];
        if let Some(spread) = self.fuel.spread() {
            lines.push(format!("fuel       {}", spread.text()));
            lines.push(format!("gas        {}", spread.map(|fuel| gas(fuel, fuel_per_gas)).text()));
        }
        if self.short > 0 {
            lines.push(format!(
                "short      {} transactions had less gas left than the guard costs; who estimates gas now would send more",
                grouped(self.short)
            ));
        }
        if self.unasked > 0 {
            lines.push(format!(
                "unasked    in {} transactions: the guard had spent what the guards of a block may; give it less --fuel-max",
                grouped(self.unasked)
            ));
        }
        lines.extend(shown(&self.vetoes, self.vetoed, "vetoes"));
        lines.extend(shown(&self.alerts, self.alerted, "alerts"));
        lines
    }

    /// For programs.
    pub(crate) fn json(&self, guard: &TriedGuard, extent: &Extent, fuel_per_gas: u64) -> Value {
        let one = |finding: &Finding| {
            let verdict = &finding.verdict;
            json!({
                "block": finding.block,
                "transaction": finding.transaction,
                "code": verdict.code,
                "reason": verdict.detail_text(),
                "detail": verdict.detail,
                "hook": verdict.hook,
                "frame": verdict.frame,
            })
        };
        let spread = self.fuel.spread();
        json!({
            "guard": guard.guard,
            "version": guard.version,
            "module": guard.module,
            "attachment": guard.attachment,
            "woken": self.woken,
            "unwoken": extent.transactions.saturating_sub(self.woken),
            "vetoed": self.vetoed,
            "alerted": self.alerted,
            "unasked": self.unasked,
            "shortOfGas": self.short,
            "fuel": spread.map(|spread| spread.json()),
            "gas": spread.map(|spread| spread.map(|fuel| gas(fuel, fuel_per_gas)).json()),
            "vetoes": self.vetoes.iter().map(one).collect::<Vec<_>>(),
            "alerts": self.alerts.iter().map(one).collect::<Vec<_>>(),
        })
    }
}

/// What fuel costs, rounded up.
pub(crate) fn gas(fuel: u64, fuel_per_gas: u64) -> u64 {
    fuel.div_ceil(fuel_per_gas.max(1))
}

fn shown(findings: &[Finding], count: u64, what: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for Finding { block, transaction, verdict } in findings.iter().take(SHOWN_MAX) {
        lines.push(format!("block {block} transaction {transaction}"));
        lines.push(said(verdict));
    }
    let more = count.saturating_sub(SHOWN_MAX as u64);
    if more > 0 {
        lines.push(format!("and {} more {what}; --json tells the first {}", grouped(more), grouped(TOLD_MAX as u64)));
    }
    lines
}

/// A share in percent, with two decimals.
fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0.00 %".to_owned();
    }
    let basis_points = u128::from(part) * 10_000 / u128::from(whole);
    format!("{}.{:02} %", basis_points / 100, basis_points % 100)
}

#[cfg(test)]
mod tests {
    use super::{gas, share};

    #[test]
    fn shares_are_told_with_two_decimals() {
        assert_eq!([share(0, 0), share(1, 3), share(3, 3)], ["0.00 %", "33.33 %", "100.00 %"]);
        assert_eq!(share(u64::MAX, u64::MAX), "100.00 %");
    }

    #[test]
    fn fuel_is_paid_in_whole_gas() {
        assert_eq!([gas(0, 4), gas(1, 4), gas(4, 4), gas(5, 4), gas(5, 0)], [0, 1, 1, 2, 5]);
    }
}
