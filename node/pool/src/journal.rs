//! What waits, in a file: transactions that were sent to this node rejoin the pool when it comes back.
//!
//! The file is a list of records, each a length, the first bytes of a hash, a sender and a transaction. Records are only appended;
//! when most of them are of transactions that no longer wait, the file is written anew. Senders are kept and not recovered: a
//! development chain may impersonate them. Transactions with blobs are kept with those, for they do not rejoin without them.
//!
//! Invariant: whatever is in the file, reading it ends, within its bounds, and gives only records whose hash is right. A journal
//! is a convenience: that it cannot be written stops nothing.

use std::{
    borrow::Borrow,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use alloy_consensus::TxEnvelope;
use alloy_eips::eip2718::{Decodable2718 as _, Encodable2718 as _};
use alloy_primitives::{Address, keccak256};
use parapet_types::Transaction;

use crate::TRANSACTION_BYTES_MAX;

/// Most bytes that are read of a journal, and to which it grows.
pub const JOURNAL_BYTES_MAX: u64 = 512 * 1_024 * 1_024;
/// Most bytes of one transaction with its blobs, proofs and commitments: those of 21 blobs, the most that a block
/// has by BPO2. A longer one is left out.
const WHOLE_BYTES_MAX: usize = TRANSACTION_BYTES_MAX + 21 * (131_072 + 128 * 48 + 48 + 16);
/// Most bytes of a record's content: a sender and a transaction.
const CONTENT_BYTES_MAX: usize = 20 + WHOLE_BYTES_MAX;
/// Below so many bytes a journal is not written anew.
const REWRITE_BYTES_MIN: u64 = 1_024 * 1_024;
/// Bytes of a record's length, and of its hash.
const WORD: usize = 4;

/// Why a journal cannot be used. Nothing but that follows from it.
#[derive(Debug, thiserror::Error)]
#[error("the journal of waiting transactions {path}: {source}")]
pub struct JournalError {
    path: PathBuf,
    source: io::Error,
}

/// What a journal held.
#[derive(Debug, Default)]
pub struct Rejoining {
    /// In the order in which they had come.
    pub transactions: Vec<Transaction>,
    /// Bytes that are no records, or records whose hash is wrong: they were skipped.
    pub damaged_bytes: u64,
}

/// A journal that is open for more.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// It is written anew when it has grown to this.
    rewrite_at: u64,
}

impl Journal {
    /// Opens a journal, or begins one, and reads what is in it.
    ///
    /// # Errors
    /// [`JournalError`] when the file cannot be read or written.
    pub fn open(path: &Path) -> Result<(Self, Rejoining), JournalError> {
        let failed = |source| JournalError { path: path.to_owned(), source };
        let mut file = File::options().read(true).append(true).create(true).open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        let length = file.metadata().map_err(failed)?.len();
        (&mut file).take(JOURNAL_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
        let mut rejoining = read(&bytes);
        rejoining.damaged_bytes += length.saturating_sub(bytes.len() as u64);
        Ok((Self { path: path.to_owned(), file, bytes: length, rewrite_at: REWRITE_BYTES_MIN }, rejoining))
    }

    /// Adds transactions, each as it came: one with blobs must have them.
    ///
    /// # Errors
    /// [`JournalError`]; none of them is in it then.
    pub fn append<T: Borrow<Transaction>>(
        &mut self,
        transactions: impl IntoIterator<Item = T>,
    ) -> Result<(), JournalError> {
        let records = records(transactions);
        let appended = self.file.write_all(&records).or_else(|error| {
            // A piece of a record would hide those that come after it, once there is room again.
            self.file.set_len(self.bytes)?;
            Err(error)
        });
        appended.map_err(|source| JournalError { path: self.path.clone(), source })?;
        self.bytes += records.len() as u64;
        Ok(())
    }

    /// Whether it is time to write it anew.
    #[must_use]
    pub const fn is_long(&self) -> bool {
        self.bytes > self.rewrite_at
    }

    /// Replaces all that is in it by what waits: the file is the old one or the new one, whenever the node is killed.
    ///
    /// # Errors
    /// [`JournalError`]; it is as it was then.
    pub fn rewrite<T: Borrow<Transaction>>(
        &mut self,
        waiting: impl IntoIterator<Item = T>,
    ) -> Result<(), JournalError> {
        let records = records(waiting);
        let beside = self.path.with_extension("new");
        let write = || {
            fs::write(&beside, &records)?;
            fs::rename(&beside, &self.path)?;
            File::options().append(true).open(&self.path)
        };
        self.file = write().map_err(|source| JournalError { path: self.path.clone(), source })?;
        self.bytes = records.len() as u64;
        self.rewrite_at = self.bytes.saturating_mul(2).clamp(REWRITE_BYTES_MIN, JOURNAL_BYTES_MAX);
        Ok(())
    }
}

fn records<T: Borrow<Transaction>>(transactions: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for transaction in transactions {
        let transaction = transaction.borrow();
        let mut content = transaction.signer().to_vec();
        transaction.inner().encode_2718(&mut content);
        if content.len() > CONTENT_BYTES_MAX {
            continue;
        }
        bytes.extend_from_slice(&u32::try_from(content.len()).expect("transactions are bounded").to_le_bytes());
        bytes.extend_from_slice(&keccak256(&content)[..WORD]);
        bytes.extend(content);
    }
    bytes
}

fn read(mut bytes: &[u8]) -> Rejoining {
    let mut rejoining = Rejoining::default();
    while !bytes.is_empty() {
        let Some((content, hash, rest)) = record(bytes) else {
            // Nothing tells where the next record begins.
            rejoining.damaged_bytes += bytes.len() as u64;
            break;
        };
        match transaction(content).filter(|_| keccak256(content)[..WORD] == *hash) {
            Some(transaction) => rejoining.transactions.push(transaction),
            None => rejoining.damaged_bytes += (bytes.len() - rest.len()) as u64,
        }
        bytes = rest;
    }
    rejoining
}

/// A record's content and hash, and what follows it.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8; WORD], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<WORD>()?;
    let (hash, rest) = rest.split_first_chunk::<WORD>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let (content, rest) = rest.split_at_checked(length)?;
    (length <= CONTENT_BYTES_MAX).then_some((content, hash, rest))
}

fn transaction(content: &[u8]) -> Option<Transaction> {
    let (sender, envelope) = content.split_at_checked(Address::len_bytes())?;
    let envelope = TxEnvelope::decode_2718_exact(envelope).ok()?;
    Some(Transaction::new_unchecked(envelope, Address::from_slice(sender)))
}
