//! An oracle's answer moves only so far: within a transaction, and within a window of time.
//!
//! Judged after execution. Each guarded account is asked for its price as the transaction found it and as it leaves it. Within
//! a window it is compared with an anchor that follows it slowly, so many small steps are one large one.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::{moved, prelude::*};

#[cfg(test)]
mod tests;

/// Veto: the answer moved by more than `tx_bps` in this transaction.
pub const CODE_TX: u16 = 1;
/// Veto: with this transaction the answer would stand further than `window_bps` from where it stood within the window.
pub const CODE_WINDOW: u16 = 2;
/// Veto: the answer became zero, or negative.
pub const CODE_NOTHING: u16 = 3;
/// Refusal at attachment: a window without length forgets everything at once.
pub const CODE_NO_LENGTH: u16 = 4;

/// Prefix of an oracle's anchor.
const ANCHOR: &[u8] = b"anchor";
/// Prefix of the moment of that anchor, in seconds.
const MOMENT: &[u8] = b"moment";

/// An oracle's answer moves only so far in a transaction and in a window.
#[guard(name = "oracle_deviation", triggers(frame, flow))]
pub struct OracleDeviation {
    /// Furthest that an answer may move in one transaction, in basis points of the smaller value.
    #[param(default = "2000")]
    tx_bps: u64,
    /// Furthest that it may stand from where it stood a window ago, in the same measure.
    #[param(default = "5000")]
    window_bps: u64,
    /// Length of the window, in seconds; where the answer stood is drawn evenly within it to where it stands.
    #[param(default = "3600")]
    window_seconds: u64,
}

#[guard]
impl Guard for OracleDeviation {
    fn init(&self, _: &Tx) {
        if self.window_seconds == 0 {
            veto!(CODE_NO_LENGTH, "window_seconds is 0: give the window a length");
        }
    }

    fn on_tx(&self, tx: &Tx) {
        if tx.succeeded() {
            for oracle in tx.accounts() {
                self.judge(tx, oracle);
            }
        }
    }
}

impl OracleDeviation {
    fn judge(&self, tx: &Tx, oracle: Address) {
        // An oracle that has not answered yet may begin anywhere.
        let Some((form, before)) = FORMS.into_iter().find_map(|form| {
            let answer = form.ask(tx, Fork::PreTx, oracle).filter(is_price)?;
            Some((form, answer))
        }) else {
            return;
        };
        let after = form.ask(tx, Fork::Now, oracle).filter(is_price).unwrap_or_default();
        if after == before {
            return;
        }
        if after.is_zero() {
            veto!(CODE_NOTHING, "{oracle} answered {before} and has no price any more");
        }
        if moved::differ_by_bps(before, after, self.tx_bps) {
            let most = self.tx_bps;
            veto!(CODE_TX, "{oracle} answered {before} and answers {after}, at most {most} basis points apart it may");
        }
        self.judge_window(tx, oracle, before, after);
    }

    /// An oracle's anchor is where it stood, drawn evenly, within a window, to where it stands. So noise that comes back does
    /// not add up, and steps in one direction do.
    fn judge_window(&self, tx: &Tx, oracle: Address, before: U256, after: U256) {
        let (anchor_key, moment_key) = ([ANCHOR, &oracle.0].concat(), [MOMENT, &oracle.0].concat());
        let now = U256::from(tx.context().timestamp());
        let passed = now.saturating_sub(store::get(&moment_key).unwrap_or_default());
        let left = U256::from(self.window_seconds).saturating_sub(passed);
        let anchor = store::get(&anchor_key).map_or(before, |anchor| {
            let gap = |far: U256, near: U256| {
                moved::divide((far - near).saturating_mul(left), U256::from(self.window_seconds))
            };
            if anchor > before { before + gap(anchor, before) } else { before - gap(before, anchor) }
        });
        if moved::differ_by_bps(anchor, after, self.window_bps) {
            let (most, seconds) = (self.window_bps, self.window_seconds);
            veto!(
                CODE_WINDOW,
                "{oracle} answers {after} and stood at {anchor}, at most {most} basis points apart it may within \
                 {seconds} seconds"
            );
        }
        store::set(&anchor_key, anchor);
        store::set(&moment_key, now);
    }
}

/// Zero is no price, and neither is a negative number.
fn is_price(answer: &U256) -> bool {
    !answer.is_zero() && !answer.bit(255)
}

/// How an oracle is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    LatestAnswer,
    LatestRoundData,
    LatestPrice,
    GetPrice,
    Price,
    Peek,
    Read,
}

const FORMS: [Form; 7] =
    [Form::LatestAnswer, Form::LatestRoundData, Form::LatestPrice, Form::GetPrice, Form::Price, Form::Peek, Form::Read];

impl Form {
    fn ask(self, tx: &Tx, fork: Fork, oracle: Address) -> Option<U256> {
        match self {
            Self::LatestAnswer => view!(tx, fork, oracle, "latestAnswer()(uint256)"),
            Self::LatestRoundData => {
                let answer = view!(tx, fork, oracle, "latestRoundData()(uint256,uint256,uint256,uint256,uint256)");
                answer.map(|(_, price, _, _, _)| price)
            }
            Self::LatestPrice => view!(tx, fork, oracle, "getLatestPrice()(uint256)"),
            Self::GetPrice => view!(tx, fork, oracle, "getPrice()(uint256)"),
            Self::Price => view!(tx, fork, oracle, "price()(uint256)"),
            Self::Peek => view!(tx, fork, oracle, "peek()(uint256)"),
            Self::Read => view!(tx, fork, oracle, "read()(uint256)"),
        }
    }
}
