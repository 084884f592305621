//! Makes room for a newcomer: what goes is always the last transaction of a lane, so no lane is torn.

use alloy_primitives::Address;

use super::Pool;
use crate::{
    Limits, PoolError, Prices,
    lane::{Entry, Lane},
    tails::Tails,
};

impl Pool {
    /// Evicts until all limits hold, with the newcomer of `sender` and `nonce` in; refused when it would be the next to
    /// go. What went is in `evicted` either way, so that the caller can take it back.
    pub(super) fn shrink(
        &mut self,
        sender: Address,
        nonce: u64,
        prices: Prices,
        evicted: &mut Vec<(Entry, u64)>,
    ) -> Result<(), PoolError> {
        while let Some((tail, error)) = self.lanes.get(&sender).and_then(|lane| excess(sender, lane, &self.limits)) {
            if tail == nonce {
                return Err(error);
            }
            evicted.extend(self.remove(sender, tail));
        }
        while self.len() > self.limits.transactions_max || self.bytes > self.limits.bytes_max {
            match self.first_to_go(prices) {
                Some(victim) if victim != (sender, nonce) => evicted.extend(self.remove(victim.0, victim.1)),
                _ => return Err(PoolError::Full { transactions: self.len() - 1 }),
            }
        }
        Ok(())
    }

    /// The last transaction of the lane that goes first.
    fn first_to_go(&mut self, prices: Prices) -> Option<(Address, u64)> {
        let tails = match self.tails.take().filter(|tails| tails.prices() == prices) {
            Some(tails) => tails,
            None => Tails::of(self.lanes.iter(), prices),
        };
        let sender = self.tails.insert(tails).first()?;
        Some((sender, self.lanes.get(&sender)?.last()?.0))
    }
}

/// The last nonce of a lane that holds more than one sender may have, and what a newcomer is told that has it.
fn excess(sender: Address, lane: &Lane, limits: &Limits) -> Option<(u64, PoolError)> {
    let Limits { per_sender_max, bytes_per_sender_max, .. } = *limits;
    let error = if lane.len() > per_sender_max {
        PoolError::SenderLimit { sender, max: per_sender_max }
    } else if lane.bytes() > bytes_per_sender_max {
        PoolError::SenderBytes { sender, max: bytes_per_sender_max }
    } else {
        return None;
    };
    Some((lane.last()?.0, error))
}
