//! A chain that goes on from another node's: guards judge what was deployed there, and nothing stops when that node does.

use alloy_network::{ReceiptResponse as _, TransactionBuilder as _};
use alloy_primitives::{Address, B256, Bytes, U256, hex, utils::parse_ether};
use alloy_provider::{DynProvider, Provider as _};
use alloy_rpc_types_eth::TransactionRequest;
use serde_json::Value;

use crate::{
    guards::{OWNER, guard_ok, verdict},
    process::{Node, parapet},
};

/// A vault that has an owner, and that a thief finds open: a call of four bytes is answered with the owner's address, any other
/// call sends its caller as many wei as its first word says.
fn vault() -> Bytes {
    // CALLDATASIZE 4 EQ 0x15 JUMPI; CALL(GAS, CALLER, CALLDATALOAD(0), 0, 0, 0, 0) POP STOP; RETURN(owner).
    let owner: Address = OWNER.parse().unwrap();
    let code =
        [&hex!("36600414601557 5f5f5f5f 5f35 33 5a f1 50 00 000000 5b 73")[..], &owner[..], &hex!("5f52 60205ff3")];
    code.concat().into()
}

async fn receipt(provider: &DynProvider, request: TransactionRequest) -> alloy_rpc_types_eth::TransactionReceipt {
    let request = request.with_gas_limit(2_000_000);
    provider.send_transaction(request).await.unwrap().get_receipt().await.unwrap()
}

async fn withdraw(provider: &DynProvider, from: Address, ether: &str) -> alloy_rpc_types_eth::TransactionReceipt {
    let input = Bytes::from(parse_ether(ether).unwrap().to_be_bytes::<32>());
    receipt(provider, TransactionRequest::default().with_to(from).with_input(input)).await
}

/// Guards an account: at most 5 ether leave in a transaction, and so many in a long time.
fn cap_outflow(node: &Node, account: Address, window_ether: u32) {
    guard_ok(node, &["deploy", "outflow_cap"]);
    let (account, window) = (account.to_string(), format!("window_max={window_ether} ether"));
    let cap = ["--param", "tx_max=5 ether", "--param", &window, "--param", "window_seconds=10000000"];
    guard_ok(node, &[&["attach", "outflow_cap", "--account", &account, "--mode", "enforce"][..], &cap].concat());
}

/// A node with a vault that holds 100 ether.
async fn remote() -> (Node, Address) {
    let node = Node::start(&["--chain-id", "77"]);
    let provider = node.provider();
    let code = vault();
    let length = u16::try_from(code.len()).unwrap().to_be_bytes();
    let init = [&[0x61, length[0], length[1], 0x80, 0x60, 10, 0x5f, 0x39, 0x5f, 0xf3][..], &code].concat();
    let deployed = receipt(&provider, TransactionRequest::default().with_deploy_code(init)).await;
    let vault = deployed.contract_address().unwrap();
    // Its balance comes with a withdrawal of nothing: calldata of one zero byte.
    let pay = TransactionRequest::default().with_to(vault).with_input(vec![0]).with_value(parse_ether("100").unwrap());
    assert!(receipt(&provider, pay).await.status());
    (node, vault)
}

#[tokio::test]
async fn a_guard_on_forked_state_vetoes_a_theft_and_the_chain_outlives_the_one_it_was_forked_from() {
    let (remote, vault) = remote().await;
    let url = remote.ready["http"].as_str().unwrap().to_owned();
    let node = Node::start(&["--fork-url", &url, "--fork-verify", "--no-storage-caching", "--timeout", "2000"]);
    let provider = node.provider();
    assert_eq!((&node.ready["chainId"], &node.ready["fork"]["verified"]), (&77.into(), &true.into()));
    assert_eq!((provider.get_chain_id().await.unwrap(), provider.get_block_number().await.unwrap()), (77, 2));
    assert_eq!(provider.get_balance(vault).await.unwrap(), parse_ether("100").unwrap());

    cap_outflow(&node, vault, 50);
    let theft = withdraw(&provider, vault, "60").await;
    assert!(!theft.status());
    let said = verdict(&node, theft.transaction_hash).to_string();
    assert!(said.contains("\"veto\"") && said.contains("outflow_cap"), "{said}");
    assert!(withdraw(&provider, vault, "4").await.status());
    assert_eq!(provider.get_balance(vault).await.unwrap(), parse_ether("96").unwrap());
    assert_eq!(remote.provider().get_balance(vault).await.unwrap(), parse_ether("100").unwrap(), "it is another chain");

    remote.stop("-KILL");
    assert!(withdraw(&provider, vault, "3").await.status(), "what was read is known");
    assert!(!withdraw(&provider, vault, "30").await.status(), "and guarded");
    let unknown = Address::repeat_byte(0x99);
    let error = provider.get_balance(unknown).await.unwrap_err();
    let refused = error.as_error_resp().unwrap();
    assert_eq!(refused.code, -32_002, "{refused:?}");
    assert!(refused.message.contains(&url), "{refused:?}");
    let before = provider.get_block_number().await.unwrap();
    provider.raw_request::<_, Value>("evm_mine".into(), ()).await.unwrap();
    assert_eq!(provider.get_block_number().await.unwrap(), before + 1);
    // One that needs what cannot be read waits, and the others go on.
    let lost = TransactionRequest::default().with_to(unknown).with_value(U256::from(1)).with_gas_limit(100_000);
    let lost = provider.send_transaction(lost).await.unwrap();
    provider.raw_request::<_, Value>("evm_mine".into(), ()).await.unwrap();
    assert!(provider.get_transaction_receipt(*lost.tx_hash()).await.unwrap().is_none());
    assert_eq!(provider.get_block_number().await.unwrap(), before + 2);
}

