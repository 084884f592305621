//! The Engine API's flags.

use std::{
    fs,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use parapet_rpc::{EngineSettings, Running};

use crate::{failure::Failure, version::COMMIT};

/// How a consensus client reaches the node.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Options for a consensus client")]
pub(crate) struct EngineArgs {
    /// Port of the Engine API, beside the other one; 0 takes a free one. Without it there is none.
    #[arg(long, value_name = "PORT", requires = "jwt_secret")]
    pub(crate) engine_port: Option<u16>,
    /// File with the secret that the consensus client shares: 32 bytes in hexadecimal.
    #[arg(long, value_name = "FILE", requires = "engine_port")]
    pub(crate) jwt_secret: Option<PathBuf>,
}

impl EngineArgs {
    /// Serves the Engine API over a server's node, if it was asked for.
    pub(crate) async fn serve(&self, host: IpAddr, server: &Running) -> Result<Option<Running>, Failure> {
        match self.settings(host)? {
            Some(settings) => Ok(Some(server.serve_engine(settings).await?)),
            None => Ok(None),
        }
    }

    fn settings(&self, host: IpAddr) -> Result<Option<EngineSettings>, Failure> {
        let (Some(port), Some(path)) = (self.engine_port, &self.jwt_secret) else { return Ok(None) };
        let text = fs::read_to_string(path).map_err(|source| Failure::File { path: path.clone(), source })?;
        let secret = text.parse().map_err(|source| Failure::Secret { path: path.clone(), source })?;
        // What is no commit has no name in hexadecimal.
        let digits = COMMIT.get(..8).and_then(|digits| digits.parse().ok());
        let commit = digits.unwrap_or_default();
        Ok(Some(EngineSettings { address: SocketAddr::new(host, port), secret, commit }))
    }
}
