//! When an attachment that vetoes too much drops to shadow by itself, and what an attacker can do about that: nothing that
//! is quick, cheap and unseen. The reasoning is in `ARCHITECTURE.md`, *Modes*.
//!
//! ```text
//! a judged transaction → Witness (of its sender: let pass in an earlier window? counted in this one?) → Poll of the window
//! a window's last block → Poll → Streak → after enough windows, and the attachment's delay: demote(id)
//! ```
//!
//! Invariants:
//! - Only who was let pass in an earlier window counts, once per window, as judged and as vetoed.
//! - A window in which too few are vetoed, and whatever changes what the attachment judges by, ends the streak.
//! - Words of different senders are different words, and the poll is only added to: counting makes no transactions of
//!   different senders wait for each other.

mod witness;

use alloy_primitives::{Bytes, U256};
use alloy_sol_types::SolCall as _;
use parapet_abi::ContextRecord;
use parapet_monitor::{
    AttachmentId, BlockEnd, Evidence, Fault, Fork, Fuel, Mode, Origin, Outcome, StateFault, StateUpdate, StateView,
    Verdict,
};
use parapet_registry::{Attachment, REGISTRY_ADDRESS, RegistryReader, contract::IGuardRegistry};
use parapet_store::{poll_slot, streak_slot};

use crate::{
    index::{Entry, Index},
    registry_fault,
    woken::text,
};
use witness::Poll;
pub(crate) use witness::{Ballot, Counted, count};

/// Code of the alerts by which the engine tells that an attachment vetoes too much, and that it was demoted.
pub const CODE_DEMOTION: u16 = 0xff10;

/// How evidence is gathered. Part of the chain's rules: nodes of one chain must have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemotionRules {
    /// Blocks of a window; the last of a window is one whose number, plus one, is a multiple of this.
    pub window_blocks: u64,
    /// Senders that must be vetoed in a window before it says anything.
    pub senders_min: u64,
    /// Windows in a row that must say it.
    pub windows_min: u64,
}

impl DemotionRules {
    /// Those of every chain that is not a test: windows of 256 blocks, 32 senders, three in a row.
    pub const DEFAULT: Self = Self { window_blocks: 256, senders_min: 32, windows_min: 3 };

    /// The number of a block's window, from 1: zero says *never* in a [`Witness`].
    const fn window(self, block: u64) -> u64 {
        block / self.window_blocks + 1
    }

    pub(crate) const fn ends_window(self, block: u64) -> bool {
        (block + 1).is_multiple_of(self.window_blocks)
    }
}

/// What a window says of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turnout {
    Quiet,
    TooMany,
}

/// What follows for an attachment that vetoed too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Consequence {
    /// An alert: so many seconds must have passed since the first such window.
    Warned {
        wait_s: u64,
    },
    Demoted,
}

/// Windows in a row in which an attachment vetoed too much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Streak {
    windows: u64,
    /// Block time at the end of the first, in seconds.
    since_s: u64,
    /// The attachment's revision, for which alone this holds.
    revision: u32,
}

impl Streak {
    fn after(self, turnout: Turnout, revision: u32, now_s: u64) -> Self {
        match turnout {
            Turnout::Quiet => Self::default(),
            Turnout::TooMany if self.windows > 0 && self.revision == revision => {
                Self { windows: self.windows.saturating_add(1), ..self }
            }
            Turnout::TooMany => Self { windows: 1, since_s: now_s, revision },
        }
    }

    fn consequence(self, wait_s: u64, now_s: u64, rules: DemotionRules) -> Consequence {
        if self.windows >= rules.windows_min && now_s >= self.since_s.saturating_add(wait_s) {
            Consequence::Demoted
        } else {
            Consequence::Warned { wait_s }
        }
    }

    fn pack(self) -> U256 {
        U256::from_limbs([self.windows, self.since_s, u64::from(self.revision), 0])
    }

    fn unpack(word: U256) -> Self {
        let [windows, since_s, revision, _] = word.into_limbs();
        Self { windows, since_s, revision: u32::try_from(revision).unwrap_or(u32::MAX) }
    }
}

/// What a window's last block makes of the window.
pub(crate) fn end_window(
    rules: DemotionRules,
    index: &Index,
    context: &ContextRecord,
    view: &mut dyn StateView,
) -> Result<BlockEnd, Fault> {
    let mut end = BlockEnd::default();
    for entry in index.entries().filter(|entry| entry.demotion_share > 0) {
        conclude(rules, entry, context, view, &mut end)?;
    }
    end.updates.sort_unstable_by_key(|update| update.slot);
    Ok(end)
}

