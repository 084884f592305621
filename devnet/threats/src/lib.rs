//! A chain in miniature for attacks: a state with the registry as genesis has it, contracts, attached guards, and blocks
//! that follow each other.
//!
//! Invariant: every block is executed sequentially and in parallel, and once with everything recorded from the start, and
//! [`Chain::block`] panics unless all come to the same, so that no attack is judged differently by the number of threads, or
//! by when it meets whom it attacks.

pub mod code;
pub mod guard;
mod unlisted;

use std::num::NonZeroUsize;

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use parapet_executor::{Admission, BlockInput, Listing, Mode, Point, TxError, Workers, execute_block};
use parapet_judge::{DemotionRules, Judge};
use parapet_monitor::{Counts, Fork, Fuel, Mode as Acting, Monitor, Verdict};
use parapet_registry::{Attachment, RegistryImage, RegistryReader, genesis_account};
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, BlockContext, ChainParams, Destiny, Executed, ExecutedBlock,
    ExecutionLimits, FlatState, GuardParams, Hardfork, REGISTRY, RestingView, StateChanges, Transaction, Withdrawal,
};
use parapet_vm::{Engine, EngineSettings};
use unlisted::Unlisted;

/// Whoever sends, unless told otherwise.
pub const USER: Address = Address::repeat_byte(0x51);
/// The protocol that is guarded.
pub const VAULT: Address = Address::repeat_byte(0x11);
/// Owns the protocol.
pub const OWNER: Address = Address::repeat_byte(0x0e);
/// May pause.
pub const GUARDIAN: Address = Address::repeat_byte(0x6a);
/// Attacks.
pub const ATTACKER: Address = Address::repeat_byte(0xa7);
/// Gets the fees.
pub const MINER: Address = Address::repeat_byte(0xfe);
/// Highest gas limit of a transaction (EIP-7825).
pub const GAS_MAX: u64 = 16_777_216;

const CHAIN_ID: u64 = 31_337;
const BASE_FEE: u64 = 1_000_000_000;
const GAS_PRICE: u128 = 2_000_000_000;
/// Seconds between blocks.
const BLOCK_SECONDS: u64 = 12;

/// A transaction to be sent.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who sends.
    pub from: Address,
    /// Whom to.
    pub to: TxKind,
    /// Wei.
    pub value: u128,
    /// Calldata or init code.
    pub input: Bytes,
    /// Gas limit.
    pub gas_limit: u64,
}

impl Call {
    /// A call with plenty of gas.
    #[must_use]
    pub fn to(to: Address) -> Self {
        Self { from: USER, to: TxKind::Call(to), value: 0, input: Bytes::new(), gas_limit: 3_000_000 }
    }
}

/// A chain in miniature.
pub struct Chain {
    /// Parameters.
    pub params: ChainParams,
    state: FlatState,
    image: RegistryImage,
    judge: Box<dyn Monitor>,
    nonces: std::collections::BTreeMap<Address, u64>,
    number: u64,
    /// Of the next block, in seconds since 1970.
    pub timestamp: u64,
    /// Of the next block (EIP-4895).
    pub withdrawals: Vec<Withdrawal>,
    workers: Vec<Workers>,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

impl Chain {
    /// With the registry, and ether for everybody.
    ///
    /// # Panics
    /// Panics where the guard VM cannot start.
    #[must_use]
    pub fn new() -> Self {
        let engine = Engine::new(EngineSettings::default()).expect("the guard VM starts");
        let params = ChainParams {
            chain_id: CHAIN_ID,
            hardfork: Hardfork::Osaka,
            block_gas_limit: 60_000_000,
            guards: GuardParams::default(),
            deposit_contract: ChainParams::MAINNET_DEPOSITS,
            limits: ExecutionLimits::ETHEREUM,
        };
        let mut chain = Self {
            params,
            state: FlatState::default(),
            image: RegistryImage { guardian: GUARDIAN, governance: GUARDIAN, ..RegistryImage::default() },
            judge: Box::new(Judge::new(engine)),
            nonces: Default::default(),
            number: 0,
            timestamp: 1_000_000,
            withdrawals: Vec::new(),
            workers: [1, 2, 4].map(|threads| Workers::new(NonZeroUsize::new(threads).expect("not zero"))).into(),
        };
        let (code, storage) = genesis_account(GUARDIAN, GUARDIAN);
        chain.put(REGISTRY, &code, storage);
        for address in [USER, OWNER, GUARDIAN, ATTACKER, MINER] {
            chain.put(address, &[], []);
        }
        // From Prague on a block is not valid without these; here they answer nothing.
        for address in system_contracts() {
            chain.put(address, &[0], []);
        }
        chain
    }

