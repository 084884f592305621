//! Limits of modules and of running guards. All are part of the chain's rules: changing one is a fork.

/// Longest module, in bytes.
pub const MODULE_BYTES_MAX: usize = 512 * 1_024;
/// Most function types.
pub const TYPES_MAX: u32 = 1_024;
/// Most functions of a module, imports not counted.
pub const FUNCTIONS_MAX: u32 = 4_096;
/// Most locals of a function, parameters not counted.
pub const LOCALS_MAX: u32 = 1_024;
/// Longest body of a function, in bytes.
pub const BODY_BYTES_MAX: usize = 128 * 1_024;
/// Most parameters of a function or a block, and most results.
pub const VALUES_MAX: u32 = 16;
/// Most blocks around one another.
pub const DEPTH_MAX: u32 = 1_024;
/// Most loops around one another.
pub const LOOP_DEPTH_MAX: u32 = 32;
/// Most targets of one `br_table`.
pub const BRANCH_TARGETS_MAX: u32 = 1_024;
/// Most that compilers may have to pay for a module's branches and calls, in units of [`BRANCH_WORK`]'s kind: each counts
/// for itself, for every local and parameter of its function, and for every operand that waits across it.
pub const WORK_MAX: u64 = 131_072;
/// What a branch or a call counts for by itself.
pub const BRANCH_WORK: u64 = 8;
/// What each operand that waits across a branch or a call, is passed by it or comes of it, counts for.
pub const OPERAND_WORK: u64 = 4;
/// How many branches a loop counts for: each makes the compiler look at all the others of its function.
pub const LOOP_BRANCHES: u64 = 3;
/// How many branches an operation on memory or a table as a whole counts for: it is a call of the engine.
pub const BULK_BRANCHES: u64 = 2;
/// Most imports.
pub const IMPORTS_MAX: u32 = 64;
/// Most exports.
pub const EXPORTS_MAX: u32 = 64;
/// Most globals.
pub const GLOBALS_MAX: u32 = 256;
/// Most data segments.
pub const DATA_SEGMENTS_MAX: u32 = 1_024;
/// Most element segments.
pub const ELEMENT_SEGMENTS_MAX: u32 = 1_024;
/// Most tables.
pub const TABLES_MAX: u32 = 1;
/// Most elements of the table.
pub const TABLE_ELEMENTS_MAX: u64 = 4_096;
/// Size of a Wasm page, in bytes.
pub const PAGE_BYTES: usize = 65_536;
/// Most pages of linear memory: 4 MiB.
pub const MEMORY_PAGES_MAX: u64 = 64;
/// Most bytes of linear memory.
pub const MEMORY_BYTES_MAX: usize = 64 * PAGE_BYTES;
/// Native stack that a guard's calls may take, in bytes.
pub const STACK_BYTES_MAX: usize = 256 * 1_024;
/// Most modules that are kept ready in memory.
pub const GUARDS_CACHED_MAX: usize = 256;
/// Most pages of an instance that is put back by copying. Beyond that a fresh one costs less.
pub(crate) const WARM_PAGES_MAX: u64 = 4;
