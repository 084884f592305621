//! From a scenario to what the executor takes.

use std::collections::BTreeMap;

use alloy_consensus::{
    SignableTransaction as _, TxEip1559, TxEip2930, TxEip4844, TxEip4844Variant, TxEip7702, TxEnvelope, TxLegacy,
    transaction::Recovered,
};
use alloy_eips::{
    eip2930::{AccessList, AccessListItem},
    eip7702::{self, SignedAuthorization},
};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use parapet_executor::{Admission, BlockInput, Deadline, Listing, Point};
use parapet_monitor::Fuel;
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, BlockContext, ChainParams, ExecutionLimits, FlatState, GuardParams,
    Hardfork, StateChanges, StateReader, Transaction, Withdrawal,
};

use crate::{
    Account, Argument, Authorization, Body, Candidate, ChainChoice, Destination, Envelope, NonceChoice, Place, Resolve,
    Scenario, System,
    cast::{authorize, slot_key},
    compile::{child_init_code, compile},
};

/// The chain all blocks are of.
pub const CHAIN_ID: u64 = 31_337;
/// Number of the block; what is below it has hashes.
const BLOCK_NUMBER: u64 = 100;
/// Its base fee, in wei per gas.
pub(crate) const BASE_FEE: u64 = 7;
/// Contracts without which a block fails (EIP-7002, EIP-7251).
const ASKED: [System; 2] = [System::Withdrawals, System::Consolidations];
/// Code that returns nothing: STOP.
const SILENCE: [u8; 1] = [0];
/// What begins the code of a delegated account (EIP-7702).
const DELEGATION: [u8; 3] = [0xef, 0x01, 0x00];

/// A scenario as the executor takes it.
#[derive(Clone, Debug)]
pub struct Realised {
    /// The chain's parameters.
    pub params: ChainParams,
    /// State below the block.
    pub state: FlatState,
    /// What [`Realised::state`] was made of.
    pub genesis: StateChanges,
    /// Hashes for BLOCKHASH.
    pub ancestors: Ancestors,
    /// The header's part.
    pub block: BlockContext,
    /// Candidates.
    pub transactions: Vec<Transaction>,
    /// What becomes of those that cannot be included.
    pub admission: Admission,
    /// When the block must be finished, if ever.
    pub cut: Option<Cut>,
    children: Children,
}

impl Realised {
    /// The block as the executor's input, on a reader of the state below it.
    pub fn input<'a>(&'a self, world: &'a dyn StateReader) -> BlockInput<'a> {
        BlockInput {
            at: Point { params: &self.params, world, ancestors: &self.ancestors, block: &self.block },
            transactions: &self.transactions,
            admission: self.admission,
            access_list: Listing::Ignore,
            deadline: self.cut.as_ref().map(|cut| cut as &dyn Deadline),
        }
    }

    /// Address of a place.
    #[must_use]
    pub fn address(&self, place: Place) -> Address {
        self.children.address(place)
    }

    /// The same block with only those candidates, all of which must be included.
    #[must_use]
    pub fn imported(&self, candidates: &[usize]) -> Self {
        let transactions = candidates.iter().filter_map(|index| self.transactions.get(*index).cloned()).collect();
        Self { transactions, admission: Admission::Import, cut: None, ..self.clone() }
    }
}

/// A deadline that passes when it is a candidate's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut(pub usize);

impl Deadline for Cut {
    fn has_passed(&self, candidate: usize) -> bool {
        candidate >= self.0
    }
}

/// Code of a scenario's children.
#[derive(Clone, Debug, Default)]
struct Children {
    init_codes: Vec<Vec<u8>>,
    runtimes: Vec<Vec<u8>>,
}

impl Resolve for Children {
    fn address(&self, place: Place) -> Address {
        if let Some(address) = place.fixed_address() {
            return address;
        }
        let Place::Child { factory, salt, child } = place else { return Address::ZERO };
        let factory = self.address(Place::Contract(factory));
        factory.create2(B256::from(U256::from(salt)), keccak256(self.init_code(child)))
    }

