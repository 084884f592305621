//! Guards tried out through the program: on the past, on a call, and beside each other.

use alloy_network::TransactionBuilder as _;
use alloy_primitives::{B256, Bytes, U64};
use alloy_provider::{DynProvider, Provider as _};
use alloy_rpc_types_eth::TransactionRequest;
use parapet_judge::{Judge, LocalGuard, LocalJudge};
use parapet_monitor::Outcome;
use parapet_recording::Recording;
use serde_json::{Value, json};

use crate::{
    guards::{OWNER, RECEIVER, guard, guard_ok, hostile_module, pay, payment, verdict},
    process::{Node, parapet},
};

/// Bounds that only three payments of four ether within days exceed.
pub(crate) const BOUNDS: [&str; 6] =
    ["--param", "tx_max=5 ether", "--param", "window_max=9 ether", "--param", "window_seconds=10000000"];

/// Many small payments, and three large ones of which only the last is too much, because of what the window holds by
/// then. Gives all transactions, the theft last but two.
pub(crate) async fn history(provider: &DynProvider) -> (Vec<B256>, B256) {
    let mut all = Vec::new();
    for part in ["4", "0.001", "4"] {
        for _ in 0..6 {
            all.push(pay(provider, "0.001").await.transaction_hash);
        }
        all.push(pay(provider, part).await.transaction_hash);
        all.push(stranger(provider).await);
    }
    let theft = pay(provider, "4").await.transaction_hash;
    all.push(theft);
    all.push(pay(provider, "0.001").await.transaction_hash);
    all.push(stranger(provider).await);
    (all, theft)
}

/// Somebody whom nobody guards pays somebody else.
async fn stranger(provider: &DynProvider) -> B256 {
    let accounts: Vec<alloy_primitives::Address> = provider.get_accounts().await.unwrap();
    let request = TransactionRequest::default().with_from(accounts[3]).with_to(RECEIVER).with_gas_limit(100_000);
    let sent: B256 = provider.raw_request("eth_sendTransaction".into(), (request,)).await.unwrap();
    sent
}

/// What matters of a verdict: everything but its attachment's name, the time it took, and its fuel, which depends on what
/// accounts hold.
fn essence(verdict: &Value) -> Value {
    json!([verdict["outcome"], verdict["code"], verdict["hook"], verdict["frame"], verdict["detail"]])
}

#[tokio::test]
async fn a_backtest_finds_the_one_theft_among_honest_payments_and_says_what_the_attached_guard_says() {
    let node = Node::start(&[]);
    let provider = node.provider();
    let (all, theft) = history(&provider).await;
    let head = provider.get_block_number().await.unwrap();
    let args = [&["backtest", "outflow_cap", "--account", OWNER][..], &BOUNDS].concat();
    let found = guard_ok(&node, &args);
    assert_eq!((&found["vetoed"], &found["alerted"], &found["shortOfGas"]), (&1.into(), &0.into(), &0.into()));
    assert_eq!(found["vetoes"][0]["transaction"], theft.to_string());
    assert!(found["vetoes"][0]["reason"].as_str().unwrap().len() > 5, "{found}");
    let honest = all.len() as u64 - 4;
    assert_eq!((&found["woken"], &found["unwoken"]), (&json!(honest), &json!(4)), "strangers wake nobody");
    assert_eq!(found["blocks"], json!({"from": 1, "to": head, "blocks": head, "transactions": all.len()}));
    let fuel = |name: &str| found["fuel"][name].as_u64().unwrap();
    assert!(0 < fuel("min") && fuel("min") <= fuel("median") && fuel("median") <= fuel("p99"));
    assert!(fuel("p99") <= fuel("max") && found["gas"]["max"].as_u64().unwrap() == fuel("max").div_ceil(4));

    // The oracle: a chain of its own, the guard attached in shadow, the same payments.
    let other = Node::start(&[]);
    guard_ok(&other, &["deploy", "outflow_cap"]);
    guard_ok(&other, &[&["attach", "outflow_cap", "--account", OWNER, "--mode", "shadow"][..], &BOUNDS].concat());
    let (replayed, _) = history(&other.provider()).await;
    let tried = pages(&provider, 1, head).await;
    assert_eq!(all.len(), replayed.len());
    for (here, there) in all.iter().zip(&replayed) {
        let (tried, attached) = (said_of(&tried, here), attached(&other, there));
        assert_eq!(tried.iter().map(essence).collect::<Vec<_>>(), attached.iter().map(essence).collect::<Vec<_>>());
    }
    // Tried on the chain on which it is attached, from the block on that attached it, it spends what it spent, too.
    let (provider, since) = (other.provider(), head_of_attachment(&other).await + 1);
    let tried = pages(&provider, since, provider.get_block_number().await.unwrap()).await;
    for there in &replayed {
        let exactly = |said: &Value| json!([essence(said), said["fuel"]]);
        let (tried, attached) = (said_of(&tried, there), attached(&other, there));
        assert_eq!(tried.iter().map(exactly).collect::<Vec<_>>(), attached.iter().map(exactly).collect::<Vec<_>>());
    }
}