#[tokio::test]
async fn guards_that_were_attached_before_the_fork_judge_after_it() {
    let (remote, vault) = remote().await;
    cap_outflow(&remote, vault, 9);
    assert!(withdraw(&remote.provider(), vault, "4").await.status());
    let url = remote.ready["http"].as_str().unwrap();
    let node = Node::start(&["--fork-url", url, "--fork-verify", "--no-storage-caching"]);
    let provider = node.provider();
    let theft = withdraw(&provider, vault, "60").await;
    assert!(!theft.status());
    let said = verdict(&node, theft.transaction_hash).to_string();
    assert!(said.contains("\"veto\"") && said.contains("outflow_cap"), "{said}");
    assert!(withdraw(&provider, vault, "3").await.status());
    assert!(!withdraw(&provider, vault, "3").await.status(), "what left before the fork counts");
    assert!(withdraw(&remote.provider(), vault, "3").await.status(), "it is another chain");
}

#[tokio::test]
async fn a_chain_goes_on_after_a_transaction_as_its_guards_judged_it() {
    let (remote, vault) = remote().await;
    cap_outflow(&remote, vault, 9);
    let there = remote.provider();
    assert!(withdraw(&there, vault, "4").await.status());
    let theft = withdraw(&there, vault, "60").await;
    assert!(withdraw(&there, vault, "3").await.status());
    let hash = theft.transaction_hash.to_string();
    let url = remote.ready["http"].as_str().unwrap();
    let args = ["--fork-url", url, "--fork-verify", "--no-storage-caching"];
    let node = Node::start(&[&args[..], &["--fork-transaction-hash", &hash]].concat());
    let provider = node.provider();
    assert_eq!(provider.get_block_number().await.unwrap(), theft.block_number.unwrap());
    assert_eq!(provider.get_balance(vault).await.unwrap(), parse_ether("96").unwrap());
    let said = verdict(&node, theft.transaction_hash).to_string();
    assert!(said.contains("\"veto\"") && said.contains("outflow_cap"), "{said}");
    assert!(withdraw(&provider, vault, "3").await.status());
    assert!(!withdraw(&provider, vault, "3").await.status(), "what left before the fork counts");

    let none = B256::repeat_byte(1).to_string();
    let args = [&["dev", "--port", "0"], &args[..], &["--fork-transaction-hash", &none]].concat();
    let refused = parapet(&args).output().unwrap();
    let error = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), error.lines().count()), (Some(1), 1), "{error}");
    assert!(error.contains(&none), "{error}");
}

#[tokio::test]
async fn a_fork_in_the_cache_starts_without_its_endpoint() {
    let (remote, vault) = remote().await;
    let url = remote.ready["http"].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().to_str().unwrap();
    let args = ["--fork-url", &url, "--fork-block-number", "2", "--fork-chain-id", "77", "--retries", "0"];
    let args = [&args[..], &["--fork-cache", cache]].concat();
    let node = Node::start(&args);
    assert_eq!(node.provider().get_balance(vault).await.unwrap(), parse_ether("100").unwrap());
    node.stop("-INT");
    remote.stop("-KILL");
    let node = Node::start(&args);
    let provider = node.provider();
    assert_eq!(provider.get_balance(vault).await.unwrap(), parse_ether("100").unwrap());
    assert!(provider.get_balance(Address::repeat_byte(0x99)).await.is_err());
    provider.raw_request::<_, Value>("evm_mine".into(), ()).await.unwrap();
    assert_eq!(provider.get_block_number().await.unwrap(), 3);
}

