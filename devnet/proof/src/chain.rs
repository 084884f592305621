//! A chain in memory: a state with the registry as genesis has it, and blocks that the node's executor runs under the
//! node's judge, one after the other.
//!
//! Signatures are not checked: that is the pool's step. Everything behind it is the node's own.

use std::{collections::BTreeMap, fmt, sync::Arc};

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEip7702, TxEnvelope};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, Signature, TxKind, U256, keccak256};
use parapet_executor::{Admission, BlockInput, Listing, Mode, Point, execute_block};
use parapet_judge::Judge;
use parapet_monitor::{Monitor, NoMonitor};
use parapet_registry::genesis_account;
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, BlockContext, ChainParams, Executed, ExecutionLimits, FlatState,
    GuardParams, Hardfork, REGISTRY, StateChanges, StateReader as _, Transaction,
};
use parapet_vm::{Engine, EngineSettings};

use crate::ProofError;

/// Highest gas limit of a transaction (EIP-7825).
pub(crate) const GAS_MAX: u64 = 16_777_216;
/// What accounts begin with, in wei: a million ether.
const ETHER_WEI: u128 = 1_000_000 * 1_000_000_000_000_000_000;
const CHAIN_ID: u64 = 31_337;
const BASE_FEE: u64 = 1_000_000_000;
const GAS_PRICE: u128 = 2_000_000_000;
const BLOCK_GAS: u64 = 1_000_000_000;
/// Seconds between blocks.
const BLOCK_SECONDS: u64 = 12;
/// Governs and guards the registry of this chain.
const GUARDIAN: Address = Address::repeat_byte(0x6a);

/// A transaction to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) from: Address,
    pub(crate) to: TxKind,
    pub(crate) value: U256,
    pub(crate) input: Bytes,
    /// A delegation that goes with it (EIP-7702).
    pub(crate) delegation: Option<SignedAuthorization>,
}

impl Call {
    /// Without value.
    pub(crate) const fn to(from: Address, to: Address, input: Bytes) -> Self {
        Self { from, to: TxKind::Call(to), value: U256::ZERO, input, delegation: None }
    }
}

