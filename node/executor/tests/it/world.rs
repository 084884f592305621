//! A world of hand-assembled contracts, and monitors made of closures.

use std::sync::{Arc, Mutex};

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope, transaction::Recovered};
use alloy_eips::{eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use parapet_abi::{ContextRecord, TX_TYPE_CHAIN};
use parapet_executor::{Admission, BlockInput, Listing, Mode, Point, TxError, execute_block};
use parapet_monitor::{
    Allowance, BlockEnd, Closing, Decision, Fault, FuelSpent, Judgement, Judging, Monitor, StateUpdate, StateView,
    Subscriptions, Trace, Verdict, Veto,
};
use parapet_state::WorldState;
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, BlockContext, ChainParams, ExecutedBlock, ExecutionLimits, GuardParams,
    Hardfork, StateChanges, Transaction,
};

pub(crate) const SENDER: Address = Address::repeat_byte(0x51);
pub(crate) const MINER: Address = Address::repeat_byte(0xfe);
pub(crate) const ONE: Address = Address::repeat_byte(0x01);
pub(crate) const TWO: Address = Address::repeat_byte(0x02);
pub(crate) const ETHER: u128 = 1_000_000_000_000_000_000;
pub(crate) const GAS_PRICE: u128 = 2_000_000_000;

pub(crate) fn params() -> ChainParams {
    ChainParams {
        chain_id: 31_337,
        hardfork: Hardfork::Osaka,
        block_gas_limit: 30_000_000,
        guards: GuardParams::default(),
        deposit_contract: ChainParams::MAINNET_DEPOSITS,
        limits: ExecutionLimits::ETHEREUM,
    }
}

/// A world in which `SENDER` has 100 ether and each contract 1 ether.
pub(crate) fn world(contracts: &[(Address, Vec<u8>)]) -> WorldState {
    let mut changes = StateChanges::default();
    let rich = AccountInfo { balance: U256::from(100 * ETHER), ..AccountInfo::default() };
    changes.accounts.insert(SENDER, AccountChange { info: Some(rich), ..AccountChange::default() });
    // From Prague on a block is not valid without these; here they answer nothing.
    let quiet = [WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS];
    let quiet = quiet.map(|address| (address, asm::STOP.to_vec()));
    for (address, code) in contracts.iter().chain(&quiet) {
        let code_hash = keccak256(code);
        changes.code.insert(code_hash, Bytes::from(code.clone()));
        let info = AccountInfo { nonce: 1, balance: U256::from(ETHER), code_hash };
        changes.accounts.insert(*address, AccountChange { info: Some(info), ..AccountChange::default() });
    }
    WorldState::of(&changes)
}

pub(crate) fn block() -> BlockContext {
    BlockContext {
        number: 1,
        timestamp: 1_000,
        beneficiary: MINER,
        gas_limit: 30_000_000,
        base_fee: 1_000_000_000,
        parent_beacon_block_root: Some(B256::ZERO),
        excess_blob_gas: Some(0),
        ..BlockContext::default()
    }
}

pub(crate) fn transaction(nonce: u64, to: TxKind, value: u128, input: &[u8]) -> Transaction {
    let tx = TxEip1559 {
        chain_id: 31_337,
        nonce,
        gas_limit: 1_000_000,
        max_fee_per_gas: GAS_PRICE,
        max_priority_fee_per_gas: GAS_PRICE,
        to,
        value: U256::from(value),
        input: Bytes::copy_from_slice(input),
        ..TxEip1559::default()
    };
    Recovered::new_unchecked(TxEnvelope::Eip1559(tx.into_signed(Signature::test_signature())), SENDER)
}

/// The same transaction as another account sends it, without a signature.
pub(crate) fn unsigned(transaction: &Transaction, sender: Address) -> Transaction {
    let TxEnvelope::Eip1559(signed) = transaction.inner() else { unreachable!("`transaction` makes no other") };
    parapet_types::unsigned_transaction(signed.tx().clone().into(), sender)
}

/// The same transaction with another gas limit.
pub(crate) fn with_gas_limit(transaction: &Transaction, gas_limit: u64) -> Transaction {
    let TxEnvelope::Eip1559(signed) = transaction.inner() else { unreachable!("`transaction` makes no other") };
    let tx = TxEip1559 { gas_limit, ..signed.tx().clone() };
    Recovered::new_unchecked(TxEnvelope::Eip1559(tx.into_signed(Signature::test_signature())), transaction.signer())
}

pub(crate) fn execute(
    world: &WorldState,
    transactions: &[Transaction],
    monitor: &dyn Monitor,
) -> ExecutedBlock<TxError> {
    execute_in(&block(), world, transactions, monitor)
}

pub(crate) fn execute_in(
    block: &BlockContext,
    world: &WorldState,
    transactions: &[Transaction],
    monitor: &dyn Monitor,
) -> ExecutedBlock<TxError> {
    let at = Point { params: &params(), world, ancestors: &Ancestors::new(), block };
    let input =
        BlockInput { at, transactions, admission: Admission::Build, access_list: Listing::Ignore, deadline: None };
    execute_block(&input, monitor, Mode::Sequential).unwrap()
}

pub(crate) mod asm {
    use super::Address;

