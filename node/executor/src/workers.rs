//! The threads that execute blocks. They live as long as the node.

use std::num::NonZeroUsize;

/// Threads for [`Mode::Parallel`](crate::Mode::Parallel), with what they learned from recent blocks.
#[derive(Debug)]
pub struct Workers {
    threads: NonZeroUsize,
}

impl Workers {
    /// That many threads, the calling one included.
    #[must_use]
    pub const fn new(threads: NonZeroUsize) -> Self {
        Self { threads }
    }

    /// How many threads there are, the calling one included.
    #[must_use]
    pub const fn threads(&self) -> NonZeroUsize {
        self.threads
    }
}
