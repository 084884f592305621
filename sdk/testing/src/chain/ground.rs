//! A state in memory, and blocks that the node's executor runs on it, one after the other.
//!
//! Signatures are not checked: that is the pool's step. Everything behind it is the node's own.

use std::collections::BTreeMap;

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope, transaction::Recovered};
use alloy_primitives::{Address as NodeAddress, B256, Bytes, Signature, TxKind, address, keccak256};
use parapet_abi::ContextRecord;
use parapet_executor::{Admission, BlockInput, Listing, Mode, Point, execute_block};
use parapet_guest::{Address, U256};
use parapet_monitor::{Monitor, NoMonitor};
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, BlockContext, ChainParams, Executed, ExecutionLimits, FlatState,
    GuardParams, Hardfork, StateChanges, StateReader as _,
};

use super::Call;

/// Highest gas limit of a transaction (EIP-7825).
const GAS_MAX: u64 = 16_777_216;
const BLOCK_GAS: u64 = 1_000_000_000;
/// What accounts begin with, in wei: a million ether.
const ETHER_WEI: u128 = 1_000_000 * 1_000_000_000_000_000_000;
const CHAIN_ID: u64 = 31_337;
const BASE_FEE: u64 = 1_000_000_000;
const GAS_PRICE: u128 = 2_000_000_000;
/// Seconds between blocks.
const BLOCK_SECONDS: u64 = 12;
/// Of the first block, in seconds since 1970.
const TIMESTAMP: u64 = 1_770_000_000;

/// From Prague on a block is not valid without these (EIP-7002, EIP-7251); here they answer nothing.
const SYSTEM_CONTRACTS: [NodeAddress; 2] =
    [address!("00000961Ef480Eb55e80D19ad83579A64c007002"), address!("0000BBdDc7CE488642fb579F8B00f3a590007251")];

#[derive(Clone, Debug)]
pub(super) struct Ground {
    params: ChainParams,
    state: FlatState,
    nonces: BTreeMap<Address, u64>,
    number: u64,
    pub(super) timestamp: u64,
}

impl Ground {
    pub(super) fn new() -> Self {
        let params = ChainParams {
            chain_id: CHAIN_ID,
            hardfork: Hardfork::Osaka,
            block_gas_limit: BLOCK_GAS,
            guards: GuardParams::DEFAULT,
            deposit_contract: ChainParams::MAINNET_DEPOSITS,
            limits: ExecutionLimits::ETHEREUM,
        };
        let mut ground =
            Self { params, state: FlatState::default(), nonces: BTreeMap::new(), number: 0, timestamp: TIMESTAMP };
        for contract in SYSTEM_CONTRACTS {
            ground.place(Address(contract.into_array()), &[0], []);
        }
        ground
    }

    /// Places code and storage at an account, in place of what was there.
    pub(super) fn place(&mut self, account: Address, code: &[u8], storage: impl IntoIterator<Item = (U256, U256)>) {
        let mut changes = StateChanges::default();
        let code_hash = keccak256(code);
        changes.code.insert(code_hash, Bytes::copy_from_slice(code));
        let info = AccountInfo { nonce: 1, balance: self.balance(account), code_hash };
        let storage = storage.into_iter().collect();
        changes.accounts.insert(of(account), AccountChange { info: Some(info), wipe_storage: true, storage });
        self.state.apply(&changes);
    }

    /// Gives an account ether, unless the chain knows it.
    pub(super) fn fund(&mut self, account: Address) {
        if self.info(account).is_none() {
            let mut changes = StateChanges::default();
            let info = Some(AccountInfo { balance: U256::from(ETHER_WEI), ..AccountInfo::default() });
            changes.accounts.insert(of(account), AccountChange { info, ..AccountChange::default() });
            self.state.apply(&changes);
        }
    }

    pub(super) fn balance(&self, account: Address) -> U256 {
        self.info(account).unwrap_or_default().balance
    }

    fn info(&self, account: Address) -> Option<AccountInfo> {
        self.state.account(&of(account)).expect("the state lies in memory")
    }

    pub(super) fn view(&self, to: Address, input: &[u8]) -> Option<Vec<u8>> {
        let from = Address([0xca; 20]);
        let mut aside = self.clone();
        aside.fund(from);
        let (executed, _) = aside.block(&Call::to(from, to).input(input), &NoMonitor);
        executed.succeeded().then(|| executed.output.to_vec())
    }

    /// What a guard sees of the block that comes next, before there is a transaction.
    pub(super) fn context(&self) -> ContextRecord {
        ContextRecord {
            chain_id: CHAIN_ID,
            block_number: self.number + 1,
            timestamp: self.timestamp,
            ..ContextRecord::default()
        }
    }

    /// Executes a block of one transaction, judged, and goes on from it; also tells the transaction's hash.
    pub(super) fn block(&mut self, call: &Call, monitor: &dyn Monitor) -> (Executed, B256) {
        let nonce = self.nonces.get(&call.from).copied().unwrap_or_default();
        let tx = TxEip1559 {
            chain_id: CHAIN_ID,
            nonce,
            gas_limit: GAS_MAX,
            max_fee_per_gas: GAS_PRICE,
            max_priority_fee_per_gas: GAS_PRICE,
            to: call.to.map_or(TxKind::Create, |to| TxKind::Call(of(to))),
            value: call.value,
            input: Bytes::copy_from_slice(&call.input),
            ..TxEip1559::default()
        };
        let signed = TxEnvelope::Eip1559(tx.into_signed(Signature::test_signature()));
        let hash = *signed.hash();
        let transactions = [Recovered::new_unchecked(signed, of(call.from))];
        let context = BlockContext {
            number: self.number + 1,
            timestamp: self.timestamp,
            beneficiary: NodeAddress::repeat_byte(0xfe),
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
        let mut block = block.unwrap_or_else(|error| panic!("the block cannot be executed: {error}"));
        if let Some(left) = block.left_out.first() {
            panic!("the transaction is left out: {}", left.reason);
        }
        self.state.apply(&block.changes);
        self.nonces.insert(call.from, nonce + 1);
        self.number += 1;
        self.timestamp += BLOCK_SECONDS;
        (block.included.remove(0).executed, hash)
    }
}

/// An address as the node has it.
pub(super) const fn of(address: Address) -> NodeAddress {
    NodeAddress::new(address.0)
}
