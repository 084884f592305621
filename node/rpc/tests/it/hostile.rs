//! Clients that mean no good. Each gets a standard answer or none, what it can take is bounded, and the node goes on: it
//! serves others and builds blocks.

use std::{sync::Arc, time::Duration};

use alloy_primitives::{Bytes, hex};
use parapet_builder::Settings as ChainSettings;
use parapet_monitor::NoMonitor;
use parapet_rpc::{Access, Allowed, Limits, Settings, serve};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::fixture::{Dev, ECHO, exchange};

/// So long that a test that waits for it in vain is killed first.
const NEVER: Duration = Duration::from_secs(3_600);
/// Runs until its gas is used up: JUMPDEST PUSH0 JUMP.
const ENDLESS: [u8; 3] = hex!("5b 5f 56");

async fn dev(limits: Limits) -> Dev {
    Dev::with(ChainSettings::default(), limits, Arc::new(NoMonitor)).await
}

async fn connect(dev: &Dev) -> TcpStream {
    TcpStream::connect(dev.server.address()).await.unwrap()
}

/// Reads until the server closes the connection.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut all = Vec::new();
    // It may be closed with what was sent unread.
    let _: std::io::Result<usize> = stream.read_to_end(&mut all).await;
    String::from_utf8_lossy(&all).into_owned()
}

