//! `parapet node`: a durable node by its settings, without anything that makes a chain a development chain.
//!
//! It builds blocks itself, at intervals or per transaction, or none (`builder.mining = "none"`): then it answers for the
//! chain that its folder has.

mod args;

use std::{io::Write as _, sync::Arc, time::Duration};

use parapet_builder::{Chain, SystemClock};
use parapet_rpc::{Namespaces, Pages, ReadyPage, Running, serve};
use parapet_state::ChainStore;
use serde_json::json;

pub(crate) use args::NodeArgs;

use crate::{
    config::{self, Config},
    dev::{monitor_of, read_genesis},
    failure::Failure,
    health::Watch,
    logging, metrics,
    service::{Service, Signals, raise_open_files},
    version,
};

/// How long threads that still read are waited for, once everything else has stopped.
const READS_MAX: Duration = Duration::from_secs(1);

/// Runs the node.
pub(crate) fn run(args: &NodeArgs) -> Result<(), Failure> {
    let config = config::read(args.config.as_deref(), &args.overrides())?;
    logging::start(config.log.filter.as_deref(), config.log.format)?;
    raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(run_node(args, &config));
    runtime.shutdown_timeout(READS_MAX);
    ended
}

async fn run_node(args: &NodeArgs, config: &Config) -> Result<(), Failure> {
    // Signals are heard from the start: one that comes early stops the node as soon as it is up.
    let signals = Signals::hear()?;
    let datadir = config.chain.datadir.as_deref().ok_or(Failure::NoDatadir)?;
    let store = match &config.chain.genesis {
        Some(file) => ChainStore::open(datadir, read_genesis(file)?, config.store())?,
        None => ChainStore::open_existing(datadir, config.store())?,
    };
    // Before the chain, which tells of itself as it is made.
    let collected = metrics::collect()?;
    let guards = config.local_guards().expect("settings were checked");
    let monitor = monitor_of(Some(datadir), &guards, &config.guards.local_accounts)?;
    let chain = Chain::new(store, config.chain(), monitor, Arc::new(SystemClock))?;
    let watch = Watch::new(chain.clone(), config.head_age_max());
    let looking = Arc::clone(&watch);
    let pages =
        Pages { metrics: Some(collected.page(&watch)), ready: Some(ReadyPage::new(move || looking.readiness())) };
    let namespaces = Namespaces::of(&config.rpc.namespaces).map_err(config::ConfigError::from)?;
    let server = serve(chain.clone(), &[], config.server(namespaces, pages)).await?;
    let engine = args.engine.serve(server.address().ip(), &server).await?;
    announce(args, &chain, &server, engine.as_ref())?;
    Service { chain, server, engine, watch, stop_max: config.stop.deadline }.run(signals).await
}

fn announce(args: &NodeArgs, chain: &Chain, server: &Running, engine: Option<&Running>) -> Result<(), Failure> {
    let (chain_id, head, address) = (chain.params().chain_id, chain.head().block.number(), server.address());
    tracing::info!(version = version::VERSION, commit = version::COMMIT, chain_id, head, %address, "the node serves");
    if args.json {
        let ready = json!({
            "version": version::VERSION, "commit": version::COMMIT, "chainId": chain_id, "head": head,
            "http": format!("http://{address}"), "ws": format!("ws://{address}"),
            "metrics": format!("http://{address}/metrics"), "ready": format!("http://{address}/ready"),
            "engine": engine.map(|engine| format!("http://{}", engine.address())),
        });
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{ready}").and_then(|()| stdout.flush())?;
    }
    Ok(())
}
