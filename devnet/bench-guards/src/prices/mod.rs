//! What fuel and gas buy, so that prices can be held against time.
//!
//! ```text
//! host:  a loop of one operator or host call on the guard VM       → ns and fuel of a turn
//! chain: the same inside of a block, where forks and calls are real → ns and fuel of a turn
//! contract: a loop of one operator or host call in a contract        → ns and fuel of a turn
//! evm:   a loop of one instruction in a block of its own            → ns and gas
//! ```
//!
//! A chain's `fuel_per_gas` is sound where a guard's nanosecond costs its sender no less gas than the EVM's: where
//! `ns per fuel · fuel per gas` of the guard's dearest loop is not above `ns per gas` of the EVM's dearest. Every number is
//! the least of several runs: what disturbs a run only makes it longer.

mod chain;
mod contract;
mod evm;
mod host;

use std::time::Instant;

use parapet_types::FuelPerGas;

use crate::{BenchError, report::Row};

/// Runs of each loop.
const RUNS: usize = 7;

/// What one turn of a loop takes, beyond the loop itself.
struct Price {
    name: String,
    ns: f64,
    /// In the unit that pays for it.
    paid: f64,
}

impl Price {
    fn each(&self) -> f64 {
        self.ns / self.paid
    }
}

/// All figures of this module.
///
/// # Errors
/// [`BenchError`].
pub fn rows() -> Result<Vec<Row>, BenchError> {
    let mut guards = host::measure()?;
    guards.extend(chain::measure()?);
    let contracts = contract::measure()?;
    let evm = evm::measure()?;
    let rows_of = |of, unit, prices: &[Price]| prices.iter().map(|price| row(of, unit, price)).collect::<Vec<_>>();
    let mut rows = rows_of("guard", "fuel", &guards);
    rows.extend(rows_of("contract", "fuel", &contracts));
    rows.extend(rows_of("EVM", "gas", &evm));
    let per_gas = FuelPerGas::DEFAULT.0.get() as f64;
    let evm = dearest(&evm);
    for (of, key, prices) in [("guard", "guard_ns_per_gas", &guards), ("contract", "contract_ns_per_gas", &contracts)] {
        let dearest = dearest(prices);
        rows.push(
            Row::new(format!("a {of}'s dearest gas, at {per_gas} fuel per gas"), dearest.each() * per_gas, "ns")
                .key(key)
                .at_most(evm.each())
                .note(format!("{}; the EVM's: {}", dearest.name, evm.name)),
        );
    }
    rows.extend(chain::view_ratio()?);
    Ok(rows)
}

fn row(of: &str, unit: &str, price: &Price) -> Row {
    Row::new(format!("{of}: {}", price.name), price.each(), if unit == "gas" { "ns/gas" } else { "ns/fuel" })
        .note(format!("{:.1} ns, {:.1} {unit}", price.ns, price.paid))
}

/// That which takes longest for what it pays.
fn dearest(prices: &[Price]) -> &Price {
    prices.iter().max_by(|one, other| one.each().total_cmp(&other.each())).expect("there are some")
}

/// Time in ns of the shortest of several runs; `run` gives what it counts.
fn shortest<T>(mut run: impl FnMut() -> Result<T, BenchError>) -> Result<(f64, T), BenchError> {
    let mut best: Option<(f64, T)> = None;
    for _ in 0..RUNS {
        let start = Instant::now();
        let counted = run()?;
        let ns = start.elapsed().as_secs_f64() * 1e9;
        if best.as_ref().is_none_or(|(least, _)| ns < *least) {
            best = Some((ns, counted));
        }
    }
    Ok(best.expect("RUNS is above zero"))
}
