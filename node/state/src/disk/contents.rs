//! The database's table of contents: the file that `CURRENT` names.
//!
//! RocksDB reads one that was cut as one that was never longer, and deletes the files that it then does not know. So what it
//! was is remembered beside the database (see [`marker`](super::marker)): a table only grows, until there is a newer one.

use std::{fs, path::Path};

use crate::StoreError;

/// The file that names the newest table of contents. RocksDB begins a new database where there is none.
pub(super) const CURRENT: &str = "CURRENT";
/// How tables are called, before their numbers.
const PREFIX: &str = "MANIFEST-";

/// A table of contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contents {
    /// Number of the file.
    pub(super) number: u64,
    /// Its length.
    pub(super) bytes: u64,
}

impl Contents {
    /// The newest, as it is now; `None` where that cannot be said.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let current = fs::read_to_string(path.join(CURRENT)).ok()?;
        let name = current.trim_end();
        let number = name.strip_prefix(PREFIX)?.parse().ok()?;
        Some(Self { number, bytes: fs::metadata(path.join(name)).ok()?.len() })
    }

    /// Refuses a folder whose table is less than this one, which it had.
    pub(super) fn check_kept(self, path: &Path) -> Result<(), StoreError> {
        match Self::of(path) {
            Some(now) if (now.number, now.bytes) < (self.number, self.bytes) => {
                let (file, bytes) = (path.join(format!("{PREFIX}{:06}", now.number)), now.bytes);
                Err(StoreError::CutContents { file, bytes, expected: self.bytes })
            }
            // What is not there or cannot be read is an error of the database, which names it.
            Some(_) | None => Ok(()),
        }
    }
}
