//! Endpoints that lie, stall, break, refuse, or answer without end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use alloy_primitives::{B256, U256};
use parapet_fork::{Checks, Fork, ForkError, ForkSettings, Verify, Want};
use parapet_types::{ReadError, StateReader};
use serde_json::{Value, json};

use crate::{
    chain::{Chain, Skill, nth, settings},
    server::{Act, Server},
};

/// An endpoint that is honest until the switch is on, and then does what a script says.
fn turncoat(skill: Skill, script: impl Fn(&Chain, &[u8]) -> Act + Send + Sync + 'static) -> (Server, Arc<AtomicBool>) {
    let (chain, turned) = (Chain::new(skill), Arc::new(AtomicBool::new(false)));
    let switch = Arc::clone(&turned);
    let server = Server::start(move |_, body| {
        if switch.load(Ordering::SeqCst) { script(&chain, body) } else { Act::Answer(chain.answer(body)) }
    });
    (server, turned)
}

fn fork_error(error: ReadError) -> ForkError {
    *error.0.downcast::<ForkError>().expect("it comes from the fork")
}

fn forked(server: &Server, turned: &AtomicBool, verify: Verify) -> Fork {
    let fork = Fork::begin(settings(&server.url, verify)).unwrap();
    turned.store(true, Ordering::SeqCst);
    fork
}

/// Changes one field of every result.
fn lie(chain: &Chain, body: &[u8], lie: impl Fn(&mut Value)) -> Act {
    let mut answer: Value = serde_json::from_slice(&chain.answer(body)).unwrap();
    match &mut answer {
        Value::Array(replies) => replies.iter_mut().for_each(|reply| lie(&mut reply["result"])),
        reply => lie(&mut reply["result"]),
    }
    Act::Answer(serde_json::to_vec(&answer).unwrap())
}

#[test]
fn no_lie_about_an_account_passes_its_proof() {
    let lies: [fn(&mut Value); 9] = [
        |said| said["balance"] = json!("0xffff"),
        |said| said["nonce"] = json!("0x0"),
        |said| said["codeHash"] = json!(B256::ZERO),
        |said| said["storageHash"] = json!(B256::repeat_byte(1)),
        |said| said["accountProof"] = json!([]),
        |said| {
            said["accountProof"].as_array_mut().map(Vec::pop);
        },
        |said| said["address"] = json!(nth(7)),
        |said| {
            // The code, which comes beside the proof.
            if said.is_string() {
                *said = json!("0x6001");
            }
        },
        |said| {
            // An account that is there is said not to be.
            for field in ["balance", "nonce"] {
                said[field] = json!("0x0");
            }
            said["codeHash"] = json!(B256::ZERO);
            said["storageHash"] = json!(B256::ZERO);
        },
    ];
    for (index, told) in lies.into_iter().enumerate() {
        let (server, turned) = turncoat(Skill::Proofs, move |chain, body| {
            lie(chain, body, |said| {
                if said.is_object() || index == 7 {
                    told(said);
                }
            })
        });
        let fork = forked(&server, &turned, Verify::Always);
        let error = fork_error(fork.account(&nth(6)).unwrap_err());
        assert!(matches!(error, ForkError::Unproven { .. }), "lie {index}: {error}");
        assert!(error.to_string().contains(&server.url), "{error}");
        turned.store(false, Ordering::SeqCst);
        assert!(fork.account(&nth(6)).is_ok(), "nothing of the lie is kept");
    }
}

#[test]
fn no_lie_about_a_slot_passes_its_proof() {
    let lies: [fn(&mut Value); 5] = [
        |said| said["storageProof"][0]["value"] = json!("0x1234"),
        |said| said["storageProof"][0]["value"] = json!("0x0"),
        |said| said["storageProof"][0]["proof"] = json!([]),
        |said| said["storageProof"] = json!([]),
        |said| said["storageHash"] = json!(B256::ZERO),
    ];
    for (index, told) in lies.into_iter().enumerate() {
        let (server, turned) = turncoat(Skill::Proofs, move |chain, body| lie(chain, body, told));
        let fork = forked(&server, &turned, Verify::Always);
        let error = fork_error(fork.storage(&nth(6), U256::from(1)).unwrap_err());
        assert!(matches!(error, ForkError::Unproven { .. }), "lie {index}: {error}");
    }
}

#[test]
fn a_proof_of_another_block_is_none_of_this_one() {
    let (chain, other) = (Chain::new(Skill::Proofs), Chain::new(Skill::Proofs));
    let server = Server::start(move |_, body| {
        let text = String::from_utf8(body.to_vec()).unwrap();
        if text.contains("eth_getProof") {
            return lie(&other, body, |said| said["accountProof"][0] = json!("0xc0"));
        }
        Act::Answer(chain.answer(body))
    });
    let refused = Fork::begin(settings(&server.url, Verify::Always));
    assert!(matches!(refused, Err(ForkError::NoProofs { .. })), "{refused:?}");
    let believed = Fork::begin(settings(&server.url, Verify::WherePossible)).unwrap();
    assert_eq!(believed.checks(), Checks::Told);
}

