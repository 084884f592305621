//! An EVM that tells what it looked at. It settles every transaction on its own and pays no fees to the fee recipient,
//! so that what remains in its journal is the transaction's doing alone.

use alloy_consensus::Transaction as _;
use alloy_primitives::{
    Address, B256, U256,
    map::{AddressMap, AddressSet},
};
use parapet_executor::{StateError, block_env, cfg_env, tx_env};
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, FlatState, ReadError, StateChanges, StateReader as _, Transaction,
};
use revm::{
    Context, Database, ExecuteEvm as _, Inspector, MainBuilder as _,
    bytecode::opcode,
    context::{ContextSetters as _, ContextTr as _, JournalTr as _, result::EVMError, result::HaltReason},
    handler::{FrameResult, Handler, MainnetContext, MainnetEvm},
    inspector::InspectorHandler,
    interpreter::{
        CallInputs, CallOutcome, CallScheme, CreateInputs, CreateOutcome, CreateScheme, Interpreter,
        interpreter::EthInterpreter, interpreter_types::InputsTr as _, interpreter_types::Jumps as _,
    },
    primitives::hardfork::SpecId,
    state::{AccountInfo as EvmAccountInfo, Bytecode, EvmState},
};

use crate::{
    BenchError, Case,
    lean::{self, CodeCache},
};

/// State that transactions are settled on.
#[derive(Debug)]
struct Ledger<'a> {
    state: FlatState,
    ancestors: &'a Ancestors,
    code: CodeCache,
}

/// What a transaction looked at beyond what its journal shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looks {
    /// Accounts whose balance, or whether they are empty, decided something.
    pub(crate) balances: AddressSet,
    /// Accounts whose nonce decided something.
    pub(crate) nonces: AddressSet,
    /// Wei that left an account with a call or a creation, those that were reverted later included.
    pub(crate) outflow: AddressMap<U256>,
}

/// The inspector.
#[derive(Debug, Default)]
struct Watch {
    looks: Looks,
}

type Inner<'a> = MainnetEvm<MainnetContext<Ledger<'a>>, Watch>;

/// The EVM.
pub(crate) struct RecordingEvm<'a> {
    case: &'a Case,
    /// State before the first transaction.
    start: FlatState,
    inner: Inner<'a>,
}

/// One transaction, executed and not settled.
pub(crate) struct Step {
    pub(crate) looks: Looks,
    pub(crate) state: EvmState,
    pub(crate) gas_used: u64,
}

impl<'a> RecordingEvm<'a> {
    /// On the state on which the case's transactions start: after the chain's own first calls.
    pub(crate) fn start(case: &'a Case) -> Result<Self, BenchError> {
        let mut start = case.state.clone();
        start.apply(&lean::changes_at_start(case)?);
        let cfg = cfg_env(&case.params);
        let spec: SpecId = cfg.spec;
        let ledger = Ledger { state: start.clone(), ancestors: &case.ancestors, code: CodeCache::default() };
        let mut context: MainnetContext<Ledger<'a>> = Context::new(ledger, spec);
        context.journaled_state.set_spec_id(spec);
        context.cfg = cfg;
        context.block = block_env(&case.params, &case.block);
        Ok(Self { case, start, inner: context.build_mainnet_with_inspector(Watch::default()) })
    }

    /// Executes a transaction.
    pub(crate) fn step(&mut self, index: usize, transaction: &Transaction) -> Result<Step, BenchError> {
        self.inner.ctx.set_tx(tx_env(transaction));
        let result = Feeless::default()
            .inspect_run(&mut self.inner)
            .map_err(|error| BenchError::Transaction { index, reason: error.to_string() })?;
        let looks = std::mem::take(&mut self.inner.inspector.looks);
        Ok(Step { looks, state: self.inner.finalize(), gas_used: result.tx_gas_used() })
    }

    /// Settles what a transaction left, and pays its fee.
    pub(crate) fn settle(
        &mut self,
        transaction: &Transaction,
        state: &EvmState,
        gas_used: u64,
    ) -> Result<(), ReadError> {
        let block = &self.case.block;
        let ledger = &mut self.inner.ctx.journaled_state.database;
        ledger.state.apply(&lean::changes(state));
        let price = transaction.effective_gas_price(Some(block.base_fee)).saturating_sub(u128::from(block.base_fee));
        let fee = U256::from(price) * U256::from(gas_used);
        if !fee.is_zero() {
            let mut info = ledger.state.account(&block.beneficiary)?.unwrap_or_default();
            info.balance += fee;
            let change = AccountChange { info: Some(info), ..AccountChange::default() };
            ledger
                .state
                .apply(&StateChanges { accounts: [(block.beneficiary, change)].into(), ..StateChanges::default() });
        }
        Ok(())
    }

