//! Guards tried out over JSON-RPC: pages, bounds, chains that are taken back, and what is announced of verdicts.

use std::{sync::Arc, time::Duration};

use alloy_primitives::B256;
use jsonrpsee::{
    core::client::{Subscription, SubscriptionClientT as _},
    rpc_params,
};
use parapet_abi::{ContextRecord, TX_TYPE_CHAIN};
use parapet_builder::Settings;
use parapet_monitor::{
    Allowance, Candidate, CandidateError, Decision, Examination, Fault, Fuel, Judgement, Judging, Mode, Monitor,
    Outcome, StateView, Subscriptions, Trace, Tryout, Verdict,
};
use parapet_rpc::Limits;
use serde_json::{Value, json};

use crate::fixture::Dev;

/// Alerts with the last byte of its name on each transaction; the chain's own is named 1, one that is tried out by the
/// first byte of its module.
#[derive(Clone)]
pub(crate) struct Speaks(pub(crate) u8);

impl Monitor for Speaks {
    fn open(&self, context: &ContextRecord, _: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        Ok((context.tx_type != TX_TYPE_CHAIN).then(|| Box::new(self.clone()) as Box<dyn Judging>))
    }

    fn admit(&self, _: &ContextRecord, _: Allowance, _: &mut dyn StateView) -> Result<Examination, Fault> {
        Ok(Decision::Proceed.into())
    }

    fn try_out(&self, candidate: Candidate) -> Result<Tryout, CandidateError> {
        let Some(name) = candidate.module.first().copied() else {
            return Err(CandidateError::Refused("the module is empty".to_owned()));
        };
        let (attachment, guard, version) = (B256::with_last_byte(name), format!("g{name}"), "1.0.0".to_owned());
        Ok(Tryout { monitor: Box::new(Self(name)), attachment, module: attachment, guard, version })
    }
}

impl Judging for Speaks {
    fn subscriptions(&self) -> Subscriptions {
        Subscriptions::NONE
    }

    fn on_call(&mut self, _: &Trace, _: u32, _: &mut dyn StateView) -> Result<Decision, Fault> {
        Ok(Decision::Proceed)
    }

    fn on_call_end(&mut self, _: &Trace, _: u32, _: &mut dyn StateView) -> Result<Decision, Fault> {
        Ok(Decision::Proceed)
    }

    fn on_tx(&mut self, _: &Trace, _: &mut dyn StateView) -> Result<Decision, Fault> {
        Ok(Decision::Proceed)
    }

    fn close(self: Box<Self>) -> Judgement {
        let said = |outcome, code| Verdict {
            attachment: B256::with_last_byte(self.0),
            module: B256::ZERO,
            guard: "speaks".to_owned(),
            mode: Mode::Shadow,
            outcome,
            hook: None,
            frame: None,
            code,
            detail: Default::default(),
            fuel: Fuel(u64::from(self.0)),
            elapsed_ns: 0,
            origin: Default::default(),
        };
        let verdicts = vec![said(Outcome::Alert, u16::from(self.0)), said(Outcome::Allow, 0)];
        Judgement { verdicts, ..Judgement::default() }
    }
}

async fn dev(limits: Limits) -> Dev {
    Dev::with(Settings::default(), limits, Arc::new(Speaks(1))).await
}

