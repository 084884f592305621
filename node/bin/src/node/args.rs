//! The command line of `parapet node`: what is said here goes before the file.

use std::{net::IpAddr, path::PathBuf};

use crate::{
    config::{LogFormat, Override},
    engine::EngineArgs,
};

/// Printed below the options.
const HELP: &str = "\
Examples:
  parapet config init parapet.toml                      the commented default, to look over
  parapet node --config parapet.toml                    a node by it
  parapet node --datadir chain --genesis genesis.json   one with the defaults, beginning a chain
  parapet node --config parapet.toml --set store.prune=100000 --set rpc.limits.logs_max=5000

Told to stop (SIGTERM, SIGINT) the node finishes the block at hand and closes the folder; told again it ends at once.
Exit code 0 is success, 1 a failure, 2 settings that cannot be.";

/// Run a durable node by its settings.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct NodeArgs {
    /// File of settings, as `parapet config init` writes it; the defaults hold where it says nothing.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder that keeps the chain (chain.datadir).
    #[arg(long, value_name = "FOLDER")]
    datadir: Option<PathBuf>,
    /// What the chain begins with: a genesis in geth's form (chain.genesis).
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    /// Address to listen on (rpc.host).
    #[arg(long, value_name = "ADDRESS")]
    host: Option<IpAddr>,
    /// Port for HTTP and WebSocket; 0 takes a free one (rpc.port).
    #[arg(long, short)]
    port: Option<u16>,
    /// Threads that execute each block (builder.threads).
    #[arg(long, value_name = "NUMBER")]
    threads: Option<u32>,
    /// What to log to standard error: error, warn, info, debug, trace, or directives such as `info,parapet_vm=debug` (log.filter).
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// How a log line is written (log.format).
    #[arg(long, value_enum, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// Any other setting.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = Override::parse)]
    settings: Vec<Override>,
    /// How a consensus client reaches the node.
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Print what the node is as one JSON object, once it serves.
    #[arg(long)]
    pub(crate) json: bool,
}

impl NodeArgs {
    /// What the command line says, in its order: options with a name of their own last.
    pub(crate) fn overrides(&self) -> Vec<Override> {
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        let format = |format: LogFormat| match format {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        };
        let named = [
            self.datadir.as_ref().map(|folder| Override::new("chain.datadir", path(folder))),
            self.genesis.as_ref().map(|file| Override::new("chain.genesis", path(file))),
            self.host.map(|host| Override::new("rpc.host", host.to_string())),
            self.port.map(|port| Override::new("rpc.port", i64::from(port))),
            self.threads.map(|threads| Override::new("builder.threads", i64::from(threads))),
            self.log.as_ref().map(|filter| Override::new("log.filter", filter.clone())),
            self.log_format.map(|chosen| Override::new("log.format", format(chosen))),
        ];
        self.settings.iter().cloned().chain(named.into_iter().flatten()).collect()
    }
}
