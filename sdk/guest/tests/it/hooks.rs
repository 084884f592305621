//! What hooks see and say.

use parapet_guest::{
    descriptor::Described as _,
    mock::{Enter, Hook, Scene},
    prelude::*,
    store::{Added, entries},
};

const SELF: Address = Address::from_hex("0x00000000000000000000000000000000000000AA");
const OTHER: Address = Address([0xbb; 20]);

/// Tells everything it sees, as alerts.
#[guard(name = "teller", triggers(frame))]
pub(crate) struct Teller;

#[guard]
impl Guard for Teller {
    fn on_call(&self, tx: &Tx, frame: &Frame) {
        let mut first = [0; 6];
        let copied = tx.input_at(frame, 1, &mut first);
        let around = tx.ancestors(frame).count();
        alert!(1, "{} around {}, {copied} bytes behind the first", around, frame.id());
        if tx.input(frame) == b"stop" {
            veto!(9, "{} {}", frame.selector(), keccak256(b""));
        }
    }

    fn on_call_end(&self, tx: &Tx, frame: &Frame) {
        let output = tx.output(frame);
        alert!(2, "{} gave {}", frame.id(), output.len());
    }

    fn on_tx(&self, tx: &Tx) {
        let (frames, flows, logs) = (tx.frames().count(), tx.flows().count(), tx.logs().count());
        alert!(3, "{frames} frames, {flows} flows, {logs} logs, {}", tx.succeeded());
        alert!(4, "{}", tx.storage(Fork::Now, SELF, U256::from(7)) - tx.storage(Fork::PreTx, SELF, U256::from(7)));
        if let Some(log) = tx.logs().next() {
            alert!(5, "{} topics, second {}", log.record().topic_count, log.topic(1).is_some());
            alert!(5, "{}", tx.log_data(0).len());
        }
    }
}

/// Counts transactions, and lets so much pass in 10 seconds.
#[guard(name = "counter", triggers(frame))]
pub(crate) struct Counter {
    stop_at: u64,
}

#[guard]
impl Guard for Counter {
    fn on_tx(&self, _: &Tx) {
        let count = store::get(b"count").unwrap_or_default() + U256::from(1);
        store::set(b"count", count);
        let window = store::window_add(b"window", U256::from(4), U256::from(10), 10);
        alert!(1, "{count} {}", window == Added::Yes);
        if count == U256::from(self.stop_at) {
            veto!(2, "{{stop}}");
        }
    }
}

/// Keeps the last three callers' amounts, and a bounded count, a maximum and a set beside them.
#[guard(name = "keeper", triggers(frame))]
pub(crate) struct Keeper {
    most: u64,
}

#[guard]
impl Guard for Keeper {
    fn on_call(&self, tx: &Tx, frame: &Frame) {
        let amount = frame.value();
        store::raise(b"largest", amount);
        let counted = store::add(b"count", U256::from(1), U256::from(self.most));
        let known = store::contains(&amount.to_be_bytes::<32>());
        store::insert(&amount.to_be_bytes::<32>());
        let key = [b"seen/", &tx.context().timestamp().to_be_bytes()[..]].concat();
        entries::set(&key, &[7; 100][..amount.to::<usize>()]);
        if entries::prefix(b"seen/").count() > 3 {
            let oldest = entries::prefix(b"seen/").next();
            oldest.map(|(key, _)| entries::remove(&key));
        }
        let kept: Vec<_> = entries::prefix(b"seen/").rev().map(|(_, value)| value.len()).collect();
        let largest = store::get(b"largest").unwrap_or_default();
        alert!(1, "{} {largest} {known} {} {}", counted == Added::Yes, kept.len(), kept[0]);
        if counted == Added::Refused {
            veto!(1, "{} kept, up to {}", kept.len(), kept.iter().max().copied().unwrap_or_default());
        }
    }
}

fn details(said: &[parapet_guest::mock::Said]) -> Vec<&str> {
    said.iter().map(|said| said.detail.as_str()).collect()
}

