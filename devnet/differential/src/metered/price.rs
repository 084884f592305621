//! What operators cost, as section 5 of the specification has it.

use wasmparser::Operator as O;

/// A function that is entered.
pub(super) const ENTRY: i64 = 1;
/// Integer division and remainder, a call, an indirect call.
const DIVISION: i64 = 8;
const CALL: i64 = 4;
const CALL_INDIRECT: i64 = 8;
/// `memory.grow`, and each page that it is asked for.
const GROW: i64 = 255;
const GROW_PAGE: i64 = 255;
/// A bulk operation; each byte or element is 1 more.
const BULK: i64 = 16;

pub(super) fn calls(operator: &O<'_>) -> bool {
    matches!(operator, O::Call { .. } | O::CallIndirect { .. })
}

/// Whether an access traps wherever it points, memory having at most so many bytes.
pub(super) fn beyond_all_memory(operator: &O<'_>, memory_bytes_max: u64) -> bool {
    let (memarg, bytes) = match operator {
        O::I32Load8S { memarg }
        | O::I32Load8U { memarg }
        | O::I64Load8S { memarg }
        | O::I64Load8U { memarg }
        | O::I32Store8 { memarg }
        | O::I64Store8 { memarg } => (memarg, 1),
        O::I32Load16S { memarg }
        | O::I32Load16U { memarg }
        | O::I64Load16S { memarg }
        | O::I64Load16U { memarg }
        | O::I32Store16 { memarg }
        | O::I64Store16 { memarg } => (memarg, 2),
        O::I32Load { memarg }
        | O::I64Load32S { memarg }
        | O::I64Load32U { memarg }
        | O::I32Store { memarg }
        | O::I64Store32 { memarg } => (memarg, 4),
        O::I64Load { memarg } | O::I64Store { memarg } => (memarg, 8),
        _ => return false,
    };
    memarg.offset + bytes > memory_bytes_max
}

/// Bytes, elements or 255ths of pages up to which a bulk operation or `memory.grow` does not ask for fuel.
pub(super) const STEPS_UNASKED: i64 = 128;

/// What an operator costs by itself.
pub(super) fn price(operator: &O<'_>) -> i64 {
    match operator {
        O::Block { .. } | O::Loop { .. } | O::Else | O::End | O::Nop | O::Unreachable | O::Return | O::Drop => 0,
        O::I32DivS | O::I32DivU | O::I32RemS | O::I32RemU | O::I64DivS | O::I64DivU | O::I64RemS | O::I64RemU => {
            DIVISION
        }
        O::Call { .. } => CALL,
        O::CallIndirect { .. } => CALL_INDIRECT,
        O::MemoryGrow { .. } => GROW,
        O::MemoryCopy { .. } | O::MemoryFill { .. } | O::MemoryInit { .. } => BULK,
        O::TableCopy { .. } | O::TableInit { .. } => BULK,
        _ => 1,
    }
}

/// What it costs for each of the number that it finds on top of the stack.
pub(super) fn price_of_each(operator: &O<'_>) -> Option<i64> {
    match operator {
        O::MemoryGrow { .. } => Some(GROW_PAGE),
        O::MemoryCopy { .. } | O::MemoryFill { .. } | O::MemoryInit { .. } => Some(1),
        O::TableCopy { .. } | O::TableInit { .. } => Some(1),
        _ => None,
    }
}

/// Whether the next operator runs after this one, and no other.
pub(super) fn stays(operator: &O<'_>) -> bool {
    !matches!(
        operator,
        O::Block { .. }
            | O::Loop { .. }
            | O::If { .. }
            | O::Else
            | O::End
            | O::Br { .. }
            | O::BrIf { .. }
            | O::BrTable { .. }
            | O::Return
            | O::Unreachable
            | O::Call { .. }
            | O::CallIndirect { .. }
    )
}