fn request(modules: &[&str], from: &str, to: Option<&str>) -> Value {
    let candidates: Vec<_> = modules.iter().map(|module| json!({"module": module})).collect();
    json!([{"candidates": candidates, "fromBlock": from, "toBlock": to}])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backtest_comes_in_pages_and_is_over_when_it_is_done() {
    // A page has the time for one block.
    let dev = dev(Limits { backtest_page_max: Duration::ZERO, ..Limits::default() }).await;
    let mut hashes = Vec::new();
    for _ in 0..3 {
        hashes.push(json!(dev.transfer().await.transaction_hash));
    }
    let begun = dev.ask("guard_backtest", request(&["0x07", "0x08"], "earliest", Some("0x3"))).await.unwrap();
    assert_eq!(
        (&begun["fromBlock"], &begun["toBlock"], &begun["fuelPerGas"]),
        (&json!("0x1"), &json!("0x3"), &json!(4))
    );
    assert_eq!((&begun["candidates"][0]["guard"], &begun["candidates"][1]["guard"]), (&json!("g7"), &json!("g8")));
    let handle = json!([begun["handle"]]);
    for (number, hash) in (1..).zip(&hashes) {
        let page = dev.ask("guard_backtestNext", handle.clone()).await.unwrap();
        assert_eq!((&page["executedBlocks"], &page["executedTransactions"]), (&json!("0x1"), &json!("0x1")));
        assert_eq!(page["nextBlock"], format!("{:#x}", number + 1));
        assert_eq!(page["done"], number == 3);
        let transaction = &page["blocks"][0]["transactions"][0];
        assert_eq!((&transaction["transactionHash"], &transaction["gasUsed"]), (hash, &json!("0x5208")));
        for (place, name) in [(0, 7), (1, 8)] {
            let opinion = &transaction["candidates"][place];
            assert_eq!((&opinion["verdicts"][0]["code"], &opinion["fuel"]), (&json!(name), &json!(name)));
        }
    }
    let over = dev.ask("guard_backtestNext", handle.clone()).await.unwrap_err();
    assert!(over.code == -32_000 && over.message.contains("guard_backtest"), "{over:?}");
    assert_eq!(dev.ask("guard_backtestStop", handle).await.unwrap(), false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backtest_without_an_end_follows_the_head_until_the_chain_is_taken_back() {
    let dev = dev(Limits::default()).await;
    dev.transfer().await;
    let snapshot = dev.ask("evm_snapshot", json!([])).await.unwrap();
    let begun = dev.ask("guard_backtest", request(&["0x07"], "pending", None)).await.unwrap();
    assert_eq!((&begun["fromBlock"], &begun["toBlock"]), (&json!("0x2"), &Value::Null));
    let handle = json!([begun["handle"]]);
    let next = || dev.ask("guard_backtestNext", handle.clone());
    assert_eq!(next().await.unwrap()["executedBlocks"], "0x0");
    dev.transfer().await;
    dev.transfer().await;
    let page = next().await.unwrap();
    assert_eq!((&page["executedBlocks"], &page["done"]), (&json!("0x2"), &json!(false)));
    dev.ask("evm_revert", json!([snapshot])).await.unwrap();
    assert_eq!(next().await.unwrap()["executedBlocks"], "0x0", "nothing has come in their place yet");
    for _ in 0..3 {
        dev.ask("evm_mine", json!([])).await.unwrap();
    }
    let rewound = next().await.unwrap_err();
    assert!(rewound.message.contains("taken back below block 4"), "{rewound:?}");
    assert!(next().await.unwrap_err().message.contains("there is no backtest"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_tried_out_is_bounded_and_refused_in_words() {
    let dev = dev(Limits { backtests_max: 2, ..Limits::default() }).await;
    dev.transfer().await;
    let five = ["0x01"; 5];
    for (request, code, words) in [
        (request(&[], "earliest", None), -32_602, "name at least one guard"),
        (request(&five, "earliest", None), -32_005, "at most 4"),
        (request(&["0x"], "earliest", None), -32_602, "the module is empty"),
        (request(&["0x01"], "0x9", None), -32_602, "the next one is 2"),
        (request(&["0x01"], "0x0", Some("0x9")), -32_602, "beyond current head"),
        (json!([{"candidates": [{"module": "0x01", "acounts": []}], "fromBlock": "0x0"}]), -32_602, "acounts"),
    ] {
        let refused = dev.ask("guard_backtest", request).await.unwrap_err();
        assert!(refused.code == code && refused.message.contains(words), "{refused:?}");
    }
    let mut handles = Vec::new();
    for _ in 0..2 {
        handles.push(dev.ask("guard_backtest", request(&["0x01"], "earliest", None)).await.unwrap()["handle"].clone());
    }
    let third = dev.ask("guard_backtest", request(&["0x01"], "earliest", None)).await.unwrap_err();
    assert!(third.code == -32_005 && third.message.contains("guard_backtestStop"), "{third:?}");
    assert_eq!(dev.ask("guard_backtestStop", json!([handles[0]])).await.unwrap(), true);
    assert!(dev.ask("guard_backtest", request(&["0x01"], "earliest", None)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_and_calls_are_judged_by_guards_that_are_attached_nowhere_beside_the_chains() {
    let dev = dev(Limits::default()).await;
    let hash = dev.transfer().await.transaction_hash;
    let candidates = json!([{"module": "0x07"}]);
    let again = dev.ask("guard_simulateTransaction", json!([hash, candidates])).await.unwrap();
    assert_eq!((&again["destiny"]["kind"], &again["gasUsed"]), (&json!("succeeded"), &json!("0x5208")));
    let codes = (&again["verdicts"][0]["code"], &again["candidates"][0]["verdicts"][0]["code"]);
    assert_eq!(codes, (&json!(1), &json!(7)));
    let call = json!([{"from": dev.address(0), "to": dev.address(1)}, "latest", candidates]);
    let called = dev.ask("guard_simulate", call).await.unwrap();
    assert_eq!((&called["candidates"][0]["guard"], &called["verdicts"][0]["code"]), (&json!("g7"), &json!(1)));
    let alone = dev.ask("guard_simulate", json!([{"to": dev.address(1)}])).await.unwrap();
    assert_eq!(alone.get("candidates"), None);
    let recording = dev.ask("guard_record", json!([hash])).await.unwrap();
    assert_eq!((&recording["recording"], &recording["transaction"]["hash"]), (&json!(1), &json!(hash)));
    for method in ["guard_simulateTransaction", "guard_record"] {
        let refused = dev.ask(method, json!([B256::ZERO])).await.unwrap_err();
        assert!(refused.code == -32_000 && refused.message.contains("transaction not found"), "{refused:?}");
    }
}

async fn subscribe(dev: &Dev, kind: &str, filter: Value) -> Result<Subscription<Value>, String> {
    let socket = dev.socket().await;
    let subscription = socket.subscribe("eth_subscribe", rpc_params![kind, filter], "eth_unsubscribe").await;
    // A client closes its connection with its last handle; the subscription needs it until the test ends.
    std::mem::forget(socket);
    subscription.map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_and_alerts_are_announced_and_taken_back_with_their_block() {
    let dev = dev(Limits::default()).await;
    let snapshot = dev.ask("evm_snapshot", json!([])).await.unwrap();
    let mut verdicts = subscribe(&dev, "guardVerdicts", json!({})).await.unwrap();
    let mut alerts = subscribe(&dev, "guardAlerts", json!({"attachments": [B256::with_last_byte(1)]})).await.unwrap();
    let mut others = subscribe(&dev, "guardAlerts", json!({"attachments": [B256::with_last_byte(2)]})).await.unwrap();
    let hash = dev.transfer().await.transaction_hash;
    for (outcome, code) in [("alert", 1), ("allow", 0)] {
        let said = verdicts.next().await.unwrap().unwrap();
        assert_eq!((&said["transactionHash"], &said["removed"]), (&json!(hash), &json!(false)));
        assert_eq!(
            (&said["outcome"], &said["code"], &said["blockNumber"]),
            (&json!(outcome), &json!(code), &json!("0x1"))
        );
    }
    dev.ask("evm_revert", json!([snapshot])).await.unwrap();
    for removed in [false, true] {
        let said = alerts.next().await.unwrap().unwrap();
        assert_eq!(
            (&said["outcome"], &said["removed"]),
            (&json!("alert"), &json!(removed)),
            "allowances are no alerts"
        );
    }
    let nothing = tokio::time::timeout(Duration::from_millis(50), others.next()).await;
    assert!(nothing.is_err(), "nobody else has spoken");
    let wrong = subscribe(&dev, "guardAlerts", json!({"attachment": []})).await.unwrap_err();
    assert!(wrong.contains("filter of verdicts"), "{wrong}");
}
