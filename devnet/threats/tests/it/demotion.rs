//! An attachment that vetoes too much drops to shadow; one that is made to veto by an attacker does not, unless the attacker is
//! many, known, patient and seen.

use std::ops::Range;

use alloy_primitives::{B256, Bytes, U256};
use alloy_sol_types::SolCall as _;
use parapet_judge::{CODE_DEMOTION, DemotionRules};
use parapet_monitor::{Evidence, Mode, Outcome, Verdict};
use parapet_registry::{Attachment, contract::IGuardRegistry};
use parapet_store::witness_slot;
use parapet_threats::{ATTACKER, Call, Chain, GUARDIAN, OWNER, VAULT, code::STOP, guard, one_of_many};
use parapet_types::{ChainAct, Destiny, JudgedAct, REGISTRY};

/// Windows end with blocks 3, 7, 11 and so on.
const RULES: DemotionRules = DemotionRules { window_blocks: 4, senders_min: 3, windows_min: 2 };
const ID: B256 = B256::with_last_byte(1);

/// A vault whose guard vetoes calls that are marked, and demotes itself beyond a quarter.
fn chain(change: impl FnOnce(&mut Attachment)) -> Chain {
    let mut chain = Chain::new();
    chain.demote_by(RULES);
    chain.put(VAULT, &STOP, []);
    for number in 0..40 {
        chain.put(one_of_many(number), &[], []);
    }
    let attachment = chain.attach(&guard::vetoes_calls_marked(0xff), &[VAULT]);
    attachment.demotion_share = 2_500;
    change(attachment);
    chain.settle_attachments();
    chain
}

/// Calls of the vault that the guard lets pass.
fn plain(senders: Range<u16>) -> Vec<Call> {
    senders.map(|number| Call { from: one_of_many(number), ..Call::to(VAULT) }).collect()
}

/// Calls of the vault that it vetoes: an honest user whom a broken guard takes for a thief, or a thief.
fn marked(senders: Range<u16>) -> Vec<Call> {
    plain(senders).into_iter().map(|call| Call { input: vec![0xff; 4].into(), ..call }).collect()
}

/// A window whose first block has these calls; gives what was said at its end.
fn window(chain: &mut Chain, calls: &[Call]) -> Vec<Verdict> {
    let mut said = Vec::new();
    let mut calls = calls;
    loop {
        let ends = chain.context().number % RULES.window_blocks == RULES.window_blocks - 1;
        let block = chain.block(std::mem::take(&mut calls));
        assert!(block.left_out.is_empty());
        let acts = block.chain_acts.into_iter().filter(|judged| judged.act == ChainAct::Demotions);
        said.extend(acts.flat_map(|JudgedAct { verdicts, .. }| verdicts));
        if ends {
            return said;
        }
    }
}

fn is_demoted(chain: &Chain) -> bool {
    let attachment = chain.attachment(ID).unwrap();
    assert_eq!(attachment.demoted, attachment.mode == Some(Mode::Shadow));
    attachment.demoted
}

fn words(said: &[Verdict]) -> String {
    let [alert] = said else { panic!("one alert, not {said:?}") };
    assert_eq!((alert.attachment, alert.outcome, alert.code), (ID, Outcome::Alert, CODE_DEMOTION));
    alert.detail_text()
}

#[test]
fn a_guard_that_turns_on_those_it_let_pass_is_demoted_and_says_so_before() {
    let mut chain = chain(|_| {});
    assert!(window(&mut chain, &plain(0..10)).is_empty());
    let warning = words(&window(&mut chain, &[plain(0..6), marked(6..10)].concat()));
    assert!(warning.contains("4 of 10 senders") && warning.contains("(1 so far)"), "{warning}");
    assert!(!is_demoted(&chain));
    let last = words(&window(&mut chain, &[plain(0..6), marked(6..10)].concat()));
    assert!(last.starts_with("demoted to shadow"), "{last}");
    assert!(is_demoted(&chain));
    // From the next block on it only tells.
    let block = chain.block(&marked(6..10));
    assert!(block.included.iter().all(|included| included.executed.destiny == Destiny::Succeeded));
    assert_eq!(block.included[0].executed.verdicts[0].outcome, Outcome::WouldVeto);
    assert!(window(&mut chain, &marked(0..10)).is_empty(), "what is in shadow is demoted no further");
}

