//! The table: a line for each guard and each attack that it has to stop.

use std::{fmt::Write as _, time::Duration};

use serde_json::{Value, json};

use crate::play::{Cost, Raid, Traffic};

/// A guard against an attack.
#[derive(Clone, Debug)]
pub struct Row {
    /// The guard.
    pub guard: String,
    /// The scenario.
    pub scenario: String,
    /// What the scenario reproduces.
    pub title: String,
    /// The attack with nobody watching.
    pub unguarded: Raid,
    /// The attack with the guard attached.
    pub guarded: Raid,
    /// Honest traffic with the guard attached.
    pub honest: Traffic,
}

impl Row {
    /// Without the guard there is a theft.
    #[must_use]
    pub const fn is_real(&self) -> bool {
        self.unguarded.theft
    }

    /// The guard vetoed, and nothing is missing.
    #[must_use]
    pub fn is_detected(&self) -> bool {
        self.guarded.vetoes > 0 && self.guarded.taken.is_zero()
    }

    /// Honest transactions went through, the guard looked at some, and it had nothing against any.
    #[must_use]
    pub const fn is_quiet(&self) -> bool {
        self.honest.vetoed == 0 && self.honest.passed > 0 && self.honest.judged > 0
    }

    /// All three.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.is_real() && self.is_detected() && self.is_quiet()
    }

    /// The middle of the fuel that judging an honest transaction took.
    #[must_use]
    pub fn median_fuel(&self) -> u64 {
        self.median().0
    }

    /// The middle of what judging an honest transaction cost.
    fn median(&self) -> (u64, Duration) {
        let of = |value: fn(&Cost) -> u64| {
            let mut values: Vec<_> = self.honest.costs.iter().map(value).collect();
            values.sort_unstable();
            values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
        };
        (of(|cost| cost.fuel), Duration::from_nanos(of(|cost| cost.elapsed_ns)))
    }
}

/// All lines.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// By scenario, then by guard.
    pub rows: Vec<Row>,
    /// Lines that fail because no guard of the name is shipped.
    pub absent: Vec<String>,
}

impl Table {
    /// Every attack is real, stopped, and stopped without a false alarm; and no guard is named that is not shipped.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.absent.is_empty() && !self.rows.is_empty() && self.rows.iter().all(Row::holds)
    }

    /// Honest transactions that passed, over all lines.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.rows.iter().map(|row| row.honest.passed).sum()
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let wide = |of: fn(&Row) -> &String, least: usize| {
            self.rows.iter().map(|row| of(row).len()).max().unwrap_or_default().max(least)
        };
        let (guards, scenarios) = (wide(|row| &row.guard, 5), wide(|row| &row.scenario, 6));
        let mut text = format!(
            "{:guards$}  {:scenarios$}  {:9}  {:8}  {:>8}  {:>7}  {:>6}  {:>9}  {:>8}\n",
            "guard", "attack", "unguarded", "guarded", "honest", "judged", "alarms", "fuel", "µs"
        );
        for row in &self.rows {
            let (fuel, time) = row.median();
            let unguarded = if row.is_real() { "theft" } else { "no theft" };
            let guarded = if row.is_detected() { "vetoed" } else { "MISSED" };
            let _ = writeln!(
                text,
                "{:guards$}  {:scenarios$}  {unguarded:9}  {guarded:8}  {:>8}  {:>7}  {:>6}  {fuel:>9}  {:>8.1}",
                row.guard,
                row.scenario,
                row.honest.passed,
                row.honest.judged,
                row.honest.vetoed,
                time.as_secs_f64() * 1e6,
            );
        }
        self.rows.iter().filter(|row| !row.holds()).for_each(|row| text.push_str(&complaint(row)));
        self.absent.iter().for_each(|line| {
            let _ = writeln!(text, "\nnot shipped: {line}");
        });
        let count = |of: fn(&Row) -> bool| self.rows.iter().filter(|row| of(row)).count();
        let alarms: usize = self.rows.iter().map(|row| row.honest.vetoed).sum();
        let (detected, passed) = (count(Row::is_detected), self.passed());
        let _ = writeln!(
            text,
            "\n{detected} of {} attacks stopped; {alarms} false alarms in {} honest transactions",
            self.rows.len(),
            passed + alarms
        );
        text
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let rows: Vec<_> = self.rows.iter().map(json_row).collect();
        json!({ "holds": self.holds(), "absent": self.absent, "honest": self.passed(), "rows": rows })
    }
}

fn complaint(row: &Row) -> String {
    let mut text = format!("\n{} against {}:\n", row.guard, row.scenario);
    if !row.is_real() {
        let _ = writeln!(text, "  without a guard the attack takes {} only", row.unguarded.taken);
    }
    if !row.is_detected() {
        let words = row.guarded.words.as_deref().unwrap_or("no veto");
        let _ = writeln!(text, "  the attack took {} all the same; {words}", row.guarded.taken);
    }
    if let Some(first) = &row.honest.first {
        let _ = writeln!(text, "  false alarm: {first}");
    }
    if row.honest.judged == 0 {
        text.push_str("  honest traffic does not wake the guard\n");
    }
    text
}

fn json_row(row: &Row) -> Value {
    let (fuel, time) = row.median();
    json!({
        "guard": row.guard,
        "attack": row.scenario,
        "title": row.title,
        "unguardedTaken": row.unguarded.taken.to_string(),
        "theft": row.is_real(),
        "guardedTaken": row.guarded.taken.to_string(),
        "detected": row.is_detected(),
        "veto": row.guarded.words,
        "honest": row.honest.passed,
        "judged": row.honest.judged,
        "reverted": row.honest.reverted,
        "falseAlarms": row.honest.vetoed,
        "firstFalseAlarm": row.honest.first,
        "medianFuel": fuel,
        "medianNanoseconds": time.as_nanos() as u64,
    })
}
