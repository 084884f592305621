//! A chain that goes on from that of another node in the same process: whose answer is whose.

use std::sync::Arc;

use alloy_network::ReceiptResponse as _;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_provider::Provider as _;
use parapet_builder::{Beginning, Mining, SequentialCheck, Settings};
use parapet_fork::{Fork, ForkBlock, ForkSettings, Want, hardfork_of};
use parapet_genesis::{DevFork, DevSettings, LookedAt};
use parapet_monitor::NoMonitor;
use parapet_rpc::{Beginner, RpcError};
use parapet_state::{ChainStore, StoredBlock};
use serde_json::{Value, json};

use crate::fixture::{Dev, ECHO};

fn url(dev: &Dev) -> String {
    format!("http://{}", dev.server.address())
}

/// As usual, and nobody waits long for who is not there.
fn quick(url: String) -> ForkSettings {
    ForkSettings { backoff: std::time::Duration::from_millis(7), ..ForkSettings::of(url) }
}

fn begin(settings: ForkSettings) -> Result<Beginning, RpcError> {
    let fork = Arc::new(Fork::begin(settings)?);
    let header = fork.header().clone();
    let mut settings = DevSettings::at(header.timestamp);
    let newest = fork.repeat().map_or(&header, |repeat| &repeat.header);
    settings.params.hardfork = hardfork_of(fork.chain_id(), newest).unwrap();
    let LookedAt { accounts, slots } = DevFork::looked_at(&settings).unwrap();
    let slots = slots.into_iter().map(|(address, slot)| Want::Slot(address, slot));
    fork.fetch_ahead(accounts.into_iter().map(Want::Account).chain(slots))?;
    let world = DevFork::build(&settings, Arc::clone(&fork) as _).unwrap().world;
    let block = StoredBlock { header: header.clone(), ..StoredBlock::genesis(header.into_inner()) };
    Ok(Beginning { store: ChainStore::forked(settings.params.into(), block, world), fork: Some(fork) })
}

/// A node that goes on from another one's newest block, and whose chain can begin anew.
async fn forked(remote: &Dev) -> Dev {
    forked_at(remote, ForkBlock::Latest).await
}

