//! Everything that an honest endpoint tells arrives, whatever the endpoint can do.

use std::{sync::Arc, thread};

use alloy_primitives::{B256, KECCAK256_EMPTY, U256};
use parapet_fork::{Checks, Fork, ForkBlock, ForkError, ForkSettings, Verify, Want};
use parapet_types::StateReader;

use crate::chain::{CHAIN_ID, Chain, HEAD, Skill, nth, settings};

fn assert_same(fork: &Fork, chain: &Chain) {
    for address in (0..32).map(nth) {
        let info = fork.account(&address).unwrap();
        assert_eq!(info, chain.world.account(&address).unwrap(), "{address}");
        let code_hash = info.unwrap_or_default().code_hash;
        if code_hash != KECCAK256_EMPTY {
            assert_eq!(fork.code(code_hash).unwrap(), chain.world.code(code_hash).unwrap());
        }
        for slot in (0..8).map(U256::from) {
            let value = chain.world.storage(&address, slot).unwrap();
            assert_eq!(fork.storage(&address, slot).unwrap(), value, "slot {slot} of {address}");
        }
    }
}

#[test]
fn the_state_is_read_whole_with_proofs_without_and_call_by_call() {
    for (skill, checks) in
        [(Skill::Proofs, Checks::Proved), (Skill::NoProofs, Checks::Told), (Skill::OneCallAtATime, Checks::Told)]
    {
        let chain = Chain::new(skill);
        let server = chain.honest();
        let fork = Fork::begin(settings(&server.url, Verify::WherePossible)).unwrap();
        assert_eq!((fork.chain_id(), fork.header().number, fork.checks()), (CHAIN_ID, HEAD, checks));
        assert_same(&fork, &chain);
        let asked = server.requests();
        assert_same(&fork, &chain);
        assert_eq!(server.requests(), asked, "what was read once is not asked for again");
    }
}

#[test]
fn proofs_tell_whether_an_account_has_storage() {
    let chain = Chain::new(Skill::Proofs);
    let server = chain.honest();
    let fork = Fork::begin(settings(&server.url, Verify::Always)).unwrap();
    for address in (0..32).map(nth) {
        assert_eq!(fork.has_storage(&address).unwrap(), chain.world.has_storage(&address).unwrap(), "{address}");
    }
}

#[test]
fn what_is_fetched_ahead_takes_few_requests_and_is_not_asked_for_again() {
    for skill in [Skill::Proofs, Skill::NoProofs] {
        let chain = Chain::new(skill);
        let server = chain.honest();
        let fork = Fork::begin(settings(&server.url, Verify::WherePossible)).unwrap();
        let before = server.requests();
        let accounts = (0..32).map(nth).map(Want::Account);
        let slots = (0..32).flat_map(|index| (0..8).map(move |slot| Want::Slot(nth(index), U256::from(slot))));
        fork.fetch_ahead(accounts.chain(slots)).unwrap();
        assert_eq!(server.requests() - before, 9, "288 things, 32 in a request");
        assert_same(&fork, &chain);
        assert_eq!(server.requests() - before, 9);
    }
}

#[test]
fn threads_that_want_the_same_ask_once() {
    let chain = Chain::new(Skill::Proofs);
    let server = chain.honest();
    let fork = Arc::new(Fork::begin(settings(&server.url, Verify::Always)).unwrap());
    let before = server.requests();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(fork.storage(&nth(6), U256::from(1)).unwrap(), U256::from(7)));
        }
    });
    assert_eq!(server.requests() - before, 1);
}

#[test]
fn hashes_of_blocks_before_it_are_those_of_the_chain() {
    for skill in [Skill::Proofs, Skill::NoProofs] {
        let chain = Chain::new(skill);
        let server = chain.honest();
        let fork = Fork::begin(settings(&server.url, Verify::WherePossible)).unwrap();
        for number in [HEAD, HEAD - 1, 3, HEAD - 20, 0, 3] {
            let hash = chain.headers[usize::try_from(number).unwrap()].hash_slow();
            assert_eq!(fork.block_hash(number).unwrap(), Some(hash), "block {number}");
        }
        assert_eq!(fork.block_hash(HEAD + 1).unwrap(), None, "it is of the chain that goes on from here");
    }
}

