//! What a block stands on: accounts and contracts, and the transactions ordered on them.
//!
//! Whoever sends has ether; nonces are counted here, so transactions are valid in the order in which they were placed.

use std::collections::btree_map::Entry;

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, address, b256, keccak256, map::AddressMap};
use alloy_signer::SignerSync as _;
use alloy_signer_local::PrivateKeySigner;
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, BlockContext, ChainParams, ExecutionLimits, FlatState, GuardParams,
    Hardfork, StateChanges, Transaction,
};

use crate::{
    Kind, Load, Workload,
    accounts::in_parallel,
    contracts::{SUPPLY_SLOT, allowance_slot, balance_slot},
};

/// Chain id.
pub const CHAIN_ID: u64 = 1;
/// The fee recipient; no transaction names it.
pub const BENEFICIARY: Address = address!("c0117ec70000000000000000000000000000fee5");
/// Base fee, in wei per gas: 10 gwei.
pub const BASE_FEE: u64 = 10_000_000_000;
/// Most that transactions pay, in wei per gas.
const FEE_MAX: u128 = 30_000_000_000;
/// Priority fees are one to [`TIPS`] times this, in wei per gas.
const TIP: u128 = 100_000_000;
/// Priority fees there are.
const TIPS: u128 = 7;
/// What accounts begin with, in wei: a thousand ether.
const ETHER_WEI: u128 = 1_000 * 1_000_000_000_000_000_000;

/// Number of the measured block.
const NUMBER: u64 = 24_000_000;
/// Its time, in seconds since 1970.
const TIMESTAMP: u64 = 1_770_000_000;
/// Seconds between blocks.
const SLOT_SECONDS: u64 = 12;
const PARENT_HASH: B256 = b256!("70a7a9e7000000000000000000000000000000000000000000000000000000a1");
const BEACON_ROOT: B256 = b256!("70a7a9e7000000000000000000000000000000000000000000000000000000a2");
const RANDAO: B256 = b256!("70a7a9e7000000000000000000000000000000000000000000000000000000a3");

/// The block `before` blocks before the measured one, at the latest.
pub(crate) fn block(before: u64, gas_limit: u64) -> BlockContext {
    BlockContext {
        number: NUMBER - before,
        timestamp: TIMESTAMP - before * SLOT_SECONDS,
        beneficiary: BENEFICIARY,
        gas_limit,
        base_fee: BASE_FEE,
        prev_randao: RANDAO,
        parent_hash: PARENT_HASH,
        parent_beacon_block_root: Some(BEACON_ROOT),
        excess_blob_gas: Some(0),
        withdrawals: Vec::new(),
    }
}

/// The chain of the measured block.
pub(crate) const fn params(block_gas_limit: u64) -> ChainParams {
    ChainParams {
        chain_id: CHAIN_ID,
        hardfork: Hardfork::Osaka,
        block_gas_limit,
        guards: GuardParams::DEFAULT,
        deposit_contract: ChainParams::MAINNET_DEPOSITS,
        limits: ExecutionLimits::ETHEREUM,
    }
}

/// A transaction still to be numbered and signed.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) from: Address,
    pub(crate) to: TxKind,
    pub(crate) value: U256,
    pub(crate) input: Bytes,
    /// Its gas limit; the block's is the sum of all.
    pub(crate) gas_limit: u64,
}

impl Order {
    /// A call without value.
    pub(crate) fn call(from: Address, to: Address, input: Vec<u8>, gas_limit: u64) -> Self {
        Self { from, to: TxKind::Call(to), value: U256::ZERO, input: input.into(), gas_limit }
    }

    /// A creation.
    pub(crate) const fn create(from: Address, code: Bytes, gas_limit: u64) -> Self {
        Self { from, to: TxKind::Create, value: U256::ZERO, input: code, gas_limit }
    }
}

/// Accounts and contracts, and transactions in order.
#[derive(Debug)]
pub(crate) struct Ground {
    changes: StateChanges,
    transactions: Vec<TxEip1559>,
    senders: Vec<Address>,
    nonces: AddressMap<u64>,
    reverting: Vec<usize>,
}

impl Ground {
    /// The fee recipient and the contracts that the chain itself calls.
    pub(crate) fn new() -> Self {
        let mut ground = Self {
            changes: StateChanges::default(),
            transactions: Vec::new(),
            senders: Vec::new(),
            nonces: AddressMap::default(),
            reverting: Vec::new(),
        };
        ground.fund(BENEFICIARY);
        for (address, code) in [
            (eip4788::BEACON_ROOTS_ADDRESS, &eip4788::BEACON_ROOTS_CODE),
            (eip2935::HISTORY_STORAGE_ADDRESS, &eip2935::HISTORY_STORAGE_CODE),
            (eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, &eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_CODE),
            (eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, &eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_CODE),
        ] {
            let hash = ground.learn(code.clone());
            ground.put(address, hash);
        }
        ground
    }

    /// Gives an account ether, unless it has some.
    pub(crate) fn fund(&mut self, account: Address) {
        let info = AccountInfo { balance: U256::from(ETHER_WEI), ..AccountInfo::default() };
        self.changes
            .accounts
            .entry(account)
            .or_insert_with(|| AccountChange { info: Some(info), ..AccountChange::default() });
    }

