//! A development chain without a node around it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_signer::SignerSync as _;
use alloy_signer_local::PrivateKeySigner;
use parapet_builder::{Chain, PayloadRequest, Settings};
use parapet_genesis::{DevGenesis, DevSettings};
use parapet_monitor::{Monitor, NoMonitor};
use parapet_state::ChainStore;
use parapet_types::Transaction;

/// When the chains of these tests begin.
pub(crate) const GENESIS_TIME: u64 = 1_700_000_000;
/// One gwei.
pub(crate) const GWEI: u128 = 1_000_000_000;

/// A chain, its clock, and keys to its accounts.
pub(crate) struct Dev {
    pub(crate) chain: Chain,
    pub(crate) clock: Arc<AtomicU64>,
    pub(crate) signers: Vec<PrivateKeySigner>,
}

impl Dev {
    pub(crate) fn new(settings: Settings) -> Self {
        Self::watched(settings, Arc::new(NoMonitor))
    }

    pub(crate) fn watched(settings: Settings, monitor: Arc<dyn Monitor>) -> Self {
        Self::on(ChainStore::in_memory(genesis().block), settings, monitor)
    }

    pub(crate) fn on(store: ChainStore, settings: Settings, monitor: Arc<dyn Monitor>) -> Self {
        let clock = Arc::new(AtomicU64::new(GENESIS_TIME + 100));
        let now = Arc::clone(&clock);
        let chain = Chain::new(store, settings, monitor, Arc::new(move || now.load(Ordering::SeqCst))).unwrap();
        let accounts = genesis().accounts;
        let signers = accounts.iter().map(|account| PrivateKeySigner::from_bytes(&account.key).unwrap()).collect();
        Self { chain, clock, signers }
    }

    pub(crate) fn address(&self, index: usize) -> Address {
        self.signers[index].address()
    }

    pub(crate) fn balance(&self, address: Address) -> U256 {
        self.chain.head().world.account(&address).unwrap().unwrap_or_default().balance
    }

    pub(crate) fn number(&self) -> u64 {
        self.chain.head().block.number()
    }

    /// A transfer of one wei to nobody in particular.
    pub(crate) fn transfer(&self, index: usize, nonce: u64) -> Transaction {
        self.sign(index, TxEip1559 { nonce, ..call(Address::repeat_byte(0x77), U256::ONE) })
    }

    pub(crate) fn sign(&self, index: usize, tx: TxEip1559) -> Transaction {
        let signature = self.signers[index].sign_hash_sync(&tx.signature_hash()).unwrap();
        Transaction::new_unchecked(TxEnvelope::Eip1559(tx.into_signed(signature)), self.address(index))
    }

    pub(crate) fn submit(&self, transaction: Transaction) -> B256 {
        self.chain.submit(transaction).unwrap()
    }
}

pub(crate) fn genesis() -> DevGenesis {
    DevGenesis::build(&DevSettings::at(GENESIS_TIME)).unwrap()
}

/// A call without data that pays enough.
pub(crate) fn call(to: Address, value: U256) -> TxEip1559 {
    TxEip1559 {
        chain_id: parapet_genesis::CHAIN_ID,
        nonce: 0,
        gas_limit: 21_000,
        max_fee_per_gas: 10 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: TxKind::Call(to),
        value,
        access_list: Default::default(),
        input: Bytes::new(),
    }
}

/// A block on the head for somebody else, at a time, out of the pool.
pub(crate) fn payload_request(chain: &Chain, timestamp: u64) -> PayloadRequest {
    PayloadRequest {
        parent: chain.head().block.hash(),
        timestamp,
        prev_randao: B256::ZERO,
        beneficiary: Address::ZERO,
        withdrawals: Vec::new(),
        parent_beacon_block_root: Some(B256::ZERO),
        transactions: None,
        extra_data: None,
    }
}
