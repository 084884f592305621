//! Guards in a block: what only an EVM behind the guard VM answers, forks and static calls, and the same call from outside.

use std::time::Instant;

use alloy_consensus::{SignableTransaction as _, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use parapet_executor::{Admission, BlockInput, Listing, Mode, Point, execute_block};
use parapet_judge::Judge;
use parapet_monitor::{Monitor, NoMonitor};
use parapet_simulate::CallRequest;
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, BlockContext, ChainParams, Destiny, Executed, ExecutionLimits, FlatState,
    GuardParams, Hardfork, StateChanges, Transaction,
};
use parapet_vm::{Engine, EngineSettings};

use super::{Price, shortest};
use crate::{
    BenchError,
    blocks::changes,
    guards,
    report::Row,
    scene::Attached,
    timing::{ROUNDS, medians},
};

/// Gas of the one transaction.
const GAS: u64 = 16_000_000;
const SENDER: Address = Address::repeat_byte(0x51);
/// Whom it calls.
pub(super) const CONTRACT: Address = Address::repeat_byte(0xc0);
/// Called by [`CONTRACT`], and by guards.
const CALLEE: Address = Address::repeat_byte(0xca);
/// Frames of the callee in the transaction: more than forks are kept.
const FRAMES: u32 = 8;
/// Slots that each of them writes.
const WRITES: u8 = 100;
/// Turns of a loop.
const TURNS: u32 = 200;

/// Two pools' worth of shares: reads two words, multiplies, divides, returns.
const SHARE_PRICE: [u8; 17] = [
    0x5f, 0x54, 0x60, 1, 0x54, 0x61, 0x03, 0xe8, 0x02, 0x04, // sload(1) * 1000 / sload(0)
    0x5f, 0x52, 0x60, 32, 0x5f, 0xf3, 0x00,
];

/// A chain with one transaction.
pub(super) struct Chain {
    params: ChainParams,
    world: FlatState,
    block: BlockContext,
    transactions: [Transaction; 1],
    ancestors: Ancestors,
}

impl Chain {
    /// Contracts with code, and whatever else is there.
    pub(super) fn new(contracts: impl IntoIterator<Item = (Address, Vec<u8>)>, more: &[StateChanges]) -> Self {
        let mut world = FlatState::default();
        more.iter().for_each(|changes| world.apply(changes));
        world.apply(&accounts(contracts));
        let block = BlockContext {
            number: 1,
            gas_limit: 2 * GAS,
            parent_beacon_block_root: Some(B256::ZERO),
            excess_blob_gas: Some(0),
            ..BlockContext::default()
        };
        let tx = TxLegacy { gas_limit: GAS, to: TxKind::Call(CONTRACT), ..TxLegacy::default() };
        let signed = tx.into_signed(Signature::test_signature());
        let params = ChainParams {
            chain_id: 1,
            hardfork: Hardfork::Cancun,
            block_gas_limit: 2 * GAS,
            guards: GuardParams::default(),
            deposit_contract: ChainParams::MAINNET_DEPOSITS,
            limits: ExecutionLimits::ETHEREUM,
        };
        let transactions = [Transaction::new_unchecked(signed.into(), SENDER)];
        Self { params, world, block, transactions, ancestors: Ancestors::new() }
    }

    fn point(&self) -> Point<'_> {
        Point { params: &self.params, world: &self.world, ancestors: &self.ancestors, block: &self.block }
    }

    /// Runs the block.
    pub(super) fn run(&self, monitor: &dyn Monitor) -> Result<Executed, BenchError> {
        let input = BlockInput {
            at: self.point(),
            transactions: &self.transactions,
            admission: Admission::Build,
            access_list: Listing::Ignore,
            deadline: None,
        };
        let executed = execute_block(&input, monitor, Mode::Sequential)?;
        let reason = |block: &parapet_types::ExecutedBlock<_>| format!("{:?}", block.left_out);
        let found = reason(&executed);
        let included = executed.included.into_iter().next();
        included.map(|included| included.executed).ok_or(BenchError::Unexpected { what: "a transaction", found })
    }
}

fn accounts(contracts: impl IntoIterator<Item = (Address, Vec<u8>)>) -> StateChanges {
    let mut changes = StateChanges::default();
    let rich = AccountInfo { balance: U256::from(u128::MAX), ..AccountInfo::default() };
    changes.accounts.insert(SENDER, AccountChange { info: Some(rich), ..AccountChange::default() });
    for (address, code) in contracts {
        let code_hash = keccak256(&code);
        changes.code.insert(code_hash, Bytes::from(code));
        let info = Some(AccountInfo { nonce: 1, code_hash, ..AccountInfo::default() });
        let storage = [(U256::ZERO, U256::from(7)), (U256::from(1), U256::from(9))].into();
        changes.accounts.insert(address, AccountChange { info, storage, ..AccountChange::default() });
    }
    changes
}