    fn init_code(&self, child: u8) -> &[u8] {
        self.init_codes.get(usize::from(child)).map_or(&[], Vec::as_slice)
    }
}

impl Children {
    fn of(scenario: &Scenario) -> Self {
        // While children are compiled, none of them is known: they do not name each other.
        let nobody = Self::default();
        let runtimes: Vec<_> = scenario.children.iter().map(|child| compile(&child.runtime, &nobody)).collect();
        let both = scenario.children.iter().zip(&runtimes);
        let init_codes = both.map(|(child, runtime)| child_init_code(&child.constructor, runtime, &nobody)).collect();
        Self { init_codes, runtimes }
    }

    fn code(&self, body: &Body) -> Vec<u8> {
        match body {
            Body::Empty => Vec::new(),
            Body::Program(acts) => compile(acts, self),
            Body::Runtime(child) => self.runtimes.get(usize::from(*child)).cloned().unwrap_or_default(),
            Body::Delegation(to) => [DELEGATION.as_slice(), self.address(*to).as_slice()].concat(),
        }
    }

    fn write(&self, account: &Account, genesis: &mut StateChanges) {
        let code = self.code(&account.body);
        let code_hash = keccak256(&code);
        if !code.is_empty() {
            genesis.code.insert(code_hash, Bytes::from(code));
        }
        let info = AccountInfo { nonce: account.nonce, balance: U256::from(account.balance), code_hash };
        let held = account.storage.iter().filter(|(_, value)| *value != 0);
        let storage = held.map(|(slot, value)| (slot_key(*slot), U256::from(*value))).collect();
        let change = AccountChange { info: Some(info), wipe_storage: false, storage };
        genesis.accounts.insert(self.address(account.place), change);
    }
}

/// Puts a contract that the chain asks where the scenario may have none: it has nothing to say.
fn write_asked(system: System, genesis: &mut StateChanges) {
    let code = Bytes::from_static(&SILENCE);
    let code_hash = keccak256(&code);
    genesis.code.insert(code_hash, code);
    let info = AccountInfo { nonce: 1, balance: U256::ZERO, code_hash };
    genesis.accounts.insert(system.address(), AccountChange { info: Some(info), ..AccountChange::default() });
}

impl Scenario {
    /// Makes it real.
    #[must_use]
    pub fn realise(&self) -> Realised {
        let children = Children::of(self);
        let mut genesis = StateChanges::default();
        if self.hardfork >= Hardfork::Prague {
            ASKED.into_iter().for_each(|system| write_asked(system, &mut genesis));
        }
        self.accounts.iter().for_each(|account| children.write(account, &mut genesis));
        let mut nonces = Nonces::of(self);
        let candidates = (0..).zip(&self.transactions);
        let transactions = candidates.map(|(index, tx)| transaction(index, tx, &children, &mut nonces)).collect();
        Realised {
            params: ChainParams {
                chain_id: CHAIN_ID,
                hardfork: self.hardfork,
                block_gas_limit: self.gas_limit,
                guards: GuardParams { block_fuel_max: Fuel(self.fuel_max), ..GuardParams::default() },
                deposit_contract: ChainParams::MAINNET_DEPOSITS,
                limits: ExecutionLimits::ETHEREUM,
            },
            state: FlatState::from(&genesis),
            genesis,
            ancestors: (1..BLOCK_NUMBER).map(|number| (number, keccak256(number.to_be_bytes()))).collect(),
            block: self.context(&children),
            transactions,
            admission: self.admission,
            cut: self.deadline.map(Cut),
            children,
        }
    }

