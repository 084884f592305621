//! Bytes to draw from: the same for a seed on every machine.

use arbitrary::Unstructured;
use parapet_random::Random;

/// Bytes that one seed gives: more than anything that is drawn of it needs.
const BYTES: usize = 4_096;

/// The bytes of a seed.
pub(crate) fn bytes(seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    std::iter::repeat_with(|| random.next().to_le_bytes()).take(BYTES / 8).flatten().collect()
}

/// A number below `end`, which is not 0. Where nothing is left to draw from, it is 0.
pub(crate) fn below(from: &mut Unstructured<'_>, end: usize) -> usize {
    from.int_in_range(0..=end.saturating_sub(1)).unwrap_or_default()
}

/// Whether something that happens once in so many times happens.
pub(crate) fn one_in(from: &mut Unstructured<'_>, many: usize) -> bool {
    below(from, many) == 0
}

/// Changes bytes here and there: flips, cuts, repeats, puts others in.
pub(crate) fn disturb(from: &mut Unstructured<'_>, bytes: &mut Vec<u8>) {
    for _ in 0..=below(from, 4) {
        if bytes.is_empty() {
            return;
        }
        let at = below(from, bytes.len());
        match below(from, 5) {
            0 => bytes[at] ^= 1 << below(from, 8),
            1 => bytes[at] = from.arbitrary().unwrap_or_default(),
            2 => bytes.truncate(at),
            3 => bytes.insert(at, from.arbitrary().unwrap_or_default()),
            _ => {
                let end = (at + 1 + below(from, 64)).min(bytes.len());
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
}
