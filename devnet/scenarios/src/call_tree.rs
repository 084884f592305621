//! A transaction's frames as a tree for people.

use std::collections::HashMap;

use alloy_primitives::{Address, U256};
use alloy_rpc_types_trace::geth::CallFrame;

use crate::{
    contracts::{Attacker, Vault},
    stage::ether,
};

/// Most lines a tree is printed with; what is left out is said.
const LINES_MAX: usize = 16;

/// One line of the tree.
pub(crate) struct Line {
    /// Id of the frame: its place in the order of starts.
    pub(crate) frame: u32,
    /// The line, indented.
    pub(crate) text: String,
}

/// The tree's lines, outermost first.
pub(crate) fn lines(root: &CallFrame, names: &HashMap<Address, &str>) -> Vec<Line> {
    let mut lines = Vec::new();
    walk(root, names, 0, &mut lines);
    lines
}

fn walk(call: &CallFrame, names: &HashMap<Address, &str>, depth: usize, lines: &mut Vec<Line>) {
    let frame = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    let who = call.to.map_or_else(|| "?".to_owned(), |to| name(to, names));
    let value = call.value.filter(|value| !value.is_zero()).map(|value: U256| format!("  {}", ether(value)));
    let end = call.error.as_ref().map(|error| format!("  ✗ {error}"));
    let text = format!(
        "{:indent$}{} {who}{}{}{}",
        "",
        call.typ,
        function(&call.input),
        value.unwrap_or_default(),
        end.unwrap_or_default(),
        indent = depth * 2
    );
    lines.push(Line { frame, text });
    for inner in &call.calls {
        walk(inner, names, depth + 1, lines);
    }
}

fn name(address: Address, names: &HashMap<Address, &str>) -> String {
    names.get(&address).map_or_else(|| address.to_string(), |name| (*name).to_owned())
}

fn function(input: &[u8]) -> String {
    let Some(selector) = input.first_chunk::<4>() else { return String::new() };
    let name =
        Vault::VaultCalls::name_by_selector(*selector).or_else(|| Attacker::AttackerCalls::name_by_selector(*selector));
    match name {
        Some(name) => format!(".{name}()"),
        None => format!(".{}", alloy_primitives::hex::encode_prefixed(selector)),
    }
}

/// Which lines are shown when there are too many: the first half, a word about the rest, the last half.
pub(crate) fn shortened(lines: Vec<Line>) -> (Vec<Line>, usize, Vec<Line>) {
    if lines.len() <= LINES_MAX {
        return (lines, 0, Vec::new());
    }
    let mut head = lines;
    let tail = head.split_off(head.len() - LINES_MAX / 4);
    let left_out = head.len() - (LINES_MAX - LINES_MAX / 4);
    head.truncate(LINES_MAX - LINES_MAX / 4);
    (head, left_out, tail)
}
