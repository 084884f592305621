//! `parapet dev`: puts the steps of the path together and runs them until it is told to stop.

use std::{io::Write as _, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use alloy_primitives::Address;
use parapet_builder::{Chain, Clock as _, Settings as ChainSettings, SystemClock};
use parapet_cli::Prepared;
use parapet_executor::Workers;
use parapet_genesis::{DevGenesis, genesis_of_file};
use parapet_judge::{Judge, LocalGuard, LocalJudge};
use parapet_monitor::Monitor;
use parapet_rpc::{Pages, ReadyPage, Running, Settings as ServerSettings, serve};
use parapet_state::{ChainStore, GenesisBlock};

use crate::{
    args::{DevArgs, LocalGuardArg},
    banner::Ready,
    db::{Bar, append_blocks},
    failure::Failure,
    health::Watch,
    metrics,
    service::{Service, Signals, raise_open_files},
};

/// Longest time that requests at hand may take once the node is told to stop.
const STOP_MAX: Duration = Duration::from_secs(5);
/// Folder of compiled guards, below a chain's own.
const COMPILED_GUARDS: &str = "compiled-guards";
/// File of what waits in the pool, in a chain's folder.
pub(crate) const POOL_JOURNAL: &str = "pool.journal";

/// Runs the node.
pub(crate) fn run(args: &DevArgs) -> Result<(), Failure> {
    raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(run_node(args));
    // A request that does not end must not keep the program.
    runtime.shutdown_timeout(STOP_MAX);
    ended
}

async fn run_node(args: &DevArgs) -> Result<(), Failure> {
    // Signals are heard from the start: one that comes early stops the node as soon as it is up.
    let signals = Signals::hear()?;
    let settings = args.chain.genesis(SystemClock.now());
    let mut genesis = DevGenesis::build(&settings)?;
    if let Some(file) = &args.genesis {
        genesis.block = read_genesis(file)?;
        // Keys that open nothing in this chain are not shown or held.
        genesis
            .accounts
            .retain(|account| genesis.block.world.account(&account.address).is_ok_and(|found| found.is_some()));
    }
    let monitor = monitor_of(args.datadir.as_deref(), &args.monitors, &args.monitor_accounts)?;
    let store = open(args, genesis.block, &*monitor)?;
    let mining = args.mining();
    // Before the chain, which tells of itself as it is made.
    let collected = metrics::collect()?;
    let chain_settings = ChainSettings {
        mining,
        threads: args.threads,
        check: args.check(),
        block_deadline: args.block_deadline.map(Duration::from_millis),
        journal: args.datadir.as_ref().map(|dir| dir.join(POOL_JOURNAL)),
        ..ChainSettings::default()
    };
    let chain = Chain::new(store, chain_settings, monitor, Arc::new(SystemClock))?;
    // Blocks of a development chain come when they come, and its time is what it is told.
    let watch = Watch::new(chain.clone(), None);
    let looking = Arc::clone(&watch);
    let keys: Vec<_> = genesis.accounts.iter().map(|account| account.key).collect();
    let server_settings = ServerSettings {
        address: SocketAddr::new(args.host, args.port),
        screening: args.screening(),
        pages: Pages {
            metrics: Some(collected.page(&watch)),
            ready: Some(ReadyPage::new(move || looking.readiness())),
        },
        ..ServerSettings::default()
    };
    let server = serve(chain.clone(), &keys, server_settings).await?;
    let engine = args.engine.serve(args.host, &server).await?;
    let ready = Ready {
        accounts: &genesis.accounts,
        balance: settings.balance,
        guardian: genesis.guardian,
        params: chain.params(),
        mining,
        threads: args.threads,
        check: args.check(),
        datadir: args.datadir.as_deref(),
        address: server.address(),
        engine: engine.as_ref().map(Running::address),
    };
    announce(args, &ready);
    Service { chain, server, engine, watch, stop_max: STOP_MAX }.run(signals).await
}

/// The chain, with the blocks of a file appended that it does not have yet.
fn open(args: &DevArgs, genesis: GenesisBlock, monitor: &dyn Monitor) -> Result<ChainStore, Failure> {
    let mut store = match &args.datadir {
        Some(dir) => ChainStore::open(dir, genesis, args.store())?,
        None => ChainStore::in_memory(genesis),
    };
    if let Some(file) = &args.import {
        let blocks = std::fs::read(file).map_err(|source| Failure::File { path: file.to_owned(), source })?;
        let bar = Bar::new(args.json || args.silent);
        append_blocks(&mut store, &blocks, monitor, &Workers::new(args.threads), &bar)?;
    }
    Ok(store)
}

/// The genesis of a file.
pub(crate) fn read_genesis(file: &Path) -> Result<GenesisBlock, Failure> {
    let json = std::fs::read(file).map_err(|source| Failure::File { path: file.to_owned(), source })?;
    genesis_of_file(&json).map_err(|source| Failure::GenesisFile { path: file.to_owned(), source })
}

/// What judges transactions: the guards that are attached on the chain.
/// Where the chain is kept, so are its guards in compiled form.
pub(crate) fn monitor(datadir: Option<&Path>) -> Result<Arc<dyn Monitor>, Failure> {
    Ok(Arc::new(Judge::new(engine(datadir)?)))
}

fn engine(datadir: Option<&Path>) -> Result<parapet_vm::Engine, Failure> {
    let compiled = datadir.map(|dir| dir.join(COMPILED_GUARDS));
    Ok(parapet_vm::Engine::new(parapet_vm::EngineSettings { compiled, ..Default::default() })?)
}

/// The guards of the chain, and this node's own beside them.
pub(crate) fn monitor_of(
    datadir: Option<&Path>,
    local: &[LocalGuardArg],
    accounts: &[Address],
) -> Result<Arc<dyn Monitor>, Failure> {
    if local.is_empty() {
        return monitor(datadir);
    }
    let guards = local.iter().map(|guard| {
        let Prepared { module, configuration } = parapet_cli::prepare(&guard.module, &guard.parameters)?;
        Ok(LocalGuard { module: module.into(), accounts: accounts.to_vec(), configuration: configuration.into() })
    });
    let guards = guards.collect::<Result<_, Failure>>()?;
    Ok(Arc::new(LocalJudge::new(Judge::new(engine(datadir)?), &engine(None)?, guards)?))
}

fn announce(args: &DevArgs, ready: &Ready<'_>) {
    let text = match (args.silent, args.json) {
        (true, _) => return,
        (false, true) => format!("{}\n", ready.json()),
        (false, false) => ready.text(),
    };
    let mut stdout = std::io::stdout().lock();
    // A node without a standard output is a node all the same.
    let _: Result<(), _> = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
