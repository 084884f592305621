//! Remembers, beside the database, how far the chain has come. Invariant: never ahead of the database.
//!
//! Damage at the end of a write-ahead log looks like a write that a crash tore, and a log that is gone looks like one
//! that never was: the database would go on from an older block without a word. The marker tells these apart. It is
//! written after each block without waiting for the disk: a crash may leave it behind, which does no harm.
//!
//! It is the lock of the folder, too, taken before anything is looked at; and where it is another file than the one that was
//! opened, the folder is not the one that was opened.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{contents::Contents, database_dir};
use crate::StoreError;

/// Name of the file, in the data folder.
const MARKER_FILE: &str = "announced";

/// Bytes of what is remembered of a table of contents, after the number of a block and its complement.
const CONTENTS_AT: usize = 16;
const BYTES: usize = 48;

/// The file with the number of the newest block, then number and length of the table of contents: each with its complement
/// after it, all big-endian.
#[derive(Debug)]
pub(super) struct Marker {
    path: PathBuf,
    file: File,
    /// The database's folder.
    database: PathBuf,
}

impl Marker {
    /// Opens the folder's file, and keeps everybody else out as long as it is open.
    pub(super) fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(MARKER_FILE);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let locked = opened.map_err(TryLockError::Error).and_then(|file| file.try_lock().map(|()| file));
        match locked {
            Ok(file) => Ok(Self { path, file, database: database_dir(dir) }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: dir.to_owned() }),
            Err(TryLockError::Error(source)) => Err(StoreError::Folder { path, source }),
        }
    }

    /// Refuses to go on where the folder was removed or replaced: what is written is then seen by nobody.
    pub(super) fn check_place(&self) -> Result<(), StoreError> {
        let identity = |about: std::fs::Metadata| (about.dev(), about.ino());
        let (here, there) = (self.file.metadata().map(identity), std::fs::metadata(&self.path).map(identity));
        match (here, there) {
            (Ok(here), Ok(there)) if here == there => Ok(()),
            _ => Err(StoreError::Replaced { path: self.path.clone() }),
        }
    }

    /// Refuses a database whose newest block is older than one that was announced.
    pub(super) fn check(&mut self, head: u64) -> Result<(), StoreError> {
        match self.read() {
            Some(announced) if announced > head => Err(StoreError::Lost { path: self.path.clone(), announced, head }),
            Some(_) => Ok(()),
            None => {
                if self.file.metadata().is_ok_and(|about| about.len() > 0) {
                    let file = self.path.display();
                    tracing::warn!(%file, "holds no number of a block; blocks that were lost before now would not be missed");
                }
                Ok(())
            }
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
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend(with_complement([number]));
        if let Some(Contents { number, bytes: length }) = Contents::of(&self.database) {
            bytes.extend(with_complement([number, length]));
        }
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&bytes)
    }

    /// Refuses a table of contents that has become shorter.
    pub(super) fn check_contents(&mut self) -> Result<(), StoreError> {
        match self.bytes().get(CONTENTS_AT..BYTES).and_then(without_complement) {
            Some([number, bytes]) => Contents { number, bytes }.check_kept(&self.database),
            None => Ok(()),
        }
    }

    /// The number, unless the file is new or a crash tore it.
    fn read(&mut self) -> Option<u64> {
        self.bytes().get(..CONTENTS_AT).and_then(without_complement).map(|[number]| number)
    }

    fn bytes(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let read =
            self.file.seek(SeekFrom::Start(0)).and_then(|_| (&self.file).take(BYTES as u64).read_to_end(&mut bytes));
        if read.is_ok() { bytes } else { Vec::new() }
    }
}

fn with_complement<const N: usize>(numbers: [u64; N]) -> impl Iterator<Item = u8> {
    let complements = numbers.map(|number| !number);
    numbers.into_iter().chain(complements).flat_map(u64::to_be_bytes)
}

fn without_complement<const N: usize>(bytes: &[u8]) -> Option<[u64; N]> {
    let mut words = bytes.chunks_exact(8).map(|word| u64::from_be_bytes(word.try_into().expect("chunks of eight")));
    let numbers = words.by_ref().take(N).collect::<Vec<u64>>();
    let is_whole = words.eq(numbers.iter().map(|number| !number));
    if is_whole { numbers.try_into().ok() } else { None }
}
