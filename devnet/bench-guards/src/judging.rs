//! What a judgement costs, apart from the execution it judges.

use std::{hint::black_box, thread, time::Duration};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};

use crate::{
    BenchError, guards,
    report::Row,
    scene::{Attached, Scene, VAULT},
    timing::{ROUNDS, each_ns, medians},
};

/// Transactions of one run.
const TRANSACTIONS: usize = 2_000;
/// More attachments than a registry takes, each on an account of its own.
const ATTACHMENTS_MANY: usize = 100_000;
/// Frames of a transaction that wakes nothing.
const FRAMES: usize = 1_000;

/// Accounts that nobody guards.
fn strangers(count: usize) -> Vec<Address> {
    (0..count).map(|index| Address::from_word(keccak256(U256::from(index).to_be_bytes::<32>()))).collect()
}

/// Frames of a usual transaction, one of which enters the guarded account.
fn usual() -> Vec<Address> {
    let mut targets = strangers(10);
    targets[1] = VAULT;
    targets
}

/// All figures of this module.
///
/// # Errors
/// [`BenchError`].
pub fn rows() -> Result<Vec<Row>, BenchError> {
    let mut rows = vec![trigger_miss()?];
    rows.extend(a_hundred_thousand()?);
    rows.extend(many_attachments()?);
    rows.extend(light()?);
    rows.extend(light_contract()?);
    rows.push(inline_hook()?);
    rows.extend(shipped()?);
    Ok(rows)
}

/// A run of judgements, each with so many verdicts.
fn run(scene: &mut Scene, verdicts: usize) -> Result<Duration, BenchError> {
    let start = std::time::Instant::now();
    for _ in 0..TRANSACTIONS {
        black_box(scene.judge()?);
    }
    let elapsed = start.elapsed();
    scene.expect(verdicts).map(|()| elapsed)
}

fn trigger_miss() -> Result<Row, BenchError> {
    let mut scene = Scene::new(&Attached::elsewhere(&guards::light()?, 100), &strangers(FRAMES))?;
    let [miss] = medians(ROUNDS, [&mut || scene.frames(10)])?;
    Ok(Row::new("a frame that wakes nothing, 100 attachments", each_ns(miss, 10 * FRAMES), "ns")
        .key("trigger_miss_ns")
        .at_most(30.0))
}

/// The look-up among as many attachments as no registry takes: those of a node itself.
fn a_hundred_thousand() -> Result<[Row; 2], BenchError> {
    let (module, targets) = (guards::light()?, strangers(FRAMES));
    let mut scenes =
        [Scene::of_a_node(&module, 100, &targets)?, Scene::of_a_node(&module, ATTACHMENTS_MANY, &targets)?];
    let [few, many] = &mut scenes;
    let [few, many] = medians(ROUNDS, [&mut || few.frames(10), &mut || many.frames(10)])?;
    let what = format!("a frame that wakes nothing, {ATTACHMENTS_MANY} attachments in memory");
    let ratio = many.as_secs_f64() / few.as_secs_f64();
    Ok([
        Row::new(what, each_ns(many, 10 * FRAMES), "ns").key("trigger_miss_many_ns").at_most(30.0),
        Row::new("the same, by 100 attachments in memory", ratio, "×").key("many_attachments_ratio").at_most(1.1),
    ])
}

/// What an unrelated transaction pays for attachments of others.
fn many_attachments() -> Result<Vec<Row>, BenchError> {
    let module = guards::light()?;
    let on_a_group = |count: usize| {
        let group: Vec<Address> =
            (0..16).map(|index| Address::from_word(B256::from(U256::from(index + 7_000)))).collect();
        (0..count).fold(Attached::default(), |all, _| all.with(&module, group.clone(), Bytes::new()))
    };
    let targets = strangers(10);
    let mut scenes = [
        Scene::new(&on_a_group(1), &targets)?,
        Scene::new(&on_a_group(1_000), &targets)?,
        Scene::new(&Attached::elsewhere(&module, parapet_registry::ATTACHMENTS_MAX), &targets)?,
    ];
    let [one, thousand, chain] = &mut scenes;
    let [one, thousand, chain] =
        medians(ROUNDS, [&mut || run(one, 0), &mut || run(thousand, 0), &mut || run(chain, 0)])?;
    let ratio = |many: Duration| many.as_secs_f64() / one.as_secs_f64();
    Ok(vec![
        Row::new("an unrelated transaction, 1 attachment on a group", each_ns(one, TRANSACTIONS), "ns")
            .key("unrelated_ns"),
        Row::new("the same, 1,000 attachments on that group", ratio(thousand), "×")
            .key("thousand_on_group_ratio")
            .at_most(1.1),
        Row::new(
            format!("the same, {} attachments on the chain", parapet_registry::ATTACHMENTS_MAX),
            ratio(chain),
            "×",
        )
        .key("full_chain_ratio")
        .at_most(1.1)
        .note("as many as the registry takes"),
    ])
}

