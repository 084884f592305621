//! Numbers that look random and are the same for a seed on every machine and in every version: SplitMix64 (Steele, Lea and
//! Flood, "Fast splittable pseudorandom number generators", 2014). One word of state, so a seed says everything.
//!
//! Tests and workloads draw from it: a failure is repeated from the seed that it names. Nothing that must not be guessed does.

/// A stream of numbers that its seed fixes.
#[derive(Clone, Debug)]
pub struct Random(
    /// The seed, and then how far the stream has come.
    pub u64,
);

impl Random {
    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; zero if the bound is zero. The bias is far below anything that a test could show.
    pub const fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    /// A small number below `bound`.
    pub fn small(&mut self, bound: u8) -> u8 {
        u8::try_from(self.below(u64::from(bound))).unwrap_or(u8::MAX)
    }

    /// An index below `length`; zero if there is none.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }

    /// Yes, so many times in a hundred.
    pub const fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// One of them.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.index(among.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_stream_is_the_published_one() {
        // Known values of SplitMix64 for seed 1234567.
        let mut random = Random(1_234_567);
        assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn numbers_stay_below_their_bounds() {
        let mut random = Random(7);
        assert!((0..1_000).all(|_| random.below(3) < 3 && random.small(5) < 5 && random.index(2) < 2));
        assert_eq!((random.below(0), random.index(0), random.percent(0), random.percent(100)), (0, 0, false, true));
    }
}
