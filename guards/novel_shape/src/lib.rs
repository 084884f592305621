//! No sequence of calls that nobody made before takes much of what the guarded accounts hold. What is new or large alone is
//! ordinary; new *and* damaging is how most attacks look.
//!
//! A shape is the order of functions by which strangers entered the guarded accounts in one transaction, and how they were
//! nested. Calls to one function alone are no shape: a large withdrawal by its owner is never new.

#![cfg_attr(target_arch = "wasm32", no_std)]

use parapet_guest::prelude::*;

#[cfg(test)]
mod tests;

/// Veto: a sequence of calls that is new, or was first made a short time ago, and much left.
pub const CODE_NOVEL: u16 = 1;

/// Steps that make a shape; what lies behind them does not tell shapes apart.
const STEPS_MAX: usize = 64;

/// No sequence of calls that was never seen before takes much of what the guarded accounts hold.
#[guard(name = "novel_shape", triggers(frame), subscribes(flows))]
pub struct NovelShape {
    /// Share of an asset that may not leave by a new shape, in basis points.
    #[param(default = "5000")]
    loss_bps: u64,
    /// How long a shape is new, in seconds, so that nobody rehearses an attack just before it.
    #[param(default = "3600")]
    novel_seconds: u64,
}

#[guard]
impl Guard for NovelShape {
    fn on_tx(&self, tx: &Tx) {
        if !tx.succeeded() {
            return;
        }
        let steps = steps(tx);
        if !is_shape(&steps) {
            return;
        }
        let shape = keccak256(&steps.concat());
        let now = U256::from(tx.context().timestamp());
        let first = store::get(&shape.0);
        let is_novel = first.is_none_or(|first| now.saturating_sub(first) < U256::from(self.novel_seconds));
        if is_novel && let Some(lost) = moved::heavy_loss(tx, self.loss_bps) {
            let (count, token, amount) = (U256::from(steps.len()), lost.token, lost.net_out());
            veto!(CODE_NOVEL, "{count} calls in an order that is new (shape {shape}), and {amount} of {token} left");
        }
        if first.is_none() {
            store::set(&shape.0, now);
        }
    }
}

/// A function that was entered: how deep below other entries, of which account, and which.
type Step = [u8; 25];

/// The steps of a transaction; repetitions of one count once.
fn steps(tx: &Tx) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for frame in tx.frames() {
        let enters = tx.is_guarded(frame.target()) && !tx.is_guarded(frame.caller()) && !frame.is_static();
        if !enters || frame.status() != Some(FrameStatus::Succeeded) {
            continue;
        }
        let nested = tx.ancestors(&frame).any(|outer| tx.is_guarded(outer.target()));
        let mut step = [u8::from(nested); 25];
        step[1..21].copy_from_slice(&frame.target().0);
        step[21..].copy_from_slice(&frame.selector().0);
        if steps.last() != Some(&step) && steps.len() < STEPS_MAX {
            steps.push(step);
        }
    }
    steps
}

/// Whether more than one function was entered.
fn is_shape(steps: &[Step]) -> bool {
    steps.iter().any(|step| *step != steps[0])
}