/// A light guard: its cost, and its cost when two threads judge at the same time.
fn light() -> Result<Vec<Row>, BenchError> {
    let module = guards::light()?;
    let attached = Attached::default().with(&module, vec![VAULT], Bytes::new());
    let mut woken = Scene::new(&attached, &usual())?;
    let mut asleep = Scene::new(&attached, &strangers(10))?;
    let (mut alone, mut pair) = (woken.clone(), [woken.clone(), woken.clone()]);
    let [woken, asleep, alone, two] = medians(
        ROUNDS,
        [
            &mut || run(&mut woken, 1),
            &mut || run(&mut asleep, 0),
            &mut || on_threads(std::slice::from_mut(&mut alone)),
            &mut || on_threads(&mut pair),
        ],
    )?;
    Ok(vec![
        Row::new("a light guard, on_tx over 10 frames and 10 writes", each_ns(woken, TRANSACTIONS) / 1_000.0, "µs")
            .key("native_light_us")
            .at_most(4.0)
            .note(format!("{:.0} ns of it if nothing wakes; stretch goal 2 µs", each_ns(asleep, TRANSACTIONS))),
        Row::new("the same on two threads, by one", two.as_secs_f64() / alone.as_secs_f64(), "×")
            .key("two_thread_cost_ratio")
            .at_most(1.15),
    ])
}

/// The same as a contract. Its state is made in the first transaction; here that one has been, as it has on a chain.
fn light_contract() -> Result<Vec<Row>, BenchError> {
    let attached = Attached::default().with(&guards::light_contract(), vec![VAULT], Bytes::new());
    let mut woken = Scene::new(&attached, &usual())?;
    woken.settle()?;
    let (mut alone, mut pair) = (woken.clone(), [woken.clone(), woken.clone()]);
    let [woken, alone, two] = medians(
        ROUNDS,
        [&mut || run(&mut woken, 1), &mut || on_threads(std::slice::from_mut(&mut alone)), &mut || {
            on_threads(&mut pair)
        }],
    )?;
    Ok(vec![
        Row::new(
            "a light CosmWasm contract, sudo over 10 frames and 10 writes",
            each_ns(woken, TRANSACTIONS) / 1_000.0,
            "µs",
        )
        .key("cosmwasm_light_us")
        .at_most(30.0),
        Row::new("the same on two threads, by one", two.as_secs_f64() / alone.as_secs_f64(), "×")
            .key("cosmwasm_two_thread_ratio")
            .at_most(1.15),
        whole_message()?,
    ])
}

/// A contract that is shown all of the transaction as JSON.
fn whole_message() -> Result<Row, BenchError> {
    let attached = Attached::default().with(&guards::whole_message_contract(), vec![VAULT], Bytes::new());
    let mut scene = Scene::new(&attached, &usual())?;
    scene.settle()?;
    let [woken] = medians(ROUNDS, [&mut || run(&mut scene, 1)])?;
    let us = each_ns(woken, TRANSACTIONS) / 1_000.0;
    Ok(Row::new("a CosmWasm contract that is shown all of it as JSON", us, "µs").key("cosmwasm_whole_message_us"))
}

/// Each scene on a thread of its own; what is returned is the time of the slowest.
fn on_threads(scenes: &mut [Scene]) -> Result<Duration, BenchError> {
    let barrier = std::sync::Barrier::new(scenes.len());
    thread::scope(|scope| {
        let threads: Vec<_> = scenes
            .iter_mut()
            .map(|scene| {
                scope.spawn(|| {
                    // Warm, and all at once.
                    let warm = scene.expect(1);
                    barrier.wait();
                    warm.and_then(|()| run(scene, 1))
                })
            })
            .collect();
        let mut slowest = Duration::ZERO;
        for thread in threads {
            slowest = slowest.max(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(slowest)
    })
}

fn inline_hook() -> Result<Row, BenchError> {
    let module = guards::inline()?;
    let attached = Attached::default().with(&module, vec![VAULT], Bytes::new());
    let (mut one, mut many) = (Scene::new(&attached, &[VAULT; 1])?, Scene::new(&attached, &[VAULT; 101])?);
    let [one, many] = medians(ROUNDS, [&mut || run(&mut one, 1), &mut || run(&mut many, 1)])?;
    let hook = each_ns(many.saturating_sub(one), TRANSACTIONS * 100);
    Ok(Row::new("an inline hook that reads its frame, per frame", hook, "ns").key("inline_hook_ns").at_most(300.0))
}

/// The guards that ship with the node, on a transaction they have nothing against.
fn shipped() -> Result<Vec<Row>, BenchError> {
    let mut rows = Vec::new();
    for (name, module, configuration) in guards::shipped() {
        let attached = Attached::default().with(&Bytes::from_static(module), vec![VAULT], configuration);
        let mut scene = Scene::new(&attached, &usual())?;
        scene.settle()?;
        let [woken] = medians(ROUNDS, [&mut || run(&mut scene, 1)])?;
        let us = each_ns(woken, TRANSACTIONS) / 1_000.0;
        let row = Row::new(format!("the shipped guard {name}, 10 frames"), us, "µs");
        // A contract that ships with the node is what a woken contract is taken to cost.
        rows.push(if name == guards::CONTRACT { row.key("cosmwasm_us").at_most(30.0) } else { row });
    }
    Ok(rows)
}
