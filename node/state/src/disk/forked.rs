//! A chain that goes on from a block of another one, kept in a folder: a log of what it did, read whole when it is opened.
//!
//! Its state lies over one that is elsewhere, so no table of accounts can hold it: what is not in it may be there. The log holds what each
//! block changed, and what was amended and dropped between blocks. Done again in its order, all of it leads to the same states, which the
//! root of each block tells. Nothing is executed again.
//!
//! Invariant: a record is in the file before the chain shows what it tells of. Each has a checksum over itself and all before it. A
//! last record that is not whole was being written when the process ended, and is left out; other damage is refused.

use std::{
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use alloy_consensus::{Header, Sealed};
use alloy_eip7928::BlockAccessList;
use alloy_primitives::{B256, Bytes, Keccak256};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use parapet_types::{ChainSpec, StateChanges};
use serde::{Deserialize, Serialize};

use super::{
    database_dir,
    record::{self, BlockParts, RecordError},
};
use crate::{StoreError, StoredBlock, SyncMode};

/// The log, in a chain's folder.
const FILE: &str = "forked-chain.log";
/// First bytes of it; the number is that of the format.
const MAGIC: &[u8] = b"parapet forked chain 1\n";
/// Most bytes of one record: a block with all that it changed.
const RECORD_BYTES_MAX: u32 = 512 * 1_024 * 1_024;
/// Bytes before a payload: its length, and a checksum of that alone, by which a record that is not whole is told from damage.
const HEAD_BYTES: usize = 4 + size_of::<Checksum>();
/// Bytes around a payload.
const FRAME_BYTES: usize = HEAD_BYTES + size_of::<Checksum>();

const BLOCK: u8 = 0;
const AMENDED: u8 = 1;
const REWOUND: u8 = 2;

type Checksum = [u8; 8];

/// How such a chain began.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Began {
    /// Id of the chain that was forked.
    pub(crate) forked_id: u64,
    pub(crate) spec: ChainSpec,
    pub(crate) hash: B256,
    pub(crate) header: Header,
    /// What was laid over the state of its first block.
    pub(crate) changes: StateChanges,
}

impl Began {
    /// The block from which it goes on.
    pub(crate) fn block(&self) -> Sealed<Header> {
        Sealed::new_unchecked(self.header.clone(), self.hash)
    }
}

/// Something that a chain did.
pub(crate) enum Record {
    Block { block: Box<StoredBlock>, access_list: Option<BlockAccessList>, changes: StateChanges },
    Amended(StateChanges),
    Rewound(u64),
}

#[derive(RlpEncodable, RlpDecodable)]
#[rlp(trailing)]
struct BlockRecord {
    header: Bytes,
    body: Bytes,
    receipts: Bytes,
    results: Bytes,
    /// JSON.
    changes: Bytes,
    access_list: Option<Bytes>,
}

/// The log of a chain, open for writing by this process alone.
#[derive(Debug)]
pub(crate) struct ForkedLog {
    path: PathBuf,
    file: File,
    checksum: Checksum,
    sync: SyncMode,
    /// The first failure; nothing is written after it.
    failed: Option<String>,
}

