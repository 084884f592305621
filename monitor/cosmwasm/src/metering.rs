//! What work costs. A contract's work is counted in CosmWasm gas, by the table of the pinned cosmwasm-vm, and told in
//! fuel, the unit of every guard.
//!
//! All numbers are part of the chain's rules: a change here, or another cosmwasm-vm, is a new [`METERING_VERSION`] and a
//! fork (CWA-2024-004: nodes whose cached modules carried older prices left consensus).

use parapet_vm::metering as fuel;

/// Version of this table, the ratio and the pinned cosmwasm-vm.
pub const METERING_VERSION: u32 = 2;
/// The cosmwasm-vm whose prices these are.
pub const COSMWASM_VM: &str = "3.0.10";

/// CosmWasm gas in one fuel.
///
/// cosmwasm-vm prices a simple operator at 115 gas and aims at 1,000,000 gas per microsecond of its singlepass code. One
/// fuel is about one simple operator of a native guard.
pub const GAS_PER_FUEL: u64 = 115;

/// Making ready an instance, once per transaction and attachment.
pub const INSTANCE: u64 = 5_000;

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

/// Fuel of writing a message of so many bytes.
#[must_use]
pub(crate) const fn message(bytes: usize) -> u64 {
    fuel::HOST_CALL.saturating_add(bytes as u64)
}