    /// An account as the transactions so far have left it; the default where there is none.
    pub(crate) fn account(&self, address: &Address) -> Result<AccountInfo, ReadError> {
        Ok(self.inner.ctx.journaled_state.database.state.account(address)?.unwrap_or_default())
    }

    /// A balance before the first transaction.
    pub(crate) fn balance_at_start(&self, address: &Address) -> Result<U256, ReadError> {
        Ok(self.start.account(address)?.unwrap_or_default().balance)
    }
}

/// Mainnet's phases without the fee recipient's reward.
struct Feeless<'a>(std::marker::PhantomData<&'a ()>);

impl Default for Feeless<'_> {
    fn default() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<'a> Handler for Feeless<'a> {
    type Evm = Inner<'a>;
    type Error = EVMError<StateError>;
    type HaltReason = HaltReason;

    fn reward_beneficiary(&self, _: &mut Self::Evm, _: &mut FrameResult) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl InspectorHandler for Feeless<'_> {
    type IT = EthInterpreter;
}

impl Watch {
    /// Whether an account is empty decided something. It can only change in a block where the account was empty before.
    fn saw_emptiness(&mut self, context: &mut MainnetContext<Ledger<'_>>, address: Address) {
        let before = context.journaled_state.database.state.account(&address).ok().flatten();
        if before.is_none_or(|info| info == AccountInfo::default()) {
            self.looks.balances.insert(address);
            self.looks.nonces.insert(address);
        }
    }

    fn wei_left(&mut self, context: &mut MainnetContext<Ledger<'_>>, from: Address, wei: U256) {
        if wei.is_zero() {
            return;
        }
        let balance = context.journal_mut().evm_state().get(&from).map(|account| account.info.balance);
        if balance.is_some_and(|balance| balance < wei) {
            self.looks.balances.insert(from);
        }
        *self.looks.outflow.entry(from).or_default() += wei;
    }
}

fn top_address(interpreter: &Interpreter<EthInterpreter>, depth: usize) -> Option<Address> {
    interpreter.stack.peek(depth).ok().map(|word| Address::from_word(B256::from(word)))
}

impl<'a> Inspector<MainnetContext<Ledger<'a>>, EthInterpreter> for Watch {
    fn step(&mut self, interpreter: &mut Interpreter<EthInterpreter>, context: &mut MainnetContext<Ledger<'a>>) {
        let this = interpreter.input.target_address();
        match interpreter.bytecode.opcode() {
            opcode::BALANCE => self.looks.balances.extend(top_address(interpreter, 0)),
            opcode::SELFBALANCE => {
                self.looks.balances.insert(this);
            }
            opcode::EXTCODEHASH => {
                if let Some(address) = top_address(interpreter, 0) {
                    self.saw_emptiness(context, address);
                }
            }
            opcode::CALL => {
                let value = interpreter.stack.peek(2).unwrap_or_default();
                if let (Some(address), false) = (top_address(interpreter, 1), value.is_zero()) {
                    self.saw_emptiness(context, address);
                }
            }
            opcode::SELFDESTRUCT => {
                self.looks.balances.insert(this);
                if let Some(address) = top_address(interpreter, 0) {
                    self.saw_emptiness(context, address);
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, context: &mut MainnetContext<Ledger<'a>>, inputs: &mut CallInputs) -> Option<CallOutcome> {
        if matches!(inputs.scheme, CallScheme::Call | CallScheme::CallCode) {
            self.wei_left(context, inputs.caller, inputs.call_value());
        }
        None
    }

    fn create(&mut self, context: &mut MainnetContext<Ledger<'a>>, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.wei_left(context, inputs.caller(), inputs.value());
        // A transaction's own creation takes its address from the nonce it names; an inner one from the creator's.
        if context.journal_mut().depth() > 0 && matches!(inputs.scheme(), CreateScheme::Create) {
            self.looks.nonces.insert(inputs.caller());
        }
        None
    }
}

impl Database for Ledger<'_> {
    type Error = StateError;

    fn basic(&mut self, address: Address) -> Result<Option<EvmAccountInfo>, StateError> {
        Ok(self.state.account(&address)?.map(lean::evm_account))
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, StateError> {
        if let Some(code) = self.code.get(&code_hash) {
            return Ok(code.clone());
        }
        let code = lean::analyse(&self.state.code(code_hash)?.unwrap_or_default());
        self.code.insert(code_hash, code.clone());
        Ok(code)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        Ok(self.state.storage(&address, slot)?)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, StateError> {
        Ok(self.ancestors.get(&number).copied().unwrap_or_default())
    }
}
