//! Rewards are paid as they were promised: nobody is paid more than the account says it owed and owes no longer, and all together
//! not more than its schedule gives.
//!
//! Judged after execution, for accounts that tell what their reward is. What was owed is asked as the transaction found the
//! world, so neither a stake that is borrowed for the moment counts, nor a claim that is made twice.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::{
    moved::{self, WHOLE_BPS},
    prelude::*,
    store::Added,
};

#[cfg(test)]
mod tests;
mod told;

use told::{Question, Rate, may_stake, reward_token};

/// Veto: more rewards were paid than the account owed before, and owes no longer.
pub const CODE_NOT_OWED: u16 = 1;
/// Veto: more rewards were paid, all together, than the schedule gives.
pub const CODE_SCHEDULE: u16 = 2;

/// Accounts that are asked about in one transaction: who sent it, who called, and whom calldata names.
pub const CLAIMANTS_MAX: usize = 24;
/// So many units are rounding.
const DUST: U256 = U256::from_limbs([1_000, 0, 0, 0]);

/// Prefix of what was paid by an account in all.
const PAID: &[u8] = b"paid";
/// Prefix of the moment, or block, at which an account was first seen.
const SINCE: &[u8] = b"since";
/// Prefix of the highest rate that an account has told.
const RATE: &[u8] = b"rate";

/// Rewards are paid as they were promised, and no faster than the schedule.
#[guard(name = "reward_schedule", triggers(flow), subscribes(flows))]
pub struct RewardSchedule {
    /// How much more may be paid than was owed, in basis points.
    #[param(default = "100")]
    tolerance_bps: u64,
    /// Rewards per second, in the token's smallest unit; zero: what the account tells.
    #[param(default = "0")]
    per_second: U256,
    /// Seconds of the schedule that may be unclaimed when the guard is attached.
    #[param(default = "7776000")]
    backlog_seconds: u64,
}

#[guard]
impl Guard for RewardSchedule {
    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        for farm in tx.accounts() {
            let Some(token) = reward_token(tx, farm) else { continue };
            let claimants = claimants(tx, farm);
            let payees = payees(tx, farm, token, &claimants);
            if payees.is_empty() {
                continue;
            }
            let pool = pool(tx, farm);
            let stakes = may_stake(tx, farm, token);
            let reward = |payee: &Payee| if stakes { unstaked(tx, farm, pool, payee) } else { payee.amount };
            let (mut claimed, mut paid) = (U256::ZERO, U256::ZERO);
            for payee in &payees {
                let reward = reward(payee);
                paid = paid.saturating_add(reward);
                // Nobody claims what the farm pays as a fee, to who had no part in the transaction.
                if claimants.contains(&payee.account) {
                    claimed = claimed.saturating_add(reward);
                }
            }
            if !claimed.is_zero() {
                self.check_owed(tx, farm, pool, &claimants, claimed);
            }
            if !paid.is_zero() {
                self.check_schedule(tx, farm, paid);
            }
        }
    }
}

/// Who got how much of the reward from a farm, on balance.
struct Payee {
    account: Address,
    amount: U256,
}

impl RewardSchedule {
    fn check_owed(&self, tx: &Tx, farm: Address, pool: U256, claimants: &[Address], paid: U256) {
        let mut questions = claimants.iter().filter_map(|claimant| Question::owed(tx, farm, *claimant, pool));
        let Some(owed) = questions.next() else { return };
        let settled = claimants.iter().fold(U256::ZERO, |sum, claimant| {
            let asked = |fork| owed.ask(tx, fork, farm, *claimant).unwrap_or_default();
            let (before, after) = (asked(Fork::PreTx), asked(Fork::Now));
            sum.saturating_add(before.saturating_sub(after))
        });
        let beyond = paid.saturating_sub(settled);
        if beyond > DUST && moved::exceeds_bps(beyond, settled, self.tolerance_bps) {
            veto!(CODE_NOT_OWED, "{farm} paid {paid} of rewards, and owed {settled} of them before");
        }
    }

