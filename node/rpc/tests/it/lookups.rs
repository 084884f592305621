//! Look-ups besides those of the specification.

use alloy_consensus::Header;
use alloy_primitives::{Address, U256, keccak256};
use parapet_builder::Settings;
use parapet_genesis::{DevGenesis, DevSettings};
use parapet_monitor::NoMonitor;
use parapet_state::{ChainStore, StoredBlock};
use serde_json::{Value, json};

use crate::fixture::{Dev, ECHO};

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_told_whole() {
    let dev = Dev::start().await;
    let contract = dev.deploy(&ECHO).await.contract_address.unwrap();
    let account = dev.ask("eth_getAccount", json!([contract, "latest"])).await.unwrap();
    assert_eq!((&account["nonce"], &account["balance"]), (&json!("0x1"), &json!("0x0")));
    assert_eq!(account["codeHash"], json!(keccak256(ECHO)));
    assert_eq!(account["storageRoot"], json!(alloy_consensus::EMPTY_ROOT_HASH));
    let info = dev.ask("eth_getAccountInfo", json!([contract, "latest"])).await.unwrap();
    assert_eq!(info["code"], json!(alloy_primitives::Bytes::from(ECHO)));
    let nobody = dev.ask("eth_getAccountInfo", json!([Address::repeat_byte(9), "latest"])).await.unwrap();
    assert_eq!(nobody, json!({"balance": "0x0", "nonce": "0x0", "code": "0x"}));
    let code = dev.ask("debug_codeByHash", json!([keccak256(ECHO)])).await.unwrap();
    assert_eq!(code, info["code"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_told_as_bytes_by_their_place() {
    let dev = Dev::start().await;
    let receipt = dev.transfer().await;
    let raw = dev.ask("eth_getRawTransactionByHash", json!([receipt.transaction_hash])).await.unwrap();
    let by = async |method, block: Value| dev.ask(method, json!([block, "0x0"])).await.unwrap();
    assert_eq!(by("eth_getRawTransactionByBlockHashAndIndex", json!(receipt.block_hash)).await, raw);
    assert_eq!(by("eth_getRawTransactionByBlockNumberAndIndex", json!("0x1")).await, raw);
    assert_eq!(by("eth_getRawTransactionByBlockNumberAndIndex", json!("0x0")).await, Value::Null);
    assert_eq!(by("eth_getUncleByBlockNumberAndIndex", json!("0x1")).await, Value::Null);
    let sent = dev.ask("eth_getTransactionBySenderAndNonce", json!([dev.address(0), "0x0"])).await.unwrap();
    assert_eq!(sent["hash"], json!(receipt.transaction_hash));
    let unsent = dev.ask("eth_getTransactionBySenderAndNonce", json!([dev.address(0), "0x1"])).await.unwrap();
    assert_eq!(unsent, Value::Null);
    let header = dev.ask("erigon_getHeaderByNumber", json!(["0x1"])).await.unwrap();
    assert_eq!(header["hash"], json!(receipt.block_hash));
    // As Otterscan sends it.
    assert_eq!(dev.ask("erigon_getHeaderByNumber", json!([1])).await.unwrap(), header);
    let details = dev.ask("ots_getBlockDetails", json!(["0x1"])).await.unwrap();
    assert_eq!(details["block"]["hash"], json!(receipt.block_hash));
    assert_eq!(dev.ask("ots_getBlockDetails", json!([1])).await.unwrap(), details);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_before_amsterdam_has_no_access_list_and_one_that_is_not_there_is_null() {
    let dev = Dev::start().await;
    for method in ["eth_getBlockAccessList", "debug_getRawBlockAccessList"] {
        assert_eq!(dev.ask(method, json!(["latest"])).await.unwrap_err().code, -32_001, "{method}");
    }
    assert_eq!(dev.ask("eth_getBlockAccessList", json!(["0x9"])).await.unwrap(), Value::Null);
    assert_eq!(dev.ask("debug_getRawBlockAccessList", json!(["0x9"])).await.unwrap_err().code, -32_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_filled_and_neither_signed_nor_sent() {
    let dev = Dev::start().await;
    let request = json!([{"from": dev.address(0), "to": dev.address(1), "value": U256::from(5)}]);
    let filled = dev.ask("eth_fillTransaction", request).await.unwrap();
    let told = ["nonce", "gas", "value", "from", "r", "s"].map(|field| filled["tx"][field].clone());
    let from = json!(dev.address(0).to_string().to_lowercase());
    assert_eq!(told, [json!("0x0"), json!("0x5208"), json!("0x5"), from, json!("0x0"), json!("0x0")]);
    assert!(dev.ask("eth_sendRawTransaction", json!([filled["raw"]])).await.is_err());
    assert_eq!(dev.ask("txpool_status", json!([])).await.unwrap()["pending"], "0x0");
}

#[tokio::test(flavor = "multi_thread")]
async fn uncles_of_a_block_are_told_by_their_place() {
    let mut store = ChainStore::in_memory(DevGenesis::build(&DevSettings::at(1_700_000_000)).unwrap().block);
    let (parent, world) = (store.head(), store.head_world());
    let uncle = Header { number: 1, parent_hash: parent.hash(), extra_data: "uncle".into(), ..Header::default() };
    let header = Header { number: 1, parent_hash: parent.hash(), ..parent.header.clone().into_inner() };
    let block = StoredBlock { ommers: vec![uncle.clone()], ..StoredBlock::genesis(header) };
    let hash = block.hash();
    store.commit(block, world).unwrap();
    let dev = Dev::on(store.into(), Settings::default(), std::sync::Arc::new(NoMonitor), None).await;
    assert_eq!(dev.ask("eth_getUncleCountByBlockNumber", json!(["0x1"])).await.unwrap(), "0x1");
    for (method, of) in
        [("eth_getUncleByBlockNumberAndIndex", json!("0x1")), ("eth_getUncleByBlockHashAndIndex", json!(hash))]
    {
        let told = dev.ask(method, json!([of, "0x0"])).await.unwrap();
        assert_eq!((&told["hash"], &told["number"]), (&json!(uncle.hash_slow()), &json!("0x1")), "{method}");
        assert_eq!((&told["uncles"], told.get("transactions")), (&json!([]), None));
        assert_eq!(dev.ask(method, json!([of, "0x1"])).await.unwrap(), Value::Null);
    }
}
