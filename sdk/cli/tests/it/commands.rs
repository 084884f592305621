//! Commands against a scripted node: what they ask, what they send, and how refusals read.

use alloy_consensus::{Transaction as _, TxEnvelope};
use alloy_eips::Decodable2718 as _;
use alloy_primitives::{Address, B256, Bytes, U256, hex};
use alloy_sol_types::{SolCall, SolError as _, SolEvent as _, SolValue as _};
use clap::Parser;
use parapet_cli::{CliError, Exit, Form, GuardArgs, Report, shipped};
use parapet_registry::{REGISTRY_ADDRESS, contract::IGuardRegistry as registry};
use serde_json::{Value, json};

use crate::scripted_node::{Answer, ScriptedNode};

const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const ACCOUNT: Address = Address::repeat_byte(0xaa);
const ATTACHMENT: B256 = B256::repeat_byte(0x77);

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    guard: GuardArgs,
}

/// Runs `parapet guard …`.
pub(crate) fn run(args: &[&str]) -> Result<Report, CliError> {
    let args = std::iter::once("guard").chain(args.iter().copied());
    let args = Cli::try_parse_from(args).unwrap_or_else(|error| panic!("{error}")).guard;
    parapet_cli::execute(args.command, Form::Json)
}

fn signed(node: &ScriptedNode, args: &[&str]) -> Result<Report, CliError> {
    run(&[args, &["--rpc-url", &node.url, "--private-key", KEY]].concat())
}

fn reverted(data: Vec<u8>) -> Answer {
    Err(json!({ "code": 3, "message": "execution reverted", "data": hex::encode_prefixed(data) }))
}

fn called(params: &Value) -> Bytes {
    let request = &params[0];
    let input = if request["input"].is_null() { &request["data"] } else { &request["input"] };
    input.as_str().unwrap().parse().unwrap()
}

fn sent(params: &Value) -> TxEnvelope {
    let raw: Bytes = params[0].as_str().unwrap().parse().unwrap();
    TxEnvelope::decode_2718(&mut raw.as_ref()).unwrap()
}

fn receipt(hash: &Value) -> Value {
    let attached = registry::Attached {
        attachment: ATTACHMENT,
        module: B256::ZERO,
        by: Address::ZERO,
        accounts: vec![ACCOUNT],
        mode: registry::Mode::Shadow,
    };
    let log = attached.encode_log_data();
    json!({
        "transactionHash": hash, "transactionIndex": "0x0", "blockHash": B256::ZERO, "blockNumber": "0x1",
        "from": Address::ZERO, "to": REGISTRY_ADDRESS, "cumulativeGasUsed": "0x5208", "gasUsed": "0x5208",
        "effectiveGasPrice": "0x1", "status": "0x1", "type": "0x2", "logsBloom": format!("0x{}", "0".repeat(512)),
        "logs": [{
            "address": REGISTRY_ADDRESS, "topics": log.topics(), "data": log.data, "blockNumber": "0x1",
            "transactionHash": hash, "transactionIndex": "0x0", "blockHash": B256::ZERO, "logIndex": "0x0",
            "removed": false,
        }],
    })
}

/// A chain that has `registered`, if any, and takes every transaction that `estimate` does not refuse.
fn chain(registered: Option<&'static [u8]>, estimate: impl Fn() -> Answer + Send + 'static) -> ScriptedNode {
    ScriptedNode::start(move |method, params| match method {
        "eth_getCode" if params[0] == json!(REGISTRY_ADDRESS) => Ok(json!("0x60")),
        "eth_getCode" => Ok(json!("0x")),
        "eth_chainId" => Ok(json!("0x7a69")),
        "eth_getTransactionCount" => Ok(json!("0x5")),
        "eth_feeHistory" => Ok(json!({
            "oldestBlock": "0x1", "baseFeePerGas": ["0x3b9aca00", "0x3b9aca00"], "gasUsedRatio": [0.5],
            "reward": [["0x1"]],
        })),
        "eth_estimateGas" => estimate(),
        "eth_sendRawTransaction" => Ok(json!(sent(params).tx_hash())),
        "eth_getTransactionReceipt" => Ok(receipt(&params[0])),
        "eth_call" => answer_call(&called(params), registered),
        "guard_getCounts" if params[0] == json!(ATTACHMENT) => Ok(json!({
            "judged": 1234, "vetoed": 5, "wouldVeto": 6, "alerts": 7, "fuel": 89_000,
            "evidence": { "judged": 40, "vetoed": 33, "windows": 2, "sinceS": 100 },
        })),
        other => panic!("{other} was not expected"),
    })
}

