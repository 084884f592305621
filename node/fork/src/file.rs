//! What was read of a forked block, kept in a file over the end of the process. One file for each chain, block and way of
//! checking.
//!
//! A file is a list of records, each with a checksum of itself and of all before it; so damage, wherever it is, is found, and
//! what comes before it is still good. It is only ever appended to, by the one process that has locked it; others read what
//! was there when they opened it. Whatever is wrong with a file, its contents can be asked for again: nothing here makes a fork
//! fail but a folder that cannot be written to.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use alloy_consensus::{Header, Sealed};
use alloy_primitives::{Address, B256, Bytes, Keccak256, U256, keccak256};
use parapet_types::AccountInfo;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::{
    Checks, ForkError,
    cache::{CACHE_BYTES_MAX, Cache, Key, KnownAccount, Value},
};

/// First bytes of every file; the number is that of the format.
const MAGIC: &[u8] = b"parapet fork cache 1\n";
/// Ending of the files' names.
const EXTENSION: &str = "cache";
/// Most bytes of one file: no more than memory would hold of it.
const FILE_BYTES_MAX: u64 = CACHE_BYTES_MAX as u64;
/// Most bytes of all files; those that were not used for longest go first.
const FOLDER_BYTES_MAX: u64 = 4 * FILE_BYTES_MAX;
/// Most bytes of one record: a code and what is around it.
const RECORD_BYTES_MAX: u32 = 2 * 1_024 * 1_024;

type Checksum = [u8; 8];

/// What a file is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Of {
    pub(crate) chain_id: u64,
    pub(crate) hash: B256,
    pub(crate) header: Header,
    pub(crate) checks: Checks,
    /// Whether the endpoint can be asked for a block by its hash.
    pub(crate) by_hash: bool,
}

/// An open file.
#[derive(Debug)]
pub(crate) struct CacheFile {
    path: PathBuf,
    /// `None` where another process writes, or writing failed, or there is no room.
    writer: Mutex<Option<Writer>>,
}

#[derive(Debug)]
struct Writer {
    file: File,
    checksum: Checksum,
    bytes: u64,
}

impl CacheFile {
    /// Opens the file of a block, puts what is in it into a cache, and makes room for it.
    pub(crate) fn open(folder: &Path, of: &Of, cache: &Cache) -> Result<Self, ForkError> {
        let path = path_of(folder, of);
        let fail = |source| ForkError::Cache { path: path.clone(), source };
        fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(fail)?;
        make_room(folder, &path);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(fail)?;
        let is_ours = file.try_lock().is_ok();
        let mut found = None;
        let (mut end, mut checksum) = read(&file, |record| match found {
            None => {
                let begins: Option<Of> = serde_json::from_slice(record).ok();
                found = begins.filter(|begins| begins == of);
                found.is_some()
            }
            Some(_) => decode(record).is_some_and(|(key, value)| {
                keep(cache, key, value);
                true
            }),
        });
        let length = file.metadata().map_err(fail)?.len();
        if end < length {
            let lost = length - end;
            tracing::warn!("{}: the last {lost} bytes are damaged and are read from the chain again", path.display());
        }
        if !is_ours {
            tracing::info!("{} is written by another process; nothing is added to it", path.display());
            return Ok(Self { path, writer: Mutex::new(None) });
        }
        if found.is_none() {
            file.set_len(0).map_err(fail)?;
            let (bytes, sum) = begin(of);
            file.seek(SeekFrom::Start(0)).map_err(fail)?;
            file.write_all(&bytes).map_err(fail)?;
            (end, checksum) = (bytes.len() as u64, sum);
        } else {
            file.set_len(end).map_err(fail)?;
            file.seek(SeekFrom::Start(end)).map_err(fail)?;
        }
        Ok(Self { path, writer: Mutex::new(Some(Writer { file, checksum, bytes: end })) })
    }

