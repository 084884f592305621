//! How clients reach a development node: flags that anvil has.

use std::path::PathBuf;

use parapet_rpc::{Access, Allowed, Limits};

/// Where anvil has its socket unless told otherwise.
const ANVIL_SOCKET: &str = "/tmp/anvil.ipc";
/// Largest request where there is to be no limit: what comes from outside has one all the same.
const REQUEST_BYTES_MAX: u32 = 1_024 * 1_024 * 1_024;

/// How clients reach the node.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Clients")]
pub(crate) struct ServingArgs {
    /// Serve on a Unix socket, too: at /tmp/anvil.ipc, unless told otherwise.
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = ANVIL_SOCKET)]
    pub(crate) ipc: Option<PathBuf>,
    /// Origin whose pages may ask from within browsers, as in `https://example.org`; * for any. It can be given several times.
    #[arg(long, value_name = "ORIGIN", default_value = "*")]
    pub(crate) allow_origin: Vec<String>,
    /// Answer no pages in browsers.
    #[arg(long, conflicts_with = "allow_origin")]
    pub(crate) no_cors: bool,
    /// Take requests of up to 1 GiB instead of 5 MiB.
    #[arg(long)]
    pub(crate) no_request_size_limit: bool,
}

impl ServingArgs {
    /// From where the node may be asked.
    pub(crate) fn access(&self) -> Access {
        let origins = if self.no_cors { Vec::new() } else { self.allow_origin.clone() };
        Access { origins: Allowed::from(origins), ..Access::ANYWHERE }
    }

    pub(crate) fn limits(&self) -> Limits {
        let usual = Limits::default();
        let request_bytes_max = if self.no_request_size_limit { REQUEST_BYTES_MAX } else { usual.request_bytes_max };
        Limits { request_bytes_max, ..usual }
    }
}