fn answer_call(input: &[u8], registered: Option<&'static [u8]>) -> Answer {
    let selector: [u8; 4] = input[..4].try_into().unwrap();
    let encoded = match (selector, registered) {
        (registry::moduleInfoCall::SELECTOR, Some(wasm)) => registry::ModuleInfo {
            module: alloy_primitives::keccak256(wasm),
            uploader: Address::ZERO,
            size: 1,
            registeredAt: 1,
            chunks: Vec::new(),
        }
        .abi_encode(),
        (registry::moduleInfoCall::SELECTOR, None) => {
            return reverted(registry::UnknownModule { module: B256::ZERO }.abi_encode());
        }
        (registry::moduleCodeCall::SELECTOR, Some(wasm)) => Bytes::from_static(wasm).abi_encode(),
        (registry::uploadedChunksCall::SELECTOR, _) => Vec::<Address>::new().abi_encode(),
        (registry::modulesCall::SELECTOR, Some(wasm)) => vec![alloy_primitives::keccak256(wasm)].abi_encode(),
        (registry::attachmentsCall::SELECTOR, Some(_)) => vec![ATTACHMENT].abi_encode(),
        (registry::modulesCall::SELECTOR | registry::attachmentsCall::SELECTOR, None) => {
            Vec::<B256>::new().abi_encode()
        }
        (registry::attachmentCall::SELECTOR, Some(wasm)) => attachment(wasm).abi_encode(),
        _ => panic!("a call of {} was not expected", hex::encode(selector)),
    };
    Ok(json!(hex::encode_prefixed(encoded)))
}

fn attachment(wasm: &[u8]) -> registry::AttachmentInfo {
    registry::AttachmentInfo {
        id: ATTACHMENT,
        module: alloy_primitives::keccak256(wasm),
        manager: Address::repeat_byte(1),
        proposedManager: Address::ZERO,
        mode: registry::Mode::Enforce,
        paused: true,
        demoted: false,
        delay: 0,
        revision: 1,
        attachedAt: 12,
        accounts: vec![ACCOUNT],
        configuration: (Address::ZERO, U256::from(5), U256::MAX, 60_u64, 0_u64, 0_u64).abi_encode_params().into(),
        terms: registry::Terms {
            failure: registry::Failure::Closed,
            priority: 3,
            fuelMax: 10_000_000,
            demotionShare: 0,
            triggers: 0,
            escapes: Vec::new(),
        },
    }
}

fn taken() -> Answer {
    Ok(json!("0x186a0"))
}

fn wasm(name: &str) -> &'static [u8] {
    shipped::find(name).unwrap().wasm
}

#[test]
fn deploy_uploads_the_module_and_registers_it() {
    let node = chain(None, taken);
    let report = signed(&node, &["deploy", "reentrancy"]).unwrap();
    let sent: Vec<_> = node.asked("eth_sendRawTransaction").iter().map(sent).collect();
    assert_eq!(sent.len(), 2);
    let upload = registry::uploadChunkCall::abi_decode(sent[0].input()).unwrap();
    assert_eq!((upload.module, upload.index), (alloy_primitives::keccak256(wasm("reentrancy")), U256::ZERO));
    assert_eq!(upload.chunk.as_ref(), wasm("reentrancy"));
    assert!(registry::registerModuleCall::abi_decode(sent[1].input()).is_ok());
    assert_eq!((sent[0].nonce(), sent[0].chain_id(), sent[0].gas_limit()), (5, Some(31_337), 125_000));
    assert_eq!(report.json["outcome"], "registered");
    assert_eq!(report.json["gasUsed"], 42_000);
}

#[test]
fn deploy_sends_nothing_when_the_module_is_there() {
    let node = chain(Some(wasm("reentrancy")), taken);
    let report = signed(&node, &["deploy", "reentrancy"]).unwrap();
    assert_eq!(report.json["outcome"], "it was registered already");
    assert_eq!(node.asked("eth_sendRawTransaction").len(), 0);
}

