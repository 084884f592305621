//! Hashes of 64 bytes: a key and a slot, which is how Solidity and Vyper find the entry of a mapping.
//!
//! A transfer of a token hashes each party's balance once to read it and once to write it, and the next one may be of the same
//! parties; a hash takes as long as hundreds of plain instructions. So an EVM remembers the last ones. What a hash costs in
//! gas is the same as ever.
//!
//! Invariant: each place holds bytes and their own hash. So nothing depends on what is remembered but time.

use alloy_primitives::{B256, keccak256};

/// A key and a slot.
pub(crate) const PREIMAGE_BYTES: usize = 64;
/// Hashes that are remembered, as a power of two: 48 KiB, so that they stay in a core's own cache.
const PLACES_LOG2: u32 = 9;
/// Hashes after which an EVM begins to remember them: one that lives for a call or two, as those of reads do, has no use for so
/// many places.
const FORGOTTEN: u32 = 16;
/// Spreads preimages over places (Fibonacci hashing: 2^64 divided by the golden ratio).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The last hashes of an EVM. Two preimages may have one place: then the later one is remembered.
#[derive(Debug, Default)]
pub(crate) struct Hashes {
    /// Empty at first.
    places: Box<[Hashed]>,
    /// Hashes that were asked for until there were places.
    forgotten: u32,
}

#[derive(Clone, Copy, Debug)]
struct Hashed {
    preimage: [u8; PREIMAGE_BYTES],
    hash: B256,
}

impl Hashes {
    /// The Keccak-256 of a preimage.
    pub(crate) fn of(&mut self, preimage: &[u8; PREIMAGE_BYTES]) -> B256 {
        if self.places.is_empty() {
            if self.forgotten < FORGOTTEN {
                self.forgotten += 1;
                return keccak256(preimage);
            }
            let preimage = [0; PREIMAGE_BYTES];
            self.places = vec![Hashed { preimage, hash: keccak256(preimage) }; 1 << PLACES_LOG2].into();
        }
        let known = &mut self.places[place(preimage)];
        if known.preimage != *preimage {
            *known = Hashed { preimage: *preimage, hash: keccak256(preimage) };
        }
        known.hash
    }
}

/// Where a preimage is remembered: by the ends of the key and of the slot, which differ where anything does. Who aims at
/// one place makes others hash as they would without all this.
fn place(preimage: &[u8; PREIMAGE_BYTES]) -> usize {
    let (words, _) = preimage.as_chunks::<8>();
    let [.., key, _, _, _, slot] = words else { return 0 };
    let mixed = u64::from_be_bytes(*key) ^ u64::from_be_bytes(*slot).rotate_left(u64::BITS / 2);
    (mixed.wrapping_mul(SPREAD) >> (u64::BITS - PLACES_LOG2)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preimage(key: u64, slot: u64) -> [u8; PREIMAGE_BYTES] {
        let mut bytes = [0; PREIMAGE_BYTES];
        bytes[24..32].copy_from_slice(&key.to_be_bytes());
        bytes[56..].copy_from_slice(&slot.to_be_bytes());
        bytes
    }

    #[test]
    fn every_hash_is_its_own_preimages_however_many_share_a_place() {
        let mut hashes = Hashes::default();
        for round in 0..2 {
            for key in 0..2_000 {
                let preimage = preimage(key, key % 3 + round);
                assert_eq!(hashes.of(&preimage), keccak256(preimage));
                assert_eq!(hashes.of(&preimage), keccak256(preimage));
            }
        }
    }

    #[test]
    fn preimages_that_differ_where_no_place_depends_on_it_have_hashes_of_their_own() {
        let mut hashes = Hashes::default();
        for at in 0..PREIMAGE_BYTES {
            let mut preimage = preimage(7, 1);
            preimage[at] ^= 0x80;
            assert_eq!(hashes.of(&preimage), keccak256(preimage), "byte {at}");
        }
    }

    #[test]
    fn entries_of_one_mapping_and_mappings_of_one_key_lie_apart() {
        let places = |preimages: &mut dyn Iterator<Item = [u8; PREIMAGE_BYTES]>| {
            preimages.map(|preimage| place(&preimage)).collect::<std::collections::BTreeSet<_>>().len()
        };
        assert!(places(&mut (0..64).map(|key| preimage(key, 3))) > 48);
        assert!(places(&mut (0..64).map(|slot| preimage(0xdead_beef, slot))) > 48);
    }
}