#[test]
fn hooks_run_for_frames_that_concern_the_guarded_and_see_what_has_happened() {
    let mut scene = Scene::new(&Teller, &[SELF]);
    scene.storage(Fork::PreTx, SELF, U256::from(7), U256::from(1));
    scene.storage(Fork::Now, SELF, U256::from(7), U256::from(5));
    scene.enter(Enter::call(OTHER)).enter(Enter::call(SELF).input(b"12345"));
    scene.enter(Enter::call(OTHER).value(U256::from(3))).log(OTHER, &[B256::default()], b"abc").leave();
    scene.enter(Enter::call(OTHER)).leave().leave_as(FrameStatus::Succeeded, b"ok");
    let outcome = scene.finish();
    assert_eq!(
        details(&outcome.alerts),
        [
            "1 around 1, 4 bytes behind the first",
            "2 around 2, 0 bytes behind the first",
            "2 gave 0",
            "1 gave 2",
            "4 frames, 1 flows, 1 logs, true",
            "4",
            "1 topics, second false",
            "3",
        ]
    );
    let hooks: Vec<_> = outcome.alerts.iter().take(4).map(|said| said.hook).collect();
    assert_eq!(hooks, [Hook::OnCall(1), Hook::OnCall(2), Hook::OnCallEnd(2), Hook::OnCallEnd(1)]);
    assert_eq!(outcome.veto, None);
}

#[test]
fn a_veto_ends_the_hook_and_the_transaction() {
    let mut scene = Scene::new(&Teller, &[SELF]);
    scene.enter(Enter::call(SELF).input(b"stop")).enter(Enter::call(SELF));
    let outcome = scene.finish();
    let expected = "0x73746f70 0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
    assert_eq!(outcome.veto.unwrap().detail, expected);
    assert_eq!(outcome.alerts.len(), 1, "what was said before it stays");
}

#[test]
fn a_reverted_frame_takes_its_flows_and_logs_with_it() {
    let mut scene = Scene::new(&Teller, &[SELF]);
    scene.enter(Enter::call(SELF)).log(SELF, &[], b"stays");
    scene.enter(Enter::call(OTHER).value(U256::from(1))).log(OTHER, &[], b"goes").leave_as(FrameStatus::Reverted, &[]);
    let outcome = scene.finish();
    assert!(details(&outcome.alerts).contains(&"2 frames, 0 flows, 1 logs, true"), "{:?}", outcome.alerts);
}

#[test]
fn many_records_are_read_across_batches_and_in_order() {
    let mut scene = Scene::new(&Teller, &[SELF]);
    scene.enter(Enter::call(SELF));
    for _ in 0..100 {
        scene.enter(Enter::call(OTHER)).leave();
    }
    let outcome = scene.finish();
    assert!(details(&outcome.alerts).contains(&"101 frames, 0 flows, 0 logs, true"), "{:?}", outcome.alerts);
}

#[test]
fn state_of_committed_transactions_stays_and_that_of_vetoed_ones_goes() {
    let mut scene = Scene::new(&Counter { stop_at: 3 }, &[SELF]);
    assert_eq!(details(&scene.finish().alerts), ["1 true"]);
    assert_eq!(details(&scene.finish().alerts), ["2 true"]);
    let third = scene.finish();
    assert_eq!(details(&third.alerts), ["3 false"], "12 exceed the capacity of 10");
    assert_eq!(third.veto.unwrap().detail, "{stop}");
    assert_eq!(details(&scene.later(2).finish().alerts), ["3 true"], "2 seconds drain 2, and 6 + 4 fit");
}

