//! The baseline and the oracle: the leanest sequential revm loop. One EVM and one journal over the whole block, no
//! monitor, no commit between transactions, state read straight from memory, analysed code kept by its hash.
//!
//! It makes the calls that the chain itself makes (EIP-4788 and EIP-2935 before, EIP-7002 and EIP-7251 after the
//! transactions) and credits withdrawals, because `run_block` does. It does not look for deposits in the logs, and
//! draws up neither receipts nor an ordered change set; `run_block`'s time is compared with it, not `finish`'s.

use std::collections::BTreeMap;

use alloy_eips::{
    eip2935::HISTORY_STORAGE_ADDRESS, eip4788::BEACON_ROOTS_ADDRESS, eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
    eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, map::B256Map};
use parapet_executor::{StateError, block_env, cfg_env, tx_env};
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, FlatState, Hardfork, StateChanges, StateReader as _, Transaction,
};
use revm::{
    Context, Database, ExecuteEvm as _, MainBuilder as _, SystemCallEvm as _,
    context::{JournalTr as _, result::ExecutionResult},
    handler::{MainnetContext, MainnetEvm},
    state::{Account, AccountInfo as EvmAccountInfo, Bytecode, EvmState},
};

use crate::{BenchError, Case};

/// Gwei in wei.
const GWEI: u64 = 1_000_000_000;

/// Analysed code by its hash. Kept between blocks, as a node would.
pub type CodeCache = B256Map<Bytecode>;

/// State in memory as the EVM's database.
#[derive(Debug)]
pub struct LeanDatabase<'a> {
    world: &'a FlatState,
    ancestors: &'a Ancestors,
    code: &'a mut CodeCache,
}

impl<'a> LeanDatabase<'a> {
    /// Over a state in memory, with code that was analysed before.
    #[must_use]
    pub const fn new(world: &'a FlatState, ancestors: &'a Ancestors, code: &'a mut CodeCache) -> Self {
        Self { world, ancestors, code }
    }
}

type LeanEvm<'a> = MainnetEvm<MainnetContext<LeanDatabase<'a>>>;

/// What the lean loop leaves of a block.
#[derive(Debug)]
pub struct LeanRun {
    /// Per transaction, in block order.
    pub results: Vec<ExecutionResult>,
    /// What the block did to state.
    pub state: EvmState,
}

impl LeanRun {
    /// Sum of the gas used.
    #[must_use]
    pub fn gas_used(&self) -> u64 {
        self.results.iter().map(ExecutionResult::tx_gas_used).sum()
    }
}

/// Executes the block of a case.
///
/// # Errors
/// [`BenchError`] where a transaction is invalid or state cannot be read.
pub fn run(case: &Case, code: &mut CodeCache) -> Result<LeanRun, BenchError> {
    run_observed(case, &case.transactions, code, || ())
}

/// As [`run`], with these transactions; `after_each` is called before the first transaction and after each one.
///
/// # Errors
/// As [`run`].
pub fn run_observed(
    case: &Case,
    transactions: &[Transaction],
    code: &mut CodeCache,
    mut after_each: impl FnMut(),
) -> Result<LeanRun, BenchError> {
    let mut evm = evm(case, code);
    begin(&mut evm, case)?;
    let mut results = Vec::with_capacity(transactions.len());
    after_each();
    for (index, transaction) in transactions.iter().enumerate() {
        let result = evm
            .transact_one(tx_env(transaction))
            .map_err(|error| BenchError::Transaction { index, reason: error.to_string() })?;
        results.push(result);
        after_each();
    }
    end(&mut evm, case)?;
    Ok(LeanRun { results, state: evm.finalize() })
}

/// What the chain's own calls before a case's first transaction do to state.
pub(crate) fn changes_at_start(case: &Case) -> Result<StateChanges, BenchError> {
    let mut code = CodeCache::default();
    let mut evm = evm(case, &mut code);
    begin(&mut evm, case)?;
    Ok(changes(&evm.finalize()))
}

