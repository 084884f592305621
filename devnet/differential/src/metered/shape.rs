//! What of a module its operators do not say, and what making an instance of it costs.

use wasmparser::{ElementKind, FunctionBody, Operator as O, Parser, Payload};

use crate::frame::Frame;

/// Bytes that 32 bits can address.
const ADDRESSES: u64 = 1 << 32;
const PAGE_BYTES: u64 = 65_536;

/// What making an instance of a module costs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Making {
    /// Pages that memory starts with.
    pub(crate) pages: u64,
    /// Whether they are paid for with the instance.
    pub(crate) paid: bool,
    /// Whether the module has passive element segments.
    pub(crate) elements: bool,
}

impl Making {
    pub(crate) fn of(module: &[u8]) -> Result<Self, String> {
        let shape = Shape::of(module).map_err(|error| error.to_string())?;
        let paid = shape.spoils || shape.pages > KEPT_PAGES;
        Ok(Self { pages: shape.pages, paid, elements: shape.elements })
    }
}

/// Pages that are not found anew if nothing else is to be put back.
const KEPT_PAGES: u64 = 4;

/// What of a module its operators do not say.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) frame: Frame,
    pages: u64,
    /// Bytes that its memory can have at most: as it declares, or as 32 bits can address.
    pub(super) memory_bytes_max: u64,
    /// Whether it has an instruction after which an instance cannot be put back.
    spoils: bool,
    /// Whether it has passive element segments.
    elements: bool,
}

impl Shape {
    /// That of the empty module.
    fn none() -> Self {
        Self { frame: Frame::default(), pages: 0, memory_bytes_max: ADDRESSES, spoils: false, elements: false }
    }

    pub(super) fn of(module: &[u8]) -> wasmparser::Result<Self> {
        let mut shape = Self::none();
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload?;
            shape.frame.note(&payload)?;
            match payload {
                Payload::MemorySection(memories) => {
                    for memory in memories {
                        let memory = memory?;
                        shape.pages += memory.initial;
                        shape.memory_bytes_max = memory.maximum.map_or(ADDRESSES, |pages| pages * PAGE_BYTES);
                    }
                }
                Payload::ElementSection(segments) => {
                    for segment in segments {
                        shape.elements |= matches!(segment?.kind, ElementKind::Passive);
                    }
                }
                Payload::CodeSectionEntry(body) => shape.spoils |= spoils(&body)?,
                _ => {}
            }
        }
        Ok(shape)
    }
}

fn spoils(body: &FunctionBody<'_>) -> wasmparser::Result<bool> {
    for operator in body.get_operators_reader()? {
        if matches!(
            operator?,
            O::MemoryInit { .. } | O::DataDrop { .. } | O::TableInit { .. } | O::ElemDrop { .. } | O::TableCopy { .. }
        ) {
            return Ok(true);
        }
    }
    Ok(false)
}
