//! Loops of one instruction in the EVM, each until its gas is gone.

use parapet_monitor::NoMonitor;

use super::{
    Price,
    chain::{CONTRACT, Chain},
    shortest,
};
use crate::BenchError;

/// Name, and the instructions of a turn. Each leaves the stack as it was.
const LOOPS: [(&str, &[u8]); 9] = [
    // PUSH1 3, PUSH1 4, ADD, POP
    ("ADD", &[0x60, 3, 0x60, 4, 0x01, 0x50]),
    // PUSH1 3, PUSH0, NOT, DIV, POP
    ("DIV", &[0x60, 3, 0x5f, 0x19, 0x04, 0x50]),
    // PUSH1 64, MLOAD, PUSH1 96, MSTORE
    ("MLOAD and MSTORE", &[0x60, 64, 0x51, 0x60, 96, 0x52]),
    // PUSH2 1024, PUSH0, KECCAK256, POP
    ("KECCAK256 of 1,024 bytes", &[0x61, 4, 0, 0x5f, 0x20, 0x50]),
    // PUSH0, SLOAD, POP
    ("SLOAD, warm", &[0x5f, 0x54, 0x50]),
    // PUSH0, TLOAD, PUSH0, TSTORE
    ("TLOAD and TSTORE", &[0x5f, 0x5c, 0x5f, 0x5d]),
    // GAS, SLOAD, POP: another slot each time, cold
    ("SLOAD, cold", &[0x5a, 0x54, 0x50]),
    // four PUSH0, PUSH1 4 (identity), GAS, STATICCALL, POP
    ("STATICCALL of identity", &[0x5f, 0x5f, 0x5f, 0x5f, 0x60, 4, 0x5a, 0xfa, 0x50]),
    // PUSH0, PUSH0, PUSH1 128, PUSH0, PUSH1 1 (ecrecover), GAS, STATICCALL, POP
    ("ecrecover", &[0x5f, 0x5f, 0x60, 128, 0x5f, 0x60, 1, 0x5a, 0xfa, 0x50]),
];

/// What each takes.
pub(super) fn measure() -> Result<Vec<Price>, BenchError> {
    LOOPS.iter().map(|(name, turn)| run(name, turn)).collect()
}

fn run(name: &str, turn: &[u8]) -> Result<Price, BenchError> {
    let chain = Chain::new([(CONTRACT, code(turn))], &[]);
    let (ns, executed) = shortest(|| chain.run(&NoMonitor))?;
    Ok(Price { name: name.to_owned(), ns, paid: executed.gas_used as f64 })
}

/// `JUMPDEST`, 64 turns, and back: the jump hardly counts. What ecrecover is given recovers somebody: the hash 1, a
/// signature of it with r and s below the curve's order.
fn code(turn: &[u8]) -> Vec<u8> {
    // PUSH1 v, PUSH1 offset, MSTORE: hash 1, v 27, r and s 1.
    let prepare = [(1, 0), (27, 32), (1, 64), (1, 96)];
    let mut code: Vec<u8> = prepare.iter().flat_map(|(value, offset)| [0x60, *value, 0x60, *offset, 0x52]).collect();
    let start = u8::try_from(code.len()).expect("a few bytes");
    code.push(0x5b);
    code.extend(turn.repeat(64));
    code.extend([0x60, start, 0x56]);
    code
}