/// Verdicts of the guard that is tried out on a transaction.
fn said_of(tried: &[(B256, Value)], transaction: &B256) -> Vec<Value> {
    tried.iter().filter(|(hash, _)| hash == transaction).map(|(_, said)| said.clone()).collect()
}

/// Verdicts of guards that are attached.
fn attached(node: &Node, transaction: &B256) -> Vec<Value> {
    verdict(node, *transaction)["verdicts"].as_array().unwrap().clone()
}

/// The last block in which the registry was changed.
async fn head_of_attachment(node: &Node) -> u64 {
    let registry: alloy_primitives::Address = node.ready["registry"].as_str().unwrap().parse().unwrap();
    let filter = alloy_rpc_types_eth::Filter::new().address(registry).from_block(0);
    let logs = node.provider().get_logs(&filter).await.unwrap();
    logs.last().unwrap().block_number.unwrap()
}

#[tokio::test]
async fn a_backtest_reads_the_history_of_a_node_that_was_killed_and_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--datadir", folder.path().to_str().unwrap()];
    let backtest = [&["backtest", "outflow_cap", "--account", OWNER][..], &BOUNDS].concat();
    let node = Node::start(&args);
    let (_, theft) = history(&node.provider()).await;
    let before = guard_ok(&node, &backtest);
    node.stop("-KILL");
    let node = Node::start(&args);
    let after = guard_ok(&node, &backtest);
    assert_eq!(after["vetoes"][0]["transaction"], theft.to_string());
    assert_eq!(before, after);
}

/// All verdicts of a backtest by its methods alone.
async fn pages(provider: &DynProvider, from: u64, to: u64) -> Vec<(B256, Value)> {
    let prepared = parapet_cli::prepare("outflow_cap", &parameters(&BOUNDS)).unwrap();
    let candidate = json!({
        "module": Bytes::from(prepared.module),
        "accounts": [OWNER],
        "configuration": Bytes::from(prepared.configuration),
    });
    let request = json!({"candidates": [candidate], "fromBlock": U64::from(from), "toBlock": U64::from(to)});
    let begun: Value = provider.raw_request("guard_backtest".into(), (request,)).await.unwrap();
    let mut said = Vec::new();
    loop {
        let page: Value = provider.raw_request("guard_backtestNext".into(), (begun["handle"].clone(),)).await.unwrap();
        for block in page["blocks"].as_array().unwrap() {
            for transaction in block["transactions"].as_array().unwrap() {
                let hash: B256 = transaction["transactionHash"].as_str().unwrap().parse().unwrap();
                let verdicts = transaction["candidates"][0]["verdicts"].as_array().unwrap();
                said.extend(verdicts.iter().map(|verdict| (hash, verdict.clone())));
            }
        }
        if page["done"] == true {
            return said;
        }
    }
}

