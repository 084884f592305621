//! `bench-load`: throughput, reads and a siege, of `parapet dev` and of anvil on the same genesis.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use parapet_bench_load::{
    bare,
    client::Transport,
    error::BenchError,
    node::{Blocks, Node, Program},
    questions,
    reads::{self, Form, Way},
    report::Report,
    siege::{self, Plan},
    throughput,
    work::{self, Share, shares, write_genesis},
};
use parapet_workloads::{Traffic, load};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

/// Measures throughput and reads through JSON-RPC, against anvil in the same run.
#[derive(Debug, Parser)]
#[command(name = "bench-load", version)]
struct Options {
    /// The node, built with `cargo build --release --bin parapet`.
    #[arg(long, default_value = "target/release/parapet", value_name = "PROGRAM")]
    parapet: PathBuf,
    /// What it is compared with.
    #[arg(
        long,
        value_name = "PROGRAM",
        default_value = "sdk/solidity/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
    )]
    anvil: PathBuf,
    /// Measure parapet alone.
    #[arg(long)]
    alone: bool,
    /// Transactions of each run.
    #[arg(long, default_value = "10000")]
    transactions: usize,
    /// Accounts that send them in turn.
    #[arg(long, default_value = "200", value_parser = clap::value_parser!(u16).range(1..))]
    senders: u16,
    /// Connections over which they are sent, and over which is read.
    #[arg(long, default_value = "8", value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Seconds for each kind of read; 0 for none.
    #[arg(long, default_value = "2")]
    read_seconds: u64,
    /// Only runs whose name contains this: kind, transport and blocks, as in `erc20-ws-instant`, or method, transport and form,
    /// as in `eth_call-http-single`.
    #[arg(long, default_value = "", value_name = "TEXT")]
    filter: String,
    /// Besiege parapet for so many seconds instead: a thousand connections, ten thousand transactions waiting.
    #[arg(long, value_name = "SECONDS")]
    siege: Option<u64>,
    /// Connections of the siege.
    #[arg(long, default_value = "1000", requires = "siege")]
    besiegers: usize,
    /// Do nothing but answer, on this port.
    #[arg(long, hide = true, value_name = "PORT")]
    bare: Option<u16>,
    /// Where the report is written as JSON.
    #[arg(long, default_value = "target/bench/load.json")]
    json: PathBuf,
}