    /// Places an account: ether for everybody, code and storage as given.
    pub fn put(&mut self, address: Address, code: &[u8], storage: impl IntoIterator<Item = (U256, U256)>) {
        let mut changes = StateChanges::default();
        let code_hash = keccak256(code);
        changes.code.insert(code_hash, Bytes::copy_from_slice(code));
        let nonce = u64::from(!code.is_empty());
        let info = AccountInfo { nonce, balance: U256::from(10_u128.pow(24)), code_hash };
        let storage = storage.into_iter().collect();
        changes.accounts.insert(address, AccountChange { info: Some(info), wipe_storage: true, storage });
        self.state.apply(&changes);
    }

    /// Attaches a guard: enforcing, closed, with a million fuel. The attachment may be changed before the next block.
    pub fn attach(&mut self, module: &Bytes, accounts: &[Address]) -> &mut Attachment {
        let hash = keccak256(module);
        if !self.image.modules.contains(module) {
            self.image.register(module.clone());
        }
        let number = self.image.attachments.len() as u64 + 1;
        self.image.attachments.push(Attachment {
            id: B256::from(U256::from(number)),
            module: hash,
            mode: Some(Acting::Enforce),
            fuel_max: Fuel(1_000_000),
            accounts: accounts.to_vec(),
            ..Attachment::default()
        });
        self.image.attachments.last_mut().expect("pushed above")
    }

    /// Gives the guardian's office to another account, from the next settling of attachments on.
    pub fn appoint(&mut self, guardian: Address) {
        self.image.guardian = guardian;
    }

    /// Demotes by other rules.
    ///
    /// # Panics
    /// Panics where the guard VM cannot start.
    pub fn demote_by(&mut self, rules: DemotionRules) {
        let engine = Engine::new(EngineSettings::default()).expect("the guard VM starts");
        self.judge = Box::new(Judge::new(engine).demoting(rules));
    }

    /// The same state, with nothing attached and nobody having sent anything.
    ///
    /// # Panics
    /// Panics where the guard VM cannot start.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self { state: self.state.clone(), params: self.params, ..Self::new() }
    }

    /// Writes what was attached to the registry, as if transactions had done it.
    pub fn settle_attachments(&mut self) {
        let mut accounts = parapet_monitor::MemoryAccounts::new();
        self.image.write(&mut accounts);
        let (code, _) = genesis_account(GUARDIAN, GUARDIAN);
        for (address, account) in accounts {
            let code = if address == REGISTRY { &code } else { &account.code };
            self.put(address, code, account.storage);
        }
    }

    /// Watches with another monitor.
    pub fn watch_with(&mut self, wrap: impl FnOnce(Box<dyn Monitor>) -> Box<dyn Monitor>) {
        let judge = std::mem::replace(&mut self.judge, Box::new(parapet_monitor::NoMonitor));
        self.judge = wrap(judge);
    }

    /// A storage word.
    ///
    /// # Panics
    /// Never: the state lies in memory.
    #[must_use]
    pub fn storage(&self, address: Address, slot: U256) -> U256 {
        use parapet_types::StateReader as _;
        self.state.storage(&address, slot).expect("in memory")
    }

    /// A balance, in wei.
    ///
    /// # Panics
    /// Never: the state lies in memory.
    #[must_use]
    pub fn balance(&self, address: Address) -> U256 {
        use parapet_types::StateReader as _;
        self.state.account(&address).expect("in memory").unwrap_or_default().balance
    }

    /// What is counted of an attachment.
    ///
    /// # Panics
    /// Never: the state lies in memory.
    #[must_use]
    pub fn counts(&self, attachment: B256) -> Counts {
        self.judge.counts(attachment, self.number + 1, &mut self.view()).expect("in memory")
    }

    /// An attachment as the registry has it.
    ///
    /// # Panics
    /// Panics when the registry cannot be read.
    #[must_use]
    pub fn attachment(&self, id: B256) -> Option<Attachment> {
        RegistryReader::new(&mut self.view(), Fork::Now).attachment(id).expect("it is whole")
    }

