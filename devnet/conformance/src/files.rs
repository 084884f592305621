//! Files of tests, found and read within bounds.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use crate::ConformanceError;

/// Longest file, in bytes: ten times the longest of any suite.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Most files of one run.
const FILES_MAX: usize = 200_000;
/// Most folders within folders: links can lead in circles.
const FOLDERS_DEEP_MAX: usize = 32;

/// Every `.json` file at or below a path, in order.
pub(crate) fn find(path: &Path) -> Result<Vec<PathBuf>, ConformanceError> {
    if !path.exists() {
        return Err(ConformanceError::NotFound(path.to_owned()));
    }
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![(path.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let unreadable = |source| ConformanceError::Read { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?.path();
            if entry.is_dir() {
                if depth == FOLDERS_DEEP_MAX {
                    return Err(ConformanceError::TooDeep { path: entry, max: FOLDERS_DEEP_MAX });
                }
                folders.push((entry, depth + 1));
            } else if entry.extension().is_some_and(|extension| extension == "json") {
                found.push(entry);
            }
            if found.len() > FILES_MAX || folders.len() > FILES_MAX {
                return Err(ConformanceError::TooManyFiles { path: path.to_owned(), max: FILES_MAX });
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A file's bytes.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, ConformanceError> {
    let unreadable = |source| ConformanceError::Read { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(unreadable)?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(ConformanceError::FileTooLong { path: path.to_owned(), bytes, max: FILE_BYTES_MAX });
    }
    let mut text = Vec::new();
    // What is said to be short may be endless, as devices are.
    file.take(FILE_BYTES_MAX).read_to_end(&mut text).map_err(unreadable)?;
    Ok(text)
}
