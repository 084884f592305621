//! A chain that is being written whole. Invariant: nobody takes it for one before all of it is on disk, and what a crash left
//! of it goes when it is begun again.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{contents::CURRENT, database_dir, marker::Marker, precheck};
use crate::StoreError;

/// Where it lies meanwhile, in the data folder that is to have it.
const MEANWHILE: &str = "unfinished";

/// A data folder that is to have a chain. Everybody else is kept out.
#[derive(Debug)]
pub(crate) struct Unfinished {
    dir: PathBuf,
    marker: Marker,
}

impl Unfinished {
    /// Drops what was left of an earlier attempt.
    pub(crate) fn begin(dir: &Path) -> Result<Self, StoreError> {
        let place = database_dir(dir);
        if place.join(CURRENT).exists() {
            return Err(StoreError::ChainThere { path: dir.to_owned() });
        }
        let failed = |source| StoreError::Folder { path: dir.to_owned(), source };
        fs::create_dir_all(&place).map_err(failed)?;
        let mut marker = Marker::open(dir)?;
        precheck::check(&place, &mut marker)?;
        let begun = Self { dir: dir.to_owned(), marker };
        begun.clear().map_err(failed)?;
        Ok(begun)
    }

    /// The data folder to write to.
    pub(crate) fn folder(&self) -> PathBuf {
        self.dir.join(MEANWHILE)
    }

    /// Puts the chain, which is not open any more, into its place.
    pub(crate) fn finish(mut self, head: u64) -> Result<(), StoreError> {
        self.place().map_err(|source| StoreError::Folder { path: self.dir.clone(), source })?;
        self.marker.advance(head);
        if let Err(error) = self.clear() {
            tracing::warn!(folder = %self.folder().display(), %error, "is not needed any more, and cannot be removed");
        }
        Ok(())
    }

    fn place(&self) -> io::Result<()> {
        let written = database_dir(&self.folder());
        for entry in fs::read_dir(&written)? {
            File::open(entry?.path())?.sync_all()?;
        }
        File::open(&written)?.sync_all()?;
        fs::rename(&written, database_dir(&self.dir))?;
        File::open(&self.dir)?.sync_all()
    }

    fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.folder()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