fn parameters(arguments: &[&str]) -> Vec<(String, String)> {
    let pairs = arguments.iter().filter_map(|argument| argument.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[tokio::test]
async fn a_backtest_changes_nothing_and_knows_the_chains_own_guards() {
    let node = Node::start(&[]);
    let provider = node.provider();
    guard_ok(&node, &["deploy", "outflow_cap"]);
    let strict = ["--param", "tx_max=3 ether", "--param", "window_max=100 ether"];
    let attachment =
        guard_ok(&node, &[&["attach", "outflow_cap", "--account", OWNER][..], &strict].concat())["attachment"].clone();
    let attachment = attachment.as_str().unwrap();
    // The chain vetoes what is above three ether; so the first of these leaves nothing in the other guard's window.
    let mut paid = Vec::new();
    for ether in ["4", "2", "4"] {
        paid.push(pay(&node.provider(), ether).await.transaction_hash);
    }
    let head = provider.get_block_by_number(Default::default()).await.unwrap().unwrap();
    let bounds = ["--param", "tx_max=5 ether", "--param", "window_max=5 ether", "--param", "window_seconds=10000000"];
    let found = guard_ok(&node, &[&["backtest", "outflow_cap", "--account", OWNER][..], &bounds].concat());
    let vetoed: Vec<_> = found["vetoes"].as_array().unwrap().iter().map(|veto| veto["transaction"].clone()).collect();
    assert_eq!(vetoed, [json!(paid[2])], "six ether in all, had the first not been vetoed: {found}");
    let like = guard_ok(&node, &["backtest", "outflow_cap", "--like", attachment]);
    assert_eq!(like["vetoed"], 2, "the same guard once more says what it said: {like}");
    let after = provider.get_block_by_number(Default::default()).await.unwrap().unwrap();
    assert_eq!(head.header.hash, after.header.hash);
    let counts = guard_ok(&node, &["show", attachment])["counts"].clone();
    assert_eq!((&counts["vetoed"], &counts["judged"]), (&2.into(), &3.into()), "{counts}");
}

#[tokio::test]
async fn two_guards_are_compared_over_the_same_history_and_only_where_they_part() {
    let node = Node::start(&[]);
    let provider = node.provider();
    let (_, theft) = history(&provider).await;
    let same = [&["diff", "outflow_cap", "outflow_cap", "--account", OWNER][..], &BOUNDS].concat();
    let found = guard_ok(&node, &same);
    assert_eq!((&found["different"], &found["old"]["vetoed"]), (&0.into(), &1.into()), "{found}");
    let wider = [&same[..], &["--new-param", "window_max=90 ether"]].concat();
    let found = guard_ok(&node, &wider);
    assert_eq!(found["different"], 1, "{found}");
    let difference = &found["differences"][0];
    assert_eq!(difference["transaction"], theft.to_string());
    assert_eq!((&difference["old"]["outcome"], &difference["new"]["outcome"]), (&"would_veto".into(), &"allow".into()));
    let one = provider.get_block_number().await.unwrap().to_string();
    assert_eq!(guard_ok(&node, &[&wider[..], &["--blocks", &one]].concat())["different"], 0, "a block of its own");
}

#[tokio::test]
async fn guards_say_of_a_call_and_of_a_transaction_once_more_what_they_would() {
    let node = Node::start(&[]);
    let provider = node.provider();
    let (_, theft) = history(&provider).await;
    let with = |arguments: &[&str], bounds: &[&str]| {
        let with = ["--with", "outflow_cap", "--account", OWNER];
        guard_ok(&node, &[&["simulate"][..], arguments, &with, bounds].concat())
    };
    // Who begins now has nothing in its window.
    let again = with(&[&theft.to_string()], &BOUNDS);
    assert_eq!(
        (&again["destiny"]["kind"], &again["candidates"][0]["verdicts"][0]["outcome"]),
        (&"succeeded".into(), &"allow".into())
    );
    let strict = ["--param", "tx_max=3 ether"];
    let again = with(&[&theft.to_string()], &strict);
    assert_eq!(again["candidates"][0]["verdicts"][0]["outcome"], "would_veto", "{again}");
    let to = RECEIVER.to_string();
    let call = ["--from", OWNER, "--to", &to, "--value", "4 ether"];
    let called = with(&call, &strict);
    assert_eq!(
        (&called["destiny"]["kind"], &called["candidates"][0]["verdicts"][0]["code"]),
        (&"succeeded".into(), &1.into()),
        "{called}"
    );
    let alone = guard_ok(&node, &[&["simulate"][..], &call].concat());
    assert_eq!((alone["verdicts"].as_array().unwrap().len(), alone.get("candidates")), (0, None));
    let text = parapet(&["guard", "simulate", "--rpc-url", node.ready["http"].as_str().unwrap()])
        .args([&call[..], &["--with", "outflow_cap", "--account", OWNER], &strict].concat())
        .output()
        .unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("destiny    succeeded") && text.contains("outflow_cap would have vetoed"), "{text}");
}

#[tokio::test]
async fn a_recorded_transaction_is_judged_again_without_its_node() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("theft.json");
    let path = file.to_str().unwrap();
    let strict = ["--param", "tx_max=3 ether"];
    let theft = {
        let node = Node::start(&[]);
        let (_, theft) = history(&node.provider()).await;
        let hash = theft.to_string();
        let record =
            [&["record", &hash, "--out", path, "--with", "outflow_cap", "--account", OWNER][..], &strict].concat();
        let written = guard_ok(&node, &record);
        assert_eq!((&written["transaction"], &written["with"].is_string()), (&json!(hash), &true), "{written}");
        let (code, again) = guard(&node, &record);
        assert!(code == 2 && again["error"].as_str().unwrap().contains("--force"), "{again}");
        guard_ok(&node, &[&record[..], &["--force"]].concat());
        theft
    };
    let recording = Recording::read(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(recording.transaction.hash, theft);
    let prepared = parapet_cli::prepare("outflow_cap", &parameters(&strict)).unwrap();
    let local = LocalGuard {
        module: prepared.module.into(),
        accounts: vec![OWNER.parse().unwrap()],
        configuration: prepared.configuration.into(),
    };
    let engine = || parapet_vm::Engine::new(Default::default()).unwrap();
    let judge = LocalJudge::new(Judge::new(engine()), &engine(), vec![local]).unwrap();
    let executed = parapet_simulate::execute_recorded(&recording, &judge).unwrap();
    assert_eq!((&executed.destiny, executed.gas_used), (&recording.destiny, recording.gas_used));
    assert_eq!(executed.verdicts[0].outcome, Outcome::WouldVeto);
}

#[tokio::test]
async fn what_cannot_be_tried_out_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let floats = hostile_module(folder.path(), "floats", "(drop (f64.add (f64.const 1) (f64.const 2)))");
    let node = Node::start(&[]);
    pay(&node.provider(), "1").await;
    let waiting = {
        let provider = node.provider();
        let _: Value = provider.raw_request("evm_setAutomine".into(), (false,)).await.unwrap();
        *provider.send_transaction(payment("1").with_gas_limit(100_000)).await.unwrap().tx_hash()
    };
    let (unknown, waiting) = (B256::repeat_byte(9).to_string(), waiting.to_string());
    for (arguments, code, words) in [
        (&["backtest", "outflow_cap"][..], 2, "--account"),
        (&["backtest", "nonsense", "--account", OWNER], 2, "shipped are"),
        (&["backtest", &floats, "--account", OWNER], 1, "float"),
        (&["backtest", "outflow_cap", "--account", OWNER, "--param", "none=1"], 2, "has no parameter"),
        (&["backtest", "outflow_cap", "--account", OWNER, "--account", OWNER], 1, "given twice"),
        (&["backtest", "outflow_cap", "--account", OWNER, "--blocks", "5..9"], 1, "beyond current head"),
        (&["backtest", "outflow_cap", "--account", OWNER, "--fuel-max", "200000000"], 1, "at most 100000000"),
        (&["backtest", "outflow_cap", "--account", OWNER, "--trigger", "30"], 1, "is none of them"),
        (&["backtest", &unknown, "--account", OWNER], 1, "deploy it first"),
        (&["backtest", "outflow_cap", "--like", &unknown], 1, "there is no attachment"),
        (&["record", &unknown], 1, "transaction not found"),
        (&["record", &waiting], 1, "in no block yet"),
        (&["simulate", &unknown], 1, "transaction not found"),
        (&["simulate", &unknown, "--account", OWNER], 2, "--with"),
        (&["simulate", "--to", OWNER, "--sig", "f(address)", "1"], 2, "is not of type address"),
    ] {
        let (exit, printed) = guard(&node, arguments);
        assert!(exit == code && printed["error"].to_string().contains(words), "{arguments:?}: {exit}, {printed}");
    }
}

#[test]
fn help_shows_how_each_command_is_used() {
    for command in ["backtest", "diff", "simulate", "record", "watch", "check"] {
        let help = parapet(&["guard", command, "--help"]).output().unwrap();
        let text = String::from_utf8(help.stdout).unwrap();
        assert!(text.contains("Examples:") && text.contains(&format!("parapet guard {command} ")), "{text}");
    }
}
