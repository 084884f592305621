//! Guards on a node as a protocol team uses them: the program's own commands, a stock client, restarts, bad guards.

use std::path::Path;

use alloy_network::TransactionBuilder as _;
use alloy_primitives::{Address, B256, U256, utils::parse_ether};
use alloy_provider::{DynProvider, Provider as _};
use alloy_rpc_types_eth::{TransactionReceipt, TransactionRequest};
use serde_json::Value;

use crate::process::{KEY, Node, parapet};

/// Account 0, which guards itself in these tests.
pub(crate) const OWNER: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
pub(crate) const RECEIVER: Address = Address::repeat_byte(0x42);

/// Runs `parapet guard …` and gives its exit code and what it printed.
pub(crate) fn guard(node: &Node, arguments: &[&str]) -> (i32, Value) {
    let mut command = parapet(&["guard"]);
    command.args(arguments).args(["--json", "--rpc-url", node.ready["http"].as_str().unwrap()]);
    if !["list", "verdicts", "query", "backtest", "diff", "simulate", "record", "show"].contains(&arguments[0]) {
        command.args(["--private-key", KEY]);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let printed = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{arguments:?} printed {text:?}, {output:?}"));
    (output.status.code().unwrap(), printed)
}

pub(crate) fn guard_ok(node: &Node, arguments: &[&str]) -> Value {
    let (code, printed) = guard(node, arguments);
    assert_eq!(code, 0, "{arguments:?}: {printed}");
    printed
}

pub(crate) fn payment(ether: &str) -> TransactionRequest {
    TransactionRequest::default()
        .with_from(OWNER.parse().unwrap())
        .with_to(RECEIVER)
        .with_value(parse_ether(ether).unwrap())
}

/// Pays with a gas limit of its own, so that nothing is estimated; two guards, one of them a contract, fit.
pub(crate) async fn pay(provider: &DynProvider, ether: &str) -> TransactionReceipt {
    let sent = provider.send_transaction(payment(ether).with_gas_limit(2_000_000)).await.unwrap();
    sent.get_receipt().await.unwrap()
}

/// Error code and message of an estimate that fails.
async fn refusal(provider: &DynProvider, ether: &str) -> (i64, String) {
    let error = provider.estimate_gas(payment(ether)).await.unwrap_err();
    let response = error.as_error_resp().unwrap();
    (response.code, response.message.to_string())
}

pub(crate) fn verdict(node: &Node, transaction: B256) -> Value {
    guard_ok(node, &["verdicts", &transaction.to_string()])
}

#[tokio::test]
async fn guards_their_attachments_and_their_state_survive_kill() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["--datadir", dir.path().to_str().unwrap()];
    let node = Node::start(&args);
    guard_ok(&node, &["deploy", "outflow_cap"]);
    let parameters =
        ["--param", "tx_max=5 ether", "--param", "window_max=8 ether", "--param", "window_seconds=10000000"];
    let attach = [&["attach", "outflow_cap", "--account", OWNER, "--mode", "enforce"][..], &parameters].concat();
    let attachment = guard_ok(&node, &attach)["attachment"].clone();
    assert!(pay(&node.provider(), "4").await.status());
    node.stop("-KILL");

    let node = Node::start(&args);
    let provider = node.provider();
    let listed = guard_ok(&node, &["list"]);
    assert!(listed.to_string().contains(attachment.as_str().unwrap()), "{listed}");
    let (code, message) = refusal(&provider, "6").await;
    assert_eq!(code, 3);
    assert!(message.contains("vetoed by guard outflow_cap") && message.contains("code 1"), "{message}");
    // 4 ether left before the restart and hardly any of it has decayed: 5 more are too many for the window.
    let vetoed = pay(&provider, "5").await;
    assert!(!vetoed.status());
    let said = verdict(&node, vetoed.transaction_hash).to_string();
    assert!(said.contains("\"code\":2") && said.contains(attachment.as_str().unwrap()), "{said}");
    assert!(pay(&provider, "3").await.status());
    assert_eq!(provider.get_balance(RECEIVER).await.unwrap(), parse_ether("7").unwrap());
}

#[tokio::test]
async fn shadow_records_what_it_would_have_vetoed() {
    let node = Node::start(&[]);
    guard_ok(&node, &["deploy", "outflow_cap"]);
    let attach = ["attach", "outflow_cap", "--account", OWNER, "--mode", "shadow", "--param", "tx_max=1"];
    guard_ok(&node, &attach);
    let paid = pay(&node.provider(), "2").await;
    assert!(paid.status());
    let said = verdict(&node, paid.transaction_hash).to_string();
    assert!(said.contains("would_veto"), "{said}");
}

