//! Small blocks: accounts with plenty of ether, contracts of a few bytes, transactions that nobody signed.

use alloy_consensus::{Signed, TxEip1559, TxEnvelope, transaction::Recovered};
use alloy_eips::{eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use parapet_bench::Case;
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, BlockContext, ChainParams, ExecutionLimits, FlatState, GuardParams,
    Hardfork, StateChanges, Transaction,
};

pub(crate) const ETHER: u128 = 1_000_000_000_000_000_000;
pub(crate) const BENEFICIARY: Address = Address::repeat_byte(0xfe);
const GAS_PRICE: u128 = 2_000_000_000;

/// A block in the making.
#[derive(Default)]
pub(crate) struct Ground {
    state: StateChanges,
    transactions: Vec<Transaction>,
    nonces: std::collections::BTreeMap<Address, u64>,
}

/// The account of that number.
pub(crate) fn account(number: u8) -> Address {
    Address::with_last_byte(number).create(u64::from(number))
}

impl Ground {
    pub(crate) fn with_accounts(count: u8) -> Self {
        let mut ground = Self::default();
        // From Prague on a block is not valid without these; here they answer nothing.
        for address in [WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS] {
            ground.contract(address, &[0x00]);
        }
        (0..count).for_each(|number| ground.fund(account(number), U256::from(1_000 * ETHER)));
        ground
    }

    pub(crate) fn fund(&mut self, address: Address, balance: U256) {
        self.change(address).info.get_or_insert_default().balance = balance;
    }

    pub(crate) fn contract(&mut self, address: Address, code: &[u8]) {
        let code_hash = keccak256(code);
        self.state.code.insert(code_hash, Bytes::copy_from_slice(code));
        self.change(address).info = Some(AccountInfo { nonce: 1, code_hash, balance: U256::from(ETHER) });
    }

    fn change(&mut self, address: Address) -> &mut AccountChange {
        self.state.accounts.entry(address).or_default()
    }

    pub(crate) fn transfer(&mut self, from: Address, to: Address, wei: u128) {
        self.send(from, TxKind::Call(to), wei, &[]);
    }

    pub(crate) fn send(&mut self, from: Address, to: TxKind, wei: u128, input: &[u8]) {
        let nonce = self.nonces.entry(from).or_default();
        let transaction = TxEip1559 {
            chain_id: 1,
            nonce: *nonce,
            gas_limit: 200_000,
            max_fee_per_gas: GAS_PRICE,
            max_priority_fee_per_gas: 1_000_000_000,
            to,
            value: U256::from(wei),
            input: Bytes::copy_from_slice(input),
            ..TxEip1559::default()
        };
        *nonce += 1;
        let hash = B256::with_last_byte(u8::try_from(self.transactions.len() % 256).unwrap());
        let signed = Signed::new_unchecked(transaction, Signature::test_signature(), hash);
        self.transactions.push(Recovered::new_unchecked(TxEnvelope::Eip1559(signed), from));
    }

    pub(crate) fn case(self, name: &str) -> Case {
        let block_gas_limit = 1_000_000_000;
        let block = BlockContext {
            number: 20,
            timestamp: 1_800_000_000,
            beneficiary: BENEFICIARY,
            gas_limit: block_gas_limit,
            base_fee: 1_000_000_000,
            parent_hash: B256::repeat_byte(3),
            parent_beacon_block_root: Some(B256::repeat_byte(4)),
            excess_blob_gas: Some(0),
            ..BlockContext::default()
        };
        Case {
            name: name.to_owned(),
            params: ChainParams {
                chain_id: 1,
                hardfork: Hardfork::Osaka,
                block_gas_limit,
                guards: GuardParams::default(),
                deposit_contract: ChainParams::MAINNET_DEPOSITS,
                limits: ExecutionLimits::ETHEREUM,
            },
            state: FlatState::from(&self.state),
            ancestors: Ancestors::from([(19, B256::repeat_byte(3))]),
            block,
            transactions: self.transactions,
            signed: Vec::new(),
        }
    }
}
