//! What is looked at before a folder is opened for writing. Invariant: nothing is changed, so what is refused here can be
//! restored file by file.
//!
//! Opening for writing recovers: what can be read of the write-ahead logs goes into files of its own, and the logs are gone.
//! So the database is opened for reading first, with the families that say what format it has and how far it came.
//! Of the other families' records in the logs only checksums are looked at: it takes as long as reading the logs.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use rocksdb::{DB, InfoLogger, IteratorMode, LogLevel};

use super::{
    contents::CURRENT,
    database::{is_about, recovery},
    marker::Marker,
    record,
    schema::{DEFAULT, FAMILIES, FORMAT_VERSION, HEADERS, LATER_FAMILIES, META, META_FORMAT, META_HEAD},
};
use crate::StoreError;

/// Endings of files that hold records.
const ENDINGS: [&str; 2] = [".sst", ".log"];

/// Refuses a database that this program cannot go on with. One that was not begun yet is fine.
pub(super) fn check(path: &Path, marker: &mut Marker) -> Result<(), StoreError> {
    if !path.join(CURRENT).exists() {
        check_empty(path)?;
        return marker.check(0);
    }
    marker.check_contents()?;
    let failed = |action| move |source| StoreError::Database { path: path.to_owned(), action, source };
    let families = DB::list_cf(&recovery(), path).map_err(failed("reading its families"))?;
    let said = Said::of(path, &families)?;
    // Another format may have other families; its number says more than their names.
    said.format.map_or(Ok(()), |found| supported(path, found))?;
    let unknown = |name: &String| name != DEFAULT && !FAMILIES.contains(&name.as_str());
    let found: Vec<String> = families.iter().filter(|name| unknown(name)).cloned().collect();
    if !found.is_empty() {
        return Err(StoreError::Unknown { path: path.to_owned(), found });
    }
    let is_there = |name: &&&str| families.iter().any(|found| found == **name);
    if let (Some(_), Some(missing)) =
        (said.format, FAMILIES.iter().find(|name| !is_there(name) && !LATER_FAMILIES.contains(name)))
    {
        return Err(StoreError::Incomplete { path: path.to_owned(), missing });
    }
    // Where the record is there and cannot be read, that is told when everything is open.
    said.head.map_or(Ok(()), |head| marker.check(head))
}

/// Refuses every format but this program's.
pub(super) fn supported(path: &Path, found: u32) -> Result<(), StoreError> {
    match found {
        FORMAT_VERSION => Ok(()),
        _ => Err(StoreError::Format { path: path.to_owned(), found, expected: FORMAT_VERSION }),
    }
}

/// Refuses a folder that lost the file which says what belongs to the database.
fn check_empty(path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Folder { path: path.to_owned(), source };
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let holds_records = ENDINGS.iter().any(|end| name.to_string_lossy().ends_with(end));
        if holds_records && entry.metadata().map_err(failed)?.len() > 0 {
            return Err(StoreError::Incomplete { path: path.to_owned(), missing: CURRENT });
        }
    }
    Ok(())
}

/// What a database says of itself.
#[derive(Default)]
struct Said {
    format: Option<u32>,
    /// Number of the newest block; the one before the first where nothing was written yet.
    head: Option<u64>,
}

impl Said {
    fn of(path: &Path, families: &[String]) -> Result<Self, StoreError> {
        let there = |wanted: &&str| families.iter().any(|name| name == wanted);
        if !there(&META) {
            return Ok(Self::default());
        }
        let (mut options, dropped) = (recovery(), Dropped::default());
        options.set_info_logger(dropped.listener());
        let failed = |action| move |source| StoreError::Database { path: path.to_owned(), action, source };
        let opened =
            DB::open_cf_for_read_only(&options, path, [META, HEADERS].iter().filter(|name| there(name)), false);
        let database = opened.map_err(|source| dropped.blamed_for(path, source))?;
        let family = database.cf_handle(META).expect("it was opened with this one");
        let get = |key| database.get_cf(family, key).map_err(failed("reading a record"));
        let (format, head) = (get(META_FORMAT)?, get(META_HEAD)?);
        if let (None, Some(blocks)) = (&format, database.cf_handle(HEADERS))
            && let Some(block) = database.iterator_cf(blocks, IteratorMode::Start).next()
        {
            block.map_err(failed("reading records"))?;
            let (key, reason) = (META_FORMAT.to_owned(), "missing, although there are blocks".to_owned());
            return Err(StoreError::Corrupted { path: path.to_owned(), family: META, key, reason });
        }
        let format = format.and_then(|bytes| record::sized(&bytes).ok()).map(u32::from_be_bytes);
        let head = match head {
            None => Some(0),
            Some(bytes) => record::decode_head(&bytes).ok().map(|head| head.number),
        };
        Ok(Self { format, head })
    }
}

/// The file of which RocksDB had to drop something: its error does not name a damaged log, what it notes does.
#[derive(Default)]
struct Dropped(Arc<Mutex<Option<PathBuf>>>);

impl Dropped {
    fn listener(&self) -> InfoLogger {
        let file = Arc::clone(&self.0);
        InfoLogger::new_callback_logger(LogLevel::Warn, move |_, line| {
            let before = line.split_once(": dropping").map_or("", |(before, _)| before);
            if let Some(path) = before.split(' ').rfind(|word| word.ends_with(".log")) {
                file.lock().get_or_insert_with(|| PathBuf::from(path));
            }
        })
    }

    fn blamed_for(&self, path: &Path, source: rocksdb::Error) -> StoreError {
        match self.0.lock().take() {
            Some(log) if !is_about(&source, path) => StoreError::DamagedLog { path: log, source },
            Some(_) | None => StoreError::Database { path: path.to_owned(), action: "opening it for reading", source },
        }
    }
}
