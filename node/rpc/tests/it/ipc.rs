//! The node on a Unix socket.

use std::{path::Path, sync::Arc};

use parapet_builder::{Settings as ChainSettings, SystemClock};
use parapet_genesis::DevSettings;
use parapet_monitor::NoMonitor;
use parapet_rpc::{Limits, Settings, StartError, serve};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::UnixStream,
};

use crate::fixture::{Dev, GENESIS_TIME};

const REQUEST_BYTES_MAX: u32 = 4_096;

async fn at(path: &Path, limits: Limits) -> Dev {
    let begun = DevSettings::at(GENESIS_TIME);
    let chain = Dev::chain(&begun, ChainSettings::default(), Arc::new(NoMonitor), Arc::new(SystemClock));
    let settings = Settings { ipc: Some(path.to_owned()), limits, ..Settings::default() };
    Dev::served(chain, settings).await
}

/// A client that reads line by line.
struct Client(BufReader<UnixStream>);

impl Client {
    async fn new(path: &Path) -> Self {
        Self(BufReader::new(UnixStream::connect(path).await.unwrap()))
    }

    async fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).await.unwrap();
    }

    async fn line(&mut self) -> Value {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()).await;
        self.line().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_batches_and_subscriptions_are_answered_as_on_a_web_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.ipc");
    let dev = at(&path, Limits::default()).await;
    let mut client = Client::new(&path).await;
    assert_eq!(client.ask("eth_chainId", json!([])).await["result"], "0x7a69");
    // Two values in one piece, then one in two pieces; a line end is nobody's duty.
    let call = |id: u64| json!({ "jsonrpc": "2.0", "id": id, "method": "eth_blockNumber" }).to_string();
    client.send(&format!("{}{}\n", call(2), call(3))).await;
    let mut ids = [client.line().await["id"].clone(), client.line().await["id"].clone()];
    ids.sort_by_key(Value::to_string);
    assert_eq!(ids, [json!(2), json!(3)]);
    let (first, second) = (call(4), call(5));
    client.send(&format!("[{first},{}", &second[..10])).await;
    client.send(&format!("{}]", &second[10..])).await;
    assert_eq!(client.line().await.as_array().unwrap().len(), 2);

    let subscription = client.ask("eth_subscribe", json!(["newHeads"])).await["result"].clone();
    dev.transfer().await;
    let told = client.line().await;
    assert_eq!((&told["params"]["subscription"], &told["params"]["result"]["number"]), (&subscription, &json!("0x1")));
    assert_eq!(client.ask("eth_unsubscribe", json!([subscription])).await["result"], true);
    client.send("nonsense\n").await;
    assert_eq!(client.line().await["error"]["code"], -32_700);
    assert_eq!(client.ask("no_method", json!([])).await["error"]["code"], -32_601);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_at_hand_when_the_server_stops_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.ipc");
    let dev = at(&path, Limits::default()).await;
    let mut client = Client::new(&path).await;
    client.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": "anvil_mine", "params": ["0x3e8"] }).to_string()).await;
    while dev.chain.head().block.number() == 0 {
        tokio::task::yield_now().await;
    }
    dev.server.clone().stop().await;
    assert_eq!(client.line().await["result"], Value::Null);
    assert_eq!(dev.chain.head().block.number(), 1_000);
    assert_eq!(client.0.read_u8().await.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_end_is_told_and_its_connection_closed_and_others_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.ipc");
    let limits = Limits { request_bytes_max: REQUEST_BYTES_MAX, ..Limits::default() };
    let _dev = at(&path, limits).await;
    let mut endless = Client::new(&path).await;
    let piece = "[".repeat(REQUEST_BYTES_MAX as usize);
    endless.send(&piece).await;
    endless.send("[").await;
    assert_eq!(endless.line().await["error"]["code"], -32_007);
    assert_eq!(endless.0.read_u8().await.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    assert_eq!(Client::new(&path).await.ask("eth_chainId", json!([])).await["result"], "0x7a69");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_was_left_behind_is_replaced_and_one_in_use_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.ipc");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let dev = at(&path, Limits::default()).await;
    let settings = Settings { ipc: Some(path.clone()), ..Settings::default() };
    let second = serve(dev.chain.clone(), &[], settings).await.unwrap_err();
    assert!(matches!(second, StartError::Socket { .. }), "{second}");
    let file = folder.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    let third = serve(dev.chain.clone(), &[], Settings { ipc: Some(file.clone()), ..Settings::default() }).await;
    assert!(third.is_err() && std::fs::read(&file).unwrap() == b"precious");
    dev.server.clone().stop().await;
    while path.exists() {
        tokio::task::yield_now().await;
    }
}