#[tokio::test]
async fn a_fork_in_a_folder_outlives_its_process_and_its_endpoint() {
    let (remote, vault) = remote().await;
    let url = remote.ready["http"].as_str().unwrap().to_owned();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("chain-of-mine");
    let path = path.to_str().unwrap();
    let args = ["--fork-url", &url, "--datadir", path, "--retries", "0"];
    let node = Node::start(&args);
    cap_outflow(&node, vault, 9);
    let provider = node.provider();
    assert!(withdraw(&provider, vault, "4").await.status());
    let theft = withdraw(&provider, vault, "60").await;
    assert!(!theft.status());
    let amended = Address::repeat_byte(0x43);
    provider.raw_request::<_, ()>("anvil_setBalance".into(), (amended, U256::from(9))).await.unwrap();
    let number = provider.get_block_number().await.unwrap();
    let block = provider.get_block_by_number(number.into()).await.unwrap().unwrap();
    // The other chain goes on meanwhile; this one does not begin with its newest block again.
    assert!(withdraw(&remote.provider(), vault, "1").await.status());
    node.stop("-KILL");

    let node = Node::start(&args);
    let provider = node.provider();
    assert_eq!((provider.get_block_number().await.unwrap(), &node.ready["fork"]["blockNumber"]), (number, &2.into()));
    assert_eq!(provider.get_block_by_number(number.into()).await.unwrap().unwrap(), block);
    assert_eq!(provider.get_balance(vault).await.unwrap(), parse_ether("96").unwrap());
    assert_eq!(provider.get_balance(amended).await.unwrap(), U256::from(9));
    assert!(verdict(&node, theft.transaction_hash).to_string().contains("\"veto\""));
    remote.stop("-KILL");
    assert!(withdraw(&provider, vault, "3").await.status());
    assert!(!withdraw(&provider, vault, "3").await.status(), "what left before the restart counts");
    assert_eq!(provider.get_balance(amended).await.unwrap(), U256::from(9));
    let reset = provider.raw_request::<_, Value>("anvil_reset".into(), ()).await.unwrap_err();
    assert!(reset.to_string().contains("kept in a folder"), "{reset}");
    assert_eq!(node.stop("-INT").0.code(), Some(0));

    // What was read lies beside it, so nobody has to be asked.
    let node = Node::start(&[&args[..], &["--fork-block-number", "2"]].concat());
    let provider = node.provider();
    assert_eq!(provider.get_block_number().await.unwrap(), number + 2);
    assert_eq!(provider.get_balance(vault).await.unwrap(), parse_ether("93").unwrap());
    node.stop("-INT");

    let hash = B256::repeat_byte(1).to_string();
    let without = ["--datadir", path];
    for (wrong, said) in [
        (&[&args[..], &["--fork-block-number", "1"]].concat()[..], "goes on from block 2"),
        (&[&args[..], &["--fork-block-hash", &hash]].concat()[..], "goes on from block 2"),
        (&[&args[..], &["--fork-transaction-hash", &hash]].concat()[..], "goes on from block 2"),
        (&[&args[..], &["--hardfork", "cancun"]].concat()[..], "cancun"),
        (&without[..], "--fork-url"),
    ] {
        let refused = parapet(&[&["dev", "--port", "0"], wrong].concat()).output().unwrap();
        let error = String::from_utf8(refused.stderr).unwrap();
        assert_eq!((refused.status.code(), error.lines().count()), (Some(1), 1), "{error}");
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn what_cannot_be_forked_is_refused_in_one_line_without_the_key_in_the_url() {
    let output =
        parapet(&["dev", "--port", "0", "--retries", "0", "--fork-url", "http://127.0.0.1:9/v2/S3CR3T"]).output();
    let output = output.unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{error}");
    assert!(error.contains("http://127.0.0.1:9/…") && !error.contains("S3CR3T"), "{error}");
    let hash = B256::ZERO.to_string();
    for wrong in [
        &["--fork-block-number", "7"][..],
        &["--retries", "2"],
        &["--fork-transaction-hash", &hash],
        &["--fork-url", "http://a", "--fork-transaction-hash", &hash, "--fork-block-number", "7"],
    ] {
        let refused = parapet(&[&["dev", "--port", "0"], wrong].concat()).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}");
    }
}

#[tokio::test]
async fn no_log_holds_the_key_in_the_url_at_any_level() {
    let remote = Node::start(&[]);
    let url = format!("{}/v2/S3CR3T?key=S3CR3T", remote.ready["http"].as_str().unwrap());
    let log = tempfile::NamedTempFile::new().unwrap();
    let flags = ["--fork-url", &url, "--fork-header", "Authorization: S3CR3T", "--no-storage-caching"];
    let mut command = parapet(&[&["dev", "--port", "0", "--json", "--log", "trace,ureq=trace"][..], &flags].concat());
    command.stderr(std::process::Stdio::from(log.reopen().unwrap()));
    let node = Node::spawn_with_log(command);
    node.provider().get_balance(Address::repeat_byte(0x99)).await.unwrap();
    node.stop("-TERM");
    let told = std::fs::read_to_string(log.path()).unwrap();
    assert!(told.lines().count() > 10, "everything is logged");
    let telltale = told.lines().find(|line| line.contains("S3CR3T"));
    assert_eq!(telltale, None);
}
