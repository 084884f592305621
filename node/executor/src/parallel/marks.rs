//! What transactions say of themselves that two of them may share: *marks*, as hashes good enough for a guess.

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U256};
use parapet_types::Transaction;

/// Words of calldata that are looked at.
pub(crate) const WORDS_MAX: usize = 8;
/// Slots of an access list (EIP-2930) that are looked at.
pub(crate) const LISTED_MAX: usize = 8;

/// Places in the table of who stood last on a mark.
const PLACES: usize = 1 << 13;

/// Who stood last on each mark of a block. Two marks may have one place: then the later one is remembered.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// The mark, and who stood on it last, counted on from block to block.
    places: Vec<(u64, u32)>,
    /// What was counted before this block.
    base: u32,
    /// Transactions of this block.
    transactions: u32,
}

impl Standing {
    /// Starts a block. Nobody stands anywhere.
    pub(crate) fn begin(&mut self, transactions: u32) {
        let base = self.base.checked_add(self.transactions).filter(|base| base.checked_add(transactions).is_some());
        if base.is_none() || self.places.is_empty() {
            self.places.clear();
            self.places.resize(PLACES, (0, 0));
        }
        (self.base, self.transactions) = (base.unwrap_or_default(), transactions);
    }

    /// A transaction stands on a mark. Gives the earlier one that stood there last.
    pub(crate) fn stand(&mut self, mark: u64, index: u32) -> Option<u32> {
        let now = self.base + index + 1;
        let place = &mut self.places[mark as usize % PLACES];
        let (last_mark, last) = std::mem::replace(place, (mark, now));
        (last_mark == mark && last > self.base && last < now).then(|| last - self.base - 1)
    }
}

/// The sender, and the words of the calldata that look like addresses, each with its kind.
pub(crate) fn parties(transaction: &Transaction) -> impl Iterator<Item = (u8, u64)> + '_ {
    let (words, _) = transaction.input().get(4..).unwrap_or_default().as_chunks::<32>();
    let sender = std::iter::once((0, fold(transaction.signer_ref())));
    let named = (1..).zip(words.iter().take(WORDS_MAX)).filter_map(|(kind, word)| {
        let (zeros, address) = word.split_first_chunk::<12>()?;
        let address: &[u8; 20] = address.try_into().ok()?;
        // A number that is an address by chance has its upper bytes set; small numbers do not.
        (*zeros == [0; 12] && address[..8] != [0; 8]).then(|| (kind, fold(address)))
    });
    sender.chain(named)
}

/// The first slots that the transaction's access list names, as marks.
pub(crate) fn listed(transaction: &Transaction) -> impl Iterator<Item = u64> + '_ {
    let items = transaction.access_list().into_iter().flat_map(|list| list.iter());
    let slots = items.flat_map(|item| item.storage_keys.iter().map(|key| slot_mark(&item.address, (*key).into())));
    slots.take(LISTED_MAX)
}

/// A hash good enough for a guess.
fn fold(address: &[u8; 20]) -> u64 {
    let [a, b, c, d, e] = address.as_chunks::<4>().0 else { return 0 };
    let parts = [[*a, *b], [*c, *d], [*e, [0; 4]]]
        .map(|[low, high]| u64::from(u32::from_le_bytes(low)) | u64::from(u32::from_le_bytes(high)) << 32);
    parts.into_iter().fold(0, |folded: u64, part| (folded ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29))
}

/// The mark of a party to a contract.
pub(crate) fn mark(account: &Address, party: u64) -> u64 {
    let mixed = (fold(account) ^ party.rotate_left(17)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 29)
}

/// The mark of a slot.
pub(crate) fn slot_mark(account: &Address, slot: U256) -> u64 {
    mark(account, slot.as_limbs().iter().fold(0, |folded, limb| folded ^ limb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_who_stood_on_it_last_in_this_block() {
        let mut standing = Standing::default();
        standing.begin(10);
        assert_eq!([standing.stand(7, 2), standing.stand(7, 5), standing.stand(8, 6)], [None, Some(2), None]);
        assert_eq!(standing.stand(7, 5), None, "not on itself");
        standing.begin(10);
        assert_eq!([standing.stand(7, 0), standing.stand(8, 9), standing.stand(7, 9)], [None, None, Some(0)]);
    }

    #[test]
    fn a_table_that_has_counted_to_its_end_starts_anew() {
        let mut standing = Standing::default();
        standing.begin(u32::MAX);
        assert_eq!(standing.stand(7, 3), None);
        standing.begin(5);
        assert_eq!([standing.stand(7, 3), standing.stand(7, 4)], [None, Some(3)]);
    }
}
