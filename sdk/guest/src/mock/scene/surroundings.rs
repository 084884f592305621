//! What a transaction does to storage and tokens, and the state around it.

use parapet_abi::{AccessKind, AccessRecord, FrameStatus, PreimageRecord, SlotChangeRecord};

use super::Scene;
use crate::{Address, B256, Fork, Guard, U256, calldata, descriptor::Described, keccak256, mock::State};

impl<G: Guard + Described> Scene<G> {
    /// An ERC-20 transfer in the running frame, as its token logs it.
    pub fn transfer(&mut self, token: Address, from: Address, to: Address, amount: U256) -> &mut Self {
        if self.outcome.veto.is_none() {
            let topics = [keccak256(b"Transfer(address,address,uint256)"), from.into(), to.into()];
            self.log(token, &topics, &amount.to_be_bytes::<32>());
            self.token(token, from, to, amount);
            // The engine draws the flow from the log: they are one event.
            self.seq -= 1;
            let seq = self.seq;
            self.world.flows.iter_mut().last().expect("it was recorded above").seq = seq;
        }
        self
    }

    /// The running frame changes a storage word: an access, and a change of the transaction.
    pub fn write(&mut self, account: Address, slot: U256, before: U256, after: U256) -> &mut Self {
        if self.outcome.veto.is_some() {
            return self;
        }
        let (slot, old, new) = (slot.to_be_bytes(), before.to_be_bytes(), after.to_be_bytes());
        let (seq, frame) = (self.next_seq(), self.running());
        let (kind, address) = (AccessKind::StorageWrite.into(), account.into());
        self.world.accesses.push(AccessRecord { seq, frame, kind, address, slot, old, new, ..AccessRecord::default() });
        let changes = &mut self.world.slot_changes;
        match changes.iter_mut().find(|change| change.address == address && change.slot == slot) {
            Some(change) => change.new = new,
            None => changes.push(SlotChangeRecord { address, slot, old, new }),
        }
        self
    }

    /// The running frame finds an entry of a mapping; answers where it lies.
    pub fn find(&mut self, mapping: U256, key: B256) -> U256 {
        let base = mapping.to_be_bytes();
        let hash = keccak256(&[key.0, base].concat()).0;
        let (seq, frame) = (self.next_seq(), self.running());
        self.world.preimages.push(PreimageRecord { seq, frame, key: key.0, base, hash });
        U256::from_be_bytes(hash)
    }

    /// Sets a storage word at a fork.
    pub fn storage(&mut self, fork: Fork, account: Address, slot: U256, value: U256) -> &mut Self {
        self.state(fork).storage.insert((account.0, slot.to_be_bytes()), value.to_be_bytes());
        self
    }

    /// Sets a balance at a fork, in wei.
    pub fn balance(&mut self, fork: Fork, account: Address, wei: U256) -> &mut Self {
        self.state(fork).balances.insert(account.0, wei.to_be_bytes());
        self
    }

    /// Sets a code hash at a fork.
    pub fn code_hash(&mut self, fork: Fork, account: Address, hash: B256) -> &mut Self {
        self.state(fork).code_hashes.insert(account.0, hash.0);
        self
    }

    /// What an ERC-20 token answers at a fork that an account holds.
    pub fn holds(&mut self, fork: Fork, token: Address, account: Address, amount: U256) -> &mut Self {
        self.answer(fork, token, &calldata!("balanceOf(address)", account), &amount.to_be_bytes::<32>())
    }

    fn state(&mut self, fork: Fork) -> &mut State {
        match fork {
            Fork::PreTx => &mut self.world.pre_tx,
            Fork::Now => &mut self.world.now,
            Fork::Before(_) | Fork::After(_) => {
                let now = self.world.now.clone();
                self.world.forks.entry(fork.number()).or_insert(now)
            }
        }
    }

    /// What a static call answers at a fork.
    pub fn answer(&mut self, fork: Fork, contract: Address, calldata: &[u8], output: &[u8]) -> &mut Self {
        let answer = (FrameStatus::Succeeded, output.to_vec());
        self.world.answers.insert((fork.number(), contract.0, calldata.to_vec()), answer);
        self
    }
}