#[test]
fn attach_encodes_parameters_by_the_descriptor_on_the_chain() {
    let node = chain(Some(wasm("outflow_cap")), taken);
    let account = ACCOUNT.to_string();
    let args = ["attach", "outflow_cap", "--account", &account, "--param", "tx_max=1 ether", "--mode", "shadow"];
    let report =
        signed(&node, &[&args[..], &["--failure", "open", "--priority", "4", "--fuel-max", "9"]].concat()).unwrap();
    let sent = sent(&node.asked("eth_sendRawTransaction")[0]);
    let request = registry::attachCall::abi_decode(sent.input()).unwrap().request;
    assert_eq!(request.module, alloy_primitives::keccak256(wasm("outflow_cap")));
    assert_eq!(request.accounts, [ACCOUNT]);
    assert!(request.mode == registry::Mode::Shadow && request.terms.failure == registry::Failure::Open);
    assert_eq!((request.terms.priority, request.terms.fuelMax), (4, 9));
    let ether = U256::from(10).pow(U256::from(18));
    assert_eq!(
        request.configuration,
        (Address::repeat_byte(0xff), ether, U256::MAX, 86_400_u64, 2_500_u64, 5_000_u64).abi_encode_params()
    );
    assert_eq!(report.json["attachment"], json!(ATTACHMENT));
    assert_eq!(report.json["parameters"]["tx_max"], "1000000000000000000");
}

#[test]
fn attach_without_a_required_parameter_sends_nothing_and_is_wrong_use() {
    let node = chain(Some(wasm("outflow_cap_cosmwasm")), taken);
    let error = signed(&node, &["attach", "outflow_cap_cosmwasm", "--account", &ACCOUNT.to_string()]).unwrap_err();
    assert!(error.to_string().contains("tx_max"), "{error}");
    assert_eq!(error.exit(), Exit::WrongUse);
    assert_eq!(node.asked("eth_sendRawTransaction").len(), 0);
}

#[test]
fn attach_of_a_module_that_is_not_deployed_says_how_to_deploy_it() {
    let node = chain(None, taken);
    let error = signed(&node, &["attach", "reentrancy", "--account", &ACCOUNT.to_string()]).unwrap_err();
    assert!(error.to_string().contains("`parapet guard deploy reentrancy`"), "{error}");
    assert_eq!(error.exit(), Exit::Refused);
}

#[test]
fn a_refused_attach_says_who_lacks_authority() {
    let refusal = registry::NoAuthority { account: ACCOUNT, who: Address::repeat_byte(0xbb) };
    let node = chain(Some(wasm("reentrancy")), move || reverted(refusal.abi_encode()));
    let error = signed(&node, &["attach", "reentrancy", "--account", &ACCOUNT.to_string()]).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("has no authority over") && text.contains(&ACCOUNT.to_string()), "{text}");
    assert_eq!(error.exit(), Exit::Refused);
    assert_eq!(node.asked("eth_sendRawTransaction").len(), 0);
}

#[test]
fn a_configuration_that_the_guard_refuses_is_told_in_the_guards_words() {
    let veto = registry::GuardVeto {
        guard: Address::ZERO,
        attachment: ATTACHMENT,
        code: 3,
        detail: Bytes::from_static(b"window_seconds is 0"),
    };
    let node = chain(Some(wasm("reentrancy")), move || reverted(veto.abi_encode()));
    let error = signed(&node, &["attach", "reentrancy", "--account", &ACCOUNT.to_string()]).unwrap_err();
    assert!(error.to_string().contains("code 3: window_seconds is 0"), "{error}");
}

#[test]
fn an_error_without_data_is_told_as_the_node_says_it() {
    let node = chain(Some(wasm("reentrancy")), || Err(json!({ "code": -32000, "message": "insufficient funds" })));
    let error = signed(&node, &["pause", &ATTACHMENT.to_string()]).unwrap_err();
    assert!(error.to_string().contains("pausing was refused: insufficient funds (code -32000)"), "{error}");
}

#[test]
fn small_controls_call_what_they_are_named_after() {
    let node = chain(Some(wasm("reentrancy")), taken);
    let id = ATTACHMENT.to_string();
    for command in [&["pause", &id][..], &["unpause", &id], &["detach", &id], &["set-mode", &id, "shadow"]] {
        signed(&node, command).unwrap();
    }
    let selectors: Vec<_> =
        node.asked("eth_sendRawTransaction").iter().map(|p| sent(p).input()[..4].to_vec()).collect();
    let expected = [
        registry::pauseCall::SELECTOR,
        registry::unpauseCall::SELECTOR,
        registry::detachCall::SELECTOR,
        registry::setModeCall::SELECTOR,
    ];
    assert_eq!(selectors, expected.map(|selector| selector.to_vec()));
}

