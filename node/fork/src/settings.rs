//! Which block of which chain is forked, and how its endpoint is treated. Defaults are anvil's.

use std::{fmt, path::PathBuf, time::Duration};

use alloy_primitives::B256;

use crate::public_name;

/// How a chain is forked. What is printed of it has no keys: neither URLs as a whole, nor values of headers.
#[derive(Clone, PartialEq, Eq)]
pub struct ForkSettings {
    /// Endpoints of the chain, at least one; when one fails, the next is asked.
    pub urls: Vec<String>,
    /// The block to go on from.
    pub block: ForkBlock,
    /// Hash that this block must have.
    pub block_hash: Option<B256>,
    /// Chain id of the remote chain, if it is not to be asked for; with a block's number and a cache, nothing is asked at the
    /// start.
    pub chain_id: Option<u64>,
    /// HTTP headers of every request.
    pub headers: Vec<(String, String)>,
    /// File in PEM with those who may vouch for endpoints, in place of those that browsers trust.
    pub ca: Option<PathBuf>,
    /// Most time that one request may take.
    pub timeout: Duration,
    /// Further attempts after a request that was refused for its rate or whose connection failed. One that ran out of time is
    /// not made again.
    pub retries: u32,
    /// Time before the second attempt; it doubles from attempt to attempt.
    pub backoff: Duration,
    /// What the endpoint grants, once it says that it is asked too much; `None` to rely on the backoff alone.
    pub compute_units_per_second: Option<u64>,
    /// Whether answers are checked against the block's state root.
    pub verify: Verify,
    /// Folder for what was read; `None` to keep nothing over the end of the process.
    pub cache: Option<PathBuf>,
}

impl ForkSettings {
    /// Milliseconds that one request may take.
    pub const TIMEOUT_MILLIS: u64 = 45_000;
    /// Further attempts.
    pub const RETRIES: u32 = 5;
    /// Milliseconds before the second attempt.
    pub const BACKOFF_MILLIS: u64 = 1_000;
    /// Alchemy's smallest plan, in its units.
    pub const COMPUTE_UNITS_PER_SECOND: u64 = 330;

    /// The newest block of an endpoint's chain, with the usual settings and without a cache on disk.
    #[must_use]
    pub fn of(url: impl Into<String>) -> Self {
        Self {
            urls: vec![url.into()],
            block: ForkBlock::Latest,
            block_hash: None,
            chain_id: None,
            headers: Vec::new(),
            ca: None,
            timeout: Duration::from_millis(Self::TIMEOUT_MILLIS),
            retries: Self::RETRIES,
            backoff: Duration::from_millis(Self::BACKOFF_MILLIS),
            compute_units_per_second: Some(Self::COMPUTE_UNITS_PER_SECOND),
            verify: Verify::WherePossible,
            cache: None,
        }
    }
}

impl fmt::Debug for ForkSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let urls: Vec<_> = self.urls.iter().map(|url| public_name(url)).collect();
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("ForkSettings")
            .field("urls", &urls)
            .field("block", &self.block)
            .field("headers", &headers)
            .field("verify", &self.verify)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

/// The block to go on from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForkBlock {
    /// The newest.
    #[default]
    Latest,
    /// The one with a number.
    Number(u64),
    /// So many before the newest.
    Behind(u64),
    /// The one before that of a transaction. What comes before the transaction in its block, and it, is to be executed
    /// [again](crate::Fork::repeat).
    Transaction(B256),
}

/// Whether answers are checked against the block's state root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// If the endpoint has proofs of the block, which is found out at the start and does not change from then on.
    #[default]
    WherePossible,
    /// Always: a chain whose endpoint has no proofs is not forked.
    Always,
    /// Never.
    Never,
}

/// Where what was read is kept unless told otherwise: in the user's folder for caches, if there is one.
#[must_use]
pub fn default_cache_folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let caches = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))?;
    Some(caches.join("parapet").join("fork"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_of_settings_has_no_keys() {
        let mut settings = ForkSettings::of("https://me:SECRET@example.com/v2/SECRET?key=SECRET");
        settings.headers.push(("Authorization".to_owned(), "Bearer SECRET".to_owned()));
        let printed = format!("{settings:?}");
        assert!(!printed.contains("SECRET"), "{printed}");
        assert!(printed.contains("https://example.com/…") && printed.contains("Authorization"), "{printed}");
    }
}