impl ForkedLog {
    /// Begins a chain in a folder.
    pub(crate) fn begin(dir: &Path, began: &Began, sync: SyncMode) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        let fail = |source| StoreError::Folder { path: path.clone(), source };
        if database_dir(dir).join("CURRENT").exists() {
            return Err(StoreError::ChainThere { path: dir.to_owned() });
        }
        fs::create_dir_all(dir).map_err(fail)?;
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(fail)?;
        lock(&file, dir)?;
        file.set_len(0).and_then(|()| file.write_all(MAGIC)).map_err(fail)?;
        let mut log = Self { path: path.clone(), file, checksum: checksum_of(&[], MAGIC), sync, failed: None };
        log.append(&serde_json::to_vec(began).expect("plain data"))?;
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(fail)?;
        Ok(log)
    }

    pub(crate) fn block(
        &mut self,
        block: &StoredBlock,
        access_list: Option<&BlockAccessList>,
        changes: &StateChanges,
    ) -> Result<(), StoreError> {
        let BlockParts { header, body, receipts, results } = record::encode_block(block);
        let whole = BlockRecord {
            header: header.into(),
            body: body.into(),
            receipts: receipts.into(),
            results: results.into(),
            changes: serde_json::to_vec(changes).expect("plain data").into(),
            access_list: access_list.map(|list| alloy_rlp::encode(list).into()),
        };
        self.append(&[&[BLOCK], &alloy_rlp::encode(whole)[..]].concat())
    }

    pub(crate) fn amended(&mut self, changes: &StateChanges) -> Result<(), StoreError> {
        self.append(&[&[AMENDED], &serde_json::to_vec(changes).expect("plain data")[..]].concat())
    }

    pub(crate) fn rewound(&mut self, number: u64) -> Result<(), StoreError> {
        self.append(&[&[REWOUND], &number.to_be_bytes()[..]].concat())
    }

    pub(crate) fn check_unfailed(&self) -> Result<(), StoreError> {
        match &self.failed {
            Some(first) => Err(StoreError::Failed { path: self.path.clone(), first: first.clone() }),
            None => Ok(()),
        }
    }

    fn append(&mut self, payload: &[u8]) -> Result<(), StoreError> {
        self.check_unfailed()?;
        let length = u32::try_from(payload.len()).ok().filter(|length| *length <= RECORD_BYTES_MAX);
        let length = length.ok_or_else(|| StoreError::Folder {
            path: self.path.clone(),
            source: std::io::Error::other("a block with what it changed is longer than a record may be"),
        })?;
        let length = length.to_le_bytes();
        let (head, checksum) = (checksum_of(&self.checksum, &length), checksum_of(&self.checksum, payload));
        let written = self.file.write_all(&[&length, &head[..], payload, &checksum[..]].concat());
        let written = written.and_then(|()| match self.sync {
            SyncMode::Block => self.file.sync_data(),
            SyncMode::System => Ok(()),
        });
        self.checksum = checksum;
        written.map_err(|source| {
            self.failed = Some(source.to_string());
            StoreError::Folder { path: self.path.clone(), source }
        })
    }
}

/// The log of a chain that was found in a folder, and how the chain began.
#[derive(Debug)]
pub(crate) struct Found {
    path: PathBuf,
    file: File,
    bytes: Vec<u8>,
    pub(crate) began: Began,
    /// Where the first record lies after the beginning, and the checksum there.
    rest: (usize, Checksum),
}

impl Found {
    /// What is in a folder, if a chain has begun there.
    pub(crate) fn look(dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = dir.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let fail = |source| StoreError::Folder { path: path.clone(), source };
        let mut file = OpenOptions::new().read(true).write(true).open(&path).map_err(fail)?;
        lock(&file, dir)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(fail)?;
        if !bytes.starts_with(MAGIC) {
            // It ended as it began.
            return if MAGIC.starts_with(&bytes) { Ok(None) } else { Err(damaged(&path, &"it begins otherwise")) };
        }
        let checksum = checksum_of(&[], MAGIC);
        let Some((payload, rest)) = next(&path, &bytes, (MAGIC.len(), checksum))? else { return Ok(None) };
        let began = serde_json::from_slice(payload).map_err(|error| damaged(&path, &error))?;
        Ok(Some(Self { began, rest, path, file, bytes }))
    }

    /// Whether nothing has happened since it began.
    pub(crate) fn is_new(&self) -> bool {
        self.bytes.len() < self.rest.0 + FRAME_BYTES
    }

