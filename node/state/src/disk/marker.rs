//! Remembers, beside the database, how far the chain has come. Invariant: never ahead of the database.
//!
//! Damage at the end of a write-ahead log looks like a write that a crash tore, and a log that is gone looks like one
//! that never was: the database would go on from an older block without a word. The marker tells these apart. It is
//! written after each block without waiting for the disk: a crash may leave it behind, which does no harm.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use crate::StoreError;

/// Name of the file, in the data folder.
const MARKER_FILE: &str = "announced";

/// The file with the number of the newest block: the number and its complement, both big-endian.
#[derive(Debug)]
pub(super) struct Marker {
    path: PathBuf,
    file: File,
}

impl Marker {
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(MARKER_FILE);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        match opened {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(StoreError::Folder { path, source }),
        }
    }

    /// Refuses a database whose newest block is older than one that was announced.
    pub(super) fn check(&mut self, head: u64) -> Result<(), StoreError> {
        match self.read() {
            Some(announced) if announced > head => Err(StoreError::Lost { path: self.path.clone(), announced, head }),
            _ => Ok(()),
        }
    }

    /// Notes a block that was stored.
    pub(super) fn advance(&mut self, number: u64) {
        if let Err(error) = self.write(number) {
            tracing::warn!(file = %self.path.display(), %error, "the newest block could not be noted");
        }
    }

    /// Notes, for good, that later blocks are about to be dropped.
    pub(super) fn lower(&mut self, number: u64) -> Result<(), StoreError> {
        let lowered = self.write(number).and_then(|()| self.file.sync_data());
        lowered.map_err(|source| StoreError::Folder { path: self.path.clone(), source })
    }

    fn write(&mut self, number: u64) -> std::io::Result<()> {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        bytes[8..].copy_from_slice(&(!number).to_be_bytes());
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&bytes)
    }

    /// The number, unless the file is new or a crash tore it.
    fn read(&mut self) -> Option<u64> {
        let mut bytes = [0; 16];
        self.file.seek(SeekFrom::Start(0)).ok()?;
        self.file.read_exact(&mut bytes).ok()?;
        let (number, complement) = bytes.split_at(8);
        let number = u64::from_be_bytes(number.try_into().ok()?);
        (complement == (!number).to_be_bytes()).then_some(number)
    }
}