#[test]
fn counts_maxima_sets_and_entries_are_kept_from_one_transaction_to_the_next() {
    let mut scene = Scene::new(&Keeper { most: 5 }, &[SELF]);
    let mut said = Vec::new();
    for amount in [3_u64, 90, 3, 70, 5, 80] {
        scene.later(1).enter(Enter::call(SELF).value(U256::from(amount)));
        let outcome = scene.finish();
        said.extend(outcome.alerts.into_iter().map(|said| said.detail));
        said.extend(outcome.veto.map(|said| said.detail));
    }
    let expected = [
        "true 3 false 1 3",
        "true 90 false 2 90",
        "true 90 true 3 3",
        "true 90 false 3 70",
        "true 90 false 3 5",
        "false 90 false 3 80",
        "3 kept, up to 80",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_range_is_walked_from_both_ends_and_a_prefix_may_end_in_the_largest_byte() {
    let outcome = Scene::new(&Ranger, &[SELF]).finish();
    assert_eq!(details(&outcome.alerts), ["[1, 1] [3] [2] -", "2 of [255], 3 of []", "1 64 65 300"]);
}

/// Walks entries.
#[guard(name = "ranger", triggers(frame))]
pub(crate) struct Ranger;

#[guard]
impl Guard for Ranger {
    fn on_tx(&self, _: &Tx) {
        use core::ops::Bound;
        for key in [&[1][..], &[1, 1], &[2], &[3], &[4]] {
            entries::set(key, key);
        }
        let mut range = entries::range(Bound::Excluded(&[1]), Bound::Included(&[3]));
        let mut shown = String::new();
        let walked = [range.next(), range.next_back(), range.next(), range.next_back()];
        for entry in walked {
            shown += &entry.map_or("-".to_owned(), |(key, _)| format!("{key:?} "));
        }
        alert!(1, "{}", shown.as_str());
        for key in [&[1][..], &[1, 1], &[2], &[3], &[4]] {
            entries::remove(key);
        }
        for key in [&[255][..], &[255, 255], &[254]] {
            entries::set(key, b"");
        }
        alert!(1, "{} of [255], {} of []", entries::prefix(&[255]).count(), entries::prefix(&[]).count());
        let length = |len: usize| {
            entries::set(b"value", &[9; 300][..len]);
            entries::get(b"value").filter(|value| value.iter().all(|byte| *byte == 9)).map_or(0, |value| value.len())
        };
        alert!(1, "{} {} {} {}", length(1), length(64), length(65), length(300));
    }
}

#[test]
fn frequent_small_additions_do_not_hold_a_window_up_by_rounding() {
    let mut scene = Scene::new(&Counter { stop_at: 0 }, &[SELF]);
    let mut fits = 0;
    // One unit falls in each second; 4 are added every 3 seconds, so 3 of 4 additions fit in the long run.
    for _ in 0..100 {
        fits += usize::from(scene.later(3).finish().alerts[0].detail.ends_with("true"));
    }
    assert!((74..=78).contains(&fits), "{fits} of 100");
}

#[test]
fn details_longer_than_the_limit_are_cut_at_a_character() {
    use parapet_guest::speech::Detail;
    let mut detail = Detail::new();
    let long = "é".repeat(600);
    detail.push("a").push(long.as_str()).push("!");
    let text = std::str::from_utf8(detail.bytes()).unwrap();
    assert!(text.len() <= 1_024 && text.len() >= 1_023 && text.starts_with("aéé"), "{} bytes", text.len());
}

#[test]
fn numbers_are_shown_in_decimal() {
    use parapet_guest::speech::Detail;
    let mut detail = Detail::new();
    let large = U256::from(10).pow(U256::from(77));
    detail
        .push(&0_u8)
        .push(" ")
        .push(&u64::MAX)
        .push(" ")
        .push(&large)
        .push(" ")
        .push(&U256::MAX)
        .push(" ")
        .push(&true);
    let expected = format!("0 {} 1{} {} true", u64::MAX, "0".repeat(77), U256::MAX);
    assert_eq!(std::str::from_utf8(detail.bytes()).unwrap(), expected);
}

#[test]
fn a_guard_without_parameters_describes_none() {
    assert!(Teller::DESCRIPTOR.ends_with(r#""parameters":[]}"#), "{}", Teller::DESCRIPTOR);
}
