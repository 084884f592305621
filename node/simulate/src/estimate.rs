//! The least gas limit with which a transaction succeeds.

use parapet_executor::{TxError, cfg_env};
use parapet_monitor::Monitor;
use parapet_types::Executed;
use revm::context::{Cfg as _, result::InvalidTransaction};

use crate::{CallRequest, Point, SimulateError, call::run};

/// The search ends when the answer is known to this share of itself, in thousandths.
const TOLERANCE_PERMILLE: u64 = 15;

/// Why there is no estimate.
#[derive(Debug, thiserror::Error)]
pub enum EstimateError {
    /// It fails with every gas limit: it reverts, or a guard vetoes it.
    #[error("the transaction would fail")]
    Failed(Box<Executed>),
    /// It cannot run at all.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
}

impl From<TxError> for EstimateError {
    fn from(error: TxError) -> Self {
        Self::Simulate(error.into())
    }
}

/// Guards may find another state than now when the transaction is included, and take another path. So much of their gas
/// is added; it is charged only if it is used.
const GUARD_HEADROOM_PERCENT: u64 = 25;

/// Searches the least gas limit with which the call succeeds, to within 1.5%, never below it. Where it wakes guards,
/// a quarter of what they take is added.
///
/// # Errors
/// [`EstimateError`].
pub fn estimate_gas(point: &Point<'_>, request: &CallRequest, monitor: &dyn Monitor) -> Result<u64, EstimateError> {
    let cap = cfg_env(point.params).tx_gas_limit_cap();
    let mut high = request.gas_limit(point.block).min(cap);
    if let Some(affordable) = affordable(point, request)? {
        high = high.min(affordable);
    }
    let executed = run(point, request, high, monitor)?.executed;
    if !executed.succeeded() {
        return Err(EstimateError::Failed(Box::new(executed)));
    }
    let headroom = executed.guard_gas_used.saturating_mul(GUARD_HEADROOM_PERCENT).div_ceil(100);
    let least = least(point, request, monitor, (executed.gas_used, high))?;
    Ok(least.saturating_add(headroom).min(high))
}

/// The least gas limit with which it succeeds, between what it used with the highest and the highest.
fn least(
    point: &Point<'_>,
    request: &CallRequest,
    monitor: &dyn Monitor,
    (used, mut high): (u64, u64),
) -> Result<u64, EstimateError> {
    // What it used is often exactly what it needs: no refunds, no gas kept back at calls.
    if succeeds(point, request, used, monitor)? {
        return Ok(used);
    }
    // Below what it used with everything at hand it cannot succeed; refunds only make the need higher.
    let mut low = used;
    while high - low > 1 && (high - low) * 1_000 > high * TOLERANCE_PERMILLE {
        // The first guesses are just above what was used, where the answer usually is.
        let middle = (low + (high - low) / 2).min(low.saturating_mul(2));
        if succeeds(point, request, middle, monitor)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(high)
}

/// Whether it succeeds with a gas limit. One with which a guard vetoes it, because with less gas it takes another path,
/// is not one to send.
fn succeeds(
    point: &Point<'_>,
    request: &CallRequest,
    gas_limit: u64,
    monitor: &dyn Monitor,
) -> Result<bool, EstimateError> {
    match run(point, request, gas_limit, monitor) {
        Ok(outcome) => Ok(outcome.executed.succeeded()),
        Err(SimulateError::Transaction(TxError::Invalid(
            InvalidTransaction::CallGasCostMoreThanGasLimit { .. }
            | InvalidTransaction::GasFloorMoreThanGasLimit { .. },
        ))) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

/// How much gas the sender can pay for at the price it offers; `None` where it offers none.
fn affordable(point: &Point<'_>, request: &CallRequest) -> Result<Option<u64>, TxError> {
    let Some(price) = request.gas_price.filter(|price| *price > 0) else { return Ok(None) };
    let balance = point.world.account(&request.from.unwrap_or_default())?.unwrap_or_default().balance;
    let spare = balance.saturating_sub(request.value);
    Ok(Some((spare / alloy_primitives::U256::from(price)).saturating_to()))
}