#[test]
fn list_reads_modules_and_attachments_with_parameters() {
    let node = chain(Some(wasm("outflow_cap")), taken);
    let report = run(&["list", "--rpc-url", &node.url]).unwrap();
    let listed = &report.json["attachments"][0];
    assert_eq!((&listed["guard"], &listed["mode"]), (&json!("outflow_cap"), &json!("enforce")));
    assert_eq!((&listed["paused"], &listed["parameters"]["tx_max"]), (&json!(true), &json!("5")));
    for part in ["enforce, fails closed, paused", "fuel 10,000,000", "parameter  window_seconds = 60"] {
        assert!(report.text.contains(part), "{part} in {}", report.text);
    }
}

#[test]
fn list_of_a_fresh_chain_is_empty_and_says_so() {
    let node = chain(None, taken);
    let report = run(&["list", "--rpc-url", &node.url]).unwrap();
    assert_eq!(report.json, json!({ "modules": [], "attachments": [] }));
    assert!(report.text.contains("no attachments"));
}

#[test]
fn verdicts_are_told_and_an_unknown_transaction_is_refused() {
    let verdict = json!({
        "attachment": ATTACHMENT, "module": B256::ZERO, "guard": "reentrancy", "mode": "enforce", "outcome": "veto",
        "hook": "on_call", "frame": 3, "code": 1, "detail": hex::encode_prefixed("re-entered"), "fuel": 1234,
        "elapsedNs": 5600,
    });
    let known = B256::repeat_byte(1);
    let node = ScriptedNode::start(move |method, params| match method {
        "eth_getCode" => Ok(json!("0x60")),
        "guard_getVerdicts" if params[0] == json!(known) => Ok(json!([verdict])),
        "guard_getVerdicts" => Ok(Value::Null),
        "eth_getTransactionReceipt" => Ok(json!({ "guardGasUsed": "0x135", "guardFuel": "0x4d2" })),
        other => panic!("{other} was not expected"),
    });
    let report = run(&["verdicts", &known.to_string(), "--rpc-url", &node.url]).unwrap();
    assert!(report.text.contains("reentrancy vetoed in on_call of frame 3, code 1: re-entered"), "{}", report.text);
    assert_eq!(report.json["verdicts"][0]["fuel"], 1234);
    assert!(report.text.ends_with("paid: 309 gas for 1,234 fuel"), "{}", report.text);
    assert_eq!((&report.json["guardGasUsed"], &report.json["guardFuel"]), (&json!(309), &json!(1234)));
    let error = run(&["verdicts", &B256::ZERO.to_string(), "--rpc-url", &node.url]).unwrap_err();
    assert!(matches!(error, CliError::UnknownTransaction(_)), "{error}");
    assert_eq!(error.exit(), Exit::Refused);
}

#[test]
fn verdicts_of_a_block_tell_transactions_and_the_chains_own_acts_apart() {
    let verdict = |outcome: &str| {
        json!({
            "attachment": ATTACHMENT, "module": B256::ZERO, "guard": "reentrancy", "mode": "enforce",
            "outcome": outcome, "hook": "on_tx", "frame": null, "code": 1, "detail": "0x", "fuel": 1, "elapsedNs": 5600,
        })
    };
    let block = json!({
        "blockNumber": "0x7", "blockHash": B256::repeat_byte(7),
        "transactions": [{
            "transactionHash": B256::repeat_byte(1), "transactionIndex": "0x0", "verdicts": [verdict("veto")],
        }],
        "chainActs": [
            { "act": { "kind": "systemCall", "target": Address::repeat_byte(2) }, "verdicts": [verdict("allow")] },
            { "act": { "kind": "withdrawals" }, "verdicts": [verdict("alert")] },
        ],
    });
    let node = ScriptedNode::start(move |method, params| match method {
        "eth_getCode" => Ok(json!("0x60")),
        "guard_getBlockVerdicts" if params[0] == "0x63" => Ok(Value::Null),
        "guard_getBlockVerdicts" => Ok(block.clone()),
        "guard_getAttachmentVerdicts" if params[0]["fromBlock"] == "0x8" => Ok(json!([])),
        "guard_getAttachmentVerdicts" => Ok(json!([block])),
        other => panic!("{other} was not expected"),
    });
    let report = run(&["verdicts", "--block", "7", "--rpc-url", &node.url]).unwrap();
    let expected = [
        &format!("block 7 ({}): 3 verdicts", B256::repeat_byte(7)),
        &format!("transaction {}", B256::repeat_byte(1)),
        "  reentrancy vetoed in on_tx",
        &format!("the chain's own call of {}", Address::repeat_byte(2)),
        "  reentrancy allowed in on_tx",
        "the block's withdrawals",
        "  reentrancy alerted in on_tx",
    ];
    let lines: Vec<_> = report.text.lines().filter(|line| !line.starts_with("    ")).collect();
    assert!(lines.iter().zip(expected).all(|(line, start)| line.starts_with(start)), "{lines:?}");
    assert_eq!((lines.len(), &report.json["blockNumber"]), (expected.len(), &json!("0x7")));
    let error = run(&["verdicts", "--block", "99", "--rpc-url", &node.url]).unwrap_err();
    assert!(error.to_string().contains("no block 99"), "{error}");
    let id = ATTACHMENT.to_string();
    let report = run(&["verdicts", "--attachment", &id, "--rpc-url", &node.url]).unwrap();
    assert!(report.text.starts_with(&format!("attachment {id}: 3 verdicts\nblock 7")), "{}", report.text);
    let report = run(&["verdicts", "--attachment", &id, "--from-block", "8", "--rpc-url", &node.url]).unwrap();
    assert!(report.text.contains("said nothing") && report.json["blocks"] == json!([]), "{}", report.text);
    let asked = node.asked("guard_getAttachmentVerdicts");
    assert_eq!(asked[0], json!([{ "attachment": ATTACHMENT, "fromBlock": "0x0", "toBlock": "latest" }]));
}

