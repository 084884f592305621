//! What makes a contract of a guard: CosmWasm's entry points.
//!
//! All messages go to the same place, since nobody reads them, and the answer is written when it is given, since what ran
//! before may have overwritten all of memory.

use wasm_encoder::{Instruction as I, MemArg, ValType};

use crate::Body;

/// Where a region of what the host writes is described, and where of what it reads: place, capacity and length.
const WRITTEN: i32 = 0x100;
const READ: i32 = 0x110;
/// Where the host writes, and where it reads.
const MESSAGE: i32 = 0x200;
const ANSWER: i32 = 0x120;
/// An answer that accepts, in two parts.
const ACCEPTED: &[u8; 8] = b"{\"ok\":{}";
const REST: i32 = b'}' as i32;

const WORD: MemArg = MemArg { offset: 0, align: 0, memory_index: 0 };

/// Each with its name.
pub(crate) fn entry_points() -> [(&'static str, Body); 5] {
    let taking = |count: usize| Body { params: vec![ValType::I32; count], ..Body::default() };
    let answering = |count| Body { results: vec![ValType::I32], ..taking(count) };
    let allocate = answering(1).then(&region(WRITTEN, MESSAGE, I::LocalGet(0)));
    let accepts = [
        I::I32Const(ANSWER),
        I::I64Const(i64::from_le_bytes(*ACCEPTED)),
        I::I64Store(WORD),
        I::I32Const(ANSWER + ACCEPTED.len() as i32),
        I::I32Const(REST),
        I::I32Store8(WORD),
    ];
    let length = I::I32Const(ACCEPTED.len() as i32 + 1);
    let accepting = |body: Body| body.then(&accepts).then(&region(READ, ANSWER, length.clone()));
    [
        ("interface_version_8", Body::default()),
        ("allocate", allocate),
        ("deallocate", taking(1)),
        ("instantiate", accepting(answering(3))),
        ("sudo", accepting(answering(2).then(&[I::Call(0)]))),
    ]
}

/// Describes a region, and leaves where it is described.
fn region(at: i32, place: i32, bytes: I<'static>) -> Vec<I<'static>> {
    let field = |index: i32, value| [I::I32Const(at + 4 * index), value, I::I32Store(WORD)];
    let fields = [field(0, I::I32Const(place)), field(1, bytes.clone()), field(2, bytes)];
    fields.into_iter().flatten().chain([I::I32Const(at)]).collect()
}
