//! When to look: heads over WebSocket, and a clock where there is no WebSocket.
//!
//! Invariant: what arrives here only says *look now*. What was said is then asked for by block, so a connection that breaks,
//! or was never made, costs time and loses nothing.

use std::time::Duration;

use jsonrpsee::{
    client_transport::ws::WsTransportClientBuilder,
    core::client::{Client, Subscription, SubscriptionClientT as _},
    rpc_params,
};
use serde_json::Value;

/// How often one looks without being told.
const POLL: Duration = Duration::from_millis(500);
/// How often one looks although one would be told: a connection can be dead without saying so.
const POLL_CONNECTED: Duration = Duration::from_secs(5);
/// How long one waits until a connection is tried again, the first time and at most.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// How long making a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(3);

/// Says when to look.
pub(crate) struct Heads {
    url: Option<String>,
    connection: Option<(Client, Subscription<Value>)>,
    retry: Duration,
    next_try: tokio::time::Instant,
}

impl Heads {
    /// Of the node with this address.
    pub(crate) fn of(http: &str) -> Self {
        // Without TLS there is no other scheme; where it is needed, the clock has to do.
        let url = http.strip_prefix("http://").map(|rest| format!("ws://{rest}"));
        Self { url, connection: None, retry: RETRY_MIN, next_try: tokio::time::Instant::now() }
    }

    /// Returns when there may be something new.
    pub(crate) async fn wait(&mut self) {
        self.connect().await;
        let Some((_, heads)) = &mut self.connection else { return tokio::time::sleep(POLL).await };
        match tokio::time::timeout(POLL_CONNECTED, heads.next()).await {
            Ok(Some(Ok(_))) | Err(_) => {}
            Ok(Some(Err(_)) | None) => {
                self.connection = None;
                self.put_off();
            }
        }
    }

    async fn connect(&mut self) {
        let Some(url) = self.url.clone().filter(|_| self.connection.is_none()) else { return };
        if tokio::time::Instant::now() < self.next_try {
            return;
        }
        match tokio::time::timeout(CONNECT_MAX, subscribe(&url)).await {
            Ok(Some(connection)) => {
                self.connection = Some(connection);
                self.retry = RETRY_MIN;
            }
            Ok(None) | Err(_) => self.put_off(),
        }
    }

    fn put_off(&mut self) {
        self.next_try = tokio::time::Instant::now() + self.retry;
        self.retry = (self.retry * 2).min(RETRY_MAX);
    }
}

async fn subscribe(url: &str) -> Option<(Client, Subscription<Value>)> {
    let (sender, receiver) = WsTransportClientBuilder::default().build(url.parse().ok()?).await.ok()?;
    let client = Client::builder().build_with_tokio(sender, receiver);
    let heads = client.subscribe("eth_subscribe", rpc_params!["newHeads"], "eth_unsubscribe").await.ok()?;
    Some((client, heads))
}
