//! Whoever deals with a money market is solvent afterwards: no call leaves a debt that its collateral does not cover.
//!
//! Judged after execution. The guarded accounts are asked, as their own liquidators would, whether each party that called
//! them or was paid by them stands; a party that did not stand before is only vetoed if it was paid.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::{moved, prelude::*};

#[cfg(test)]
mod tests;

/// Veto: a party that was solvent before the transaction is not any more.
pub const CODE_INSOLVENT: u16 = 1;
/// Veto: a party that was insolvent already was paid.
pub const CODE_PAID_INSOLVENT: u16 = 2;

/// Most parties of one transaction that are looked at; the sender and the first callers come first.
pub const PARTIES_MAX: usize = 16;
/// A health factor of one, in the markets that tell one.
const HEALTHY: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

/// Whoever deals with a money market is solvent afterwards.
#[guard(name = "solvency", triggers(frame, flow), subscribes(flows))]
pub struct Solvency {
    /// Accounts that need not be: the market's own vaults of bad debt, for example.
    #[param(default = "[]")]
    exempt: Vec<Address>,
}

#[guard]
impl Guard for Solvency {
    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        let parties = parties(tx);
        for market in tx.accounts() {
            let Some(measure) = Measure::find(tx, market) else { continue };
            for party in parties.iter().filter(|party| !self.exempt.contains(party)) {
                let is_solvent = |fork| measure.is_solvent(tx, fork, market, *party).unwrap_or(true);
                if is_solvent(Fork::Now) {
                    continue;
                }
                if is_solvent(Fork::PreTx) {
                    veto!(CODE_INSOLVENT, "{market} would liquidate {party}, which was solvent before the transaction");
                }
                if is_paid(tx, *party) {
                    veto!(CODE_PAID_INSOLVENT, "{party} was paid, which {market} would liquidate");
                }
            }
        }
    }
}

/// How a market tells whether an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    /// `(error, liquidity, shortfall)`.
    Shortfall,
    /// Six words, the last of which is the health factor.
    AccountData,
    /// The health factor alone.
    HealthFactor,
    /// Yes or no.
    IsSolvent,
    /// Yes or no, of another name.
    IsHealthy,
    /// Yes or no, the other way about.
    IsLiquidatable,
}

const MEASURES: [Measure; 6] = [
    Measure::Shortfall,
    Measure::AccountData,
    Measure::HealthFactor,
    Measure::IsSolvent,
    Measure::IsHealthy,
    Measure::IsLiquidatable,
];

impl Measure {
    /// The first that the market answers for the sender.
    fn find(tx: &Tx, market: Address) -> Option<Self> {
        let sender = tx.context().sender();
        MEASURES.into_iter().find(|measure| measure.is_solvent(tx, Fork::Now, market, sender).is_some())
    }

    fn is_solvent(self, tx: &Tx, fork: Fork, market: Address, party: Address) -> Option<bool> {
        match self {
            Self::Shortfall => {
                let answer = view!(tx, fork, market, "getAccountLiquidity(address)(uint256,uint256,uint256)", party);
                answer.map(|(_, _, shortfall)| shortfall.is_zero())
            }
            Self::AccountData => {
                let answer = view!(
                    tx,
                    fork,
                    market,
                    "getUserAccountData(address)(uint256,uint256,uint256,uint256,uint256,uint256)",
                    party
                );
                answer.map(|(_, _, _, _, _, health)| health >= HEALTHY)
            }
            // Without a debt, some markets answer zero.
            Self::HealthFactor => {
                let health = view!(tx, fork, market, "healthFactor(address)(uint256)", party)
                    .or_else(|| view!(tx, fork, market, "getHealthFactor(address)(uint256)", party));
                health.map(|health| health.is_zero() || health >= HEALTHY)
            }
            Self::IsSolvent => view!(tx, fork, market, "isSolvent(address)(bool)", party),
            Self::IsHealthy => view!(tx, fork, market, "isHealthy(address)(bool)", party),
            Self::IsLiquidatable => {
                view!(tx, fork, market, "isLiquidatable(address)(bool)", party).map(|liquidatable| !liquidatable)
            }
        }
    }
}

/// Who called the market or was paid by it, but for the market itself.
fn parties(tx: &Tx) -> Vec<Address> {
    let mut parties = Vec::new();
    let entered = tx.frames().filter(|frame| !frame.is_static() && tx.is_guarded(frame.target()));
    let callers = entered.map(|frame| frame.caller());
    let paid = tx.flows().filter(|flow| tx.is_guarded(flow.from())).map(|flow| flow.to());
    for party in [tx.context().sender()].into_iter().chain(callers).chain(paid) {
        let is_new = party != Address::ZERO && !tx.is_guarded(party) && !parties.contains(&party);
        if is_new && parties.len() < PARTIES_MAX {
            parties.push(party);
        }
    }
    parties
}

/// Whether the market paid a party on balance: more of some asset went to it than came from it.
fn is_paid(tx: &Tx, party: Address) -> bool {
    moved::by_asset(tx).iter().any(|asset| {
        let is_of = |flow: &Flow| moved::is_fungible(flow) && flow.token() == asset.token;
        let sum = |sum: U256, flow: Flow| sum.saturating_add(flow.amount());
        let to = tx.flows().filter(is_of).filter(|flow| flow.to() == party && tx.is_guarded(flow.from()));
        let from = tx.flows().filter(is_of).filter(|flow| flow.from() == party && tx.is_guarded(flow.to()));
        to.fold(U256::ZERO, sum) > from.fold(U256::ZERO, sum)
    })
}
