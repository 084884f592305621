//! The log, on standard error: its filter and form are fixed at the start.

mod json;

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::{config::LogFormat, failure::Failure};

/// What is logged unless told otherwise. The database engine and the HTTP stack are heard only when they complain.
const DEFAULT_FILTER: &str = "info,jsonrpsee=warn,hyper=warn,wasmtime=warn,cranelift=warn";
/// What is said of requests to other nodes is no more than this, whatever is asked for: beyond, it shows their URLs as a whole,
/// with the keys in them.
const SECRETIVE: &str = "ureq=info";
/// What is logged when nothing is to be printed.
pub(crate) const SILENT_FILTER: &str = "error";

/// Starts the log.
pub(crate) fn start(filter: Option<&str>, format: LogFormat) -> Result<(), Failure> {
    let filter = filter.filter(|filter| !filter.is_empty()).unwrap_or(DEFAULT_FILTER);
    let parsed =
        EnvFilter::try_new(filter).map_err(|source| Failure::LogFilter { filter: filter.to_owned(), source })?;
    let parsed = parsed.add_directive(SECRETIVE.parse().expect("it is a directive"));
    let log = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.with_target(false).with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log.event_format(json::Json).init(),
    }
    Ok(())
}
