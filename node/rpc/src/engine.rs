//! The Engine API: a consensus client hands in blocks, chooses the head and has blocks built on it, on a port of its own, with a
//! shared secret.
//!
//! What it hands in is checked and executed as any block that was built elsewhere, and is part of the chain once it is
//! chosen. What is built for it is none of the chain until it is handed in again.

mod building;
mod contents;
mod forkchoice;
mod jwt;
mod methods;

use std::{net::SocketAddr, sync::Arc};

use alloy_primitives::FixedBytes;
use jsonrpsee::RpcModule;
use parapet_types::Hardfork;

use self::building::Builds;
pub(crate) use self::building::requested;
use crate::{
    Access, Limits, RpcError, Settings, StartError, api,
    node::Node,
    server::{Running, listen},
};

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
    /// First bytes of the commit that the program was built from; zeros where it is not known.
    pub commit: FixedBytes<4>,
}

/// The node, as a consensus client sees it.
struct Engine {
    node: Arc<Node>,
    builds: Builds,
    commit: FixedBytes<4>,
}

/// The forks whose blocks a version of a method is for: from the first to, and without, the second.
type Forks = (Hardfork, Hardfork);

/// Starts the server. Beside `engine_` it answers what a consensus client asks of `eth_`.
pub(crate) async fn serve(node: &Arc<Node>, settings: EngineSettings) -> Result<Running, StartError> {
    let EngineSettings { address, secret, commit } = settings;
    let twice = |error| RpcError::Internal(format!("a method is defined twice: {error}"));
    let mut methods = RpcModule::new(());
    methods.merge(api::for_consensus(node).map_err(twice)?).map_err(twice)?;
    let engine = Engine { node: Arc::clone(node), builds: Builds::default(), commit };
    methods.merge(methods::methods(engine).map_err(twice)?).map_err(twice)?;
    let limits =
        Limits { request_bytes_max: REQUEST_BYTES_MAX, connections_max: CONNECTIONS_MAX, ..node.limits.clone() };
    // Who has the secret may come by any name.
    let settings = Settings { address, limits, access: Access::ANYWHERE, ..Settings::default() };
    listen(methods.into(), Arc::clone(node), settings, Some(secret)).await
}
