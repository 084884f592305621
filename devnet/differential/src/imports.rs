//! What guards may import, and what each argument is for, as section 3 of the specification has it.

use wasm_encoder::{EntityType, ImportSection, Instruction as I, TypeSection, ValType};

use parapet_abi::import::MODULE;

/// A function of the host: name, what its arguments are, whether it answers.
pub(crate) type Import = (&'static str, &'static [Arg], bool);

/// What an argument is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arg {
    Kind,
    Data,
    Fork,
    AnyFork,
    Frame,
    First,
    Count,
    RecordLen,
    Offset,
    /// 20 bytes, or 32, that are there.
    Place,
    Key,
    KeyLen,
    Seek,
    Out,
    OutLen,
    ValueLen,
    Gas,
    Period,
    Code,
    DetailLen,
    CallLen,
}

use Arg::{
    AnyFork, CallLen, Code, Count, Data, DetailLen, First, Fork, Frame, Gas, Key, KeyLen, Kind, Offset, Out, OutLen,
    Period, Place, RecordLen, Seek, ValueLen,
};

pub(crate) const IMPORTS: [Import; 24] = [
    ("trace_count", &[Kind], true),
    ("trace_read", &[Kind, First, Count, Out, RecordLen], true),
    ("trace_data", &[Data, First, Offset, Out, OutLen], true),
    ("config_read", &[Offset, Out, OutLen], true),
    ("state_storage", &[Fork, Place, Place, Out], false),
    ("state_balance", &[Fork, Place, Out], false),
    ("state_code_hash", &[Fork, Place, Out], false),
    ("state_storage_at", &[AnyFork, Frame, Place, Place, Out], false),
    ("state_balance_at", &[AnyFork, Frame, Place, Out], false),
    ("state_code_hash_at", &[AnyFork, Frame, Place, Out], false),
    ("view_call", &[AnyFork, Frame, Place, Key, CallLen, Gas, Out], true),
    ("view_output", &[Offset, Out, OutLen], true),
    ("store_get", &[Key, KeyLen, Out], true),
    ("store_set", &[Key, KeyLen, Place], false),
    ("store_add", &[Key, KeyLen, Place, Place], true),
    ("store_max", &[Key, KeyLen, Place], false),
    ("entry_get", &[Key, KeyLen, Offset, Out, OutLen], true),
    ("entry_set", &[Key, KeyLen, Place, ValueLen], false),
    ("entry_remove", &[Key, KeyLen], true),
    ("entry_seek", &[Seek, Key, KeyLen, Out, OutLen], true),
    ("window_add", &[Key, KeyLen, Place, Place, Period], true),
    ("keccak256", &[Place, OutLen, Out], false),
    ("alert", &[Code, Out, DetailLen], false),
    ("veto", &[Code, Out, DetailLen], false),
];

impl Arg {
    /// Its type.
    pub(crate) const fn ty(self) -> ValType {
        match self {
            Gas | Period => ValType::I64,
            _ => ValType::I32,
        }
    }

    /// Makes whatever number is on the stack one that is right here, or nearly always.
    pub(crate) fn fit(self) -> Vec<I<'static>> {
        let below = |end| vec![I::I32Const(end), I::I32RemU];
        let within = |mask| vec![I::I32Const(mask), I::I32And];
        match self {
            Kind => below(13),
            Data | Frame => below(3),
            Fork => within(1),
            AnyFork | Seek => within(3),
            First | Count | CallLen => within(7),
            RecordLen | Offset | OutLen => within(0xff),
            ValueLen | DetailLen => within(0x3f),
            KeyLen => [within(3), vec![I::I32Const(1), I::I32Add]].concat(),
            Place | Key => within(SMALL_PLACES),
            Out => within(PLACES_MAX),
            Code => within(0x7fff),
            Gas => vec![I::I64Const(0xf_ffff), I::I64And],
            Period => vec![I::I64Const(0xffff), I::I64And, I::I64Const(1), I::I64Or],
        }
    }
}

/// Where keys, amounts and addresses lie: where a byte is written it is likely to be met again.
const SMALL_PLACES: i32 = 0x1ff;
/// Where what the host writes lies.
pub(crate) const PLACES_MAX: i32 = 0xfff;

/// Types and imports of a module that imports everything, each function's type having its own number.
pub(crate) fn sections() -> (TypeSection, ImportSection) {
    let (mut types, mut imports) = (TypeSection::new(), ImportSection::new());
    for (index, (name, args, answers)) in (0..).zip(IMPORTS) {
        types.ty().function(args.iter().map(|arg| arg.ty()), answers.then_some(ValType::I32));
        imports.import(MODULE, name, EntityType::Function(index));
    }
    (types, imports)
}
