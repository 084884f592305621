//! xorshift64*: the same numbers for a seed on every machine.

/// Numbers that look random.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    /// The numbers of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn pick(&mut self, from: &[i32]) -> i32 {
        from[self.below(from.len() as u64) as usize]
    }

    /// So many bytes.
    pub(crate) fn bytes(&mut self, many: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.next() as u8).take(many).collect()
    }
}