/// The chain. A clone goes on by itself, with the same judge: what that keeps is named by the registry's content.
#[derive(Clone)]
pub(crate) struct Chain {
    params: ChainParams,
    state: FlatState,
    judge: Arc<Judge>,
    nonces: BTreeMap<Address, u64>,
    number: u64,
    timestamp: u64,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Chain {
    pub(crate) fn new() -> Result<Self, ProofError> {
        let engine = Engine::new(EngineSettings::default()).map_err(|error| ProofError::Engine(error.to_string()))?;
        let params = ChainParams {
            chain_id: CHAIN_ID,
            hardfork: Hardfork::Osaka,
            block_gas_limit: BLOCK_GAS,
            guards: GuardParams::default(),
            deposit_contract: ChainParams::MAINNET_DEPOSITS,
            limits: ExecutionLimits::ETHEREUM,
        };
        let mut chain = Self {
            params,
            state: FlatState::default(),
            judge: Arc::new(Judge::new(engine)),
            nonces: BTreeMap::new(),
            number: 0,
            timestamp: 1_770_000_000,
        };
        let (code, storage) = genesis_account(GUARDIAN, GUARDIAN);
        chain.put(REGISTRY, &code, storage);
        // From Prague on a block is not valid without these (EIP-7002, EIP-7251); here they answer nothing.
        for address in system_contracts() {
            chain.put(address, &[0], []);
        }
        Ok(chain)
    }

    fn put(&mut self, address: Address, code: &[u8], storage: impl IntoIterator<Item = (U256, U256)>) {
        let mut changes = StateChanges::default();
        let code_hash = keccak256(code);
        changes.code.insert(code_hash, Bytes::copy_from_slice(code));
        let info = AccountInfo { nonce: 1, balance: U256::ZERO, code_hash };
        let storage = storage.into_iter().collect();
        changes.accounts.insert(address, AccountChange { info: Some(info), wipe_storage: true, storage });
        self.state.apply(&changes);
    }

    /// Gives an account ether, unless the chain knows it.
    pub(crate) fn fund(&mut self, address: Address) {
        if self.info(address).is_none() {
            let info = AccountInfo { balance: U256::from(ETHER_WEI), ..AccountInfo::default() };
            self.set_info(address, info);
        }
    }

    fn info(&self, address: Address) -> Option<AccountInfo> {
        self.state.account(&address).expect("the state lies in memory")
    }

    fn set_info(&mut self, address: Address, info: AccountInfo) {
        let mut changes = StateChanges::default();
        changes.accounts.insert(address, AccountChange { info: Some(info), ..AccountChange::default() });
        self.state.apply(&changes);
    }

    /// In wei.
    pub(crate) fn balance(&self, address: Address) -> U256 {
        self.info(address).unwrap_or_default().balance
    }

    /// The nonce of an account's next transaction.
    pub(crate) fn nonce(&self, address: Address) -> u64 {
        self.nonces.get(&address).copied().unwrap_or_default()
    }

    /// The hash of an account's code.
    pub(crate) fn code_hash(&self, address: Address) -> B256 {
        self.info(address).map_or(KECCAK256_EMPTY, |info| info.code_hash)
    }

    /// What an account signs to delegate to a contract's code in somebody else's transaction.
    pub(crate) fn delegation(&self, account: Address, to: Address) -> Authorization {
        let nonce = self.info(account).unwrap_or_default().nonce;
        Authorization { chain_id: U256::from(CHAIN_ID), address: to, nonce }
    }

    /// Lets time pass.
    pub(crate) const fn wait(&mut self, seconds: u64) {
        self.timestamp += seconds;
    }

    /// What a call would answer, with nobody watching.
    pub(crate) fn view(&self, to: Address, input: Bytes) -> Result<Bytes, ProofError> {
        let from = Address::repeat_byte(0xca);
        let mut aside = self.clone();
        aside.fund(from);
        let executed = aside.run(&[Call::to(from, to, input)], &NoMonitor)?.0.remove(0);
        if executed.succeeded() {
            return Ok(executed.output);
        }
        Err(ProofError::Step { what: format!("asking {to}"), how: format!("{:?}", executed.destiny) })
    }

    /// One block of transactions, judged; goes on from it.
    pub(crate) fn block(&mut self, calls: &[Call]) -> Result<Vec<Executed>, ProofError> {
        let judge = Arc::clone(&self.judge);
        let (executed, changes) = self.run(calls, &*judge)?;
        self.state.apply(&changes);
        for call in calls {
            *self.nonces.entry(call.from).or_default() += 1;
            // Who delegates uses up a nonce, whatever becomes of the transaction.
            if let Some(account) = call.delegation.as_ref().and_then(|signed| signed.recover_authority().ok()) {
                *self.nonces.entry(account).or_default() += 1;
            }
        }
        self.number += 1;
        self.timestamp += BLOCK_SECONDS;
        Ok(executed)
    }

    /// A block of one transaction.
    pub(crate) fn send(&mut self, call: &Call) -> Result<Executed, ProofError> {
        Ok(self.block(std::slice::from_ref(call))?.remove(0))
    }

    /// The same for a sender that may be a contract: nobody has its key, so its code is put aside meanwhile.
    pub(crate) fn send_as(&mut self, call: &Call) -> Result<Executed, ProofError> {
        let Some(info) = self.info(call.from).filter(|info| info.code_hash != KECCAK256_EMPTY) else {
            return self.send(call);
        };
        let known = self.nonces.insert(call.from, info.nonce);
        let impersonated = AccountInfo { code_hash: KECCAK256_EMPTY, balance: U256::from(ETHER_WEI), ..info };
        self.set_info(call.from, impersonated);
        let executed = self.send(call);
        self.set_info(call.from, info);
        match known {
            Some(known) => self.nonces.insert(call.from, known),
            None => self.nonces.remove(&call.from),
        };
        executed
    }

    fn run(&self, calls: &[Call], monitor: &dyn Monitor) -> Result<(Vec<Executed>, StateChanges), ProofError> {
        let mut nonces = self.nonces.clone();
        let transactions: Vec<_> = calls.iter().map(|call| sign(call, &mut nonces)).collect();
        let context = BlockContext {
            number: self.number + 1,
            timestamp: self.timestamp,
            beneficiary: Address::repeat_byte(0xfe),
            gas_limit: self.params.block_gas_limit,
            base_fee: BASE_FEE,
            parent_beacon_block_root: Some(B256::ZERO),
            excess_blob_gas: Some(0),
            ..BlockContext::default()
        };
        let ancestors = Ancestors::new();
        let input = BlockInput {
            at: Point { params: &self.params, world: &self.state, ancestors: &ancestors, block: &context },
            transactions: &transactions,
            admission: Admission::Build,
            access_list: Listing::Ignore,
            deadline: None,
        };
        let block = execute_block(&input, monitor, Mode::Sequential);
        let block = block.map_err(|error| ProofError::Block(error.to_string()))?;
        if let Some(left) = block.left_out.first() {
            return Err(ProofError::Block(format!("transaction {} is left out: {}", left.candidate, left.reason)));
        }
        Ok((block.included.into_iter().map(|included| included.executed).collect(), block.changes))
    }
}

fn sign(call: &Call, nonces: &mut BTreeMap<Address, u64>) -> Transaction {
    let next = nonces.entry(call.from).or_default();
    let nonce = *next;
    *next += 1;
    let (gas_limit, max_fee_per_gas, max_priority_fee_per_gas) = (GAS_MAX, GAS_PRICE, GAS_PRICE);
    let (value, input, signature) = (call.value, call.input.clone(), Signature::test_signature());
    let envelope = match (&call.delegation, call.to) {
        (Some(signed), TxKind::Call(to)) => TxEnvelope::Eip7702(
            TxEip7702 {
                chain_id: CHAIN_ID,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                value,
                input,
                authorization_list: vec![signed.clone()],
                ..TxEip7702::default()
            }
            .into_signed(signature),
        ),
        (_, to) => TxEnvelope::Eip1559(
            TxEip1559 {
                chain_id: CHAIN_ID,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                value,
                input,
                ..TxEip1559::default()
            }
            .into_signed(signature),
        ),
    };
    Transaction::new_unchecked(envelope, call.from)
}

fn system_contracts() -> [Address; 2] {
    use alloy_primitives::address;
    [address!("00000961Ef480Eb55e80D19ad83579A64c007002"), address!("0000BBdDc7CE488642fb579F8B00f3a590007251")]
}