    /// `CALL(to, value)` with all gas, no input, no output; leaves the success flag on the stack.
    pub(crate) fn call(to: Address, value: u64) -> Vec<u8> {
        let mut code = vec![0x5f, 0x5f, 0x5f, 0x5f, 0x67];
        code.extend(value.to_be_bytes());
        code.push(0x73);
        code.extend(to);
        code.extend([0x5a, 0xf1]);
        code
    }

    pub(crate) fn sstore(slot: u8, value: u8) -> Vec<u8> {
        vec![0x60, value, 0x60, slot, 0x55]
    }

    pub(crate) fn log0() -> Vec<u8> {
        vec![0x5f, 0x5f, 0xa0]
    }

    pub(crate) const POP: [u8; 1] = [0x50];
    pub(crate) const STOP: [u8; 1] = [0x00];
    pub(crate) const REVERT: [u8; 3] = [0x5f, 0x5f, 0xfd];

    pub(crate) fn selfdestruct(heir: Address) -> Vec<u8> {
        let mut code = vec![0x73];
        code.extend(heir);
        code.push(0xff);
        code
    }

    pub(crate) fn join(parts: &[&[u8]]) -> Vec<u8> {
        parts.concat()
    }
}

/// What a test's monitor does at each hook.
pub(crate) type Hook = Box<dyn Fn(&Trace, u32, &mut dyn StateView) -> Result<Decision, Fault> + Send + Sync>;

pub(crate) struct Scripted {
    pub(crate) subscriptions: Subscriptions,
    pub(crate) on_call: Hook,
    pub(crate) on_call_end: Hook,
    pub(crate) on_tx: Hook,
    pub(crate) admit: Box<dyn Fn() -> Result<Decision, Fault> + Send + Sync>,
    pub(crate) updates: Vec<StateUpdate>,
    /// What is counted whatever becomes of the transaction.
    pub(crate) tallies: Vec<StateUpdate>,
    /// What is to be done when the block's transactions have run.
    pub(crate) at_end: BlockEnd,
    pub(crate) verdicts: Vec<Verdict>,
    /// Whether it watches what the chain itself does.
    pub(crate) sees_chain: bool,
    /// Whether it has something to say at the end.
    pub(crate) stirs: bool,
    /// What its guards have spent at any time.
    pub(crate) spent: FuelSpent,
    /// What they were allowed to spend, hook by hook.
    pub(crate) allowed: Arc<Mutex<Vec<Allowance>>>,
    /// The last trace that `on_tx` saw.
    pub(crate) seen: Arc<Mutex<Option<Trace>>>,
}

impl Default for Scripted {
    fn default() -> Self {
        let proceed = || -> Hook { Box::new(|_, _, _| Ok(Decision::Proceed)) };
        Self {
            subscriptions: Subscriptions::NONE,
            on_call: proceed(),
            on_call_end: proceed(),
            on_tx: proceed(),
            admit: Box::new(|| Ok(Decision::Proceed)),
            updates: Vec::new(),
            tallies: Vec::new(),
            at_end: BlockEnd::default(),
            verdicts: Vec::new(),
            sees_chain: false,
            stirs: true,
            spent: FuelSpent::default(),
            allowed: Arc::default(),
            seen: Arc::default(),
        }
    }
}

pub(crate) fn veto() -> Veto {
    Veto { guard: TWO, attachment: B256::repeat_byte(7), code: 42, detail: Bytes::from_static(b"no") }
}

impl Monitor for Scripted {
    fn open(&self, context: &ContextRecord, _: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        if (context.tx_type == TX_TYPE_CHAIN) != self.sees_chain {
            return Ok(None);
        }
        Ok(Some(Box::new(Judge(self))))
    }

    fn admit(
        &self,
        _: &ContextRecord,
        _: Allowance,
        _: &mut dyn StateView,
    ) -> Result<parapet_monitor::Examination, Fault> {
        (self.admit)().map(parapet_monitor::Examination::from)
    }

    fn end_block(&self, context: &ContextRecord, view: &mut dyn StateView) -> Result<BlockEnd, Fault> {
        assert_eq!(context.tx_type, TX_TYPE_CHAIN);
        assert!(view.is_settled());
        Ok(self.at_end.clone())
    }
}

struct Judge<'a>(&'a Scripted);

impl Judging for Judge<'_> {
    fn subscriptions(&self) -> Subscriptions {
        self.0.subscriptions
    }

    fn allow(&mut self, allowance: Allowance) {
        self.0.allowed.lock().unwrap().push(allowance);
    }

    fn spent(&self) -> FuelSpent {
        self.0.spent
    }

    fn on_call(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        (self.0.on_call)(trace, frame, view)
    }

    fn on_call_end(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        (self.0.on_call_end)(trace, frame, view)
    }

    fn stirs(&mut self, _: &mut dyn Closing) -> bool {
        self.0.stirs
    }

    fn on_tx(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<Decision, Fault> {
        *self.0.seen.lock().unwrap() = Some(trace.clone());
        (self.0.on_tx)(trace, 0, view)
    }

    fn close(self: Box<Self>) -> Judgement {
        Judgement {
            verdicts: self.0.verdicts.clone(),
            updates: self.0.updates.clone(),
            tallies: self.0.tallies.clone(),
        }
    }
}