    /// What the folder has of a block, by its number: the newest file, if there is any.
    pub(crate) fn find(folder: &Path, chain_id: u64, number: u64) -> Option<Of> {
        let start = format!("{number}-");
        let mut files: Vec<_> = files_in(&folder.join(chain_id.to_string()))
            .filter(|(path, ..)| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&start)))
            .collect();
        files.sort_by_key(|(_, modified, _)| std::cmp::Reverse(*modified));
        files.into_iter().find_map(|(path, ..)| {
            let mut of: Option<Of> = None;
            read(&File::open(path).ok()?, |record| {
                of = serde_json::from_slice(record).ok();
                false
            });
            of.filter(|of| of.chain_id == chain_id && of.header.number == number)
        })
    }

    /// Appends an answer.
    pub(crate) fn add(&self, key: &Key, value: &Value) {
        let Some(payload) = encode(key, value) else { return };
        let mut writer = self.writer.lock();
        let Some(open) = writer.as_mut() else { return };
        let (bytes, checksum) = record(&payload, open.checksum);
        if open.bytes + bytes.len() as u64 > FILE_BYTES_MAX {
            tracing::info!("{} is full; nothing more is added to it", self.path.display());
            *writer = None;
            return;
        }
        if let Err(error) = open.file.write_all(&bytes) {
            tracing::warn!("{}: {error}; nothing more is added to it", self.path.display());
            *writer = None;
            return;
        }
        (open.checksum, open.bytes) = (checksum, open.bytes + bytes.len() as u64);
    }
}

impl Of {
    pub(crate) fn block(&self) -> Sealed<Header> {
        Sealed::new_unchecked(self.header.clone(), self.hash)
    }
}

/// Keeps an answer, and from whom a code can be had again.
pub(crate) fn keep(cache: &Cache, key: Key, value: Value) -> bool {
    if let (Key::Account(address), Value::Account(KnownAccount { info: Some(info), .. })) = (&key, &value) {
        cache.put(Key::Holder(info.code_hash), Value::Holder(*address));
    }
    cache.put(key, value)
}

fn path_of(folder: &Path, of: &Of) -> PathBuf {
    let checks = match of.checks {
        Checks::Proved => "proved",
        Checks::Told => "told",
    };
    folder.join(of.chain_id.to_string()).join(format!("{}-{}-{checks}.{EXTENSION}", of.header.number, of.hash))
}

/// The first bytes of a file.
fn begin(of: &Of) -> (Vec<u8>, Checksum) {
    let json = serde_json::to_vec(of).expect("a header is plain data");
    let (first, checksum) = record(&json, checksum_of(&[], MAGIC));
    ([MAGIC, &first].concat(), checksum)
}

fn checksum_of(before: &[u8], bytes: &[u8]) -> Checksum {
    let mut hasher = Keccak256::new();
    hasher.update(before);
    hasher.update(bytes);
    let mut sum = Checksum::default();
    sum.copy_from_slice(&hasher.finalize()[..8]);
    sum
}

/// Length, payload, checksum.
fn record(payload: &[u8], before: Checksum) -> (Vec<u8>, Checksum) {
    let length = u32::try_from(payload.len()).expect("a record is small");
    let checksum = checksum_of(&before, payload);
    ([&length.to_le_bytes(), payload, &checksum[..]].concat(), checksum)
}

/// Hands over records until one is not accepted, or damaged. Gives the end of the last good one, and its checksum.
fn read(file: &File, mut each: impl FnMut(&[u8]) -> bool) -> (u64, Checksum) {
    let mut reader = BufReader::new(file.take(FILE_BYTES_MAX));
    let (mut end, mut checksum) = (0, Checksum::default());
    let mut magic = [0; MAGIC.len()];
    if reader.read_exact(&mut magic).is_err() || magic != *MAGIC {
        return (end, checksum);
    }
    (end, checksum) = (MAGIC.len() as u64, checksum_of(&[], MAGIC));
    let (mut length, mut payload, mut sum) = ([0; 4], Vec::new(), Checksum::default());
    while reader.read_exact(&mut length).is_ok() {
        let bytes = u32::from_le_bytes(length);
        if bytes > RECORD_BYTES_MAX {
            break;
        }
        payload.resize(bytes as usize, 0);
        let whole = reader.read_exact(&mut payload).is_ok() && reader.read_exact(&mut sum).is_ok();
        if !whole || sum != checksum_of(&checksum, &payload) || !each(&payload) {
            break;
        }
        (end, checksum) = (end + u64::from(bytes) + 12, sum);
    }
    (end, checksum)
}

