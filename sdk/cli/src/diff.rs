//! `parapet guard diff`: two guards over the same history, and where they part.

use alloy_primitives::B256;
use parapet_monitor::{Outcome, Verdict};
use serde_json::{Value, json};

use crate::{
    CliError, DiffArgs, Report,
    backtest::{
        self, Ran, extent_json,
        findings::{Extent, Findings, TOLD_MAX},
        pages::{Opinion, TriedGuard, TriedTransaction},
    },
    candidate::choose,
    node::Node,
    report::grouped,
};

/// Most differences in text, which people read.
const SHOWN_MAX: usize = 50;

pub(crate) async fn run(args: &DiffArgs) -> Result<Report, CliError> {
    let node = Node::connect(&args.node).await?;
    let both = &args.terms.parameters;
    let old = choose(&node, &args.old, &args.terms, both).await?;
    let new = choose(&node, &args.new, &args.terms, &over(both, &args.new_parameters)).await?;
    let whom = old.whom();
    let (mut findings, mut differences) = ([Findings::default(), Findings::default()], Differences::default());
    let ran = backtest::over(&node, vec![old.candidate, new.candidate], args.blocks, |fuel_per_gas, block| {
        let number = block.block_number.to();
        for transaction in &block.transactions {
            for (place, findings) in findings.iter_mut().enumerate() {
                findings.add(number, transaction, place, fuel_per_gas);
            }
            differences.look(number, transaction, args.fuel_percent);
        }
    });
    let Ran { begun, extent } = ran.await?;
    let [old, new] = [0, 1].map(|place| (&begun.candidates[place], &findings[place]));
    let mut lines = vec!["old:".to_owned()];
    lines.extend(summary(old, &whom, &extent, begun.fuel_per_gas));
    lines.push("new:".to_owned());
    lines.extend(summary(new, &whom, &extent, begun.fuel_per_gas));
    lines.extend(differences.lines());
    let json = json!({
        "blocks": extent_json(&extent),
        "old": old.1.json(old.0, &extent, begun.fuel_per_gas),
        "new": new.1.json(new.0, &extent, begun.fuel_per_gas),
        "different": differences.count,
        "differences": differences.list.iter().map(Difference::json).collect::<Vec<_>>(),
    });
    Ok(Report { text: lines.join("\n"), json })
}

/// Parameters of both, with some in place of others.
fn over(both: &[(String, String)], instead: &[(String, String)]) -> Vec<(String, String)> {
    let kept = both.iter().filter(|(name, _)| !instead.iter().any(|(other, _)| other == name));
    kept.chain(instead).cloned().collect()
}

fn summary((guard, findings): (&TriedGuard, &Findings), whom: &str, extent: &Extent, ratio: u64) -> Vec<String> {
    let lines = findings.lines(guard, whom, extent, ratio);
    // What each objects to is told where they differ.
    let mut head = lines.into_iter().take_while(|line| !line.starts_with("block "));
    head.by_ref().map(|line| format!("  {line}")).collect()
}

/// How a transaction was judged, as far as two guards can differ in it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Judged {
    Unwoken,
    Unasked,
    Allowed,
    /// Codes of its alerts.
    Alerted(Vec<u16>),
    Vetoed(u16, String),
}

impl From<&Opinion> for Judged {
    fn from(opinion: &Opinion) -> Self {
        if opinion.block_full {
            return Self::Unasked;
        }
        let objects = |verdict: &&Verdict| matches!(verdict.outcome, Outcome::Veto | Outcome::WouldVeto);
        if let Some(veto) = opinion.verdicts.iter().find(objects) {
            return Self::Vetoed(veto.code, veto.detail_text());
        }
        let alerts = opinion.verdicts.iter().filter(|verdict| verdict.outcome == Outcome::Alert);
        match (alerts.map(|alert| alert.code).collect::<Vec<_>>(), opinion.verdicts.is_empty()) {
            (_, true) => Self::Unwoken,
            (none, false) if none.is_empty() => Self::Allowed,
            (codes, false) => Self::Alerted(codes),
        }
    }
}

impl Judged {
    /// Whether it is another verdict, whatever the words.
    fn differs(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Vetoed(one, _), Self::Vetoed(other, _)) => one != other,
            (one, other) => one != other,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Unwoken => "does not wake".to_owned(),
            Self::Unasked => "was not asked: it had spent what a block has".to_owned(),
            Self::Allowed => "allows".to_owned(),
            Self::Alerted(codes) => {
                let codes: Vec<_> = codes.iter().map(ToString::to_string).collect();
                format!("alerts with code {}", codes.join(", "))
            }
            Self::Vetoed(code, words) => format!("would veto with code {code}: {words}"),
        }
    }
}

