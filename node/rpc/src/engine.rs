//! The Engine API: a consensus client hands in blocks and chooses the head, on a port of its own, with a shared secret.
//!
//! What it hands in is checked and executed as any block that was built elsewhere, and is part of the chain once it is
//! chosen. Blocks are not built for it: whoever asks for that is told so.

mod jwt;
mod methods;

use std::{net::SocketAddr, sync::Arc};

use jsonrpsee::RpcModule;

use self::methods::{Engine, EngineApiServer as _};
use crate::{
    Access, Limits, RpcError, Settings, StartError, api,
    node::Node,
    server::{Running, listen},
};

pub(crate) use jwt::Authorized;
pub use jwt::{JwtSecret, SecretError};

/// Largest request body: a block with its transactions in hexadecimal, and room around it.
const REQUEST_BYTES_MAX: u32 = 64 * 1024 * 1024;
/// Most connections: there is one consensus client.
const CONNECTIONS_MAX: u32 = 16;

/// Settings of the Engine API's server.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// What requests are signed with.
    pub secret: JwtSecret,
}

/// Starts the server. Beside `engine_` it answers what a consensus client asks of `eth_`.
pub(crate) async fn serve(node: &Arc<Node>, settings: EngineSettings) -> Result<Running, StartError> {
    let EngineSettings { address, secret } = settings;
    let twice = |error| RpcError::Internal(format!("a method is defined twice: {error}"));
    let mut methods = RpcModule::new(());
    methods.merge(api::for_consensus(node).map_err(twice)?).map_err(twice)?;
    methods.merge(Engine(Arc::clone(node)).into_rpc()).map_err(twice)?;
    let limits =
        Limits { request_bytes_max: REQUEST_BYTES_MAX, connections_max: CONNECTIONS_MAX, ..node.limits.clone() };
    // Who has the secret may come by any name.
    let settings = Settings { address, limits, access: Access::ANYWHERE, ..Settings::default() };
    listen(methods.into(), Arc::clone(node), settings, Some(secret)).await
}