    /// Hands over all that happened, and gives the log to go on with.
    pub(crate) fn read(
        mut self,
        sync: SyncMode,
        mut each: impl FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<ForkedLog, StoreError> {
        let mut place = self.rest;
        while let Some((payload, after)) = next(&self.path, &self.bytes, place)? {
            each(decode(payload).map_err(|error| damaged(&self.path, &error))?)?;
            place = after;
        }
        let (end, checksum) = place;
        if end < self.bytes.len() {
            let lost = self.bytes.len() - end;
            tracing::warn!(
                "{}: the last {lost} bytes were not written to their end and are left out",
                self.path.display()
            );
        }
        let cut = self.file.set_len(end as u64).and_then(|()| self.file.seek(SeekFrom::Start(end as u64)));
        cut.map_err(|source| StoreError::Folder { path: self.path.clone(), source })?;
        Ok(ForkedLog { path: self.path, file: self.file, checksum, sync, failed: None })
    }
}

/// Refuses a folder that holds such a chain.
pub(super) fn refuse(dir: &Path) -> Result<(), StoreError> {
    if dir.join(FILE).exists() { Err(StoreError::Forked { path: dir.to_owned() }) } else { Ok(()) }
}

fn lock(file: &File, dir: &Path) -> Result<(), StoreError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => StoreError::InUse { path: dir.to_owned() },
        TryLockError::Error(source) => StoreError::Folder { path: dir.to_owned(), source },
    })
}

fn damaged(path: &Path, reason: &dyn fmt::Display) -> StoreError {
    StoreError::DamagedFork { path: path.to_owned(), reason: reason.to_string() }
}

fn checksum_of(before: &[u8], bytes: &[u8]) -> Checksum {
    let mut hasher = Keccak256::new();
    hasher.update(before);
    hasher.update(bytes);
    let mut sum = Checksum::default();
    sum.copy_from_slice(&hasher.finalize()[..size_of::<Checksum>()]);
    sum
}

/// A record's payload.
type Payload<'a> = (&'a [u8], (usize, Checksum));

/// The record at a place, and the place after it; `None` where no whole one is left.
fn next<'a>(
    path: &Path,
    bytes: &'a [u8],
    (start, checksum): (usize, Checksum),
) -> Result<Option<Payload<'a>>, StoreError> {
    let Some((head, rest)) = bytes[start..].split_first_chunk::<HEAD_BYTES>() else { return Ok(None) };
    let (length, sum) = head.split_at(4);
    if *sum != checksum_of(&checksum, length) {
        return Err(damaged(path, &format!("the length of the record at byte {start} is another one")));
    }
    let length = u32::from_le_bytes(length.try_into().expect("four bytes"));
    let Some((payload, rest)) = rest.split_at_checked(length as usize) else { return Ok(None) };
    let Some((sum, _)) = rest.split_first_chunk::<{ size_of::<Checksum>() }>() else { return Ok(None) };
    if *sum != checksum_of(&checksum, payload) {
        return Err(damaged(path, &format!("the checksum of the record at byte {start} is another one")));
    }
    Ok(Some((payload, (start + payload.len() + FRAME_BYTES, *sum))))
}

fn decode(payload: &[u8]) -> Result<Record, RecordError> {
    let (tag, rest) = payload.split_first().ok_or(RecordError::Keys)?;
    Ok(match *tag {
        BLOCK => {
            let BlockRecord { header, body, receipts, results, changes, access_list } = alloy_rlp::decode_exact(rest)?;
            let [header, body, receipts, results] = [header, body, receipts, results].map(Vec::from);
            let block = record::decode_block(&BlockParts { header, body, receipts, results })?;
            let access_list = access_list.map(alloy_rlp::decode_exact).transpose()?;
            Record::Block { block: Box::new(block), access_list, changes: serde_json::from_slice(&changes)? }
        }
        AMENDED => Record::Amended(serde_json::from_slice(rest)?),
        REWOUND => Record::Rewound(record::decode_number(rest)?),
        _ => return Err(RecordError::Kind(*tag)),
    })
}