const ACCOUNT: u8 = 0;
const SLOT: u8 = 1;
const CODE: u8 = 2;
const BLOCK_HASH: u8 = 3;

fn encode(key: &Key, value: &Value) -> Option<Vec<u8>> {
    let known = |known: Option<bool>| known.map_or(2, u8::from);
    Some(match (key, value) {
        (Key::Account(address), Value::Account(KnownAccount { info, has_storage })) => {
            let AccountInfo { nonce, balance, code_hash } = info.unwrap_or_default();
            let flags = [u8::from(info.is_some()), known(*has_storage)];
            let (nonce, balance) = (nonce.to_be_bytes(), balance.to_be_bytes::<32>());
            [&[ACCOUNT], &address[..], &flags, &nonce, &balance, &code_hash[..]].concat()
        }
        (Key::Slot(address, slot), Value::Slot(value)) => {
            [&[SLOT], &address[..], &slot.to_be_bytes::<32>(), &value.to_be_bytes::<32>()].concat()
        }
        (Key::Code(_), Value::Code(code)) => [&[CODE], &code[..]].concat(),
        (Key::BlockHash(number), Value::BlockHash(hash)) => {
            [&[BLOCK_HASH], &number.to_be_bytes()[..], &hash[..]].concat()
        }
        _ => return None,
    })
}

fn decode(payload: &[u8]) -> Option<(Key, Value)> {
    let (tag, rest) = payload.split_first()?;
    let word = |at: usize| rest.get(at..at + 32).map(B256::from_slice);
    let number = |at: usize| rest.get(at..at + 8)?.try_into().ok().map(u64::from_be_bytes);
    let address = || rest.get(..20).map(Address::from_slice);
    let sized = |bytes: usize| (rest.len() == bytes).then_some(());
    Some(match *tag {
        ACCOUNT => {
            sized(20 + 2 + 8 + 32 + 32)?;
            let info = AccountInfo { nonce: number(22)?, balance: word(30)?.into(), code_hash: word(62)? };
            let has_storage = (rest[21] < 2).then_some(rest[21] == 1);
            let account = KnownAccount { info: (rest[20] == 1).then_some(info), has_storage };
            (Key::Account(address()?), Value::Account(account))
        }
        SLOT => {
            sized(20 + 32 + 32)?;
            let slot: U256 = word(20)?.into();
            (Key::Slot(address()?, slot), Value::Slot(word(52)?.into()))
        }
        CODE => (Key::Code(keccak256(rest)), Value::Code(Bytes::copy_from_slice(rest))),
        BLOCK_HASH => {
            sized(8 + 32)?;
            (Key::BlockHash(number(0)?), Value::BlockHash(word(8)?))
        }
        _ => return None,
    })
}

/// The cache files of one chain's folder, with when they were written last, and their lengths.
fn files_in(folder: &Path) -> impl Iterator<Item = (PathBuf, std::time::SystemTime, u64)> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| {
        let (path, metadata) = (entry.path(), entry.metadata().ok()?);
        let is_ours = path.extension().is_some_and(|extension| extension == EXTENSION) && metadata.is_file();
        is_ours.then_some((path, metadata.modified().ok()?, metadata.len()))
    })
}

/// Removes the files that were not written to for longest, until those that stay have room. What cannot be removed stays.
fn make_room(folder: &Path, but: &Path) {
    let chains = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = chains.flat_map(|chain| files_in(&chain.path())).filter(|(path, ..)| path != but).collect();
    files.sort_by_key(|(_, modified, _)| *modified);
    let mut bytes: u64 = FILE_BYTES_MAX + files.iter().map(|(.., bytes)| bytes).sum::<u64>();
    for (path, _, length) in files {
        if bytes <= FOLDER_BYTES_MAX {
            break;
        }
        match fs::remove_file(&path) {
            Ok(()) => bytes -= length,
            Err(error) => tracing::debug!("{}: {error}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests;
