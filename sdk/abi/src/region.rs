//! A finished trace as one flat run of bytes: [`Header`], a table of [`Section`]s, the records, the variable parts.

use alloc::vec::Vec;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{ABI_VERSION, Kind, Record};

/// First bytes of every region.
pub const MAGIC: [u8; 8] = *b"PARAPET\0";
/// Most sections a reader accepts.
pub const SECTIONS_MAX: u32 = 64;

/// Opens a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Header {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// [`ABI_VERSION`] of the writer.
    pub version: u32,
    /// Entries of the section table, which follows the header.
    pub section_count: u32,
    /// Length of the whole region, in bytes.
    pub bytes: u64,
}

/// One entry of the section table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Section {
    /// A [`Kind`], perhaps of a later version.
    pub kind: u32,
    /// Size of each record, in bytes; at least what this version knows.
    pub record_bytes: u32,
    /// Number of records.
    pub count: u32,
    /// Zero.
    pub zero: u32,
    /// Where the records start, from the region's first byte.
    pub offset: u64,
}

/// Why a region cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionError {
    /// It does not start with [`MAGIC`].
    Magic,
    /// It ends before what its header or table announces.
    Truncated,
    /// The section table has more than [`SECTIONS_MAX`] entries.
    Sections(u32),
    /// A record of this kind is shorter than version 1 has it, or not a multiple of 8 bytes.
    RecordSize(u32),
}

impl core::fmt::Display for RegionError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Magic => write!(f, "not a trace: the first 8 bytes are not {MAGIC:?}"),
            Self::Truncated => write!(f, "the trace is cut short"),
            Self::Sections(count) => write!(f, "{count} sections, at most {SECTIONS_MAX} are read"),
            Self::RecordSize(kind) => write!(f, "records of kind {kind} have an impossible size"),
        }
    }
}

impl core::error::Error for RegionError {}

/// Writes a region section by section.
#[derive(Debug, Default)]
pub struct RegionWriter {
    sections: Vec<Section>,
    records: Vec<u8>,
}

impl RegionWriter {
    /// Appends a section, even an empty one.
    pub fn section<R: Record>(&mut self, records: &[R]) {
        self.sections.push(Section {
            kind: R::KIND as u32,
            record_bytes: u32::try_from(R::KIND.record_bytes()).unwrap_or(u32::MAX),
            count: u32::try_from(records.len()).unwrap_or(u32::MAX),
            zero: 0,
            offset: self.records.len() as u64,
        });
        self.records.extend_from_slice(records.as_bytes());
    }

    /// Joins header, table and records.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        let start = (size_of::<Header>() + self.sections.len() * size_of::<Section>()) as u64;
        for section in &mut self.sections {
            section.offset += start;
        }
        let header = Header {
            magic: MAGIC,
            version: ABI_VERSION,
            section_count: u32::try_from(self.sections.len()).unwrap_or(u32::MAX),
            bytes: start + self.records.len() as u64,
        };
        let mut out = Vec::with_capacity(usize::try_from(header.bytes).unwrap_or(0));
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(self.sections.as_slice().as_bytes());
        out.extend_from_slice(&self.records);
        out
    }
}

/// A region whose header and table were checked; sections of unknown kinds are kept and skipped.
#[derive(Debug)]
pub struct Region<'a> {
    bytes: &'a [u8],
    sections: Vec<Section>,
}

impl<'a> Region<'a> {
    /// Checks header and section table.
    ///
    /// # Errors
    /// [`RegionError`] when the bytes are not a whole region.
    pub fn open(bytes: &'a [u8]) -> Result<Self, RegionError> {
        let (header, rest) = Header::read_from_prefix(bytes).map_err(|_| RegionError::Truncated)?;
        if header.magic != MAGIC {
            return Err(RegionError::Magic);
        }
        if header.section_count > SECTIONS_MAX {
            return Err(RegionError::Sections(header.section_count));
        }
        let mut sections = Vec::new();
        let mut table = rest;
        for _ in 0..header.section_count {
            let (section, rest) = Section::read_from_prefix(table).map_err(|_| RegionError::Truncated)?;
            table = rest;
            check(&section, bytes.len())?;
            sections.push(section);
        }
        Ok(Self { bytes, sections })
    }

    /// The records of one kind; bytes that a later version appended to each are ignored.
    #[must_use]
    pub fn records<R: Record>(&self) -> Vec<R> {
        let mut out = Vec::new();
        for section in self.sections.iter().filter(|s| s.kind == R::KIND as u32) {
            let start = usize::try_from(section.offset).unwrap_or(usize::MAX);
            let size = section.record_bytes as usize;
            let records = self.bytes[start..].chunks_exact(size).take(section.count as usize);
            out.extend(records.filter_map(|record| R::read_from_prefix(record).ok().map(|(record, _)| record)));
        }
        out
    }
}

/// A section must lie inside the region, and its records must hold at least what version 1 has.
fn check(section: &Section, region_bytes: usize) -> Result<(), RegionError> {
    let known = Kind::from_u32(section.kind).map_or(8, Kind::record_bytes);
    if (section.record_bytes as usize) < known || !section.record_bytes.is_multiple_of(8) {
        return Err(RegionError::RecordSize(section.kind));
    }
    let end = u64::from(section.record_bytes)
        .checked_mul(u64::from(section.count))
        .and_then(|bytes| bytes.checked_add(section.offset))
        .ok_or(RegionError::Truncated)?;
    if end > region_bytes as u64 { Err(RegionError::Truncated) } else { Ok(()) }
}
