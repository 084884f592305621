//! Settings of the server. Everything that comes from outside has its limit here.

use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use parapet_builder::Beginning;
use parapet_fork::ForkSettings;
use parapet_monitor::Fuel;
use serde::{Deserialize, Serialize};

use crate::{Access, Namespaces, Others, Pages, RpcError};

/// Limits on what clients may send and ask for. Each is a setting of `parapet node`, by its name here; times are written
/// as `30s` or `500ms`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest request body or WebSocket message, in bytes.
    pub request_bytes_max: u32,
    /// Largest response, in bytes.
    pub response_bytes_max: u32,
    /// Most calls in one batch.
    pub batch_calls_max: u32,
    /// Most connections at a time; others are refused.
    pub connections_max: u32,
    /// Calls of one connection that may be under way before it is not read until there are fewer.
    pub connection_calls_max: u32,
    /// Bytes of answers that a connection's client may leave untaken before the connection is not read until it takes them.
    pub connection_unread_bytes_max: u64,
    /// Bytes of answers that all clients together may leave untaken before calls are refused.
    pub unread_bytes_max: u64,
    /// Most messages of one WebSocket that wait to be sent.
    pub socket_messages_max: u32,
    /// Longest time in which a request's head must have come, and longest time for which a connection may lie idle.
    #[serde(with = "humantime_serde")]
    pub head_time_max: Duration,
    /// Longest time in which a request's body must have come.
    #[serde(with = "humantime_serde")]
    pub body_time_max: Duration,
    /// Longest time in which a client takes nothing of what waits for it; then its connection is closed.
    #[serde(with = "humantime_serde")]
    pub stall_time_max: Duration,
    /// Longest time for which an announcement of a subscription waits until its client has taken enough of what is before it; then
    /// the subscription ends with an error.
    #[serde(with = "humantime_serde")]
    pub announcement_time_max: Duration,
    /// Longest time in which nothing comes from a WebSocket's client, answers to pings included.
    #[serde(with = "humantime_serde")]
    pub socket_idle_max: Duration,
    /// Most subscriptions of one connection.
    pub subscriptions_per_connection_max: u32,
    /// Most attachments that one subscription may name.
    pub subscribed_attachments_max: usize,
    /// Most blocks one query for logs or verdicts may span.
    pub log_blocks_max: u64,
    /// Most logs one query may return.
    pub logs_max: usize,
    /// Most verdicts one query may return.
    pub verdicts_max: usize,
    /// Most filters at a time.
    pub filters_max: usize,
    /// Most addresses and topics of one filter of logs.
    pub filter_values_max: usize,
    /// A filter that is not polled for this long is dropped.
    #[serde(with = "humantime_serde")]
    pub filter_idle_max: Duration,
    /// Most blocks of one fee history.
    pub fee_history_blocks_max: u64,
    /// Most percentiles of one fee history.
    pub fee_percentiles_max: usize,
    /// Most slots of one proof.
    pub proof_slots_max: usize,
    /// Most gas one simulation may use, however much is asked for; the block's gas limit where that is higher.
    pub call_gas_max: u64,
    /// Most fuel that a guard's answer to a reader may take, besides its attachment's own limit.
    pub query_fuel_max: Fuel,
    /// Most steps of one debug trace.
    pub trace_steps_max: u64,
    /// Most blocks that one query traces.
    pub trace_blocks_max: u64,
    /// Most calls that one query for traces returns.
    pub traces_max: usize,
    /// Most guards that one request may try out.
    pub candidates_max: usize,
    /// Most backtests under way.
    pub backtests_max: usize,
    /// A backtest that is not asked for its next page for this long is dropped.
    #[serde(with = "humantime_serde")]
    pub backtest_idle_max: Duration,
    /// A page of a backtest ends with the block that is executed when this time is up.
    #[serde(with = "humantime_serde")]
    pub backtest_page_max: Duration,
    /// Most requests at a time that try guards out; others wait.
    pub tryouts_max: usize,
    /// Most transactions that are screened at a time; others wait.
    pub screened_max: usize,
    /// Most reads that execute transactions or walk the chain at a time, each on a thread; others wait.
    pub heavy_reads_max: usize,
    /// Most reads that wait for a thread; others are refused.
    pub reads_waiting_max: usize,
    /// Longest time until such a read is answered, its wait included.
    #[serde(with = "humantime_serde")]
    pub read_time_max: Duration,
}

/// Hexadecimal text takes two characters for a byte.
const CHARACTERS_PER_BYTE: usize = 2;

