//! Column families, keys, and the number of the format.
//!
//! | family | key | value |
//! |---|---|---|
//! | `meta` | `format`, `params`, `head`, `oldest` | version (u32), JSON, number and hash, number of the oldest block whose state is kept |
//! | `meta` | `amendments` | what was amended since the head, JSON; absent when nothing was |
//! | `accounts` | account, version | RLP of address, nonce, balance, code hash, storage root; nothing where it was removed |
//! | `storage` | account, slot, version | slot and word, without leading zeros; nothing where it was removed |
//! | `account_nodes` | place, version | node of the trie of accounts |
//! | `storage_nodes` | account, place, version | node of an account's trie |
//! | `code` | hash | code |
//! | `changes` | number | what the block wrote into the first four families of state: keys without versions; none of the first block |
//! | `headers` | number | RLP |
//! | `bodies` | number | RLP of transactions, senders, withdrawals, ommers |
//! | `receipts` | number | RLP, EIP-2718 |
//! | `results` | number | results of transactions, and verdicts on the chain's own acts: two JSON texts, RLP |
//! | `access_lists` | number | the block's access list, RLP (EIP-7928); absent where the block commits to none |
//! | `numbers` | hash of a block | its number |
//! | `transactions` | hash | number of the block, index |
//!
//! Accounts and slots are known by the Keccak-256 of their address and number, so that an account's slots lie together and
//! everything lies in the order of the tries. A *version* is the complement of the number of the block that wrote the
//! record, so the newest comes first, and what held after block `b` is the first record from version `b` on: that is the
//! index for reads at any point in time. Nothing is ever overwritten, so a reader needs neither lock nor snapshot. State of
//! guards is storage of the registry, and has no family of its own.
//!
//! Integers in keys and values are big-endian.

use alloy_primitives::B256;

use crate::trie::Place;

/// Version of the format above, raised with every change of it by which a folder would be misread. A folder of another
/// version is refused. A family that came later is added to a folder that has none, whose blocks have nothing in it.
///
/// | version | what changed |
/// |---|---|
/// | 1 | |
/// | 2 | parameters say how guards are paid for, results what that came to; blocks hold verdicts on the chain's own acts |
/// | 3 | state is kept by versions, tries are kept, blocks are kept in parts |
pub const FORMAT_VERSION: u32 = 3;

pub(crate) const META: &str = "meta";
pub(crate) const ACCOUNTS: &str = "accounts";
pub(crate) const STORAGE: &str = "storage";
pub(crate) const ACCOUNT_NODES: &str = "account_nodes";
pub(crate) const STORAGE_NODES: &str = "storage_nodes";
pub(crate) const CODE: &str = "code";
pub(crate) const CHANGES: &str = "changes";
pub(crate) const HEADERS: &str = "headers";
pub(crate) const BODIES: &str = "bodies";
pub(crate) const RECEIPTS: &str = "receipts";
pub(crate) const RESULTS: &str = "results";
pub(crate) const ACCESS_LISTS: &str = "access_lists";
pub(crate) const NUMBERS: &str = "numbers";
pub(crate) const TRANSACTIONS: &str = "transactions";
pub(crate) const FAMILIES: [&str; 14] = [
    META,
    ACCOUNTS,
    STORAGE,
    ACCOUNT_NODES,
    STORAGE_NODES,
    CODE,
    CHANGES,
    HEADERS,
    BODIES,
    RECEIPTS,
    RESULTS,
    ACCESS_LISTS,
    NUMBERS,
    TRANSACTIONS,
];
/// Those that came after the format: they are added to a folder that has none.
pub(crate) const LATER_FAMILIES: [&str; 1] = [ACCESS_LISTS];
/// RocksDB makes this one in every database; nothing is kept in it.
pub(crate) const DEFAULT: &str = "default";

pub(crate) const META_FORMAT: &str = "format";
pub(crate) const META_PARAMS: &str = "params";
pub(crate) const META_HEAD: &str = "head";
pub(crate) const META_OLDEST: &str = "oldest";
pub(crate) const META_AMENDMENTS: &str = "amendments";

/// Comes after every key of every family: the longest is an account with a place and a version.
pub(crate) const BEYOND_KEYS: [u8; 128] = [0xff; 128];

/// Bytes of a version at the end of a key.
pub(crate) const VERSION_BYTES: usize = 8;

/// Families whose keys end in a version, and the bytes before it where they are always as many.
pub(crate) const VERSIONED: [(&str, Option<usize>); 4] =
    [(ACCOUNTS, Some(32)), (STORAGE, Some(64)), (ACCOUNT_NODES, None), (STORAGE_NODES, None)];

/// A key of one of the families that hold state, without its version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StateKey {
    pub(crate) family: &'static str,
    pub(crate) bytes: Vec<u8>,
}

impl StateKey {
    pub(crate) fn account(account: &B256) -> Self {
        Self { family: ACCOUNTS, bytes: account.to_vec() }
    }

    pub(crate) fn slot(account: &B256, slot: &B256) -> Self {
        Self { family: STORAGE, bytes: [account.0, slot.0].concat() }
    }

    /// A node of an account's trie, or of the trie of accounts.
    pub(crate) fn node(account: Option<&B256>, place: Place) -> Self {
        let mut bytes = account.map_or_else(Vec::new, |account| account.to_vec());
        place.write(&mut bytes);
        Self { family: if account.is_some() { STORAGE_NODES } else { ACCOUNT_NODES }, bytes }
    }

    /// The whole key of what a block wrote.
    pub(crate) fn at(&self, block: u64) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.bytes.len() + VERSION_BYTES);
        key.extend_from_slice(&self.bytes);
        key.extend_from_slice(&(!block).to_be_bytes());
        key
    }

    /// The number of the block that wrote a record, if the record is of this key.
    pub(crate) fn version_of(&self, key: &[u8]) -> Option<u64> {
        version(key.strip_prefix(&self.bytes[..])?)
    }
}

/// The number of a block from a version.
pub(crate) fn version(bytes: &[u8]) -> Option<u64> {
    Some(!u64::from_be_bytes(bytes.try_into().ok()?))
}

/// A key and the number of the block that wrote it.
pub(crate) fn split_version(key: &[u8]) -> Option<(&[u8], u64)> {
    let (bytes, last) = key.split_at_checked(key.len().checked_sub(VERSION_BYTES)?)?;
    Some((bytes, version(last)?))
}