    const fn view(&self) -> RestingView<'_> {
        RestingView(&self.state)
    }

    /// The state, for simulations.
    #[must_use]
    pub const fn state(&self) -> &FlatState {
        &self.state
    }

    /// What judges.
    #[must_use]
    pub fn monitor(&self) -> &dyn Monitor {
        &*self.judge
    }

    /// What the next block fixes.
    #[must_use]
    pub fn context(&self) -> BlockContext {
        BlockContext {
            number: self.number + 1,
            timestamp: self.timestamp,
            beneficiary: MINER,
            gas_limit: self.params.block_gas_limit,
            base_fee: BASE_FEE,
            parent_beacon_block_root: Some(B256::ZERO),
            excess_blob_gas: Some(0),
            withdrawals: self.withdrawals.clone(),
            ..BlockContext::default()
        }
    }

    /// Executes one block in every mode and goes on from it.
    ///
    /// # Panics
    /// Panics when a mode comes to something else, or the block cannot be executed.
    pub fn block(&mut self, calls: &[Call]) -> ExecutedBlock<TxError> {
        let mut nonces = self.nonces.clone();
        let transactions: Vec<_> = calls.iter().map(|call| sign(call, &mut nonces)).collect();
        let context = self.context();
        let ancestors = Ancestors::new();
        let input = BlockInput {
            at: Point { params: &self.params, world: &self.state, ancestors: &ancestors, block: &context },
            transactions: &transactions,
            admission: Admission::Build,
            access_list: Listing::Ignore,
            deadline: None,
        };
        let block = execute_block(&input, &*self.judge, Mode::Sequential).expect("the block can be executed");
        let recorded = execute_block(&input, &Unlisted(&*self.judge), Mode::Sequential).expect("recorded, too");
        assert_eq!(plain(&recorded), plain(&block), "with everything recorded");
        for workers in &self.workers {
            let other = execute_block(&input, &*self.judge, Mode::Parallel(workers)).expect("in parallel, too");
            assert_eq!(plain(&other), plain(&block), "with {} threads", workers.threads());
        }
        self.state.apply(&block.changes);
        for included in &block.included {
            *self.nonces.entry(transactions[included.candidate].signer()).or_default() += 1;
        }
        self.number += 1;
        self.timestamp += BLOCK_SECONDS;
        self.withdrawals.clear();
        block
    }

    /// Executes one transaction in a block of its own.
    ///
    /// # Panics
    /// Panics when it is left out.
    pub fn send(&mut self, call: &Call) -> Executed {
        let block = self.block(std::slice::from_ref(call));
        assert!(block.left_out.is_empty(), "it is left out: {:?}", block.left_out);
        block.included.into_iter().next().expect("it is in the block").executed
    }
}

/// Whoever sends one of many transactions: each number is another account, which [`Chain::put`] gives ether.
#[must_use]
pub fn one_of_many(number: u16) -> Address {
    let mut address = [0x99; 20];
    address[18..].copy_from_slice(&number.to_be_bytes());
    address.into()
}

/// The engine's or the guard's code of a veto; `None` for a transaction that was not vetoed.
#[must_use]
pub fn veto_code(executed: &Executed) -> Option<u16> {
    match &executed.destiny {
        Destiny::Vetoed { code, .. } => Some(*code),
        Destiny::Succeeded | Destiny::Reverted | Destiny::Halted { .. } => None,
    }
}

/// All of a block that is part of the chain.
fn plain(block: &ExecutedBlock<TxError>) -> impl PartialEq + std::fmt::Debug {
    let untimed = |verdicts: &[Verdict]| -> Vec<_> {
        verdicts.iter().map(|verdict| Verdict { elapsed_ns: 0, ..verdict.clone() }).collect()
    };
    let timeless = |executed: &Executed| Executed { verdicts: untimed(&executed.verdicts), ..executed.clone() };
    let acts: Vec<_> = block.chain_acts.iter().map(|judged| (judged.act, untimed(&judged.verdicts))).collect();
    let included = block.included.iter();
    let included: Vec<_> =
        included.map(|included| (included.candidate, timeless(&included.executed), included.receipt.clone())).collect();
    let left_out = block.left_out.iter();
    let left_out: Vec<_> = left_out.map(|left| (left.candidate, left.reason.to_string())).collect();
    (included, left_out, block.changes.clone(), block.gas_used, acts)
}

fn sign(call: &Call, nonces: &mut std::collections::BTreeMap<Address, u64>) -> Transaction {
    let next = nonces.entry(call.from).or_default();
    let tx = TxEip1559 {
        chain_id: CHAIN_ID,
        nonce: *next,
        gas_limit: call.gas_limit,
        max_fee_per_gas: GAS_PRICE,
        max_priority_fee_per_gas: GAS_PRICE,
        to: call.to,
        value: U256::from(call.value),
        input: call.input.clone(),
        ..TxEip1559::default()
    };
    *next += 1;
    Transaction::new_unchecked(TxEnvelope::Eip1559(tx.into_signed(Signature::test_signature())), call.from)
}

/// EIP-7002 and EIP-7251.
fn system_contracts() -> [Address; 2] {
    use alloy_primitives::address;
    [address!("00000961Ef480Eb55e80D19ad83579A64c007002"), address!("0000BBdDc7CE488642fb579F8B00f3a590007251")]
}
