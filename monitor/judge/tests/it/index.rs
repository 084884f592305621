//! The index follows the registry's head, and nothing else.

use parapet_monitor::{Mode, Monitor as _, Outcome};

use crate::{Chain, ON_CALL, Tx, VAULT, context, execute, guard, judge, say, vetoing};

#[test]
fn the_index_is_read_once_per_head() {
    let mut chain = Chain::default();
    for code in 1..5 {
        chain.attach(vetoing(code));
    }
    let (judge, mut state) = (judge(), chain.state());
    judge.open(&context(VAULT), &mut state).unwrap();
    assert!(state.reads > 20, "{} reads", state.reads);
    state.reads = 0;
    judge.open(&context(VAULT), &mut state).unwrap();
    assert_eq!(state.reads, 1, "the head alone");
}

#[test]
fn the_index_follows_the_head_forth_and_back() {
    let mut chain = Chain::default();
    chain.attach(vetoing(1));
    let mut paused = chain.clone();
    paused.image.attachments[0].paused = true;
    let mut shadow = chain.clone();
    shadow.image.attachments[0].mode = Some(Mode::Shadow);
    let mut replaced = chain.clone();
    replaced.image.attachments.clear();
    replaced.attach(vetoing(2));

    let judge = judge();
    let outcomes = |chain: &Chain| execute(&judge, &mut chain.state(), &Tx::calling(VAULT)).outcomes();
    for _ in 0..2 {
        assert_eq!(outcomes(&chain), [(1, Outcome::Veto, 1)]);
        assert_eq!(outcomes(&paused), []);
        assert_eq!(outcomes(&shadow), [(1, Outcome::WouldVeto, 1)]);
        assert_eq!(outcomes(&replaced), [(2, Outcome::Veto, 2)]);
        assert_eq!(outcomes(&Chain::default()), []);
    }
}

#[test]
fn a_change_within_the_transaction_does_not_count_for_it() {
    let mut chain = Chain::default();
    chain.attach(guard("frame", &format!("{ON_CALL} {})", say("alert", 1))));
    let mut state = chain.state();
    chain.attach(vetoing(2));
    state.now = chain.accounts();
    assert_eq!(execute(&judge(), &mut state, &Tx::calling(VAULT)).outcomes(), [(1, Outcome::Alert, 1)]);
}

#[test]
fn more_heads_than_are_kept_are_still_judged_right() {
    let judge = judge();
    for round in 0..2 {
        for code in 1..20 {
            let mut chain = Chain::default();
            chain.attach(vetoing(code));
            let judged = execute(&judge, &mut chain.state(), &Tx::calling(VAULT));
            assert_eq!(judged.veto_code(), Some(code), "round {round}");
        }
    }
}
