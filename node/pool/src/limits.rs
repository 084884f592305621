//! What bounds the pool.

/// Longest transaction, in bytes of its EIP-2718 encoding; blobs come on top.
pub const TRANSACTION_BYTES_MAX: usize = 128 * 1_024;
/// A replacement must pay at least this much more, in percent, in both of its fees.
pub const PRICE_BUMP_PERCENT: u128 = 10;
/// A replacement with blobs must pay at least this much more, in percent, in all three of its fees: what it takes to pass
/// blobs on is wasted with each replacement.
pub const BLOB_PRICE_BUMP_PERCENT: u128 = 100;
/// Most transactions with blobs of one sender.
pub const BLOB_TRANSACTIONS_MAX: usize = 16;

/// After so many faults of the node a transaction no longer comes before others, whatever it pays: it would take their
/// place in block after block.
pub const FAULTS_MAX: u32 = 3;

/// How much the pool holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Transactions, of all senders together.
    pub transactions_max: usize,
    /// Bytes of their EIP-2718 encodings and of their blobs, of all senders together.
    pub bytes_max: usize,
    /// Transactions of one sender, pending and queued.
    pub per_sender_max: usize,
    /// Bytes of one sender's, counted alike.
    pub bytes_per_sender_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            transactions_max: 50_000,
            bytes_max: 128 * 1_024 * 1_024,
            per_sender_max: 2_048,
            bytes_per_sender_max: 32 * 1_024 * 1_024,
        }
    }
}