async fn forked_at(remote: &Dev, block: ForkBlock) -> Dev {
    let settings = ForkSettings { block, ..quick(url(remote)) };
    let beginning = tokio::task::spawn_blocking(move || begin(settings)).await.unwrap().unwrap();
    let beginner = Beginner::new(|refork| match refork {
        Some(refork) => {
            let now = refork.now.unwrap_or_else(|| quick(String::new()));
            let block = refork.number.map_or(now.block, ForkBlock::Number);
            begin(ForkSettings { urls: refork.url.map_or(now.urls.clone(), |url| vec![url]), block, ..now })
        }
        None => {
            let genesis = parapet_genesis::DevGenesis::build(&DevSettings::at(1_700_000_000)).unwrap();
            Ok(ChainStore::in_memory(genesis.block).into())
        }
    });
    Dev::on(beginning, Settings::default(), Arc::new(NoMonitor), Some(beginner)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_goes_on_with_the_state_the_time_and_the_number_of_the_other_one() {
    let remote = Dev::start().await;
    let echo = remote.deploy(&ECHO).await.contract_address().unwrap();
    remote.ask("anvil_setStorageAt", json!([echo, "0x1", B256::with_last_byte(5)])).await.unwrap();
    remote.transfer().await;
    let dev = forked(&remote).await;
    assert_eq!(dev.provider.get_block_number().await.unwrap(), 2);
    assert_eq!(dev.provider.get_code_at(echo).await.unwrap(), Bytes::from(ECHO));
    assert_eq!(dev.provider.get_storage_at(echo, U256::from(1)).await.unwrap(), U256::from(5));
    assert_eq!(dev.provider.get_transaction_count(dev.address(0)).await.unwrap(), 2, "nonces go on");
    let mined = dev.transfer().await;
    assert_eq!((mined.block_number, mined.status()), (Some(3), true));
    let [parent, head] = [2, 3].map(|number| json!([format!("{number:#x}"), false]));
    let (parent, head) =
        (dev.ask("eth_getBlockByNumber", parent).await.unwrap(), dev.ask("eth_getBlockByNumber", head).await.unwrap());
    assert_eq!(head["parentHash"], parent["hash"]);
    assert_eq!(parent, remote.ask("eth_getBlockByNumber", json!(["0x2", false])).await.unwrap());
    let seconds =
        |block: &Value| u64::from_str_radix(block["timestamp"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    assert!(seconds(&head) > seconds(&parent) && seconds(&head) < seconds(&parent) + 3_600);
    assert_eq!(remote.provider.get_block_number().await.unwrap(), 2, "the other chain is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_before_the_fork_is_answered_by_the_other_node() {
    let remote = Dev::start().await;
    let echo = remote.deploy(&ECHO).await.contract_address().unwrap();
    let call = alloy_rpc_types_eth::TransactionRequest::default().to(echo).input(vec![7; 32].into());
    let logged = remote.wallet(0).send_transaction(call.clone()).await.unwrap().get_receipt().await.unwrap();
    let dev = forked(&remote).await;
    let local = dev.wallet(0).send_transaction(call).await.unwrap().get_receipt().await.unwrap();
    let (old, hash) = (logged.transaction_hash, logged.block_hash.unwrap());
    for (method, params) in [
        ("eth_getTransactionByHash", json!([old])),
        ("eth_getTransactionReceipt", json!([old])),
        ("eth_getRawTransactionByHash", json!([old])),
        ("eth_getBlockByHash", json!([hash, true])),
        ("eth_getBlockByNumber", json!(["earliest", true])),
        ("eth_getBlockReceipts", json!(["0x2"])),
        ("eth_getBlockReceipts", json!([{ "blockHash": hash }])),
        ("eth_getBlockTransactionCountByNumber", json!(["0x1"])),
        ("eth_getTransactionByBlockNumberAndIndex", json!(["0x1", "0x0"])),
        ("eth_getBalance", json!([dev.address(1), "0x1"])),
        ("eth_getTransactionCount", json!([dev.address(0), "0x1"])),
        ("eth_getCode", json!([echo, "0x0"])),
        ("eth_getStorageAt", json!([echo, "0x0", "0x1"])),
        ("eth_call", json!([{ "to": echo, "data": "0x1234" }, "0x0"])),
        ("eth_getProof", json!([echo, ["0x1"], "0x2"])),
        ("eth_feeHistory", json!(["0x2", "0x2", [50]])),
        ("debug_traceTransaction", json!([old, { "tracer": "callTracer" }])),
        ("eth_getLogs", json!([{ "fromBlock": "0x0", "toBlock": "0x2", "address": echo }])),
    ] {
        let theirs = remote.ask(method, params.clone()).await.unwrap();
        assert_ne!(theirs, Value::Null, "{method} {params}");
        assert_eq!(dev.ask(method, params.clone()).await.unwrap(), theirs, "{method} {params}");
    }
    let across = json!([{ "fromBlock": "earliest", "toBlock": "latest", "address": echo }]);
    let logs = dev.ask("eth_getLogs", across).await.unwrap();
    let blocks: Vec<_> = logs.as_array().unwrap().iter().map(|log| log["transactionHash"].clone()).collect();
    assert_eq!(blocks, [json!(old), json!(local.transaction_hash)]);
    let refused = dev.ask("eth_getProof", json!([echo, [], "latest"])).await.unwrap_err();
    assert!(refused.code == -32_000 && refused.message.contains("fork"), "{refused:?}");
    let nobody = dev.ask("eth_getTransactionByHash", json!([B256::repeat_byte(1)])).await.unwrap();
    assert_eq!(nobody, Value::Null);
    let refused = dev.ask("eth_call", json!([{ "to": echo, "gas": "0x1" }, "0x1"])).await.unwrap_err();
    assert_eq!(refused, remote.ask("eth_call", json!([{ "to": echo, "gas": "0x1" }, "0x1"])).await.unwrap_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_block_is_the_one_that_was_forked_though_the_other_chain_goes_on() {
    let remote = Dev::start().await;
    remote.transfer().await;
    let dev = forked(&remote).await;
    let forked = remote.ask("eth_getBlockByNumber", json!(["0x1", false])).await.unwrap();
    remote.transfer().await;
    for name in ["latest", "0x1"] {
        assert_eq!(dev.ask("eth_getBlockByNumber", json!([name, false])).await.unwrap(), forked, "{name}");
    }
    assert_eq!(dev.ask("eth_getBlockByNumber", json!(["0x2", false])).await.unwrap(), Value::Null);
    let balance = dev.provider.get_balance(dev.address(0)).await.unwrap();
    assert_eq!(balance, U256::from(10_000) * U256::from(10).pow(U256::from(18)), "funded anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn block_hashes_before_the_fork_are_those_of_the_other_chain() {
    let remote = Dev::start().await;
    for _ in 0..20 {
        remote.ask("evm_mine", json!([])).await.unwrap();
    }
    let dev = forked(&remote).await;
    dev.ask("evm_mine", json!([])).await.unwrap();
    // BLOCKHASH(CALLDATALOAD(0)), returned.
    let code = "0x5f35405f5260205ff3";
    let reader = Address::repeat_byte(0x77);
    for number in [20, 19, 3, 0, 21] {
        let call = json!([{ "to": reader, "data": B256::from(U256::from(number)) }, "pending", { (reader.to_string()): { "code": code } }]);
        let chain = if number == 21 { &dev } else { &remote };
        let block = chain.ask("eth_getBlockByNumber", json!([format!("{number:#x}"), false])).await.unwrap();
        assert_eq!(dev.ask("eth_call", call).await.unwrap(), block["hash"], "block {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_resets_and_other_blocks_of_the_other_chain() {
    let remote = Dev::start().await;
    remote.transfer().await;
    remote.transfer().await;
    let dev = forked(&remote).await;
    let info = dev.ask("anvil_nodeInfo", json!([])).await.unwrap();
    let config = json!({ "forkUrl": url(&remote), "forkBlockNumber": 2, "forkRetryBackoff": 7 });
    assert_eq!(info["forkConfig"], config);

    let snapshot = dev.ask("evm_snapshot", json!([])).await.unwrap();
    dev.transfer().await;
    assert_eq!(dev.ask("evm_revert", json!([snapshot])).await.unwrap(), json!(true));
    assert_eq!(dev.provider.get_block_number().await.unwrap(), 2);
    dev.transfer().await;
    dev.ask("anvil_reset", json!([{ "forking": { "blockNumber": 1 } }])).await.unwrap();
    assert_eq!(dev.provider.get_block_number().await.unwrap(), 1);
    assert_eq!(dev.transfer().await.block_number, Some(2));

    let other = Dev::start().await;
    other.ask("anvil_mine", json!([7])).await.unwrap();
    dev.ask("anvil_reset", json!([{ "forking": { "jsonRpcUrl": url(&other), "blockNumber": 6 } }])).await.unwrap();
    assert_eq!(dev.ask("anvil_nodeInfo", json!([])).await.unwrap()["forkConfig"]["forkUrl"], json!(url(&other)));
    assert_eq!(dev.provider.get_block_number().await.unwrap(), 6);
    let refused = dev.ask("anvil_setRpcUrl", json!([url(&remote)])).await.unwrap_err();
    assert_eq!(refused.code, -32_602, "{refused:?}");
    let refused =
        dev.ask("anvil_reset", json!([{ "forking": { "jsonRpcUrl": "http://127.0.0.1:9" } }])).await.unwrap_err();
    assert_eq!(refused.code, -32_002, "{refused:?}");
    assert_eq!(dev.transfer().await.block_number, Some(7), "and the chain goes on as it was");
    dev.ask("anvil_setRpcUrl", json!([url(&other)])).await.unwrap();

    dev.ask("anvil_reset", json!([])).await.unwrap();
    assert_eq!(dev.provider.get_block_number().await.unwrap(), 0);
    assert_eq!(dev.ask("anvil_nodeInfo", json!([])).await.unwrap()["forkConfig"]["forkUrl"], Value::Null);
    assert_eq!(dev.transfer().await.block_number, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_goes_on_after_a_transaction_in_the_middle_of_a_block() {
    let remote = Dev::start().await;
    let target = Address::repeat_byte(0x55);
    // TIMESTAMP PUSH0 SSTORE PREVRANDAO PUSH1 1 SSTORE COINBASE PUSH1 2 SSTORE BASEFEE PUSH1 3 SSTORE.
    let looks = Bytes::from_static(&alloy_primitives::hex!("42 5f 55 44 6001 55 41 6002 55 48 6003 55"));
    remote.ask("anvil_setCode", json!([target, looks])).await.unwrap();
    remote.transfer().await;
    remote.ask("evm_setAutomine", json!([false])).await.unwrap();
    remote.ask("anvil_setCoinbase", json!([Address::repeat_byte(0x66)])).await.unwrap();
    let mut sent = Vec::new();
    for wei in [1, 10, 100] {
        let call =
            alloy_rpc_types_eth::TransactionRequest::default().to(target).value(U256::from(wei)).gas_limit(200_000);
        sent.push(*remote.wallet(2).send_transaction(call).await.unwrap().tx_hash());
    }
    remote.ask("evm_mine", json!([])).await.unwrap();
    remote.ask("anvil_mine", json!([3])).await.unwrap();

    let dev = forked_at(&remote, ForkBlock::Transaction(sent[1])).await;
    let repeated = dev.ask("eth_getBlockByNumber", json!(["latest", false])).await.unwrap();
    let whole = remote.ask("eth_getBlockByNumber", json!(["0x2", false])).await.unwrap();
    assert_eq!(repeated["transactions"], json!(sent[..2]));
    for field in ["number", "parentHash", "timestamp", "mixHash", "miner", "baseFeePerGas", "gasLimit", "excessBlobGas"]
    {
        assert_eq!(repeated[field], whole[field], "{field}");
    }
    assert_eq!(dev.provider.get_balance(target).await.unwrap(), U256::from(11));
    for slot in 0..4 {
        let [here, there] = [&dev, &remote].map(|node| node.provider.get_storage_at(target, U256::from(slot)));
        let (here, there) = (here.await.unwrap(), there.await.unwrap());
        assert!(here == there && !here.is_zero(), "slot {slot}: {here} and {there}");
    }
    let receipt = async |node: &Dev| node.ask("eth_getTransactionReceipt", json!([sent[1]])).await.unwrap();
    let (here, there) = (receipt(&dev).await, receipt(&remote).await);
    for field in ["status", "gasUsed", "cumulativeGasUsed", "effectiveGasPrice", "transactionIndex", "logs"] {
        assert_eq!(here[field], there[field], "{field}");
    }
    assert_eq!(here["blockHash"], repeated["hash"], "it is a transaction of this chain now");
    let trace = json!([sent[1], { "tracer": "callTracer" }]);
    assert_eq!(dev.ask("debug_traceTransaction", trace).await.unwrap()["value"], "0xa");
    // The third is the other chain's alone, and may still be sent here.
    let third = remote.ask("eth_getRawTransactionByHash", json!([sent[2]])).await.unwrap();
    dev.ask("eth_sendRawTransaction", json!([third])).await.unwrap();
    assert_eq!(dev.provider.get_balance(target).await.unwrap(), U256::from(111));
    assert_eq!(dev.provider.get_block_number().await.unwrap(), 3);

    dev.ask("anvil_reset", json!([{ "forking": {} }])).await.unwrap();
    assert_eq!(dev.ask("eth_getBlockByNumber", json!(["latest", false])).await.unwrap(), repeated);
    let unknown = ForkSettings { block: ForkBlock::Transaction(B256::ZERO), ..quick(url(&remote)) };
    let refused = tokio::task::spawn_blocking(move || begin(unknown)).await.unwrap().unwrap_err().to_string();
    assert!(refused.contains("it knows none of this hash"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_the_same_for_any_number_of_threads_and_one_after_the_other() {
    let remote = Dev::start().await;
    let echo = remote.deploy(&ECHO).await.contract_address().unwrap();
    let beginning = {
        let settings = quick(url(&remote));
        tokio::task::spawn_blocking(move || begin(settings)).await.unwrap().unwrap()
    };
    let settings = Settings {
        threads: std::num::NonZeroUsize::new(4).unwrap(),
        check: SequentialCheck::On,
        mining: Mining::Manual,
        ..Settings::default()
    };
    let dev = Dev::on(beginning, settings, Arc::new(NoMonitor), None).await;
    let mut hashes = Vec::new();
    for sender in 0..8 {
        for target in [echo, Address::repeat_byte(u8::try_from(sender).unwrap())] {
            let call =
                alloy_rpc_types_eth::TransactionRequest::default().to(target).value(U256::from(1)).gas_limit(100_000);
            hashes.push(*dev.wallet(sender).send_transaction(call).await.unwrap().tx_hash());
        }
    }
    dev.ask("evm_mine", json!([])).await.unwrap();
    for hash in hashes {
        assert!(dev.provider.get_transaction_receipt(hash).await.unwrap().unwrap().status());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn look_ups_and_searches_begin_with_the_forked_block() {
    let remote = Dev::start().await;
    let echo = remote.deploy(&ECHO).await.contract_address().unwrap();
    let dev = forked(&remote).await;
    let sent = dev.transfer().await;
    let block = dev.ask("eth_getBlockByNumber", json!(["0x1", false])).await.unwrap();
    let seconds = dev.ask("anvil_getGenesisTime", json!([])).await.unwrap();
    assert_eq!(json!(format!("{:#x}", seconds.as_u64().unwrap())), block["timestamp"]);
    let account = dev.ask("eth_getAccountInfo", json!([echo, "latest"])).await.unwrap();
    assert_eq!(account["code"], json!(Bytes::from(ECHO)));
    assert_eq!(dev.ask("ots_hasCode", json!([echo, "latest"])).await.unwrap(), json!(true));

    let by_nonce = |nonce: &'static str| dev.ask("ots_getTransactionBySenderAndNonce", json!([dev.address(0), nonce]));
    assert_eq!(by_nonce("0x1").await.unwrap(), json!(sent.transaction_hash));
    assert_eq!(by_nonce("0x2").await.unwrap(), Value::Null);
    let elsewhere = by_nonce("0x0").await.unwrap_err();
    assert!(elsewhere.code == -32_602 && elsewhere.message.contains("forked"), "{elsewhere:?}");
    let found = dev.ask("ots_searchTransactionsBefore", json!([dev.address(0), 0, 10])).await.unwrap();
    assert_eq!(found["txs"][0]["hash"], json!(sent.transaction_hash));
    assert_eq!((found["txs"].as_array().unwrap().len(), &found["lastPage"]), (1, &json!(true)));
}
