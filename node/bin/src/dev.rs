//! `parapet dev`: puts the steps of the path together and runs them until it is told to stop.

use std::{io::Write as _, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use alloy_primitives::Address;
use parapet_builder::{Beginning, Chain, Clock as _, Settings as ChainSettings, SystemClock};
use parapet_cli::Prepared;
use parapet_executor::Workers;
use parapet_genesis::{DevAccount, DevGenesis, DevSettings, StateFile, genesis_of_file};
use parapet_judge::{Judge, LocalGuard, LocalJudge};
use parapet_monitor::Monitor;
use parapet_rpc::{Beginner, Others, Pages, ReadyPage, Running, Settings as ServerSettings, serve};
use parapet_state::{ChainStore, GenesisBlock};
use parapet_types::ChainParams;

use crate::{
    args::{DevArgs, LocalGuardArg},
    banner::Ready,
    db::{Bar, append_blocks},
    dump::Dumper,
    failure::Failure,
    forking::{self, Forked},
    health::Watch,
    metrics,
    service::{Service, Signals, raise_open_files},
};

/// Longest time that requests at hand may take once the node is told to stop.
const STOP_MAX: Duration = Duration::from_secs(5);
/// Most bytes of blobs whose transactions are mined: some 80 transactions with six blobs each.
const MINED_BLOB_BYTES_MAX: usize = 64 * 1_024 * 1_024;
/// Folder of compiled guards, below a chain's own.
const COMPILED_GUARDS: &str = "compiled-guards";
/// File of what waits in the pool, in a chain's folder.
pub(crate) const POOL_JOURNAL: &str = "pool.journal";

/// What `web3_clientVersion` answers. Its beginning is what tools look at that work on development chains only, Hardhat's
/// helpers among them.
const CLIENT_VERSION: &str = concat!("anvil/v1.7.1 (parapet/", env!("CARGO_PKG_VERSION"), ")");

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
    let settings = settings(args)?;
    for flag in args.likeness.idle.missed() {
        tracing::warn!("{flag} has no effect here; docs/ANVIL.md says why");
    }
    let Begun { beginning, accounts, guardian } = begin(args, &settings).await?;
    let fork = beginning.fork.clone();
    // Before the chain, which tells of itself as it is made.
    let collected = metrics::collect()?;
    let chain = chain(args, beginning)?;
    // Blocks of a development chain come when they come, and its time is what it is told.
    let watch = Watch::new(chain.clone(), None);
    let looking = Arc::clone(&watch);
    let keys: Vec<_> = accounts.iter().map(|account| account.key).collect();
    let pages =
        Pages { metrics: Some(collected.page(&watch)), ready: Some(ReadyPage::new(move || looking.readiness())) };
    let server = serve(chain.clone(), &keys, server_settings(args, pages, beginner(args, settings.clone()))).await?;
    let engine = args.engine.serve(args.host, &server).await?;
    let ready = Ready {
        accounts: &accounts,
        balance: settings.balance,
        wallet: &settings.wallet,
        base_fee: settings.base_fee,
        timestamp: settings.timestamp,
        guardian,
        fork: fork.as_deref(),
        params: chain.params(),
        mining: args.mining(),
        threads: args.threads,
        check: args.check(),
        datadir: args.datadir.as_deref(),
        address: server.address(),
        ipc: args.serving.ipc.as_deref(),
        engine: engine.as_ref().map(Running::address),
    };
    announce(args, &ready);
    if let Some(file) = &args.state.config_out {
        write(file, ready.anvil_json().as_bytes())?;
    }
    let service = Service { chain: chain.clone(), server, engine, watch, stop_max: STOP_MAX };
    run_and_dump(args, chain, service, signals).await
}

/// Runs until the node stops, and writes the state into a file at intervals and at the end, if there is to be one.
async fn run_and_dump(args: &DevArgs, chain: Chain, service: Service, signals: Signals) -> Result<(), Failure> {
    let Some(target) = args.state.target() else { return service.run(signals).await };
    let dumper = Dumper::new(chain, target);
    let dumping = tokio::spawn(Arc::clone(&dumper).dump_at_intervals(args.state.dump_interval()));
    let ended = service.run(signals).await;
    dumping.abort();
    ended.and(dumper.dump())
}

/// What a chain begins with.
struct Begun {
    beginning: Beginning,
    accounts: Vec<DevAccount>,
    guardian: Address,
}