/// A transaction on which two guards differ.
#[derive(Clone, Debug)]
struct Difference {
    block: u64,
    transaction: B256,
    judged: [Judged; 2],
    fuel: [u64; 2],
}

impl Difference {
    fn json(&self) -> Value {
        let one = |place: usize| {
            let (code, reason) = match &self.judged[place] {
                Judged::Vetoed(code, words) => (Some(*code), Some(words)),
                Judged::Unwoken | Judged::Unasked | Judged::Allowed | Judged::Alerted(_) => (None, None),
            };
            let outcome = match &self.judged[place] {
                Judged::Unwoken => "unwoken",
                Judged::Unasked => "unasked",
                Judged::Allowed => "allow",
                Judged::Alerted(_) => "alert",
                Judged::Vetoed(..) => "would_veto",
            };
            json!({ "outcome": outcome, "code": code, "reason": reason, "fuel": self.fuel[place] })
        };
        json!({ "block": self.block, "transaction": self.transaction, "old": one(0), "new": one(1) })
    }

    fn lines(&self) -> [String; 3] {
        let one = |place: usize| format!("{}, {} fuel", self.judged[place].text(), grouped(self.fuel[place]));
        [
            format!("block {} transaction {}", self.block, self.transaction),
            format!("  old {}", one(0)),
            format!("  new {}", one(1)),
        ]
    }
}

#[derive(Debug, Default)]
struct Differences {
    count: u64,
    /// The first of them.
    list: Vec<Difference>,
}

impl Differences {
    fn look(&mut self, block: u64, tried: &TriedTransaction, fuel_percent: u32) {
        let [old, new] = tried.candidates.as_slice() else { return };
        let (judged, fuel) = ([Judged::from(old), Judged::from(new)], [old.fuel.0, new.fuel.0]);
        let woke = judged.iter().all(|judged| !matches!(judged, Judged::Unwoken | Judged::Unasked));
        let differ = judged[0].differs(&judged[1]) || (woke && exceeds(fuel, fuel_percent));
        if !differ {
            return;
        }
        self.count += 1;
        if self.list.len() < TOLD_MAX {
            self.list.push(Difference { block, transaction: tried.transaction_hash, judged, fuel });
        }
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = vec![match self.count {
            0 => "they say the same of every transaction".to_owned(),
            1 => "they differ on 1 transaction".to_owned(),
            count => format!("they differ on {} transactions", grouped(count)),
        }];
        lines.extend(self.list.iter().take(SHOWN_MAX).flat_map(Difference::lines));
        let more = self.count.saturating_sub(SHOWN_MAX as u64);
        if more > 0 {
            lines.push(format!("and {} more; --json tells the first {}", grouped(more), grouped(TOLD_MAX as u64)));
        }
        lines
    }
}

/// Whether the second differs from the first by more than so many percent of it.
fn exceeds([old, new]: [u64; 2], percent: u32) -> bool {
    u128::from(old.abs_diff(new)) * 100 > u128::from(old) * u128::from(percent)
}

#[cfg(test)]
mod tests {
    use super::{Judged, exceeds, over};

    #[test]
    fn fuel_differs_by_more_than_so_many_percent_of_the_old_one() {
        assert!(!exceeds([100, 110], 10) && exceeds([100, 111], 10) && exceeds([100, 89], 10));
        assert!(!exceeds([0, 0], 0) && exceeds([0, 1], 1_000) && exceeds([u64::MAX, 0], 99));
    }

    #[test]
    fn a_veto_is_another_one_by_its_code_and_not_by_its_words() {
        let veto = |code, words: &str| Judged::Vetoed(code, words.to_owned());
        assert!(!veto(1, "5 left").differs(&veto(1, "6 left")));
        assert!(veto(1, "").differs(&veto(2, "")) && veto(1, "").differs(&Judged::Allowed));
        assert!(Judged::Allowed.differs(&Judged::Unwoken));
    }

    #[test]
    fn a_parameter_of_the_new_guard_takes_the_place_of_that_of_both() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let both = [pair("a", "1"), pair("b", "2")];
        assert_eq!(over(&both, &[pair("b", "3"), pair("c", "4")]), [pair("a", "1"), pair("b", "3"), pair("c", "4")]);
    }
}