impl Limits {
    /// Most bytes that an answer can tell.
    pub(crate) const fn answer_bytes_max(&self) -> usize {
        self.response_bytes_max as usize / CHARACTERS_PER_BYTE
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes_max: 5 * 1024 * 1024,
            response_bytes_max: 150 * 1024 * 1024,
            batch_calls_max: 1_000,
            connections_max: 2_000,
            connection_calls_max: 256,
            connection_unread_bytes_max: 4 * 1024 * 1024,
            unread_bytes_max: 1024 * 1024 * 1024,
            socket_messages_max: 1_024,
            head_time_max: Duration::from_secs(30),
            body_time_max: Duration::from_secs(60),
            stall_time_max: Duration::from_secs(30),
            announcement_time_max: Duration::from_secs(15),
            socket_idle_max: Duration::from_secs(300),
            subscriptions_per_connection_max: 256,
            subscribed_attachments_max: 1_024,
            log_blocks_max: 100_000,
            logs_max: 20_000,
            verdicts_max: 20_000,
            filters_max: 1_000,
            filter_values_max: 1_000,
            filter_idle_max: Duration::from_secs(300),
            fee_history_blocks_max: 1_024,
            fee_percentiles_max: 100,
            proof_slots_max: 1_024,
            call_gas_max: 50_000_000,
            query_fuel_max: Fuel(100_000_000),
            trace_steps_max: 1_000_000,
            trace_blocks_max: 1_000,
            traces_max: 10_000,
            candidates_max: 4,
            backtests_max: 8,
            backtest_idle_max: Duration::from_secs(60),
            backtest_page_max: Duration::from_millis(500),
            tryouts_max: 2,
            screened_max: 4,
            heavy_reads_max: 16,
            reads_waiting_max: 10_000,
            read_time_max: Duration::from_secs(30),
        }
    }
}

/// Whether guards are asked about a transaction before it is admitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screening {
    /// They judge it in its block alone, and its sender pays for what they veto.
    #[default]
    Off,
    /// One that they would veto on the newest state is refused, and costs nothing.
    On,
}

/// Settings of the server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Unix socket to serve besides.
    pub ipc: Option<PathBuf>,
    /// What `web3_clientVersion` answers.
    pub client_version: String,
    /// Limits on clients.
    pub limits: Limits,
    /// Whether transactions are screened.
    pub screening: Screening,
    /// Who is impersonated from the start.
    pub others: Others,
    /// Slots in an epoch: `safe` is the block so many before the head, `finalized` the one twice as many before it. With 0
    /// blocks are final as soon as they are mined.
    pub epoch_slots: u64,
    /// Pages beside JSON-RPC.
    pub pages: Pages,
    /// From where the node may be asked.
    pub access: Access,
    /// Which methods are served.
    pub namespaces: Namespaces,
    /// How `anvil_reset` begins the chain anew; without it, it cannot.
    pub beginner: Option<Beginner>,
}

impl Default for Settings {
    /// A development node on a free port of this machine.
    fn default() -> Self {
        Self {
            address: ([127, 0, 0, 1], 0).into(),
            ipc: None,
            client_version: concat!("parapet/", env!("CARGO_PKG_VERSION"), "/rust").to_owned(),
            limits: Limits::default(),
            screening: Screening::Off,
            others: Others::Sign,
            epoch_slots: 0,
            pages: Pages::default(),
            access: Access::ANYWHERE,
            namespaces: Namespaces::DEVELOPMENT,
            beginner: None,
        }
    }
}

/// What a client says of the chain from which this one is to go on.
#[derive(Clone, Debug, Default)]
pub struct Refork {
    /// Its endpoint, if it is not the same.
    pub url: Option<String>,
    /// Number of the block, if it is not the same.
    pub number: Option<u64>,
    /// How the chain is forked now, if it is.
    pub now: Option<ForkSettings>,
}

type Begin = dyn Fn(Option<Refork>) -> Result<Beginning, RpcError> + Send + Sync;

/// Begins a chain anew: on a block of another one, or on nothing.
#[derive(Clone)]
pub struct Beginner(Arc<Begin>);

impl Beginner {
    /// One that works by a function.
    #[must_use]
    pub fn new(begin: impl Fn(Option<Refork>) -> Result<Beginning, RpcError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(begin))
    }

    pub(crate) fn begin(&self, refork: Option<Refork>) -> Result<Beginning, RpcError> {
        (self.0)(refork)
    }
}

impl fmt::Debug for Beginner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beginner").finish_non_exhaustive()
    }
}
