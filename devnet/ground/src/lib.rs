//! A chain in memory: a state under the newest rules, and blocks that the node's executor runs on it, one after the other.
//!
//! Signatures are not checked, and nonces are counted here: that is the pool's step. Everything behind it is the node's own.
//!
//! Invariant: all transactions of a block are in it, or it is an error and nothing has changed.

mod call;

use std::collections::BTreeMap;

use alloy_eips::{eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use parapet_executor::{Admission, BlockError, BlockInput, Listing, Mode, Point, execute_block};
use parapet_monitor::{Monitor, NoMonitor};
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, BlockContext, ChainParams, Executed, ExecutionLimits, FlatState,
    GuardParams, Hardfork, StateChanges, StateReader as _,
};

pub use call::{Call, GAS_MAX};

/// EIP-155 chain id: that of development chains.
pub const CHAIN_ID: u64 = 31_337;
/// What accounts begin with, in wei: a million ether.
pub const FUNDED_WEI: U256 = U256::from_limbs([0x1bce_cced_a100_0000, 0xd3c2, 0, 0]);
/// Gas of a block: enough for sixty transactions of any size.
const BLOCK_GAS: u64 = 1_000_000_000;
/// Wei per gas.
const BASE_FEE: u64 = 1_000_000_000;
/// Seconds between blocks.
const BLOCK_SECONDS: u64 = 12;
/// Of the first block, in seconds since 1970.
const TIMESTAMP: u64 = 1_770_000_000;
const BENEFICIARY: Address = Address::repeat_byte(0xfe);
/// Who asks what a call would answer.
const ASKING: Address = Address::repeat_byte(0xca);

/// Why there is no block.
#[derive(Debug, thiserror::Error)]
pub enum GroundError {
    /// It cannot be executed.
    #[error("the block cannot be executed: {0}")]
    Block(#[from] BlockError),
    /// A transaction does not belong into it.
    #[error("transaction {index} is left out: {reason}")]
    LeftOut {
        /// Its place among those that were sent.
        index: usize,
        /// Why.
        reason: String,
    },
}

/// A transaction in a block.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its hash.
    pub hash: B256,
    /// What came of it.
    pub executed: Executed,
}

/// The chain. A clone goes on by itself.
#[derive(Clone, Debug)]
pub struct Ground {
    params: ChainParams,
    state: FlatState,
    nonces: BTreeMap<Address, u64>,
    number: u64,
    timestamp: u64,
}

impl Default for Ground {
    fn default() -> Self {
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
        // From Prague on a block is not valid without these (EIP-7002, EIP-7251); here they answer nothing.
        for contract in [WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS] {
            ground.place(contract, &[0], []);
        }
        ground
    }
}

impl Ground {
    /// Places code and storage at an account, in place of what was there. Its ether stays.
    pub fn place(&mut self, account: Address, code: &[u8], storage: impl IntoIterator<Item = (U256, U256)>) {
        let mut changes = StateChanges::default();
        let code_hash = keccak256(code);
        changes.code.insert(code_hash, Bytes::copy_from_slice(code));
        let info = AccountInfo { nonce: 1, balance: self.balance(account), code_hash };
        let storage = storage.into_iter().collect();
        changes.accounts.insert(account, AccountChange { info: Some(info), wipe_storage: true, storage });
        self.state.apply(&changes);
    }

    /// Gives an account ether, unless the chain knows it.
    pub fn fund(&mut self, account: Address) {
        if self.info(account).is_none() {
            self.set_info(account, AccountInfo { balance: FUNDED_WEI, ..AccountInfo::default() });
        }
    }

    /// What there is of an account.
    ///
    /// # Panics
    /// Never: the state lies in memory.
    #[must_use]
    pub fn info(&self, account: Address) -> Option<AccountInfo> {
        self.state.account(&account).expect("the state lies in memory")
    }

    /// Puts an account in place of what was there; its storage stays.
    pub fn set_info(&mut self, account: Address, info: AccountInfo) {
        let mut changes = StateChanges::default();
        changes.accounts.insert(account, AccountChange { info: Some(info), ..AccountChange::default() });
        self.state.apply(&changes);
    }

