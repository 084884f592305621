//! The chain, spoken to in the types that guards have.

use alloy_primitives::{Address as NodeAddress, B256, Bytes, TxKind};
use parapet_abi::ContextRecord;
use parapet_guest::{Address, U256};
use parapet_monitor::Monitor;
use parapet_types::Executed;

use super::Call;

#[derive(Clone, Debug, Default)]
pub(super) struct Ground(parapet_ground::Ground);

impl Ground {
    /// Places code and storage at an account, in place of what was there.
    pub(super) fn place(&mut self, account: Address, code: &[u8], storage: impl IntoIterator<Item = (U256, U256)>) {
        self.0.place(of(account), code, storage);
    }

    /// Gives an account ether, unless the chain knows it.
    pub(super) fn fund(&mut self, account: Address) {
        self.0.fund(of(account));
    }

    pub(super) fn balance(&self, account: Address) -> U256 {
        self.0.balance(of(account))
    }

    pub(super) const fn wait(&mut self, seconds: u64) {
        self.0.wait(seconds);
    }

    pub(super) fn view(&self, to: Address, input: &[u8]) -> Option<Vec<u8>> {
        let executed = self.0.view(of(to), Bytes::copy_from_slice(input)).unwrap_or_else(|error| panic!("{error}"));
        executed.succeeded().then(|| executed.output.to_vec())
    }

    /// What a guard sees of the block that comes next, before there is a transaction.
    pub(super) fn context(&self) -> ContextRecord {
        ContextRecord {
            chain_id: parapet_ground::CHAIN_ID,
            block_number: self.0.number() + 1,
            timestamp: self.0.timestamp(),
            ..ContextRecord::default()
        }
    }

    /// Executes a block of one transaction, judged, and goes on from it; also tells the transaction's hash.
    pub(super) fn block(&mut self, call: &Call, monitor: &dyn Monitor) -> (Executed, B256) {
        let call = parapet_ground::Call {
            from: of(call.from),
            to: call.to.map_or(TxKind::Create, |to| TxKind::Call(of(to))),
            value: call.value,
            input: Bytes::copy_from_slice(&call.input),
            delegation: None,
        };
        let sent = self.0.block(&[call], monitor).unwrap_or_else(|error| panic!("{error}")).remove(0);
        (sent.executed, sent.hash)
    }
}

/// An address as the node has it.
pub(super) const fn of(address: Address) -> NodeAddress {
    NodeAddress::new(address.0)
}
