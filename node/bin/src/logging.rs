//! The log, on standard error: its filter is fixed at the start.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::{args::DevArgs, failure::Failure};

/// What is logged unless told otherwise. The database engine and the HTTP stack are heard only when they complain.
const DEFAULT_FILTER: &str = "info,jsonrpsee=warn,hyper=warn,wasmtime=warn,cranelift=warn";
/// What is logged when nothing is to be printed.
const SILENT_FILTER: &str = "error";

/// Starts the log.
pub(crate) fn start(args: &DevArgs) -> Result<(), Failure> {
    let filter = match (args.silent, args.log.as_deref()) {
        (true, _) => SILENT_FILTER,
        (false, None | Some("")) => DEFAULT_FILTER,
        (false, Some(filter)) => filter,
    };
    let parsed =
        EnvFilter::try_new(filter).map_err(|source| Failure::LogFilter { filter: filter.to_owned(), source })?;
    let colours = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(std::io::stderr);
    log.with_target(false).with_ansi(colours).init();
    Ok(())
}