    /// In wei.
    #[must_use]
    pub fn balance(&self, account: Address) -> U256 {
        self.info(account).unwrap_or_default().balance
    }

    /// The nonce of an account's next transaction, as it was counted here.
    #[must_use]
    pub fn nonce(&self, account: Address) -> u64 {
        self.nonces.get(&account).copied().unwrap_or_default()
    }

    /// Counts from another nonce on; gives the one that was next.
    pub fn set_nonce(&mut self, account: Address, nonce: u64) -> u64 {
        self.nonces.insert(account, nonce).unwrap_or_default()
    }

    /// Number of the newest block.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Time of the block that comes next, in seconds since 1970.
    #[must_use]
    pub const fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// Lets time pass.
    pub const fn wait(&mut self, seconds: u64) {
        self.timestamp += seconds;
    }

    /// What a call would come to, with nobody watching.
    ///
    /// # Errors
    /// [`GroundError`].
    pub fn view(&self, to: Address, input: Bytes) -> Result<Executed, GroundError> {
        let mut aside = self.clone();
        aside.fund(ASKING);
        Ok(aside.run(&[Call::to(ASKING, to, input)], &NoMonitor)?.0.remove(0).executed)
    }

    /// One block of transactions, judged; goes on from it.
    ///
    /// # Errors
    /// [`GroundError`].
    pub fn block(&mut self, calls: &[Call], monitor: &dyn Monitor) -> Result<Vec<Sent>, GroundError> {
        let (sent, changes) = self.run(calls, monitor)?;
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
        Ok(sent)
    }

    fn run(&self, calls: &[Call], monitor: &dyn Monitor) -> Result<(Vec<Sent>, StateChanges), GroundError> {
        let mut nonces = self.nonces.clone();
        let transactions: Vec<_> = calls.iter().map(|call| call.numbered(&mut nonces)).collect();
        let context = BlockContext {
            number: self.number + 1,
            timestamp: self.timestamp,
            beneficiary: BENEFICIARY,
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
        let block = execute_block(&input, monitor, Mode::Sequential)?;
        if let Some(left) = block.left_out.first() {
            return Err(GroundError::LeftOut { index: left.candidate, reason: left.reason.to_string() });
        }
        let hashes = transactions.iter().map(|transaction| *transaction.tx_hash());
        let sent = hashes.zip(block.included).map(|(hash, included)| Sent { hash, executed: included.executed });
        Ok((sent.collect(), block.changes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDER: Address = Address::repeat_byte(1);
    const CONTRACT: Address = Address::repeat_byte(2);

    #[test]
    fn blocks_stand_on_each_other_and_asking_changes_nothing() {
        let mut ground = Ground::default();
        assert_eq!(FUNDED_WEI, U256::from(1_000_000) * U256::from(10).pow(U256::from(18)));
        ground.fund(SENDER);
        // SSTORE(0, SLOAD(0) + 1); MSTORE(0, SLOAD(0)); RETURN(0, 32)
        ground.place(CONTRACT, &alloy_primitives::hex!("5f54 6001 01 5f55 5f54 5f52 60205ff3"), []);
        let call = Call::to(SENDER, CONTRACT, Bytes::new());
        let before = ground.timestamp();
        for expected in 1..=3 {
            let sent = ground.block(std::slice::from_ref(&call), &NoMonitor).expect("it can be executed").remove(0);
            assert_eq!(U256::from_be_slice(&sent.executed.output), U256::from(expected));
        }
        let asked = ground.view(CONTRACT, Bytes::new()).expect("it can be executed");
        assert_eq!(U256::from_be_slice(&asked.output), U256::from(4));
        assert_eq!((ground.number(), ground.nonce(SENDER)), (3, 3));
        assert_eq!(ground.timestamp(), before + 3 * BLOCK_SECONDS);
    }

    #[test]
    fn a_block_with_a_transaction_that_does_not_belong_into_it_changes_nothing() {
        let mut ground = Ground::default();
        let nobody = Call::to(SENDER, CONTRACT, Bytes::new());
        let refused = ground.block(&[nobody], &NoMonitor);
        assert!(matches!(refused, Err(GroundError::LeftOut { index: 0, .. })), "{refused:?}");
        assert_eq!((ground.number(), ground.nonce(SENDER)), (0, 0));
    }
}