/// Writes a byte now and then until the server closes the connection. Gives what that has said.
async fn drip(stream: TcpStream, byte: &'static [u8; 1]) -> String {
    let (mut reader, mut writer) = stream.into_split();
    let dripping = tokio::spawn(async move {
        while writer.write_all(byte).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let said = rest(&mut reader).await;
    dripping.await.unwrap();
    said
}

/// Others are served, and blocks are built. Nothing of it is a read.
async fn goes_on(dev: &Dev) {
    let before = dev.chain.head().block.number();
    let sent = json!([{"from": dev.address(0), "to": dev.address(1), "value": "0x1", "gas": "0x5208"}]);
    dev.ask("eth_sendTransaction", sent).await.unwrap();
    assert_eq!(dev.chain.head().block.number(), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_or_sends_a_head_byte_by_byte_is_cut_off() {
    let dev = dev(Limits { head_time_max: Duration::from_millis(300), ..Limits::default() }).await;
    let mut silent = connect(&dev).await;
    let mut slow = connect(&dev).await;
    slow.write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\nx-slow: ").await.unwrap();
    let dripping = tokio::spawn(drip(slow, b"a"));
    assert_eq!(rest(&mut silent).await, "");
    assert!(!dripping.await.unwrap().contains(" 200 "));
    goes_on(&dev).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_a_body_byte_by_byte_is_cut_off() {
    let dev = dev(Limits { body_time_max: Duration::from_millis(300), ..Limits::default() }).await;
    let mut slow = connect(&dev).await;
    let head = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n";
    slow.write_all(head.as_bytes()).await.unwrap();
    assert!(!drip(slow, b" ").await.contains(" 200 "));
    goes_on(&dev).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_are_refused_and_those_that_leave_make_room() {
    let dev = dev(Limits { connections_max: 2, head_time_max: NEVER, ..Limits::default() }).await;
    let (first, second) = (connect(&dev).await, connect(&dev).await);
    let mut third = connect(&dev).await;
    let said = rest(&mut third).await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 503"), "{said}");
    drop((first, second));
    // They are gone once the server has seen it.
    loop {
        let mut again = connect(&dev).await;
        let head = "GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        if again.write_all(head.as_bytes()).await.is_ok() && rest(&mut again).await.contains(" 200 ") {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_is_too_deep_is_no_request() {
    let dev = Dev::start().await;
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let call = |params: String| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"eth_call","params":{params}}}"#);
    let tracing = format!(r#"[{{}},"latest",{{"tracer":"callTracer","tracerConfig":{}}}]"#, deep(100_000));
    for (body, codes) in [
        (deep(1_000_000), &[-32_700, -32_600][..]),
        (call(deep(1_000_000)), &[-32_602, -32_600, -32_700]),
        (call(format!("[{}]", deep(1_000))), &[-32_602]),
        (call(tracing).replace("eth_call", "debug_traceCall"), &[-32_602, -32_600, -32_700]),
        (call(format!("[{}", r#"{"a":"#.repeat(100_000))), &[-32_700, -32_600]),
    ] {
        let (_, answer) = dev.post(body.as_bytes()).await;
        let parsed: Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{answer:.200}: {error}"));
        // A million empty arrays within each other are one call too few.
        let code = parsed["error"]["code"].as_i64().or_else(|| parsed[0]["error"]["code"].as_i64());
        assert!(code.is_some_and(|code| codes.contains(&code)), "{body:.100}: {answer:.200}");
    }
    goes_on(&dev).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_a_batch_has_a_limit_for_all_of_its_calls() {
    let dev = dev(Limits { response_bytes_max: 20_000, ..Limits::default() }).await;
    let call =
        |id: u32| json!({"jsonrpc": "2.0", "id": id, "method": "eth_getBlockByNumber", "params": ["latest", true]});
    let batch = json!((0..1_000).map(call).collect::<Vec<_>>()).to_string();
    let (_, answer) = dev.post(batch.as_bytes()).await;
    let parsed: Value = serde_json::from_str(&answer).unwrap();
    assert!(answer.len() <= 20_000 && parsed["error"]["code"].is_i64(), "{answer:.200}");
    goes_on(&dev).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_over_a_million_blocks_are_refused_at_once_or_end_with_their_time() {
    let dev = dev(Limits { log_blocks_max: 50, ..Limits::default() }).await;
    let ask = async |from: &str, to: &str| dev.ask("eth_getLogs", json!([{"fromBlock": from, "toBlock": to}])).await;
    dev.ask("anvil_mine", json!(["0x3c"])).await.unwrap();
    assert_eq!(ask("0x0", "0xf4240").await.unwrap_err().code, -32_602, "there are no such blocks");
    assert_eq!(ask("0x0", "0x3c").await.unwrap_err().code, -32_005);
    assert_eq!(ask("0xffffffffffffffff", "0x0").await.unwrap_err().code, -32_602);
    assert_eq!(ask("0x0", "0x31").await.unwrap(), json!([]));
    goes_on(&dev).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_that_take_too_long_are_answered_with_the_code_for_it_and_blocks_are_built() {
    let dev = dev(Limits { read_time_max: Duration::ZERO, ..Limits::default() }).await;
    let call = json!({"to": dev.address(1), "data": "0x"});
    for (method, params) in [
        ("eth_getLogs", json!([{"fromBlock": "0x0"}])),
        ("eth_call", json!([call])),
        ("eth_estimateGas", json!([call])),
        ("eth_sendTransaction", json!([call])),
        ("debug_traceCall", json!([call, "latest", {}])),
        ("trace_block", json!(["0x0"])),
    ] {
        let refused = dev.ask(method, params).await.unwrap_err();
        assert_eq!(refused.code, -32_002, "{method}: {}", refused.message);
    }
    dev.ask("anvil_mine", json!([])).await.unwrap();
    assert_eq!(dev.ask("eth_blockNumber", json!([])).await.unwrap(), "0x1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_uses_all_its_gas_is_traced_within_the_limit() {
    let dev = dev(Limits { trace_steps_max: 5_000, ..Limits::default() }).await;
    let contract = dev.deploy(&ENDLESS).await.contract_address.unwrap();
    let sent = json!([{"from": dev.address(0), "to": contract, "gas": "0x2dc6c0"}]);
    let hash = dev.ask("eth_sendTransaction", sent).await.unwrap();
    assert_eq!(dev.ask("eth_getTransactionReceipt", json!([hash])).await.unwrap()["gasUsed"], "0x2dc6c0");
    let refused = dev.ask("debug_traceTransaction", json!([hash])).await.unwrap_err();
    assert_eq!(refused.code, -32_005, "{}", refused.message);
    let calls = dev.ask("debug_traceTransaction", json!([hash, {"tracer": "callTracer"}])).await.unwrap();
    assert_eq!(calls["gasUsed"], "0x2dc6c0");
    goes_on(&dev).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_endless_calls_keep_nobody_from_building_blocks() {
    let dev = Arc::new(
        dev(Limits { heavy_reads_max: 2, reads_waiting_max: 4, read_time_max: NEVER, ..Limits::default() }).await,
    );
    let contract = dev.deploy(&ENDLESS).await.contract_address.unwrap();
    let calls: Vec<_> = (0..12)
        .map(|_| {
            let dev = Arc::clone(&dev);
            tokio::spawn(async move { dev.ask("eth_call", json!([{"to": contract, "gas": "0xffffffffffff"}])).await })
        })
        .collect();
    for _ in 0..3 {
        goes_on(&dev).await;
    }
    for call in calls {
        // Out of gas, or one too many.
        let code = call.await.unwrap().unwrap_err().code;
        assert!([-32_000, -32_005].contains(&code), "{code}");
    }
}

/// A WebSocket as bytes.
async fn open_socket(dev: &Dev) -> TcpStream {
    let mut socket = connect(dev).await;
    let upgrade = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(upgrade.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    while !said.ends_with(b"\r\n\r\n") {
        said.push(socket.read_u8().await.unwrap());
    }
    assert!(said.starts_with(b"HTTP/1.1 101"));
    socket
}

/// A frame of a WebSocket's client: text, masked with zeroes.
fn frame(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    let mut frame = vec![0x81, 0xfe];
    frame.extend(length.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_that_asks_and_never_reads_is_not_read_and_then_closed() {
    let limits = Limits {
        connection_unread_bytes_max: 64 * 1024,
        stall_time_max: Duration::from_millis(500),
        ..Limits::default()
    };
    let dev = dev(limits).await;
    // Some requests for this block fill what the system takes for a client.
    dev.deploy(&[0; 20_000]).await;
    let mut socket = open_socket(&dev).await;
    let padding = " ".repeat(2_000);
    let ask =
        frame(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x1",true]{padding}}}"#));
    let mut asked = 0_u64;
    while socket.write_all(&ask).await.is_ok() {
        asked += 1;
        assert!(asked < 50_000, "what is never read is taken without end");
    }
    goes_on(&dev).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_strangers_and_names_that_were_rebound_are_refused() {
    let dev = Dev::start().await;
    let allowed = |text: &str| Allowed::from(vec![text.to_owned()]);
    let access = Access { hosts: allowed("localhost"), origins: allowed("https://wallet.example") };
    let server = serve(dev.chain.clone(), &[], Settings { access, ..Settings::default() }).await.unwrap();
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}).to_string();
    let headers = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    let (status, _) = exchange(server.address(), "POST / HTTP/1.1", &headers, body.as_bytes()).await;
    assert_eq!(status, 200);
    let mut rebound = TcpStream::connect(server.address()).await.unwrap();
    let request = format!("POST / HTTP/1.1\r\nhost: evil.example\r\n{headers}connection: close\r\n\r\n{body}");
    rebound.write_all(request.as_bytes()).await.unwrap();
    let said = rest(&mut rebound).await;
    assert!(said.starts_with("HTTP/1.1 403") && said.contains("evil.example"), "{said}");
    for (origin, expected) in [("https://wallet.example", true), ("https://evil.example", false)] {
        let mut browser = TcpStream::connect(server.address()).await.unwrap();
        let asks = format!(
            "OPTIONS / HTTP/1.1\r\nhost: localhost\r\norigin: {origin}\r\naccess-control-request-method: POST\r\n\
             access-control-request-headers: content-type\r\nconnection: close\r\n\r\n"
        );
        browser.write_all(asks.as_bytes()).await.unwrap();
        let said = rest(&mut browser).await.to_lowercase();
        assert_eq!(said.contains(&format!("access-control-allow-origin: {origin}")), expected, "{said}");
    }
}

/// The next text from a server; pings are passed over.
async fn message(socket: &mut TcpStream) -> String {
    loop {
        let [kind, length] = socket.read_u16().await.unwrap().to_be_bytes();
        let length = match length {
            126 => socket.read_u16().await.unwrap().into(),
            127 => socket.read_u64().await.unwrap(),
            short => short.into(),
        };
        let mut data = vec![0; usize::try_from(length).unwrap()];
        socket.read_exact(&mut data).await.unwrap();
        if kind == 0x81 {
            return String::from_utf8(data).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn giant_batches_and_deep_json_are_refused_on_a_websocket_as_well_which_goes_on() {
    let dev = dev(Limits { batch_calls_max: 10, ..Limits::default() }).await;
    let mut socket = open_socket(&dev).await;
    let chain_id = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#;
    let junk = format!("[{}]", ["1"; 11].join(","));
    let many = format!("[{}]", [chain_id; 11].join(","));
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let in_call = chain_id.replace("[]", &deep).replace("chainId", "call");
    for (body, codes) in [
        (&junk, &[-32_010][..]),
        (&many, &[-32_010]),
        (&deep, &[-32_700, -32_600]),
        (&in_call, &[-32_602, -32_600, -32_700]),
    ] {
        socket.write_all(&frame(body)).await.unwrap();
        let answer: Value = serde_json::from_str(&message(&mut socket).await).unwrap();
        // One array within another is a batch of what is no call.
        let code = answer["error"]["code"].as_i64().or_else(|| answer[0]["error"]["code"].as_i64());
        assert!(code.is_some_and(|code| codes.contains(&code)), "{body:.100}: {answer}");
    }
    socket.write_all(&frame(chain_id)).await.unwrap();
    assert!(message(&mut socket).await.contains("0x7a69"));
    goes_on(&dev).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_there_is_not_is_refused_however_long_its_name() {
    let dev = Dev::start().await;
    let call = |method: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":[]}}"#);
    for (method, hint) in
        [("x".repeat(4_000_000), None), ("parity_CHAINID".to_owned(), Some("did you mean eth_chainId?"))]
    {
        let (_, answer) = dev.post(call(&method).as_bytes()).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["error"]["code"], -32_601);
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(hint.is_none_or(|hint| message.contains(hint)), "{message:.200}");
    }
}

/// Logs that are announced to somebody who does not read.
const LOGS: usize = 120;

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_does_not_read_is_announced_so_many_bytes_and_told_why_no_more() {
    let limits = Limits {
        connection_unread_bytes_max: 64 * 1024,
        announcement_time_max: Duration::from_millis(100),
        stall_time_max: NEVER,
        ..Limits::default()
    };
    let dev = dev(limits).await;
    let echo = dev.deploy(&ECHO).await.contract_address.unwrap();
    let mut socket = open_socket(&dev).await;
    let padding = " ".repeat(200);
    let subscribe = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["logs"]{padding}}}"#);
    socket.write_all(&frame(&subscribe)).await.unwrap();
    assert!(message(&mut socket).await.contains("result"));
    // More than the system takes for a client; each log has 200,000 bytes as text.
    let data = Bytes::from(vec![1; 100_000]);
    let request = json!([{"from": dev.address(0), "to": echo, "data": data, "gas": "0x4c4b40"}]);
    for _ in 0..LOGS {
        dev.ask("eth_sendTransaction", request.clone()).await.unwrap();
    }
    // By now nobody waits for it any more; if that comes later, this test sees less.
    goes_on(&dev).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut announced = 0;
    let last = loop {
        let text = message(&mut socket).await;
        if text.contains("error") {
            break text;
        }
        announced += 1;
    };
    assert!(last.contains("subscribe again"), "{last}");
    assert!(announced < LOGS, "everything was kept for who did not read");
}
