//! Limits of contracts and of what passes between them and the host. All are part of the chain's rules: changing one is
//! a fork.

/// Longest module, in bytes.
pub const MODULE_BYTES_MAX: usize = 512 * 1_024;
/// Most functions of a module, imports included.
pub const FUNCTIONS_MAX: usize = 4_096;
/// Most parameters of a function.
pub const FUNCTION_PARAMETERS_MAX: usize = 100;
/// Most parameters of all functions together.
pub const PARAMETERS_MAX: usize = 10_000;
/// Most results of a function.
pub const FUNCTION_RESULTS_MAX: usize = 1;
/// Most locals of a function, parameters not counted.
pub const FUNCTION_LOCALS_MAX: usize = 200;
/// Most locals of all functions together.
pub const LOCALS_MAX: usize = 20_000;
/// Longest body of a function, in bytes.
pub const BODY_BYTES_MAX: usize = 128 * 1_024;
/// Most work for the compiler, counted as that of native guards (`parapet_vm::limits::WORK_MAX`). A compiler that goes over
/// the code once pays for most of it in proportion to the bytes; what grows faster is operands that wait across branches
/// and calls. Stock contracts of 200 to 430 KiB have up to a million.
pub const WORK_MAX: u64 = 4_194_304;
/// Most imports.
pub const IMPORTS_MAX: usize = 64;
/// Most exports.
pub const EXPORTS_MAX: u32 = 64;
/// Most globals.
pub const GLOBALS_MAX: u32 = 256;
/// Most data segments, and most element segments.
pub const SEGMENTS_MAX: u32 = 1_024;
/// Most elements of the table.
pub const TABLE_ELEMENTS_MAX: u32 = 4_096;
/// Size of a Wasm page, in bytes.
pub const PAGE_BYTES: usize = 65_536;
/// Most pages of linear memory: 4 MiB.
pub const MEMORY_PAGES_MAX: u32 = 64;
/// Native stack that a contract's calls may take, in bytes.
pub const STACK_BYTES_MAX: usize = 1_024 * 1_024;

/// Longest `sudo` message, in bytes. A transaction whose message would be longer cannot be shown to a contract.
pub const MESSAGE_BYTES_MAX: usize = 256 * 1_024;
/// Longest `query` message, in bytes.
pub const QUERY_BYTES_MAX: usize = 16 * 1_024;
/// Longest answer of a contract, in bytes.
pub const RESPONSE_BYTES_MAX: usize = 64 * 1_024;
/// Most scans of its state that a contract may open in one transaction.
pub const SCANS_MAX: usize = 64;
/// Most words of its state that a contract may write in one transaction.
pub const WORDS_WRITTEN_MAX: usize = 1_024;
/// Most bytes of calldata, return data or log data that one query gives.
pub const QUERIED_BYTES_MAX: usize = 16 * 1_024;
/// Most bytes of records that one read gives.
pub const RECORDS_BYTES_MAX: usize = 64 * 1_024;
/// Longest reason of a trap, in bytes.
pub const REASON_BYTES_MAX: usize = 256;

/// Most contracts that are kept ready in memory, and most bytes of their modules together. Bytes are what registering a
/// contract is paid for: whoever wants others compiled again and again has to pay for more than all of these.
pub const CONTRACTS_CACHED_MAX: usize = 4_096;
/// As above.
pub const CONTRACTS_CACHED_BYTES_MAX: usize = 64 * MODULE_BYTES_MAX;
/// Most instances that wait for their next transaction, on one thread.
pub const INSTANCES_IDLE_MAX: usize = 16;
/// Most pages of linear memory of an instance that is used again: 2 MiB.
pub const PAGES_KEPT_MAX: u32 = 32;
/// How often an instance is used before it is dropped, so that whatever the engine under it may hoard stays bounded.
pub const INSTANCE_USES_MAX: u32 = 100_000;