#[test]
fn nobody_is_counted_who_was_not_let_pass_in_an_earlier_window() {
    let mut chain = chain(|_| {});
    // Forty accounts that never did anything but attack.
    for _ in 0..4 {
        assert!(window(&mut chain, &marked(0..40)).is_empty());
    }
    assert_eq!(chain.counts(ID).evidence, Evidence::default());
    // Who is let pass first in the same window is a burst, and no more.
    assert!(window(&mut chain, &[plain(0..40), marked(0..40)].concat()).is_empty());
    assert!(!is_demoted(&chain));
}

#[test]
fn one_sender_is_one_sender_however_often_it_is_vetoed() {
    let mut chain = chain(|_| {});
    window(&mut chain, &plain(0..2));
    for _ in 0..4 {
        let attack: Vec<_> = (0..20).flat_map(|_| marked(0..2)).collect();
        assert!(window(&mut chain, &attack).is_empty(), "two senders are too few");
    }
    chain.block(&marked(0..2));
    assert_eq!(chain.counts(ID).evidence, Evidence { judged: 2, vetoed: 2, windows: 0, since_s: 0 });
}

#[test]
fn a_burst_that_is_not_sustained_is_forgotten() {
    let mut chain = chain(|_| {});
    window(&mut chain, &plain(0..10));
    for _ in 0..3 {
        assert!(words(&window(&mut chain, &marked(0..10))).contains("(1 so far)"));
        assert!(window(&mut chain, &plain(0..10)).is_empty());
    }
    assert!(!is_demoted(&chain));
}

#[test]
fn attackers_who_are_fewer_than_the_share_of_all_change_nothing() {
    let mut chain = chain(|_| {});
    window(&mut chain, &plain(0..16));
    for _ in 0..4 {
        assert!(window(&mut chain, &[plain(0..12), marked(12..16)].concat()).is_empty(), "a quarter is not exceeded");
    }
    assert!(!is_demoted(&chain));
}

#[test]
fn a_demotion_waits_as_long_as_a_change_of_the_attachment() {
    // Windows take 48 s; the first ends, then three more are needed until 120 s have passed.
    let mut chain = chain(|attachment| attachment.delay = 120);
    window(&mut chain, &plain(0..10));
    for so_far in 1..=3 {
        let warning = words(&window(&mut chain, &marked(0..10)));
        assert!(warning.contains(&format!("({so_far} so far)")) && warning.contains("120 s"), "{warning}");
        assert!(!is_demoted(&chain));
    }
    assert!(words(&window(&mut chain, &marked(0..10))).starts_with("demoted"));
    assert!(is_demoted(&chain));
}

#[test]
fn without_a_declared_share_nothing_is_counted_and_nothing_is_demoted() {
    let mut chain = chain(|attachment| attachment.demotion_share = 0);
    window(&mut chain, &plain(0..10));
    for _ in 0..3 {
        assert!(window(&mut chain, &marked(0..10)).is_empty());
    }
    assert!(!is_demoted(&chain));
    assert_eq!(chain.storage(REGISTRY, witness_slot(ID, one_of_many(0))), U256::ZERO);
}

#[test]
fn what_passes_in_shadow_makes_its_senders_known() {
    let mut chain = chain(|attachment| attachment.mode = Some(Mode::Shadow));
    window(&mut chain, &plain(0..10));
    window(&mut chain, &marked(0..10));
    assert_eq!(chain.counts(ID).evidence, Evidence::default(), "in shadow nothing is vetoed");
    assert_ne!(chain.storage(REGISTRY, witness_slot(ID, one_of_many(0))), U256::ZERO);
}

#[test]
fn whoever_may_stop_a_change_may_keep_a_guard_and_the_evidence_begins_anew() {
    for (keeper, may) in [(GUARDIAN, true), (OWNER, true), (ATTACKER, false), (one_of_many(6), false)] {
        let mut chain = chain(|attachment| attachment.manager = OWNER);
        window(&mut chain, &plain(0..10));
        words(&window(&mut chain, &marked(0..10)));
        let keep: Bytes = IGuardRegistry::keepCall { id: ID }.abi_encode().into();
        let kept = Call { from: keeper, input: keep, ..Call::to(REGISTRY) };
        let said = words(&window(&mut chain, &[vec![kept], marked(0..10)].concat()));
        assert_eq!((said.contains("(1 so far)"), is_demoted(&chain)), (may, !may), "{keeper}: {said}");
    }
}