    fn check_schedule(&self, tx: &Tx, farm: Address, paid: U256) {
        let context = tx.context();
        let (rate, unit) = if self.per_second.is_zero() {
            let Some(told) = Rate::find(tx, farm) else { return };
            told
        } else {
            (self.per_second, Rate::PerSecond)
        };
        let [paid_key, since_key, rate_key] = [PAID, SINCE, RATE].map(|prefix| [prefix, &farm.0].concat());
        let now = U256::from(if unit == Rate::PerSecond { context.timestamp() } else { context.block_number() });
        let since = store::get(&since_key).unwrap_or_else(|| {
            store::set(&since_key, now);
            now
        });
        let highest = store::get(&rate_key).unwrap_or_default().max(rate);
        if store::get(&rate_key) != Some(highest) {
            store::set(&rate_key, highest);
        }
        // Of a schedule that counts blocks, the backlog is so many blocks: blocks are no shorter than a second.
        let elapsed = now.saturating_sub(since).saturating_add(U256::from(self.backlog_seconds));
        let whole = highest.saturating_mul(elapsed);
        let tolerated = moved::divide(whole, U256::from(WHOLE_BPS)).saturating_mul(U256::from(self.tolerance_bps));
        let most = whole.saturating_add(tolerated);
        if store::add(&paid_key, paid, most) == Added::Refused {
            veto!(
                CODE_SCHEDULE,
                "{farm} would have paid more than {most} of rewards, which is all that its schedule gives"
            );
        }
    }
}

/// Frames that enter a farm from outside.
fn entries(tx: &Tx, farm: Address) -> impl Iterator<Item = Frame> {
    tx.frames().filter(move |frame| {
        frame.target() == farm && !frame.is_static() && frame.kind() == Some(FrameKind::Call) && frame.caller() != farm
    })
}

/// Who was paid rewards by a farm: out of what it holds, or, if he claims, newly minted in one of its calls. Farms also mint for
/// their makers as they go.
fn payees(tx: &Tx, farm: Address, token: Address, claimants: &[Address]) -> Vec<Payee> {
    let mut payees: Vec<(Payee, U256)> = Vec::new();
    for flow in tx.flows().filter(|flow| moved::is_fungible(flow) && flow.token() == token) {
        let minted = || {
            flow.from() == Address::ZERO
                && claimants.contains(&flow.to())
                && tx.frame(flow.frame()).is_some_and(|frame| tx.ancestors(&frame).any(|outer| outer.target() == farm))
        };
        let (party, is_paid) = match (flow.from() == farm || minted(), flow.to() == farm) {
            (true, false) => (flow.to(), true),
            (false, true) => (flow.from(), false),
            _ => continue,
        };
        if tx.is_guarded(party) || party == Address::ZERO {
            continue;
        }
        let at = payees.iter().position(|(payee, _)| payee.account == party).unwrap_or_else(|| {
            payees.push((Payee { account: party, amount: U256::ZERO }, U256::ZERO));
            payees.len() - 1
        });
        let sum = if is_paid { &mut payees[at].0.amount } else { &mut payees[at].1 };
        *sum = sum.saturating_add(flow.amount());
    }
    let net = payees.into_iter().map(|(payee, back)| Payee { amount: payee.amount.saturating_sub(back), ..payee });
    net.filter(|payee| !payee.amount.is_zero()).collect()
}

/// The pool that the farm's first caller names, for farms that have several.
fn pool(tx: &Tx, farm: Address) -> U256 {
    let input = entries(tx, farm).next().map(|entry| tx.input(&entry)).unwrap_or_default();
    input.get(4..36).map(U256::from_be_slice).unwrap_or_default()
}

/// What somebody got that is not his own stake coming back.
fn unstaked(tx: &Tx, farm: Address, pool: U256, payee: &Payee) -> U256 {
    let Some(stake) = Question::stake(tx, farm, payee.account, pool) else { return payee.amount };
    let asked = |fork| stake.ask(tx, fork, farm, payee.account).unwrap_or_default();
    payee.amount.saturating_sub(asked(Fork::PreTx).saturating_sub(asked(Fork::Now)))
}

/// Whose claims may have been settled: the sender's, those of who called the farm, and of whom its callers named.
fn claimants(tx: &Tx, farm: Address) -> Vec<Address> {
    let mut claimants = Vec::from([tx.context().sender()]);
    for entry in entries(tx, farm) {
        claimants.push(entry.caller());
        let input = tx.input(&entry);
        let words = input.get(4..).unwrap_or_default().as_chunks::<32>().0;
        let named = words.iter().filter(|word| word[..12] == [0; 12] && word[12..20] != [0; 8]);
        claimants.extend(named.map(|word| Address(*word.last_chunk().expect("a word is longer than an address"))));
    }
    let mut known = Vec::new();
    for claimant in claimants {
        if !tx.is_guarded(claimant) && !known.contains(&claimant) && known.len() < CLAIMANTS_MAX {
            known.push(claimant);
        }
    }
    known
}