fn main() -> ExitCode {
    let options = Options::parse();
    // The load comes from one thread, which wakes nobody; a server has what the system gives it.
    let mut runtime = match options.bare {
        Some(_) => Builder::new_multi_thread(),
        None => Builder::new_current_thread(),
    };
    match runtime
        .enable_all()
        .build()
        .map_err(BenchError::from)
        .and_then(|runtime| runtime.block_on(until_stopped(&options)))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where even this cannot be said, the exit code says it.
            let _ = writeln!(io::stderr(), "bench-load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs until it is told to stop: the nodes that it started go with it either way.
async fn until_stopped(options: &Options) -> Result<(), BenchError> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    tokio::select! {
        done = run(options) => done,
        _ = terminated.recv() => Err(BenchError::Stopped),
        _ = interrupted.recv() => Err(BenchError::Stopped),
    }
}

async fn run(options: &Options) -> Result<(), BenchError> {
    if let Some(port) = options.bare {
        return bare::serve(port).await;
    }
    let folder = tempfile::tempdir()?;
    let genesis = folder.path().join("genesis.json");
    let mut report = Report::default();
    if let Some(seconds) = options.siege {
        report.siege = Some(besiege(options, &genesis, Duration::from_secs(seconds)).await?);
    } else {
        for traffic in Traffic::ALL {
            measure(options, traffic, &genesis, &mut report).await?;
        }
        if options.read_seconds > 0 {
            read(options, &genesis, &mut report).await?;
        }
    }
    report.write(&options.json)?;
    report.print(&mut io::stdout().lock())?;
    Ok(())
}

fn programs(options: &Options) -> Vec<Program> {
    let anvil = (!options.alone).then(|| Program::Anvil(options.anvil.clone()));
    [Program::Parapet(options.parapet.clone())].into_iter().chain(anvil).collect()
}

async fn measure(options: &Options, traffic: Traffic, genesis: &Path, report: &mut Report) -> Result<(), BenchError> {
    let mut prepared: Option<Vec<Share>> = None;
    for blocks in [Blocks::Second, Blocks::Instant] {
        for transport in Transport::ALL {
            let name = format!("{}-{}-{}", traffic.name(), transport.name(), blocks.name().replace(' ', ""));
            if !name.contains(&options.filter) {
                continue;
            }
            let prepared = match &mut prepared {
                Some(shares) => shares,
                None => prepared.insert(prepare(options, traffic, genesis)?),
            };
            for program in programs(options) {
                let node = Node::start(&program, genesis, blocks).await?;
                let run = throughput::run(&node, program.name(), traffic.name(), transport, blocks, prepared).await?;
                writeln!(io::stderr(), "{name} {}: {:.0} tx/s, {:.4} ms", run.node, run.per_second(), run.cpu_ms())?;
                report.throughput.push(run);
            }
        }
    }
    Ok(())
}

fn prepare(options: &Options, traffic: Traffic, genesis: &Path) -> Result<Vec<Share>, BenchError> {
    let load = load(traffic, options.transactions, options.senders.into());
    write_genesis(&load, genesis)?;
    Ok(shares(&load.transactions, options.connections.into()))
}

async fn read(options: &Options, genesis: &Path, report: &mut Report) -> Result<(), BenchError> {
    let load = load(Traffic::Tokens, work::BATCH, options.senders.into());
    write_genesis(&load, genesis)?;
    let batch = shares(&load.transactions, 1).remove(0).remove(0);
    let (connections, time) = (options.connections.into(), Duration::from_secs(options.read_seconds));
    let mut nodes = Vec::new();
    for program in programs(options) {
        let node = Node::start(&program, genesis, Blocks::Never).await?;
        reads::mine(&node, &batch).await?;
        nodes.push(node);
    }
    for question in questions::about_state(&load).into_iter().chain(questions::about_block(&load)) {
        for (transport, form) in Transport::ALL.into_iter().flat_map(|over| Form::ALL.map(|form| (over, form))) {
            let name = format!("{}-{}-{}", question.method, transport.name(), form.name());
            if !name.contains(&options.filter) {
                continue;
            }
            let way = Way { transport, form, connections, time };
            for node in &nodes {
                report.reads.push(reads::run(node, &question, way).await?);
            }
            if transport == Transport::Http
                && let Some(node) = nodes.first()
            {
                report.reads.push(reads::run_bare(node, &question, way).await?);
            }
        }
    }
    Ok(())
}

async fn besiege(options: &Options, genesis: &Path, time: Duration) -> Result<siege::Siege, BenchError> {
    let senders = usize::from(options.senders);
    let load = load(Traffic::Tokens, options.transactions + 3 * senders * work::BATCH, 2 * senders);
    write_genesis(&load, genesis)?;
    // Every other sender's transactions wait for its first one, which is sent in the end.
    let (mut keys, mut waiting, mut flow) = (Vec::new(), Vec::new(), Vec::new());
    for (index, transaction) in load.transactions.iter().enumerate() {
        match (index % (2 * senders) < senders, index < 2 * senders) {
            (true, true) => keys.push(transaction.clone()),
            (true, false) if waiting.len() < options.transactions => waiting.push(transaction.clone()),
            (true, false) => {}
            (false, _) => flow.push(transaction.clone()),
        }
    }
    let only = |transactions: &[_]| shares(transactions, 1).remove(0);
    let plan = Plan {
        connections: options.besiegers,
        time,
        idle: Duration::from_secs(3),
        waiting: vec![only(&waiting)],
        keys: only(&keys),
        flow: shares(&flow, 1).remove(0),
        questions: questions::about_state(&load),
    };
    let node = Node::start(&Program::Parapet(options.parapet.clone()), genesis, Blocks::Second).await?;
    siege::run(&node, plan).await
}