/// Loops inside of a block: name, and what a guard does in one turn, with the turn's number in `$i`.
const LOOPS: [(&str, &str); 5] = [
    ("state_storage in a block", "(call $state_storage (i32.const 1) (i32.const 0) (i32.const 64) (i32.const 1024))"),
    ("state_balance in a block", "(call $state_balance (i32.const 1) (i32.const 0) (i32.const 1024))"),
    (
        "state_storage_at, the same fork",
        "(call $state_storage_at (i32.const 2) (i32.const 2) (i32.const 0) (i32.const 64) (i32.const 1024))",
    ),
    (
        "state_storage_at, another fork each time",
        "(call $state_storage_at (i32.const 2) (i32.add (i32.const 1) (i32.rem_u (local.get $i) (i32.const 8))) (i32.const 0) (i32.const 64) (i32.const 1024))",
    ),
    (
        "view_call of a share price",
        "(drop (call $view_call (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 0) (i64.const 100000) (i32.const 1024)))",
    ),
];

/// What each takes.
pub(super) fn measure() -> Result<Vec<Price>, BenchError> {
    LOOPS.iter().map(|(name, body)| loop_of(name, body)).collect()
}

fn loop_of(name: &str, body: &str) -> Result<Price, BenchError> {
    let (once_ns, once) = Looping::new(name, body, 1)?.time()?;
    let (all_ns, all) = Looping::new(name, body, 1 + TURNS)?.time()?;
    let fuel = all.guard_fuel.0 as f64 - once.guard_fuel.0 as f64;
    let turns = f64::from(TURNS);
    Ok(Price { name: name.to_owned(), ns: (all_ns - once_ns) / turns, paid: fuel / turns })
}

/// A chain whose one transaction wakes a guard that loops.
struct Looping {
    chain: Chain,
    judge: Judge,
}

impl Looping {
    fn new(name: &str, body: &str, turns: u32) -> Result<Self, BenchError> {
        let module = guards::looping(name, body, turns)?;
        let attached = changes(Attached::default().with(&module, vec![CONTRACT], Bytes::new()).accounts());
        let chain = Chain::new([(CONTRACT, caller()), (CALLEE, writer())], &[attached]);
        Ok(Self { chain, judge: Judge::new(Engine::new(EngineSettings::default())?) })
    }

    fn time(&self) -> Result<(f64, Executed), BenchError> {
        let (ns, executed) = shortest(|| self.chain.run(&self.judge))?;
        if executed.destiny != Destiny::Succeeded || executed.verdicts.len() != 1 {
            return Err(BenchError::Unexpected { what: "a looping guard", found: format!("{executed:?}") });
        }
        Ok((ns, executed))
    }
}

/// Calls the callee again and again, with one byte of input.
fn caller() -> Vec<u8> {
    // Five words (output, input of 1 byte, value), the callee, GAS, CALL, POP.
    let call = [&[0x5f, 0x5f, 0x60, 1, 0x5f, 0x5f, 0x73][..], CALLEE.as_slice(), &[0x5a, 0xf1, 0x50]].concat();
    call.repeat(FRAMES as usize)
}

/// With input: writes slots, each time another value. Without: says a share price.
fn writer() -> Vec<u8> {
    // CALLDATASIZE, PUSH1 dest, JUMPI
    let mut code = vec![0x36, 0x60, 4 + SHARE_PRICE.len() as u8, 0x57];
    code.extend(SHARE_PRICE);
    code.push(0x5b);
    for slot in 0..WRITES {
        // GAS, PUSH1 slot, SSTORE
        code.extend([0x5a, 0x60, slot + 2, 0x55]);
    }
    code
}

/// A static call by a guard, by the same call in process from outside.
pub(super) fn view_ratio() -> Result<Vec<Row>, BenchError> {
    let (name, body) = LOOPS[LOOPS.len() - 1];
    let (few, many) = (Looping::new(name, body, 1)?, Looping::new(name, body, 1 + TURNS)?);
    let request = CallRequest { to: Some(CALLEE), gas: Some(100_000), ..CallRequest::default() };
    let outside = || -> Result<_, BenchError> {
        let start = Instant::now();
        for _ in 0..TURNS {
            let executed = parapet_simulate::call(&few.chain.point(), &request, &NoMonitor)?;
            if !executed.succeeded() || executed.output.len() != 32 {
                return Err(BenchError::Unexpected { what: "a call", found: format!("{executed:?}") });
            }
        }
        Ok(start.elapsed())
    };
    let timed = |looping: &Looping| -> Result<_, BenchError> {
        let start = Instant::now();
        looping.chain.run(&looping.judge)?;
        Ok(start.elapsed())
    };
    let [few, many, outside] = medians(ROUNDS, [&mut || timed(&few), &mut || timed(&many), &mut || outside()])?;
    let ratio = many.saturating_sub(few).as_secs_f64() / outside.as_secs_f64();
    let note = format!("{:.0} ns by eth_call", crate::timing::each_ns(outside, TURNS as usize));
    Ok(vec![
        Row::new("a static call by a guard, by eth_call in process", ratio, "×")
            .key("view_ratio")
            .at_most(1.5)
            .note(note),
    ])
}
