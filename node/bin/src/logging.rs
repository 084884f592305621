//! The log, on standard error: its filter is fixed at the start.

use tracing_subscriber::EnvFilter;

use crate::{args::DevArgs, failure::Failure};

/// What is logged unless told otherwise. The database engine and the HTTP stack are heard only when they complain.
const DEFAULT_FILTER: &str = "info,jsonrpsee=warn,hyper=warn,wasmtime=warn,cranelift=warn";
/// What is logged when nothing is to be printed.
const SILENT_FILTER: &str = "error";

/// Starts the log.
pub(crate) fn start(filter: Option<&str>, args: &DevArgs) -> Result<(), Failure> {
    let filter = filter.filter(|text| !text.is_empty());
    let filter = filter.unwrap_or(if args.silent { SILENT_FILTER } else { DEFAULT_FILTER });
    let parsed =
        EnvFilter::try_new(filter).map_err(|source| Failure::LogFilter { filter: filter.to_owned(), source })?;
    tracing_subscriber::fmt().with_env_filter(parsed).with_writer(std::io::stderr).with_target(false).init();
    Ok(())
}