#[test]
fn a_block_is_chosen_by_number_by_distance_and_checked_by_hash() {
    let chain = Chain::new(Skill::NoProofs);
    let server = chain.honest();
    let begin =
        |block, block_hash| Fork::begin(ForkSettings { block, block_hash, ..settings(&server.url, Verify::Never) });
    let number = |block| begin(block, None).map(|fork| fork.header().number);
    assert_eq!(number(ForkBlock::Number(7)).unwrap(), 7);
    assert_eq!(number(ForkBlock::Behind(3)).unwrap(), HEAD - 3);
    assert!(matches!(number(ForkBlock::Number(HEAD + 1)), Err(ForkError::NoBlock { .. })));
    assert!(matches!(number(ForkBlock::Behind(HEAD + 1)), Err(ForkError::NoBlock { .. })));
    let hash = chain.headers[7].hash_slow();
    assert!(begin(ForkBlock::Number(7), Some(hash)).is_ok());
    assert!(matches!(begin(ForkBlock::Number(8), Some(hash)), Err(ForkError::OtherBlock { .. })));
}

#[test]
fn with_a_cache_the_chain_is_forked_again_without_anybody_to_ask() {
    let folder = tempfile::tempdir().unwrap();
    let chain = Chain::new(Skill::Proofs);
    let server = chain.honest();
    let usual = ForkSettings { cache: Some(folder.path().into()), ..settings(&server.url, Verify::Always) };
    let fork = Fork::begin(usual.clone()).unwrap();
    assert_same(&fork, &chain);
    drop(fork);
    let offline = ForkSettings {
        urls: vec!["http://127.0.0.1:9".into()],
        chain_id: Some(CHAIN_ID),
        block: ForkBlock::Number(HEAD),
        ..usual.clone()
    };
    let fork = Fork::begin(offline).unwrap();
    assert_eq!((fork.header().hash(), fork.checks()), (chain.headers.last().unwrap().hash_slow(), Checks::Proved));
    assert_same(&fork, &chain);
    drop(fork);
    // Online it is found, too, and what it is asked for at the start is all that it is asked for.
    let before = server.requests();
    let fork = Fork::begin(usual).unwrap();
    let asked = server.requests() - before;
    assert_same(&fork, &chain);
    assert_eq!(server.requests() - before, asked);
}

#[test]
fn calls_are_passed_on_as_they_are() {
    let chain = Chain::new(Skill::NoProofs);
    let server = chain.honest();
    let fork = Fork::begin(settings(&server.url, Verify::Never)).unwrap();
    let params = serde_json::value::RawValue::from_string("[1, {\"a\": [null]}]".to_owned()).unwrap();
    let answer: serde_json::Value = serde_json::from_str(fork.pass_on("test_echo", &params).unwrap().get()).unwrap();
    assert_eq!(answer, serde_json::json!([1, { "a": [null] }]));
    let refused = fork.pass_on("no_such", &params);
    assert!(matches!(refused, Err(ForkError::Refused { code: -32_601, .. })), "{refused:?}");
}

#[test]
fn another_endpoint_of_the_same_chain_can_take_over_and_one_of_another_chain_cannot() {
    let chain = Chain::new(Skill::Proofs);
    let (first, second) = (chain.honest(), chain.honest());
    let fork = Fork::begin(settings(&first.url, Verify::Always)).unwrap();
    fork.ask_at(second.url.clone()).unwrap();
    let before = first.requests();
    assert_same(&fork, &chain);
    assert_eq!(first.requests(), before);
    let other = Chain::new(Skill::NoProofs);
    let wrong = crate::server::Server::start(move |_, body| {
        let text = String::from_utf8(other.answer(body)).unwrap();
        crate::server::Act::Answer(text.replace("\"timestamp\":\"0x", "\"timestamp\":\"0x1").into_bytes())
    });
    assert!(
        fork.ask_at(wrong.url.clone()).is_ok(),
        "it names the same hash, and whatever else it says is checked by proofs"
    );
    assert!(fork.account(&nth(100)).is_err(), "and it has none");
    let strange = crate::server::Server::start(|_, _| {
        crate::server::Act::Answer(format!("{{\"id\":0,\"result\":\"{:#x}\"}}", CHAIN_ID + 1).into_bytes())
    });
    assert!(matches!(fork.ask_at(strange.url.clone()), Err(ForkError::OtherChain { .. })));
    assert_eq!(fork.block_hash(HEAD).unwrap(), Some(B256::from(*fork.header().hash_ref())));
}
