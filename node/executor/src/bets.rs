//! Whether a transaction is run without a record of it. That is a bet that it meets nobody whom a monitor waits for: one
//! that is lost has to be run again from its beginning, recorded. Nothing that can be seen depends on who bets on what.
//!
//! Invariant: what is run in vain is no more than [`STAKE_FIRST`] and a [`WINNINGS`]th of all gas that is run, by gas limits.
//! So whoever sends transactions only to have them run twice gains next to nothing by it.

use alloy_primitives::TxKind;
use revm::context::TxEnv;

/// Gas that may be run in vain before anything has been won.
const STAKE_FIRST: u64 = 4_000_000;
/// Most gas that may be run in vain at once: the most that one transaction may use (EIP-7825).
const STAKE_MAX: u64 = 16_777_216;
/// One in so many units of gas that are run may be run in vain later.
const WINNINGS: u64 = 16;
/// Kinds of call that are remembered because a bet on one of them was lost.
const LOST_PLACES: usize = 256;

/// The bets of one EVM; where threads execute block after block, those of one thread, for as long as the threads live.
#[derive(Debug)]
pub(crate) struct Bets {
    stake: u64,
    /// By the end of the kind. Empty until the first is lost.
    lost: Vec<Option<CallKind>>,
}

/// What a transaction calls: a hash of target and selector, which two kinds may share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CallKind(u64);

impl CallKind {
    fn of(tx: &TxEnv) -> Self {
        let target = match &tx.kind {
            TxKind::Call(target) => target.0.last_chunk().copied().map_or(0, u64::from_le_bytes),
            TxKind::Create => 0,
        };
        let selector = tx.data.first_chunk().copied().map_or(0, u32::from_le_bytes);
        Self(target ^ u64::from(selector).rotate_left(17))
    }

    const fn place(self) -> usize {
        (self.0 ^ self.0 >> 32) as usize % LOST_PLACES
    }
}

impl Default for Bets {
    fn default() -> Self {
        Self { stake: STAKE_FIRST, lost: Vec::new() }
    }
}

impl Bets {
    /// Whether a transaction is bet on.
    pub(crate) fn take(&self, tx: &TxEnv) -> bool {
        tx.gas_limit <= self.stake && (self.lost.is_empty() || self.has_not_lost(CallKind::of(tx)))
    }

    fn has_not_lost(&self, kind: CallKind) -> bool {
        self.lost[kind.place()] != Some(kind)
    }

    /// The bet on a transaction was lost. The next of its kind is recorded at once.
    pub(crate) fn lose(&mut self, tx: &TxEnv) {
        self.stake = self.stake.saturating_sub(tx.gas_limit);
        self.lost.resize(LOST_PLACES, None);
        let kind = CallKind::of(tx);
        self.lost[kind.place()] = Some(kind);
    }

    /// A transaction was run to its end and used so much gas.
    pub(crate) fn win(&mut self, gas_used: u64) {
        self.stake = self.stake.saturating_add(gas_used / WINNINGS).min(STAKE_MAX);
    }

    /// A transaction was recorded, and nobody woke for it: the next of its kind is bet on again.
    pub(crate) fn regret(&mut self, tx: &TxEnv) {
        let kind = CallKind::of(tx);
        if let Some(place) = self.lost.get_mut(kind.place())
            && *place == Some(kind)
        {
            *place = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, Bytes};

    use super::*;

    fn call(target: u64, selector: [u8; 4], gas_limit: u64) -> TxEnv {
        let target = Address::left_padding_from(&target.to_be_bytes());
        TxEnv { kind: TxKind::Call(target), data: Bytes::copy_from_slice(&selector), gas_limit, ..TxEnv::default() }
    }

    #[test]
    fn a_kind_that_lost_is_not_bet_on_until_it_is_regretted() {
        let (kind, other) = (call(1, [1, 2, 3, 4], 100_000), call(1, [1, 2, 3, 5], 100_000));
        let mut bets = Bets::default();
        assert!(bets.take(&kind));
        bets.lose(&kind);
        assert!(!bets.take(&kind));
        assert!(bets.take(&other));
        bets.regret(&other);
        assert!(!bets.take(&kind));
        bets.regret(&kind);
        assert!(bets.take(&kind));
    }

    #[test]
    fn what_is_run_in_vain_is_bounded_by_what_is_run() {
        let (mut bets, mut in_vain, mut run) = (Bets::default(), 0, 0);
        for number in 0..10_000 {
            // Every one of them meets somebody at its end, and none is like another.
            let tx = call(number, [0; 4], 300_000);
            if bets.take(&tx) {
                bets.lose(&tx);
                in_vain += tx.gas_limit;
            }
            bets.win(tx.gas_limit);
            run += tx.gas_limit;
            assert!(in_vain <= STAKE_FIRST + run / WINNINGS);
        }
        assert!(in_vain > run / (2 * WINNINGS), "it bets at all");
    }

    #[test]
    fn nothing_heavier_than_the_stake_is_bet_on() {
        let mut bets = Bets::default();
        assert!(!bets.take(&call(1, [0; 4], STAKE_FIRST + 1)));
        bets.win(WINNINGS);
        assert!(bets.take(&call(1, [0; 4], STAKE_FIRST + 1)));
        bets.win(u64::MAX);
        assert!(!bets.take(&call(1, [0; 4], STAKE_MAX + 1)));
    }
}
