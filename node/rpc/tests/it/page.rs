//! The page of metrics beside JSON-RPC.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use parapet_rpc::{MetricsPage, Pages, Settings, serve};
use serde_json::Value;

use crate::fixture::{Dev, exchange};

const ASK: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#;

#[tokio::test]
async fn metrics_are_rendered_anew_for_every_get_and_json_rpc_goes_on_beside_them() {
    let dev = Dev::start().await;
    let renders = Arc::new(AtomicU64::new(0));
    let counting = Arc::clone(&renders);
    let page = MetricsPage::new(move || format!("renders_total {}\n", counting.fetch_add(1, Ordering::SeqCst) + 1));
    let settings = Settings { pages: Pages { metrics: Some(page), ready: None }, ..Settings::default() };
    let server = serve(dev.chain.clone(), &[], settings).await.unwrap();
    let address = server.address();
    for expected in ["renders_total 1\n", "renders_total 2\n"] {
        assert_eq!(exchange(address, "GET /metrics HTTP/1.1", "", b"").await, (200, expected.to_owned()));
    }
    let headers = format!("content-type: application/json\r\ncontent-length: {}\r\n", ASK.len());
    for path in ["/", "/metrics"] {
        let (status, body) = exchange(address, &format!("POST {path} HTTP/1.1"), &headers, ASK).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["result"], "0x7a69");
    }
    assert_eq!(renders.load(Ordering::SeqCst), 2, "only GET asks for metrics");
}

#[tokio::test]
async fn without_metrics_there_is_no_page() {
    let dev = Dev::start().await;
    let (status, _) = exchange(dev.server.address(), "GET /metrics HTTP/1.1", "", b"").await;
    assert_eq!(status, 405);
}
