//! Loops of one instruction in the EVM, each until its gas is gone.

use alloy_consensus::{SignableTransaction as _, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use parapet_executor::{Admission, BlockInput, Listing, Mode, Point, execute_block};
use parapet_monitor::NoMonitor;
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, BlockContext, ChainParams, FlatState, GuardParams, Hardfork, StateChanges,
    Transaction,
};

use crate::{Error, shortest};

const GAS: u64 = 16_000_000;
const SENDER: Address = Address::repeat_byte(0x51);
const CONTRACT: Address = Address::repeat_byte(0xc0);

/// Name, and the instructions of a turn. Each leaves the stack as it was.
const LOOPS: [(&str, &[u8]); 7] = [
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
    // four PUSH0, PUSH1 4 (identity), GAS, STATICCALL, POP
    ("STATICCALL of identity", &[0x5f, 0x5f, 0x5f, 0x5f, 0x60, 4, 0x5a, 0xfa, 0x50]),
    // PUSH0, PUSH0, PUSH1 128, PUSH0, PUSH1 1 (ecrecover), GAS, STATICCALL, POP
    ("ecrecover", &[0x5f, 0x5f, 0x60, 128, 0x5f, 0x60, 1, 0x5a, 0xfa, 0x50]),
];

/// ns per gas of each.
pub(crate) fn measure() -> Result<Vec<(&'static str, f64)>, Error> {
    LOOPS.iter().map(|(name, turn)| Ok((*name, run(name, turn)?))).collect()
}

fn run(name: &'static str, turn: &[u8]) -> Result<f64, Error> {
    let params = ChainParams {
        chain_id: 1,
        hardfork: Hardfork::Cancun,
        block_gas_limit: 2 * GAS,
        guards: GuardParams::default(),
    };
    let world = world(&code(turn));
    let block = BlockContext {
        number: 1,
        gas_limit: 2 * GAS,
        parent_beacon_block_root: Some(B256::ZERO),
        excess_blob_gas: Some(0),
        ..BlockContext::default()
    };
    let tx = TxLegacy { gas_limit: GAS, to: TxKind::Call(CONTRACT), ..TxLegacy::default() };
    let signed = tx.into_signed(Signature::test_signature());
    let transactions = [Transaction::new_unchecked(signed.into(), SENDER)];
    let ancestors = Ancestors::new();
    let input = BlockInput {
        at: Point { params: &params, world: &world, ancestors: &ancestors, block: &block },
        transactions: &transactions,
        admission: Admission::Build,
        access_list: Listing::Ignore,
        deadline: None,
    };
    let (ns, gas) = shortest(|| {
        let executed = execute_block(&input, &NoMonitor, Mode::Sequential)?;
        if executed.included.is_empty() { Err(Error::LeftOut(name)) } else { Ok(executed.gas_used) }
    })?;
    Ok(ns / gas as f64)
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

fn world(code: &[u8]) -> FlatState {
    let mut changes = StateChanges::default();
    let code_hash = keccak256(code);
    changes.code.insert(code_hash, Bytes::copy_from_slice(code));
    let rich = AccountInfo { balance: U256::from(u128::MAX), ..AccountInfo::default() };
    let contract = AccountInfo { nonce: 1, code_hash, ..AccountInfo::default() };
    for (address, info) in [(SENDER, rich), (CONTRACT, contract)] {
        changes.accounts.insert(address, AccountChange { info: Some(info), ..AccountChange::default() });
    }
    FlatState::from(&changes)
}