fn evm<'a>(case: &'a Case, code: &'a mut CodeCache) -> LeanEvm<'a> {
    let cfg = cfg_env(&case.params);
    let spec = cfg.spec;
    let database = LeanDatabase::new(&case.state, &case.ancestors, code);
    let mut context: MainnetContext<LeanDatabase<'a>> = Context::new(database, spec);
    context.journaled_state.set_spec_id(spec);
    context.cfg = cfg;
    context.block = block_env(&case.params, &case.block);
    context.build_mainnet()
}

fn begin(evm: &mut LeanEvm<'_>, case: &Case) -> Result<(), BenchError> {
    if let (true, Some(root)) = (case.params.hardfork >= Hardfork::Cancun, case.block.parent_beacon_block_root) {
        system_call(evm, BEACON_ROOTS_ADDRESS, root.0.into())?;
    }
    if case.params.hardfork >= Hardfork::Prague {
        system_call(evm, HISTORY_STORAGE_ADDRESS, case.block.parent_hash.0.into())?;
    }
    Ok(())
}

fn end(evm: &mut LeanEvm<'_>, case: &Case) -> Result<(), BenchError> {
    if case.params.hardfork >= Hardfork::Prague {
        system_call(evm, WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, Bytes::new())?;
        system_call(evm, CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, Bytes::new())?;
    }
    for withdrawal in case.block.withdrawals.iter().filter(|withdrawal| withdrawal.amount > 0) {
        let wei = U256::from(withdrawal.amount) * U256::from(GWEI);
        evm.ctx.journaled_state.balance_incr(withdrawal.address, wei).map_err(|error| error.0)?;
    }
    Ok(())
}

fn system_call(evm: &mut LeanEvm<'_>, address: Address, data: Bytes) -> Result<(), BenchError> {
    let failed = |reason| BenchError::SystemCall { address, reason };
    let result = evm.system_call_one(address, data).map_err(|error| failed(error.to_string()))?;
    if result.is_success() { Ok(()) } else { Err(failed(format!("{result:?}"))) }
}

/// What an EVM's state changed, as a change set. Storage that was only read is in it too, with the value it has.
#[must_use]
pub fn changes(state: &EvmState) -> StateChanges {
    let mut changes = StateChanges::default();
    for (address, account) in state.iter().filter(|(_, account)| account.is_touched()) {
        if let Some(code) = account.info.code.as_ref().filter(|_| account.info.code_hash != KECCAK256_EMPTY) {
            changes.code.insert(account.info.code_hash, code.original_bytes());
        }
        changes.accounts.insert(*address, change(account));
    }
    changes
}

fn change(account: &Account) -> AccountChange {
    if account.is_selfdestructed_locally() || account.is_empty() {
        return AccountChange { info: None, wipe_storage: true, storage: BTreeMap::new() };
    }
    let EvmAccountInfo { balance, nonce, code_hash, .. } = account.info;
    AccountChange {
        info: Some(AccountInfo { nonce, balance, code_hash }),
        wipe_storage: account.is_created() || account.is_selfdestructed(),
        storage: account.storage.iter().map(|(slot, value)| (*slot, value.present_value)).collect(),
    }
}

/// Analyses code. What is no valid code (bytes that start like a delegation and are none) is run as it stands.
pub(crate) fn analyse(bytes: &Bytes) -> Bytecode {
    Bytecode::new_raw_checked(bytes.clone()).unwrap_or_else(|_| Bytecode::new_legacy(bytes.clone()))
}

/// An account as the EVM takes it, its code left to be asked for.
pub(crate) fn evm_account(info: AccountInfo) -> EvmAccountInfo {
    EvmAccountInfo {
        balance: info.balance,
        nonce: info.nonce,
        code_hash: info.code_hash,
        code: None,
        ..Default::default()
    }
}

impl Database for LeanDatabase<'_> {
    type Error = StateError;

    fn basic(&mut self, address: Address) -> Result<Option<EvmAccountInfo>, StateError> {
        Ok(self.world.account(&address)?.map(evm_account))
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, StateError> {
        if let Some(code) = self.code.get(&code_hash) {
            return Ok(code.clone());
        }
        let code = analyse(&self.world.code(code_hash)?.unwrap_or_default());
        self.code.insert(code_hash, code.clone());
        Ok(code)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        Ok(self.world.storage(&address, slot)?)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, StateError> {
        Ok(self.ancestors.get(&number).copied().unwrap_or_default())
    }
}
