//! A node answers drawn requests as what they are, and goes on.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::env;

use parapet_requests::{Decoded, Edge, Whose, decode_seed, draw};

/// Requests that are drawn when nothing else is asked for.
const SEEDS: u64 = 2_000;
/// The same of developers' requests, of which some mine many blocks.
const DEVELOPERS: u64 = 1_000;
/// The same of transactions that are sent, and of those that are only decoded.
const SENT: u64 = 1_000;
const DECODED: u64 = 5_000;

fn asked(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// The seeds to try: one, or so many.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    match asked("PARAPET_REQUESTS_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..asked("PARAPET_REQUESTS_SEEDS").unwrap_or(usual),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn drawn_requests_are_answered_as_what_they_are_and_the_node_goes_on() {
    let mut edge = Edge::start(Whose::Strangers).await;
    for seed in seeds(SEEDS) {
        edge.try_seed(seed).await.unwrap_or_else(|fault| panic!("{fault}"));
    }
    if asked("PARAPET_REQUESTS_SEED").is_none() {
        // What is drawn is neither all right nor all wrong.
        assert!(edge.met.results > SEEDS / 10, "{:?}", edge.met);
        for code in [-32_700, -32_600, -32_601, -32_602, -32_000] {
            assert!(edge.met.errors.contains_key(&code), "{code} of {:?}", edge.met);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_development_node_answers_drawn_requests_and_goes_on_whatever_its_chain_was_made_to_be() {
    let mut edge = Edge::start(Whose::Developers).await;
    for seed in seeds(DEVELOPERS) {
        edge.try_seed(seed).await.unwrap_or_else(|fault| panic!("{fault}"));
    }
}

#[test]
fn what_is_decoded_as_a_transaction_is_its_bytes() {
    let mut good = 0;
    let all = seeds(DECODED);
    let many = all.end - all.start;
    for seed in all {
        let decoded = decode_seed(seed, 0).unwrap_or_else(|fault| panic!("seed {seed}: {fault:?}"));
        good += u64::from(matches!(decoded, Decoded::Yes(_)));
    }
    assert!(many == 1 || (many / 10..many).contains(&good), "{good} of {many} are transactions");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_transactions_are_admitted_and_under_the_hash_of_their_bytes() {
    let mut edge = Edge::start(Whose::Strangers).await;
    let all = seeds(SENT);
    let many = all.end - all.start;
    for seed in all {
        let decoded = decode_seed(seed, edge.next_nonce()).unwrap_or_else(|fault| panic!("seed {seed}: {fault:?}"));
        edge.try_transaction(seed, &decoded).await.unwrap_or_else(|fault| panic!("{fault}"));
    }
    let admitted = edge.met.admitted;
    assert!(many == 1 || (many / 10..many).contains(&admitted), "{admitted} of {many}: {:?}", edge.met);
}

#[test]
fn a_seed_draws_the_same_each_time() {
    let draw = |seed| draw(seed, Whose::Strangers);
    assert_eq!(draw(7), draw(7));
    assert_ne!(draw(7), draw(8));
}
