//! The server: HTTP and WebSocket on one port.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use alloy_primitives::B256;
use jsonrpsee::{
    core::{middleware::RpcServiceBuilder, traits::IdProvider},
    server::{BatchRequestConfig, Server, ServerConfig, ServerHandle},
    types::SubscriptionId,
};
use parapet_builder::Chain;
use tower_http::cors::CorsLayer;

use crate::{RpcError, Settings, api, explain::Explain, form::ExplainForm, node::Node, page::Paged, sends::Sends};

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or may not be used.
    #[error("cannot listen on {address}: {source}; choose another port with --port, or stop what listens there")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system reported.
        source: std::io::Error,
    },
    /// The node's own keys or methods are at fault.
    #[error(transparent)]
    Node(#[from] RpcError),
}

/// A server that runs.
#[derive(Clone, Debug)]
pub struct Running {
    address: SocketAddr,
    handle: ServerHandle,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops taking requests and waits until those at hand are answered.
    pub async fn stop(self) {
        // It can only have stopped before.
        if self.handle.stop().is_ok() {
            self.handle.stopped().await;
        }
    }
}

/// Starts the server. `keys` are those with which the node signs for development accounts.
///
/// # Errors
/// [`StartError`] when it cannot listen.
pub async fn serve(chain: Chain, keys: &[B256], settings: Settings) -> Result<Running, StartError> {
    let Settings { address, client_version, limits, screening, metrics } = settings;
    let node = Arc::new(Node::new(chain, keys, client_version, limits.clone(), screening)?);
    let methods =
        api::methods(&node).map_err(|error| RpcError::Internal(format!("a method is defined twice: {error}")))?;
    let names: Arc<[&'static str]> = methods.method_names().collect();
    let response_bytes_max = limits.response_bytes_max as usize;
    let sends = Sends(Arc::clone(&node));
    let explain = RpcServiceBuilder::new().layer_fn(move |service| Explain {
        service,
        response_bytes_max,
        methods: Arc::clone(&names),
        sends: sends.clone(),
    });
    let config = ServerConfig::builder()
        .max_request_body_size(limits.request_bytes_max)
        .max_response_body_size(limits.response_bytes_max)
        .max_connections(limits.connections_max)
        .max_subscriptions_per_connection(limits.subscriptions_per_connection_max)
        .set_batch_request_config(BatchRequestConfig::Limit(limits.batch_calls_max))
        .set_id_provider(Ids::default())
        .build();
    // A development node is called from pages of any origin.
    let http = tower::ServiceBuilder::new()
        .layer(CorsLayer::permissive())
        .layer_fn(move |service| Paged { service, metrics: metrics.clone() })
        .layer_fn(move |service| ExplainForm { service, limits: limits.clone() });
    let listen = |source| StartError::Listen { address, source };
    let server = Server::builder()
        .set_config(config)
        .set_rpc_middleware(explain)
        .set_http_middleware(http)
        .build(address)
        .await
        .map_err(listen)?;
    let address = server.local_addr().map_err(listen)?;
    Ok(Running { address, handle: server.start(methods) })
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
