//! Logs as they are written, and ether that moves as logs beside them: `Transfer(address,address,uint256)` of a made-up token
//! at `0xeeee…` (ERC-7528), as `eth_simulateV1` with `traceTransfers` tells it.
//!
//! Invariant: only what stands is told. What a frame that fails did, and all frames in it, is dropped with it, and its places
//! among the block's logs with it: they stay empty. The journal and the receipts never see transfers.

use alloy_primitives::{Address, B256, Bytes, Log, LogData, U256, address, b256};
use revm::{
    Inspector,
    context_interface::{ContextTr, JournalTr as _},
    interpreter::{CallInputs, CallOutcome, CreateInputs, CreateOutcome},
};

/// Whose logs they are said to be.
pub const ETHER_TOKEN: Address = address!("eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
/// `Transfer(address,address,uint256)`.
const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

/// Whether ether that moves is told as logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfers {
    /// It is.
    Logged,
    /// It is not.
    Silent,
}

/// A log of a simulated block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedLog {
    /// How many the block's calls wrote before it, those counted that were dropped with their frames.
    pub place: u64,
    /// What was written.
    pub log: Log,
}

/// Collects logs, and transfers if they are told, in their order.
#[derive(Clone, Debug)]
pub(crate) struct TransferLogs {
    transfers: Transfers,
    logs: Vec<PlacedLog>,
    /// Place of the next log.
    next: u64,
    /// How many there were as each open frame began.
    open: Vec<usize>,
}

impl TransferLogs {
    /// For a call before which so many logs were written.
    pub(crate) const fn after(written: u64, transfers: Transfers) -> Self {
        Self { transfers, logs: Vec::new(), next: written, open: Vec::new() }
    }

    /// What stands of the transaction that ended, and how many logs were written up to its end.
    pub(crate) fn take(&mut self) -> (Vec<PlacedLog>, u64) {
        self.open.clear();
        (std::mem::take(&mut self.logs), self.next)
    }

    fn write(&mut self, log: Log) {
        self.logs.push(PlacedLog { place: self.next, log });
        self.next += 1;
    }

    fn begin(&mut self) {
        self.open.push(self.logs.len());
    }

    fn end(&mut self, stands: bool) {
        let before = self.open.pop().unwrap_or_default();
        if !stands {
            self.logs.truncate(before);
        }
    }

    fn moved(&mut self, from: Address, to: Address, wei: U256) {
        if wei.is_zero() || self.transfers == Transfers::Silent {
            return;
        }
        let topics = vec![TRANSFER, from.into_word(), to.into_word()];
        let data = Bytes::from(wei.to_be_bytes::<32>());
        self.write(Log { address: ETHER_TOKEN, data: LogData::new_unchecked(topics, data) });
    }
}

impl<CTX: ContextTr> Inspector<CTX> for TransferLogs {
    fn log(&mut self, _: &mut CTX, log: Log) {
        self.write(log);
    }

    fn call(&mut self, _: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.begin();
        // CALLCODE names a value and moves nothing: sender and receiver are the same.
        if let Some(wei) = inputs.transfer_value().filter(|_| inputs.scheme.is_call()) {
            self.moved(inputs.transfer_from(), inputs.transfer_to(), wei);
        }
        None
    }

    fn call_end(&mut self, _: &mut CTX, _: &CallInputs, outcome: &mut CallOutcome) {
        self.end(outcome.result.result.is_ok());
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.begin();
        // The creator is loaded: it runs, or sends the transaction. Where it cannot be read, the creation fails by itself.
        if let Ok(creator) = context.journal_mut().load_account(inputs.caller()) {
            let created = inputs.created_address(creator.data.info.nonce);
            self.moved(inputs.caller(), created, inputs.value());
        }
        None
    }

    fn create_end(&mut self, _: &mut CTX, _: &CreateInputs, outcome: &mut CreateOutcome) {
        self.end(outcome.result.result.is_ok());
    }

    fn selfdestruct(&mut self, contract: Address, heir: Address, wei: U256) {
        self.moved(contract, heir, wei);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_frame_that_failed_moved_is_dropped_with_the_frames_in_it_and_leaves_its_places_empty() {
        let (one, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let mut logs = TransferLogs::after(10, Transfers::Logged);
        logs.begin();
        logs.moved(one, other, U256::from(1));
        logs.begin();
        logs.moved(one, other, U256::from(2));
        logs.begin();
        logs.moved(one, other, U256::from(3));
        logs.end(true);
        logs.end(false);
        logs.moved(other, one, U256::from(4));
        logs.end(true);
        let (told, written) = logs.take();
        let wei = |told: &PlacedLog| (told.place, U256::from_be_slice(&told.log.data.data));
        assert_eq!(told.iter().map(wei).collect::<Vec<_>>(), [(10, U256::from(1)), (13, U256::from(4))]);
        assert_eq!((written, logs.take()), (14, (Vec::new(), 14)));
    }

    #[test]
    fn transfers_that_are_not_told_take_no_place() {
        let mut logs = TransferLogs::after(0, Transfers::Silent);
        logs.begin();
        logs.moved(Address::ZERO, Address::ZERO, U256::from(1));
        logs.end(true);
        assert_eq!(logs.take(), (Vec::new(), 0));
    }
}