    fn context(&self, children: &Children) -> BlockContext {
        let cancun = self.hardfork >= Hardfork::Cancun;
        let withdrawals = self.withdrawals.iter().enumerate().map(|(index, payout)| Withdrawal {
            index: index as u64,
            validator_index: index as u64,
            address: children.address(payout.to),
            amount: payout.gwei,
        });
        let shanghai = self.hardfork >= Hardfork::Shanghai;
        BlockContext {
            number: BLOCK_NUMBER,
            timestamp: 1_800_000_000,
            beneficiary: children.address(self.beneficiary),
            gas_limit: self.gas_limit,
            base_fee: BASE_FEE,
            prev_randao: keccak256(b"randao"),
            parent_hash: keccak256((BLOCK_NUMBER - 1).to_be_bytes()),
            parent_beacon_block_root: cancun.then(|| keccak256(b"beacon root")),
            excess_blob_gas: cancun.then_some(0),
            withdrawals: withdrawals.filter(|_| shanghai).collect(),
        }
    }
}

/// The next nonce of each account, if everything before it was included and every authorization held.
struct Nonces(BTreeMap<Place, u64>);

impl Nonces {
    fn of(scenario: &Scenario) -> Self {
        Self(scenario.accounts.iter().map(|account| (account.place, account.nonce)).collect())
    }

    fn take(&mut self, place: Place, choice: NonceChoice) -> u64 {
        let next = self.0.entry(place).or_default();
        match choice {
            NonceChoice::Next => {
                *next += 1;
                *next - 1
            }
            NonceChoice::Again => next.saturating_sub(1),
            NonceChoice::Ahead => *next + 1,
        }
    }
}

fn transaction(index: u64, tx: &Candidate, children: &Children, nonces: &mut Nonces) -> Transaction {
    let nonce = nonces.take(tx.sender, tx.nonce);
    let sender = children.address(tx.sender);
    let envelope = Parts { tx, children, nonce, index }.envelope(nonces);
    Recovered::new_unchecked(envelope, sender)
}

/// A transaction's fields, ready for whichever type.
struct Parts<'a> {
    tx: &'a Candidate,
    children: &'a Children,
    nonce: u64,
    /// Among the block's candidates.
    index: u64,
}