#[test]
fn a_chain_without_a_registry_is_named_as_one() {
    let node = ScriptedNode::start(|_, _| Ok(json!("0x")));
    let error = run(&["list", "--rpc-url", &node.url]).unwrap_err();
    assert!(matches!(error, CliError::NoRegistry { .. }), "{error}");
}

#[test]
fn an_address_where_nothing_listens_and_one_that_is_none_are_told_apart() {
    let error = run(&["list", "--rpc-url", "http://127.0.0.1:1"]).unwrap_err();
    assert!(error.to_string().contains("`parapet dev` starts one"), "{error}");
    assert_eq!(error.exit(), Exit::Refused);
    for url in ["127.0.0.1:8545", "ws://127.0.0.1:8545", "http://", "nonsense"] {
        let error = run(&["list", "--rpc-url", url]).unwrap_err();
        assert_eq!(error.exit(), Exit::WrongUse, "{url}: {error}");
    }
}

#[test]
fn an_answer_that_is_none_is_told_without_a_panic() {
    let node = ScriptedNode::start(|method, _| match method {
        "eth_getCode" => Ok(json!("0x60")),
        _ => Ok(json!("0x1234")),
    });
    let error = run(&["list", "--rpc-url", &node.url]).unwrap_err();
    assert!(matches!(error, CliError::NoAnswer { .. }), "{error}");
    let error = run(&["verdicts", &B256::ZERO.to_string(), "--rpc-url", &node.url]).unwrap_err();
    assert!(matches!(error, CliError::NoAnswer { .. }), "{error}");
}

#[test]
fn a_wrong_key_is_refused_without_repeating_it() {
    let secret = "0xdeadbeefdeadbeef";
    let error = run(&["deploy", "reentrancy", "--private-key", secret]).unwrap_err();
    assert!(matches!(error, CliError::PrivateKey) && !error.to_string().contains("deadbeef"), "{error}");
    assert_eq!(error.exit(), Exit::WrongUse);
}

#[test]
fn arguments_that_make_no_sense_are_refused_by_the_command_line() {
    let id = ATTACHMENT.to_string();
    for args in [
        &["attach", "reentrancy"][..],
        &["attach", "reentrancy", "--account", "0x12"],
        &["attach", "reentrancy", "--account", "0x00000000000000000000000000000000000000aa", "--chain-wide"],
        &["attach", "reentrancy", "--account", "0x00000000000000000000000000000000000000aa", "--param", "novalue"],
        &["set-mode", &id, "loud"],
        &["verdicts", "0x12"],
        &["verdicts"],
        &["verdicts", &id, "--block", "1"],
        &["verdicts", "--block", "first"],
        &["verdicts", "--block", "1", "--from-block", "1"],
        &["fly"],
    ] {
        let parsed =
            Cli::try_parse_from(["guard"].into_iter().chain(args.iter().copied()).chain(["--private-key", KEY]));
        assert_eq!(parsed.map(|_| ()).unwrap_err().exit_code(), 2, "{args:?}");
    }
}