#[test]
fn a_chain_whose_headers_do_not_hash_to_their_hashes_is_not_forked_with_verification() {
    let chain = Chain::new(Skill::Proofs);
    let server = Server::start(move |_, body| {
        let text = String::from_utf8(chain.answer(body)).unwrap();
        Act::Answer(text.replace("\"gasLimit\":\"0x0\"", "\"gasLimit\":\"0x1\"").into_bytes())
    });
    assert!(matches!(Fork::begin(settings(&server.url, Verify::Always)), Err(ForkError::NoProofs { .. })));
    assert!(Fork::begin(settings(&server.url, Verify::WherePossible)).is_ok(), "as other chains' headers are");
}

#[test]
fn hashes_of_blocks_must_lead_to_the_forked_one() {
    let (server, turned) = turncoat(Skill::Proofs, |chain, body| {
        lie(chain, body, |said| {
            if said["number"] == json!("0x14") {
                said["parentHash"] = json!(B256::repeat_byte(9));
            }
        })
    });
    let fork = forked(&server, &turned, Verify::Always);
    assert!(fork.block_hash(25).is_ok());
    let error = fork_error(fork.block_hash(10).unwrap_err());
    assert!(matches!(error, ForkError::Unproven { .. }), "{error}");
}

#[test]
fn answers_of_other_forms_are_nonsense_and_nothing_else() {
    let forms: [(&str, &[u8]); 12] = [
        ("nothing", b""),
        ("a page", b"<html>Bad Gateway</html>"),
        ("a number", b"7"),
        ("no answer", b"{}"),
        ("null", br#"{"id":0,"result":null}"#),
        ("an object", br#"{"id":0,"result":{}}"#),
        (
            "a word too long",
            br#"{"id":0,"result":"0x10000000000000000000000000000000000000000000000000000000000000000"}"#,
        ),
        ("half a byte", br#"{"id":0,"result":"0xz"}"#),
        ("a list", br#"[{"id":0,"result":"0x0"}]"#),
        ("another's reply", br#"[{"id":5,"result":"0x0"},{"id":6,"result":"0x0"},{"id":7,"result":"0x0"}]"#),
        ("depth", &[b'['; 50_000]),
        ("not UTF-8", &[0xff, 0xfe, 0x00]),
    ];
    for (form, bytes) in forms {
        let (server, turned) = turncoat(Skill::NoProofs, |_, _| Act::Answer(bytes.to_vec()));
        let fork = forked(&server, &turned, Verify::Never);
        for error in [fork.account(&nth(6)).unwrap_err(), fork.storage(&nth(6), U256::from(1)).unwrap_err()] {
            let error = fork_error(error);
            assert!(matches!(error, ForkError::Nonsense { .. }), "{form}: {error}");
        }
    }
}

#[test]
fn who_stalls_or_breaks_is_not_waited_for_beyond_the_settings_and_then_not_at_all_for_a_while() {
    for act in [|| Act::Stall, || Act::HangUp] {
        let (server, turned) = turncoat(Skill::NoProofs, move |_, _| act());
        let fork = forked(&server, &turned, Verify::Never);
        let error = fork_error(fork.account(&nth(6)).unwrap_err());
        assert!(matches!(error, ForkError::Timeout { .. } | ForkError::Unreachable { .. }), "{error}");
        let asked = server.requests();
        let began = Instant::now();
        for index in 7..50 {
            let error = fork_error(fork.account(&nth(index)).unwrap_err());
            assert!(matches!(
                error,
                ForkError::Resting { .. } | ForkError::Timeout { .. } | ForkError::Unreachable { .. }
            ));
        }
        let most = 1 + began.elapsed().as_secs() as usize;
        assert!(server.requests() - asked <= most, "it is left alone, but for a look now and then");
        fork.fetch_ahead([Want::Account(nth(3))]).unwrap_err();
    }
}

#[test]
fn a_stalling_endpoint_holds_up_no_thread_for_long_however_many_ask() {
    let (server, turned) = turncoat(Skill::NoProofs, |_, _| Act::Stall);
    let fork = forked(&server, &turned, Verify::Never);
    std::thread::scope(|scope| {
        for index in 0..64 {
            let fork = &fork;
            scope.spawn(move || assert!(fork.account(&nth(index % 8)).is_err()));
        }
    });
    assert!(server.requests() < 64 + 10);
}

#[test]
fn an_endpoint_that_is_gone_is_an_error_and_one_that_comes_back_is_asked_again() {
    let gone = Fork::begin(settings("http://127.0.0.1:9", Verify::Never));
    assert!(matches!(gone, Err(ForkError::Unreachable { .. })), "{gone:?}");
    let chain = Chain::new(Skill::NoProofs);
    // The first request of each kind breaks, as a connection does that was kept too long.
    let server = Server::start(
        move |request, body| {
            if request % 2 == 0 { Act::HangUp } else { Act::Answer(chain.answer(body)) }
        },
    );
    let fork = Fork::begin(settings(&server.url, Verify::Never)).unwrap();
    assert!(fork.account(&nth(6)).unwrap().is_some());
}

#[test]
fn refusals_for_the_rate_are_waited_out_and_given_up_after_so_many() {
    let limited: [fn() -> Act; 3] = [
        || Act::Status(429, "retry-after: 0", b"slow down".to_vec()),
        || Act::Answer(br#"{"id":0,"error":{"code":-32005,"message":"limit exceeded"}}"#.to_vec()),
        || Act::Status(429, "x: 1", br#"{"id":0,"error":{"code":429,"message":"too many requests"}}"#.to_vec()),
    ];
    for act in limited {
        let chain = Chain::new(Skill::NoProofs);
        let server =
            Server::start(move |request, body| if request % 3 == 2 { Act::Answer(chain.answer(body)) } else { act() });
        let fork = Fork::begin(settings(&server.url, Verify::Never)).unwrap();
        assert_eq!(fork.storage(&nth(6), U256::from(1)).unwrap(), U256::from(7));
        let never = Server::start(move |_, _| act());
        let error = Fork::begin(settings(&never.url, Verify::Never)).unwrap_err();
        assert!(matches!(error, ForkError::Limited { attempts: 3, .. }), "{error}");
        assert_eq!(never.requests(), 3);
    }
}

#[test]
fn answers_without_end_are_cut_off() {
    for act in [|| Act::Endless, || Act::Status(200, "content-length: 99999999999", Vec::new())] {
        let (server, turned) = turncoat(Skill::NoProofs, move |_, _| act());
        let patient =
            ForkSettings { timeout: std::time::Duration::from_secs(20), ..settings(&server.url, Verify::Never) };
        let fork = Fork::begin(patient).unwrap();
        turned.store(true, Ordering::SeqCst);
        let error = fork_error(fork.storage(&nth(6), U256::from(1)).unwrap_err());
        let cut = matches!(error, ForkError::TooLarge { .. } | ForkError::Unreachable { .. });
        assert!(cut, "{error}");
    }
}

#[test]
fn a_second_endpoint_takes_over_from_one_that_breaks() {
    let (broken, turned) = turncoat(Skill::Proofs, |_, _| Act::HangUp);
    let good = Chain::new(Skill::Proofs).honest();
    let both = ForkSettings { urls: vec![broken.url.clone(), good.url.clone()], ..settings("", Verify::Always) };
    let fork = Fork::begin(both).unwrap();
    turned.store(true, Ordering::SeqCst);
    assert!(fork.account(&nth(6)).unwrap().is_some());
    let asked = broken.requests();
    assert!(fork.account(&nth(9)).unwrap().is_some());
    assert_eq!(broken.requests(), asked, "who answered is asked first from then on");
}

#[test]
fn keys_in_urls_are_in_no_error() {
    let url = "http://user:hunter2@127.0.0.1:9/v2/s3cr3t?key=s3cr3t";
    let error = Fork::begin(settings(url, Verify::Never)).unwrap_err().to_string();
    assert!(!error.contains("hunter2") && !error.contains("s3cr3t") && error.contains("127.0.0.1:9"), "{error}");
}

#[test]
fn what_can_be_done_about_a_refusal_is_part_of_its_words() {
    for (status, header, words) in [
        (401, "x: 1", "--fork-header"),
        (403, "x: 1", "--fork-header"),
        (404, "x: 1", "another path"),
        (308, "location: https://127.0.0.1:9", "to which it redirects"),
        (429, "retry-after: 77", "left alone for 77 s"),
    ] {
        let server = Server::start(move |_, _| Act::Status(status, header, b"<html>".to_vec()));
        let once = ForkSettings { retries: 0, ..settings(&server.url, Verify::Never) };
        let error = Fork::begin(once).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn an_endpoint_that_no_longer_has_the_state_is_told_from_others() {
    let (server, turned) = turncoat(Skill::NoProofs, |_, _| {
        Act::Answer(
            br#"{"id":0,"error":{"code":-32000,"message":"missing trie node 9f (path ) state is not available"}}"#
                .to_vec(),
        )
    });
    let fork = forked(&server, &turned, Verify::Never);
    let error = fork_error(fork.storage(&nth(6), U256::from(1)).unwrap_err()).to_string();
    assert!(error.contains("missing trie node") && error.contains("archive node"), "{error}");
    let other = Server::start(|_, _| Act::Answer(br#"{"id":0,"error":{"code":-32000,"message":"no"}}"#.to_vec()));
    let error = Fork::begin(settings(&other.url, Verify::Never)).unwrap_err().to_string();
    assert!(!error.contains("archive"), "{error}");
}