impl Parts<'_> {
    fn envelope(&self, nonces: &mut Nonces) -> TxEnvelope {
        // Nobody looks at it but the transaction's hash, which is thereby like no other.
        let signature = Signature::new(U256::from(self.index + 1), U256::ONE, false);
        let tx = self.tx;
        if !tx.authorizations.is_empty() {
            return TxEnvelope::Eip7702(self.set_code(nonces).into_signed(signature));
        }
        match tx.envelope {
            Envelope::Legacy => TxEnvelope::Legacy(self.legacy().into_signed(signature)),
            Envelope::AccessList => TxEnvelope::Eip2930(self.access_list_tx().into_signed(signature)),
            Envelope::Dynamic => TxEnvelope::Eip1559(self.dynamic().into_signed(signature)),
            Envelope::Blobs(count) => {
                let tx = TxEip4844Variant::TxEip4844(self.blobs(count));
                TxEnvelope::Eip4844(tx.into_signed(signature))
            }
        }
    }

    fn legacy(&self) -> TxLegacy {
        TxLegacy {
            chain_id: Some(CHAIN_ID),
            nonce: self.nonce,
            gas_price: u128::from(self.tx.price.max),
            gas_limit: self.tx.gas_limit,
            to: self.kind(),
            value: U256::from(self.tx.value),
            input: self.input(),
        }
    }

    fn access_list_tx(&self) -> TxEip2930 {
        TxEip2930 {
            chain_id: CHAIN_ID,
            nonce: self.nonce,
            gas_price: u128::from(self.tx.price.max),
            gas_limit: self.tx.gas_limit,
            to: self.kind(),
            value: U256::from(self.tx.value),
            access_list: self.access_list(),
            input: self.input(),
        }
    }

    fn dynamic(&self) -> TxEip1559 {
        TxEip1559 {
            chain_id: CHAIN_ID,
            nonce: self.nonce,
            gas_limit: self.tx.gas_limit,
            max_fee_per_gas: u128::from(self.tx.price.max),
            max_priority_fee_per_gas: u128::from(self.tx.price.tip),
            to: self.kind(),
            value: U256::from(self.tx.value),
            access_list: self.access_list(),
            input: self.input(),
        }
    }

    fn blobs(&self, count: u8) -> TxEip4844 {
        let hash = |index: u8| {
            let mut hash = keccak256([index]);
            hash.0[0] = 1;
            hash
        };
        TxEip4844 {
            chain_id: CHAIN_ID,
            nonce: self.nonce,
            gas_limit: self.tx.gas_limit,
            max_fee_per_gas: u128::from(self.tx.price.max),
            max_priority_fee_per_gas: u128::from(self.tx.price.tip),
            to: self.to(),
            value: U256::from(self.tx.value),
            access_list: self.access_list(),
            blob_versioned_hashes: (0..count).map(hash).collect(),
            max_fee_per_blob_gas: 3,
            input: self.input(),
        }
    }

    fn set_code(&self, nonces: &mut Nonces) -> TxEip7702 {
        let authorizations = self.tx.authorizations.iter();
        TxEip7702 {
            chain_id: CHAIN_ID,
            nonce: self.nonce,
            gas_limit: self.tx.gas_limit,
            max_fee_per_gas: u128::from(self.tx.price.max),
            max_priority_fee_per_gas: u128::from(self.tx.price.tip),
            to: self.to(),
            value: U256::from(self.tx.value),
            access_list: self.access_list(),
            authorization_list: authorizations.map(|unsigned| self.authorization(*unsigned, nonces)).collect(),
            input: self.input(),
        }
    }

    fn authorization(&self, wanted: Authorization, nonces: &mut Nonces) -> SignedAuthorization {
        let chain_id = match wanted.chain {
            ChainChoice::This => CHAIN_ID,
            ChainChoice::Any => 0,
            ChainChoice::Other => CHAIN_ID + 1,
        };
        let holds = wanted.chain != ChainChoice::Other && !wanted.forged;
        let place = Place::Authority(wanted.authority % crate::AUTHORITIES);
        // One that cannot hold takes no nonce.
        let choice = if holds { wanted.nonce } else { NonceChoice::Again };
        let unsigned = eip7702::Authorization {
            chain_id: U256::from(chain_id),
            address: wanted.delegate.map_or(Address::ZERO, |place| self.children.address(place)),
            nonce: nonces.take(place, choice),
        };
        let signed = authorize(wanted.authority, unsigned.clone());
        if !wanted.forged {
            return signed;
        }
        let other = eip7702::Authorization { nonce: unsigned.nonce.wrapping_add(1), ..unsigned };
        SignedAuthorization::new_unchecked(other, signed.y_parity(), signed.r(), signed.s())
    }

    fn kind(&self) -> TxKind {
        match self.tx.to {
            Destination::To(place) => TxKind::Call(self.children.address(place)),
            Destination::Create(_) => TxKind::Create,
        }
    }

    /// For types that cannot create: what would be created is called instead.
    fn to(&self) -> Address {
        self.kind().to().copied().unwrap_or_default()
    }

    fn input(&self) -> Bytes {
        if let (Destination::Create(child), true) = (self.tx.to, self.kind().is_create()) {
            return Bytes::copy_from_slice(self.children.init_code(child));
        }
        if self.tx.arguments.is_empty() {
            return Bytes::new();
        }
        let mut input = vec![0, 0, 0, self.tx.selector];
        for argument in &self.tx.arguments {
            input.extend(match argument {
                Argument::Number(number) => U256::from(*number).to_be_bytes(),
                Argument::Key(slot) => slot_key(*slot).to_be_bytes(),
                Argument::Address(place) => self.children.address(*place).into_word().0,
            });
        }
        input.into()
    }

    fn access_list(&self) -> AccessList {
        let item = |(place, slots): &(Place, Vec<u8>)| AccessListItem {
            address: self.children.address(*place),
            storage_keys: slots.iter().map(|slot| B256::from(slot_key(*slot))).collect(),
        };
        AccessList(self.tx.access_list.iter().map(item).collect())
    }
}
