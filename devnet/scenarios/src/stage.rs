//! The only place that prints.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "telling a story on the terminal is what this is for")]

use std::{collections::HashMap, io::IsTerminal as _};

use alloy_primitives::{Address, U256, utils::format_ether};
use alloy_rpc_types_trace::geth::CallFrame;
use parapet_monitor::{Outcome, Verdict};
use serde::Serialize;

use crate::{call_tree, error::DemoError};

/// Digits shown behind the point: down to a gwei.
const DECIMALS_MAX: usize = 9;

/// Wei as ether, without needless digits.
pub(crate) fn ether(wei: U256) -> String {
    let text = format_ether(wei);
    let point = text.find('.').unwrap_or(text.len());
    let text = &text[..text.len().min(point + 1 + DECIMALS_MAX)];
    format!("{} ether", text.trim_end_matches('0').trim_end_matches('.'))
}

/// How a line is meant.
#[derive(Clone, Copy)]
enum Tone {
    Plain,
    Good,
    Bad,
    Faint,
    Bold,
}

/// A terminal, or a file.
pub(crate) struct Stage {
    colours: bool,
}

impl Stage {
    /// Colours only where a person looks.
    pub(crate) fn new() -> Self {
        Self { colours: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() }
    }

    fn say(&self, tone: Tone, text: &str) {
        let code = match tone {
            Tone::Plain => return println!("{text}"),
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Faint => "2",
            Tone::Bold => "1",
        };
        if self.colours { println!("\x1b[{code}m{text}\x1b[0m") } else { println!("{text}") }
    }

    /// A new chapter.
    pub(crate) fn chapter(&self, number: u32, title: &str) {
        println!();
        self.say(Tone::Bold, &format!("{number}. {title}"));
    }

    /// What happens.
    pub(crate) fn line(&self, text: &str) {
        self.say(Tone::Plain, &format!("   {text}"));
    }

    /// A command as a person would type it.
    pub(crate) fn command(&self, text: &str) {
        self.say(Tone::Faint, &format!("   $ {text}"));
    }

    /// What should not have been possible.
    pub(crate) fn bad(&self, text: &str) {
        self.say(Tone::Bad, &format!("   {text}"));
    }

    /// What should be so.
    pub(crate) fn good(&self, text: &str) {
        self.say(Tone::Good, &format!("   {text}"));
    }

    /// A balance before and after.
    pub(crate) fn balance(&self, who: &str, before: U256, after: U256) {
        let change = match after.cmp(&before) {
            std::cmp::Ordering::Less => format!("−{}", ether(before - after)),
            std::cmp::Ordering::Equal => "unchanged".to_owned(),
            std::cmp::Ordering::Greater => format!("+{}", ether(after - before)),
        };
        self.line(&format!("{who:<10} {:>22} → {:>22}   {change}", ether(before), ether(after)));
    }

    /// A transaction's frames; those that were vetoed stand out.
    pub(crate) fn call_tree(&self, root: &CallFrame, names: &HashMap<Address, &str>, verdicts: &[Verdict]) {
        let vetoed: Vec<u32> = verdicts.iter().filter(|v| v.outcome == Outcome::Veto).filter_map(|v| v.frame).collect();
        let (head, left_out, tail) = call_tree::shortened(call_tree::lines(root, names));
        let print = |line: &call_tree::Line| {
            if vetoed.contains(&line.frame) {
                self.say(Tone::Bad, &format!("   │ {}   ◀── vetoed here, frame {}", line.text, line.frame));
            } else {
                self.say(Tone::Plain, &format!("   │ {}", line.text));
            }
        };
        head.iter().for_each(print);
        if left_out > 0 {
            self.say(Tone::Faint, &format!("   │ … {left_out} more frames …"));
        }
        tail.iter().for_each(print);
    }

    /// What each guard said.
    pub(crate) fn verdicts(&self, verdicts: &[Verdict]) {
        for verdict in verdicts {
            let outcome = match verdict.outcome {
                Outcome::Allow => "allows",
                Outcome::Alert => "alerts",
                Outcome::Veto => "vetoes",
                Outcome::WouldVeto => "would veto",
            };
            let words = if verdict.detail.is_empty() { String::new() } else { format!(": {}", verdict.detail_text()) };
            let elapsed_us = verdict.elapsed_ns / 1_000;
            let text = format!("guard {} {outcome}{words}", verdict.guard);
            if verdict.outcome == Outcome::Veto {
                self.bad(&text)
            } else {
                self.good(&text)
            }
            self.line(&format!("      fuel {}, time {elapsed_us} µs", verdict.fuel.0));
        }
    }

    /// The line for programs: always the last.
    pub(crate) fn last_line(&self, ending: &impl Serialize) {
        println!();
        println!("{}", serde_json::to_string(ending).unwrap_or_default());
    }

    /// Why there is no ending.
    pub(crate) fn failure(&self, error: &DemoError) {
        eprintln!("demo: {error}");
    }
}
