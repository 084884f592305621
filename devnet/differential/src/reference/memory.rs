//! Ranges of a guard's memory. One that ends beyond it is a trap, an empty one as any other.

use crate::End;

use super::TRAP;

/// So many bytes from a place on.
pub(super) fn bytes(memory: &[u8], place: u32, len: u32) -> Result<&[u8], End> {
    memory.get(place as usize..).and_then(|rest| rest.get(..len as usize)).ok_or(TRAP)
}

/// A fixed number of bytes from a place on.
pub(super) fn array<const N: usize>(memory: &[u8], place: u32) -> Result<[u8; N], End> {
    memory.get(place as usize..).and_then(|rest| rest.first_chunk()).copied().ok_or(TRAP)
}

/// Room for an answer.
pub(super) fn room(memory: &mut [u8], place: u32, len: u64) -> Result<&mut [u8], End> {
    let len = usize::try_from(len).map_err(|_| TRAP)?;
    memory.get_mut(place as usize..).and_then(|rest| rest.get_mut(..len)).ok_or(TRAP)
}

/// Puts as much as fits of what stands from an offset on into a room; how much that was.
pub(super) fn part(from: &[u8], offset: u32, room: &mut [u8]) -> u32 {
    let rest = from.get(offset as usize..).unwrap_or_default();
    let copied = rest.len().min(room.len());
    room[..copied].copy_from_slice(&rest[..copied]);
    u32::try_from(copied).expect("it fits into a guard's memory")
}