#[tokio::test]
async fn readers_query_a_contract_on_the_state_after_any_block() {
    let node = Node::start(&[]);
    for guard in ["outflow_cap", "outflow_cap_cosmwasm"] {
        guard_ok(&node, &["deploy", guard]);
    }
    let parameters = ["--param", "tx_max=5 ether", "--param", "window_max=8 ether", "--mode", "enforce"];
    let attach = |guard| {
        let args = [&["attach", guard, "--account", OWNER][..], &parameters].concat();
        guard_ok(&node, &args)["attachment"].as_str().unwrap().to_owned()
    };
    let (native, contract) = (attach("outflow_cap"), attach("outflow_cap_cosmwasm"));
    let level = |block: &str| {
        let answer = guard_ok(&node, &["query", &contract, r#"{"window":{}}"#, "--block", block]);
        assert!(answer["fuel"].as_u64().unwrap() > 0, "{answer}");
        answer["answer"]["level"].as_str().unwrap().to_owned()
    };
    let before = node.provider().get_block_number().await.unwrap();
    assert_eq!(level("latest"), "0");
    assert!(pay(&node.provider(), "4").await.status());
    let ether = parse_ether("4").unwrap().to_string();
    assert_eq!((level("latest"), level(&before.to_string())), (ether.clone(), "0".to_owned()));
    // Answering has changed nothing, and a pause does not keep readers out.
    assert!(!pay(&node.provider(), "5").await.status());
    guard_ok(&node, &["pause", &contract]);
    assert_eq!(level("latest"), ether);
    let configuration = guard_ok(&node, &["query", &contract, r#"{"configuration":{}}"#]);
    assert_eq!(configuration["answer"]["tx_max"], parse_ether("5").unwrap().to_string());

    let unknown = B256::repeat_byte(9).to_string();
    let too_long = format!("{{\"{}\":0}}", "x".repeat(16 * 1_024));
    for (attachment, message, words) in [
        (&native, "{}", "guard outflow_cap is no CosmWasm contract"),
        (&unknown, "{}", "there is no attachment"),
        (&contract, r#"{"other":{}}"#, "guard outflow_cap_cosmwasm refuses the query"),
        (&contract, &too_long, "at most 16384 are passed on"),
    ] {
        let (code, printed) = guard(&node, &["query", attachment, message]);
        assert!(code == 1 && printed.to_string().contains(words), "{printed}");
    }
}

/// A guard whose `on_call` does this.
pub(crate) fn hostile_module(folder: &Path, name: &str, on_call: &str) -> String {
    let descriptor = format!(
        r#"{{\"abi\":1,\"name\":\"{name}\",\"version\":\"1.0.0\",\"summary\":\"\",\"triggers\":[\"frame\"],\"subscribes\":[],\"parameters\":[]}}"#
    );
    let text = format!(
        r#"(module (memory (export "memory") 1)
            (func (export "on_call") (param i32) {on_call})
            (@custom "parapet.guard" "{descriptor}"))"#
    );
    let path = folder.join(format!("{name}.wasm"));
    std::fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_guard_that_traps_or_loops_fails_closed_and_can_be_paused() {
    let folder = tempfile::tempdir().unwrap();
    // What the transaction pays for is spent before the guard's own limit is.
    for (name, on_call, code) in [("traps", "unreachable", 0xff01), ("loops", "(loop (br 0))", 0xff06)] {
        let node = Node::start(&[]);
        let module = guard_ok(&node, &["deploy", &hostile_module(folder.path(), name, on_call)])["module"].clone();
        let attach = ["attach", module.as_str().unwrap(), "--account", OWNER, "--mode", "enforce"];
        let attachment = guard_ok(&node, &attach)["attachment"].clone();
        let provider = node.provider();
        let vetoed = pay(&provider, "1").await;
        assert!(!vetoed.status());
        let said = verdict(&node, vetoed.transaction_hash).to_string();
        assert!(said.contains(&format!("\"code\":{code}")), "{said}");
        // Others are not touched by it, and the registry can always be reached.
        assert!(provider.get_block_number().await.unwrap() > 0);
        guard_ok(&node, &["pause", attachment.as_str().unwrap()]);
        // A new client: the pause took a nonce that the old one does not know of.
        assert!(pay(&node.provider(), "1").await.status());
        assert_eq!(provider.get_balance(RECEIVER).await.unwrap(), parse_ether("1").unwrap());
    }
}

#[tokio::test]
async fn a_module_that_no_node_would_run_is_refused_before_and_after_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let floats = hostile_module(folder.path(), "floats", "(drop (f64.add (f64.const 1) (f64.const 2)))");
    let node = Node::start(&[]);
    let (code, printed) = guard(&node, &["deploy", &floats]);
    assert_eq!(code, 1);
    assert!(printed["error"].to_string().contains("float"), "{printed}");
    // Sent by another tool, the registry takes the bytes and the node refuses to register them.
    let provider = node.provider();
    let bytes = std::fs::read(&floats).unwrap();
    let hash = alloy_primitives::keccak256(&bytes);
    let registry: Address = node.ready["registry"].as_str().unwrap().parse().unwrap();
    let upload = parapet_registry::contract::IGuardRegistry::uploadChunkCall {
        module: hash,
        index: U256::ZERO,
        chunk: bytes.into(),
    };
    let register = parapet_registry::contract::IGuardRegistry::registerModuleCall { module: hash };
    let call = |input: Vec<u8>| {
        TransactionRequest::default().with_from(OWNER.parse().unwrap()).with_to(registry).with_input(input)
    };
    use alloy_sol_types::SolCall as _;
    let uploaded = provider.send_transaction(call(upload.abi_encode())).await.unwrap().get_receipt().await.unwrap();
    assert!(uploaded.status());
    let error = provider.send_transaction(call(register.abi_encode())).await.unwrap_err();
    let response = error.as_error_resp().unwrap();
    assert_eq!(response.code, 3);
    assert!(response.message.contains("float"), "{}", response.message);
}