fn conclude(
    rules: DemotionRules,
    entry: &Entry,
    context: &ContextRecord,
    view: &mut dyn StateView,
    end: &mut BlockEnd,
) -> Result<(), Fault> {
    let (id, now_s) = (entry.id(), context.timestamp);
    // It is not needed any more, so it is cleared: state does not grow with the windows.
    let poll_slot = poll_slot(id, rules.window(context.block_number));
    let poll_word = view.storage(Fork::Now, REGISTRY_ADDRESS, poll_slot)?;
    let streak_word = view.storage(Fork::Now, REGISTRY_ADDRESS, streak_slot(id))?;
    // What a change of the registry does not lead to another head by, the delay, is not in the index.
    let mut reader = RegistryReader::new(view, Fork::Now);
    let Some(attachment) = reader.attachment(id).map_err(registry_fault)? else { return Ok(()) };
    let wait_s = u64::from(attachment.delay.max(reader.delay_min(now_s).map_err(registry_fault)?));
    let poll = Poll::unpack(poll_word);
    let turnout = match attachment.mode {
        Some(Mode::Enforce) => poll.turnout(attachment.demotion_share, rules),
        Some(Mode::Shadow) | None => Turnout::Quiet,
    };
    let mut streak = Streak::unpack(streak_word).after(turnout, attachment.revision, now_s);
    if turnout == Turnout::TooMany {
        let consequence = streak.consequence(wait_s, now_s, rules);
        end.verdicts.push(alert(entry, &attachment, &words(poll, streak, rules, consequence)));
        if consequence == Consequence::Demoted {
            end.calls.push(Bytes::from(IGuardRegistry::demoteCall { id }.abi_encode()));
            streak = Streak::default();
        }
    }
    for (slot, before, after) in [(poll_slot, poll_word, U256::ZERO), (streak_slot(id), streak_word, streak.pack())] {
        if before != after {
            end.updates.push(StateUpdate::set(slot, after));
        }
    }
    Ok(())
}

fn words(poll: Poll, streak: Streak, rules: DemotionRules, consequence: Consequence) -> String {
    let Poll { judged, vetoed } = poll;
    let so_far = format!(
        "{vetoed} of {judged} senders that it had let pass before were vetoed in {} blocks",
        rules.window_blocks
    );
    match consequence {
        Consequence::Demoted => {
            format!("demoted to shadow: {so_far}, and so it was in {} windows in a row", streak.windows)
        }
        Consequence::Warned { wait_s } => format!(
            "vetoes too much: {so_far}; it is demoted to shadow when that was so in {} windows in a row ({} so far) and \
             {wait_s} s have passed since the first, unless its manager, the guardian or its accounts' authority keeps it",
            rules.windows_min, streak.windows
        ),
    }
}

fn alert(entry: &Entry, attachment: &Attachment, words: &str) -> Verdict {
    tracing::warn!(attachment = %attachment.id, "{words}");
    Verdict {
        attachment: attachment.id,
        module: entry.module,
        guard: entry.guard_name().to_owned(),
        mode: entry.mode,
        outcome: Outcome::Alert,
        hook: None,
        frame: None,
        code: CODE_DEMOTION,
        detail: text(words),
        fuel: Fuel(0),
        elapsed_ns: 0,
        origin: Origin::Chain,
    }
}

/// What was gathered by these rules, in the window of a block, about an attachment at a revision of it.
pub(crate) fn evidence(
    view: &mut dyn StateView,
    (rules, block): (DemotionRules, u64),
    (attachment, revision): (AttachmentId, u32),
) -> Result<Evidence, StateFault> {
    let slot = poll_slot(attachment, rules.window(block));
    let Poll { judged, vetoed } = Poll::unpack(view.storage(Fork::Now, REGISTRY_ADDRESS, slot)?);
    let streak = Streak::unpack(view.storage(Fork::Now, REGISTRY_ADDRESS, streak_slot(attachment))?);
    let streak = if streak.revision == revision { streak } else { Streak::default() };
    Ok(Evidence { judged, vetoed, windows: streak.windows, since_s: streak.since_s })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streak_ends_with_a_quiet_window_and_with_every_change_of_the_attachment() {
        use Turnout::{Quiet, TooMany};
        let one = Streak::default().after(TooMany, 7, 100);
        assert_eq!(one, Streak { windows: 1, since_s: 100, revision: 7 });
        let two = one.after(TooMany, 7, 220);
        assert_eq!(two, Streak { windows: 2, since_s: 100, revision: 7 });
        assert_eq!(two.after(Quiet, 7, 340), Streak::default());
        assert_eq!(two.after(TooMany, 8, 340), Streak { windows: 1, since_s: 340, revision: 8 });
        assert_eq!(Streak::unpack(two.pack()), two);
    }
}
