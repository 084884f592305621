//! The server: HTTP and WebSocket on one port.
//!
//! Connections are accepted here rather than by the library, for three things that it has no place for: time limits on a
//! request's head and body, a bound on connections that have not asked anything yet, and bytes that are read only as fast as
//! they are taken. HTTP/2 without TLS is not spoken: no client of Ethereum needs it.

use std::{
    collections::BTreeSet,
    fmt, io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy_primitives::B256;
use hyper::{HeaderMap, body::Incoming, header, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use jsonrpsee::{
    Methods,
    core::traits::IdProvider,
    server::{
        BatchRequestConfig, HttpRequest, PingConfig, Server, ServerConfig, ServerHandle, StopHandle, stop_channel,
    },
    types::SubscriptionId,
};
use metrics::counter;
use parapet_builder::Chain;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};

use crate::{
    EngineSettings, JwtSecret, Limits, RpcError, Settings, StartError, api,
    body::Timed,
    connection::{Bytes, Connection, Connections},
    dispatch::Dispatch,
    engine,
    front::{Front, Sockets},
    ipc::{self, Bounds, Socket},
    measure,
    node::Node,
};

/// How often WebSockets are pinged.
const PING_EVERY: Duration = Duration::from_secs(30);
/// How long nothing is accepted after the system has refused to, which it does where there are too many open files.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// What is said to a connection too many.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A server that runs.
#[derive(Clone)]
pub struct Running {
    address: SocketAddr,
    handle: ServerHandle,
    methods: Arc<BTreeSet<&'static str>>,
    node: Arc<Node>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Running {
    /// Starts the Engine API's server over the same node.
    ///
    /// # Errors
    /// [`StartError`] when it cannot listen.
    pub async fn serve_engine(&self, settings: EngineSettings) -> Result<Self, StartError> {
        engine::serve(&self.node, settings).await
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Names of the methods that it answers.
    #[must_use]
    pub fn methods(&self) -> &BTreeSet<&'static str> {
        &self.methods
    }

    /// Stops taking requests and waits until those at hand are answered.
    pub async fn stop(self) {
        // It can only have stopped before.
        if self.handle.stop().is_ok() {
            self.handle.stopped().await;
        }
    }
}

/// Tells the recorder of metrics that is installed what each metric of the server means.
pub fn describe_metrics() {
    measure::describe();
}

/// Starts the server. `keys` are those with which the node signs for development accounts.
///
/// # Errors
/// [`StartError`] when it cannot listen.
pub async fn serve(chain: Chain, keys: &[B256], settings: Settings) -> Result<Running, StartError> {
    let node = Arc::new(Node::new(chain, keys, &settings)?);
    let mut methods =
        api::methods(&node).map_err(|error| RpcError::Internal(format!("a method is defined twice: {error}")))?;
    settings.namespaces.keep(&mut methods);
    listen(methods.into(), node, settings, None).await
}

/// Serves methods; with a secret, to those only who have it.
pub(crate) async fn listen(
    methods: Methods,
    node: Arc<Node>,
    settings: Settings,
    secret: Option<JwtSecret>,
) -> Result<Running, StartError> {
    let Settings { address, ipc, limits, pages, access, .. } = settings;
    let socket = ipc.as_deref().map(Socket::bind).transpose()?;
    let refused = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let (stop, handle) = stop_channel();
    let builder = Server::builder().set_config(config(&limits)).to_service_builder();
    let names: Arc<BTreeSet<&'static str>> = Arc::new(methods.method_names().collect());
    let front = Front {
        dispatch: Arc::new(Dispatch::new(&methods, Arc::clone(&node), limits.response_bytes_max as usize)),
        secret,
        cors: access.cors(),
        access,
        pages,
        limits: limits.clone(),
        sockets: Sockets { methods, builder: builder.max_connections(limits.connections_max), stop: stop.clone() },
    };
    let door = Arc::new(Door { front: Arc::new(front), limits, connections: Arc::default(), stop });
    if let Some(socket) = socket {
        tokio::spawn(Arc::clone(&door).keep_socket(socket));
    }
    tokio::spawn(door.keep(listener));
    Ok(Running { address, handle, methods: names, node })
}

fn config(limits: &Limits) -> ServerConfig {
    let ping = PingConfig::new().ping_interval(PING_EVERY).inactive_limit(limits.socket_idle_max).max_failures(1);
    ServerConfig::builder()
        .max_request_body_size(limits.request_bytes_max)
        .max_response_body_size(limits.response_bytes_max)
        .max_connections(limits.connections_max)
        .max_subscriptions_per_connection(limits.subscriptions_per_connection_max)
        .set_message_buffer_capacity(limits.socket_messages_max.max(1))
        .set_batch_request_config(BatchRequestConfig::Limit(limits.batch_calls_max))
        .enable_ws_ping(ping)
        .set_id_provider(Ids::default())
        .build()
}

/// Lets connections in.
struct Door {
    front: Arc<Front>,
    limits: Limits,
    connections: Arc<Connections>,
    stop: StopHandle,
}

impl Door {
    /// Accepts until the server is stopped.
    async fn keep(self: Arc<Self>, listener: TcpListener) {
        while let Some(stream) = self.accepted(|| listener.accept()).await {
            self.let_in(stream);
        }
    }

    /// The same on a Unix socket.
    async fn keep_socket(self: Arc<Self>, socket: Socket) {
        while let Some(stream) = self.accepted(|| socket.listener.accept()).await {
            let Some(connection) = self.connections.open(&self.limits) else {
                counter!(measure::REFUSED_CONNECTIONS).increment(1);
                continue;
            };
            let (server, client) = ipc::pipe();
            self.serve(server, &connection);
            let (request_bytes_max, stall_time_max) =
                (self.limits.request_bytes_max as usize, self.limits.stall_time_max);
            // Whoever stops the server waits until this is dropped: until what is at hand was answered here, too.
            let stop = self.stop.clone();
            tokio::spawn(async move {
                ipc::carry(stream, client, Bounds { request_bytes_max, stall_time_max }).await;
                drop(stop);
            });
        }
    }

    /// The next connection; `None` once the server is stopped.
    async fn accepted<S, A, F>(&self, accept: impl Fn() -> F) -> Option<S>
    where
        F: Future<Output = io::Result<(S, A)>>,
    {
        let stopped = self.stop.clone().shutdown();
        tokio::pin!(stopped);
        loop {
            let accepted = tokio::select! {
                accepted = accept() => accepted,
                () = &mut stopped => return None,
            };
            match accepted {
                Ok((stream, _)) => return Some(stream),
                Err(error) => {
                    tracing::warn!("no connection is accepted for a moment: {error}");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }

    fn let_in(&self, stream: TcpStream) {
        let Some(connection) = self.connections.open(&self.limits) else {
            counter!(measure::REFUSED_CONNECTIONS).increment(1);
            // Nobody waits for who was refused: what the system does not take at once is not said.
            let _: io::Result<usize> = stream.try_write(FULL);
            return;
        };
        // Where it cannot be set, answers take a little longer.
        let _: io::Result<()> = stream.set_nodelay(true);
        self.serve(stream, &connection);
    }

    /// Answers what comes on a connection.
    fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, connection: &Arc<Connection>) {
        let bytes = Bytes::new(stream, Arc::clone(connection), self.limits.stall_time_max);
        let (front, body_time_max, connection) =
            (Arc::clone(&self.front), self.limits.body_time_max, Arc::clone(connection));
        let answer = service_fn(move |mut request: HttpRequest<Incoming>| {
            hide_secrets(request.headers_mut());
            Arc::clone(&front).answer(request.map(|body| Timed::new(body, body_time_max)), Arc::clone(&connection))
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_time_max)
            .pipeline_flush(true)
            .serve_connection(TokioIo::new(bytes), answer)
            .with_upgrades();
        let stopped = self.stop.clone().shutdown();
        tokio::spawn(async move {
            tokio::pin!(served, stopped);
            let ended = tokio::select! {
                ended = &mut served => ended,
                () = &mut stopped => {
                    served.as_mut().graceful_shutdown();
                    served.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!("a connection ended: {error}");
            }
        });
    }
}

/// Marks what opens doors elsewhere, so that no log shows it, at any level.
fn hide_secrets(headers: &mut HeaderMap) {
    for name in [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE] {
        if let header::Entry::Occupied(mut found) = headers.entry(name) {
            found.iter_mut().for_each(|value| value.set_sensitive(true));
        }
    }
}

/// Names of subscriptions: hexadecimal, as Ethereum's clients expect them.
#[derive(Debug, Default)]
struct Ids(AtomicU64);

impl IdProvider for Ids {
    fn next_id(&self) -> SubscriptionId<'static> {
        let id = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        SubscriptionId::Str(format!("{id:#x}").into())
    }
}
