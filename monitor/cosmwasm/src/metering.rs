//! What work costs. A contract's work is counted in CosmWasm gas, by the table of the pinned cosmwasm-vm, and told in
//! fuel, the unit of every guard. What that takes in time is measured by `make bench-guards`, part `prices`, rows `contract:`,
//! whose figures are cited here: nanoseconds for each fuel, on two cores of a virtual machine, in one run in which native
//! guards' operators took up to 0.44 and the dearest of all they can do 1.11.
//!
//! All numbers are part of the chain's rules: a change here, or another cosmwasm-vm, is a new [`METERING_VERSION`] and a
//! fork (CWA-2024-004: nodes whose cached modules carried older prices left consensus).

use parapet_vm::metering as fuel;

/// Version of this table, the ratio and the pinned cosmwasm-vm.
pub const METERING_VERSION: u32 = 3;
/// The cosmwasm-vm whose prices these are.
pub const COSMWASM_VM: &str = "3.0.10";

/// CosmWasm gas in one fuel.
///
/// cosmwasm-vm prices a simple operator at 115 gas, so one fuel is one simple operator in either form; branches and calls,
/// where it counts, are 14. With that a contract's fuel buys no more time than a native guard's: 0.02 to 0.11 ns of most
/// operators and 0.41 of division, 0.53 of a look-up in storage, 0.04 and 0.10 of cryptography, 1.13 of the dearest of all,
/// memory that is grown and touched. At 1,000 gas a nanosecond, which cosmwasm-vm aims at, a fuel would be 0.115 ns.
pub const GAS_PER_FUEL: u64 = 115;

/// Making ready an instance, once per call. With an empty `sudo` and 4 pages: 0.24 ns.
pub const INSTANCE: u64 = 5_000;
/// A page of memory of an instance that is used again: it is looked through after the call, and put back:
/// 0.46 ns with 32 of them, 0.72 where each was written to.
pub const PAGE_KEPT: u64 = 1_000;
/// An instance that is not used again, because its call did not return or its memory is too large: somebody has to make
/// another one: 0.26 ns of a trap at once. Its memory, which the system has to find anew, comes on top, as for native guards
/// ([`parapet_vm::metering::MEMORY_PAGE`]).
pub const INSTANCE_LOST: u64 = 50_000;

/// What becomes of an instance after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is used again.
    Kept,
    /// It is not.
    Lost,
}

/// Gas of so much fuel.
#[must_use]
pub const fn gas(fuel: u64) -> u64 {
    fuel.saturating_mul(GAS_PER_FUEL)
}

/// Fuel of so much gas, begun units counted.
#[must_use]
pub const fn fuel_of(gas: u64) -> u64 {
    gas.div_ceil(GAS_PER_FUEL)
}

/// Fuel of a call with an instance of so many pages, besides what runs.
#[must_use]
pub(crate) const fn calling(pages: u32) -> u64 {
    INSTANCE.saturating_add(PAGE_KEPT.saturating_mul(pages as u64))
}

/// Fuel that a call must have beside what it spends, and loses with an instance that started with so many pages.
#[must_use]
pub(crate) const fn losing(pages: u32) -> u64 {
    INSTANCE_LOST.saturating_add(fuel::MEMORY_PAGE.saturating_mul(pages as u64))
}

/// Fuel of pages that memory has grown by.
#[must_use]
pub(crate) const fn growing(pages: u32, fate: Fate) -> u64 {
    let each = match fate {
        Fate::Kept => PAGE_KEPT,
        Fate::Lost => fuel::MEMORY_PAGE,
    };
    each.saturating_mul(pages as u64)
}

/// Most pages that memory may grow by in a call with so much fuel: as many as can be paid for even if the instance is lost.
#[must_use]
pub(crate) fn payable(fuel: u64) -> u32 {
    u32::try_from(fuel / fuel::MEMORY_PAGE).unwrap_or(u32::MAX)
}

/// Fuel of writing a message of so many bytes.
#[must_use]
pub(crate) const fn message(bytes: usize) -> u64 {
    fuel::HOST_CALL.saturating_add(bytes as u64)
}