    /// Makes code known, so that contracts can be [put](Self::put) with it.
    pub(crate) fn learn(&mut self, code: Bytes) -> B256 {
        let hash = keccak256(&code);
        self.changes.code.insert(hash, code);
        hash
    }

    /// A contract with known code.
    pub(crate) fn put(&mut self, address: Address, code_hash: B256) -> &mut AccountChange {
        // A contract's nonce begins at 1 (EIP-161).
        let info = AccountInfo { nonce: 1, balance: U256::ZERO, code_hash };
        let change = self.changes.accounts.entry(address).or_default();
        change.info = Some(info);
        change
    }

    /// Gives an account an amount of a token, unless it has some.
    pub(crate) fn give(&mut self, token: Address, holder: Address, amount: U256) {
        let storage = &mut self.token(token).storage;
        if let Entry::Vacant(balance) = storage.entry(balance_slot(holder)) {
            balance.insert(amount);
            *storage.entry(SUPPLY_SLOT).or_default() += amount;
        }
    }

    /// Lets a spender have all of a holder's amount of a token.
    pub(crate) fn allow(&mut self, token: Address, holder: Address, spender: Address) {
        self.token(token).storage.insert(allowance_slot(holder, spender), U256::MAX);
    }

    fn token(&mut self, token: Address) -> &mut AccountChange {
        self.changes.accounts.get_mut(&token).expect("a token is put before anybody holds it")
    }

    /// How many transactions there are.
    pub(crate) const fn len(&self) -> usize {
        self.transactions.len()
    }

    /// Places a transaction behind the others. Its sender has ether.
    pub(crate) fn place(&mut self, order: Order) {
        self.fund(order.from);
        let nonce = self.nonces.entry(order.from).or_default();
        let tip = TIP * (1 + self.transactions.len() as u128 % TIPS);
        self.transactions.push(TxEip1559 {
            chain_id: CHAIN_ID,
            nonce: *nonce,
            gas_limit: order.gas_limit,
            max_fee_per_gas: FEE_MAX,
            max_priority_fee_per_gas: tip,
            to: order.to,
            value: order.value,
            access_list: alloy_eips::eip2930::AccessList::default(),
            input: order.input,
        });
        *nonce += 1;
        self.senders.push(order.from);
    }

    /// Places a transaction that will revert.
    pub(crate) fn place_reverting(&mut self, order: Order) {
        self.reverting.push(self.transactions.len());
        self.place(order);
    }

    /// The block, each signature a number of its own.
    pub(crate) fn seal(self, kind: Kind) -> Workload {
        let transactions = self.unsigned();
        self.finish(kind, transactions, false)
    }

    /// The block, signed by its senders, all of whom are among the signers.
    pub(crate) fn sign(self, kind: Kind, signers: &[PrivateKeySigner]) -> Workload {
        let transactions = self.signed(signers);
        self.finish(kind, transactions, true)
    }

    /// State and transactions without a block around them, signed by their senders, all of whom are among the signers.
    pub(crate) fn into_load(self, signers: &[PrivateKeySigner]) -> Load {
        let transactions = self.signed(signers);
        Load { state: self.changes, transactions }
    }

    fn signed(&self, signers: &[PrivateKeySigner]) -> Vec<Transaction> {
        let keys: AddressMap<&PrivateKeySigner> = signers.iter().map(|signer| (signer.address(), signer)).collect();
        let drafts: Vec<_> = self.transactions.iter().zip(&self.senders).collect();
        in_parallel(&drafts, |(draft, sender)| {
            let key = keys.get(*sender).expect("every sender has a key");
            let signature = key.sign_hash_sync(&draft.signature_hash()).expect("a key in memory signs");
            transaction(draft, signature, **sender)
        })
    }

    fn unsigned(&self) -> Vec<Transaction> {
        let numbered = (1_u64..).zip(self.transactions.iter().zip(&self.senders));
        numbered
            .map(|(number, (draft, sender))| {
                // Hashes must differ where two senders order the same.
                transaction(draft, Signature::new(U256::from(number), U256::ONE, false), *sender)
            })
            .collect()
    }

    fn finish(self, kind: Kind, transactions: Vec<Transaction>, signed: bool) -> Workload {
        let gas_limit = self.transactions.iter().map(|transaction| transaction.gas_limit).sum();
        Workload {
            name: kind.name(),
            params: params(gas_limit),
            state: FlatState::from(&self.changes),
            ancestors: Ancestors::from([(NUMBER - 1, PARENT_HASH)]),
            block: block(0, gas_limit),
            transactions,
            signed,
            reverting: self.reverting,
        }
    }

    /// The transactions so far, for executing what a workload builds on.
    pub(crate) fn take(&mut self) -> Vec<Transaction> {
        let transactions = self.unsigned();
        self.transactions.clear();
        self.senders.clear();
        transactions
    }

    /// The state so far.
    pub(crate) fn state(&self) -> FlatState {
        FlatState::from(&self.changes)
    }
}

fn transaction(draft: &TxEip1559, signature: Signature, sender: Address) -> Transaction {
    let signed = draft.clone().into_signed(signature);
    // The hash is computed on first use: here, not while somebody measures.
    let _ = signed.hash();
    Transaction::new_unchecked(TxEnvelope::Eip1559(signed), sender)
}