async fn begin(args: &DevArgs, settings: &DevSettings) -> Result<Begun, Failure> {
    if let Some(fork) = args.fork.settings(args.datadir.as_deref()) {
        let (chain, dir, sync) = (args.chain.clone(), args.datadir.clone(), args.store().sync);
        // Whoever forks waits for an endpoint.
        let forked = tokio::task::spawn_blocking(move || {
            let place = dir.as_deref().map(|dir| (dir, sync));
            forking::fork(&chain, fork, place)
        });
        let forked = forked.await;
        let Forked { beginning, accounts, guardian } = forked.map_err(std::io::Error::other)??;
        return Ok(Begun { beginning, accounts, guardian });
    }
    let mut genesis = DevGenesis::build(settings)?;
    if let Some(file) = &args.genesis {
        genesis.block = read_genesis(file)?;
        // Keys that open nothing in this chain are not shown or held.
        genesis
            .accounts
            .retain(|account| genesis.block.world.account(&account.address).is_ok_and(|found| found.is_some()));
    }
    let store = match &args.datadir {
        Some(dir) => ChainStore::open(dir, genesis.block, args.store())?,
        None => ChainStore::in_memory(genesis.block),
    };
    Ok(Begun { beginning: store.into(), accounts: genesis.accounts, guardian: genesis.guardian })
}

/// How a chain in memory is begun anew.
fn beginner(args: &DevArgs, settings: DevSettings) -> Option<Beginner> {
    if args.datadir.is_some() {
        return None;
    }
    let genesis = args.genesis.clone();
    Some(forking::beginner(&args.chain, &args.fork, move || {
        let begun = DevGenesis::build(&settings)?;
        let block = genesis.as_deref().map_or(Ok(begun.block), read_genesis)?;
        Ok(ChainStore::in_memory(block))
    }))
}

/// The chain on its store, with the blocks of a file that it is to have.
fn chain(args: &DevArgs, mut beginning: Beginning) -> Result<Chain, Failure> {
    let monitor = monitor_of(args.datadir.as_deref(), &args.monitors, &args.monitor_accounts)?;
    if let Some(file) = &args.import {
        let blocks = std::fs::read(file).map_err(|source| Failure::File { path: file.to_owned(), source })?;
        let bar = Bar::new(args.json || args.silent);
        append_blocks(&mut beginning.store, &blocks, &*monitor, &Workers::new(args.threads), &bar)?;
    }
    let settings = ChainSettings {
        mining: args.mining(),
        threads: args.threads,
        prefetch_threads: args.kept.prefetch_threads,
        check: args.check(),
        block_deadline: args.block_deadline.map(Duration::from_millis),
        journal: args.datadir.as_ref().map(|dir| dir.join(POOL_JOURNAL)),
        order: args.likeness.order.into(),
        balances: args.likeness.balances(),
        block_transactions_max: args.likeness.max_transactions,
        mined_blob_bytes_max: MINED_BLOB_BYTES_MAX,
        first_base_fee: args.chain.rules.block_base_fee_per_gas,
        ..ChainSettings::default()
    };
    Ok(Chain::new(beginning, settings, monitor, Arc::new(SystemClock))?)
}

fn server_settings(args: &DevArgs, pages: Pages, beginner: Option<Beginner>) -> ServerSettings {
    ServerSettings {
        address: SocketAddr::new(args.host, args.port),
        ipc: args.serving.ipc.clone(),
        limits: args.serving.limits(),
        access: args.serving.access(),
        client_version: CLIENT_VERSION.to_owned(),
        screening: args.screening(),
        others: if args.likeness.auto_impersonate { Others::Impersonated } else { Others::Sign },
        epoch_slots: args.likeness.slots_in_an_epoch,
        pages,
        beginner,
        ..ServerSettings::default()
    }
}

/// What the chain begins with: what was asked for, and what a file adds to it.
fn settings(args: &DevArgs) -> Result<DevSettings, Failure> {
    let asked =
        DevSettings { number: args.likeness.number.unwrap_or_default(), ..args.chain.genesis(SystemClock.now())? };
    let Some(file) = args.state.source() else { return Ok(asked) };
    let json = std::fs::read(&file).map_err(|source| Failure::File { path: file.clone(), source })?;
    let (others, block) =
        StateFile::parse(&json).map_err(|source| Failure::GenesisFile { path: file.clone(), source })?;
    let params = ChainParams {
        chain_id: args.chain.chain_id.or(block.chain_id).unwrap_or(asked.params.chain_id),
        ..asked.params
    };
    Ok(DevSettings {
        others,
        params,
        number: first_number(args, block.number),
        timestamp: args.chain.rules.timestamp.or(block.timestamp).unwrap_or(asked.timestamp),
        base_fee: args.chain.rules.block_base_fee_per_gas.or(block.base_fee).unwrap_or(asked.base_fee),
        ..asked
    })
}

/// Number of the first block: a state in a file goes on where it was, but in a folder, where chains begin with block 0.
fn first_number(args: &DevArgs, of_file: Option<u64>) -> u64 {
    let in_memory = args.datadir.is_none() && args.fork.urls.is_empty() && args.import.is_none();
    args.likeness.number.or(of_file.filter(|_| in_memory)).unwrap_or_default()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|source| Failure::File { path: path.to_owned(), source })
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
