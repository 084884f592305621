//! Why a server does not start.

use std::{net::SocketAddr, path::PathBuf};

use crate::RpcError;

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
    /// There can be no such socket, or somebody listens on it.
    #[error("cannot listen on {}: {source}; choose another path with --ipc", path.display())]
    Socket {
        /// Where it was to be.
        path: PathBuf,
        /// What the system reported.
        source: std::io::Error,
    },
    /// The node's own keys or methods are at fault.
    #[error(transparent)]
    Node(#[from] RpcError),
}
