//! A bounded minute of everything at once: many connections that ask and send, a pool full of transactions that wait, and blocks
//! all the while. Meanwhile one more connection asks for the chain's id now and then, and its answers are timed.

use std::{io, time::Duration};

use hyper::body::Bytes;
use serde::Serialize;
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use crate::{
    client::{Connection, Transport},
    error::BenchError,
    node::Node,
    questions::Question,
    throughput::{count, mined},
    work::Share,
};

/// How often the chain's id is asked for.
const PROBE_EVERY: Duration = Duration::from_millis(5);
/// How often each connection asks or sends.
const CALL_EVERY: Duration = Duration::from_millis(500);
/// Connections that are opened at once: more would overflow the system's queue of those that wait to be taken.
const OPEN_AT_ONCE: usize = 64;
/// How long the last transactions may take to be mined, once nothing is sent any more.
const DRAIN_MAX: Duration = Duration::from_secs(60);
/// Bytes in a mebibyte.
const MIB: f64 = 1_048_576.0;

/// What is laid on a node.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Connections, half of them WebSockets.
    pub connections: usize,
    /// How long it lasts.
    pub time: Duration,
    /// How long the idle node is asked before.
    pub idle: Duration,
    /// Transactions that wait for those of `keys` all the time.
    pub waiting: Vec<Share>,
    /// The first transactions of the senders of `waiting`, which are sent in the end.
    pub keys: Share,
    /// Transactions that are sent meanwhile, a batch by one connection after the other.
    pub flow: Share,
    /// What is asked meanwhile.
    pub questions: Vec<Question>,
}

/// How the node bore it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Siege {
    /// Connections.
    pub connections: usize,
    /// Transactions that waited all the time.
    pub waiting: usize,
    /// Transactions that were sent in all.
    pub sent: usize,
    /// Transactions that were taken, and have no receipt.
    pub lost: usize,
    /// Transactions that were not taken.
    pub refused: usize,
    /// Questions that were answered, and those with an error.
    pub answered: u64,
    /// Questions that were answered with an error.
    pub errors: u64,
    /// Connections that broke.
    pub broken: usize,
    /// Median and 99th percentile of the time until the chain's id is there, the node idle, in milliseconds.
    pub idle_ms: [f64; 2],
    /// The same under siege.
    pub siege_ms: [f64; 2],
    /// Memory after the first quarter, and most of it after that, in bytes.
    pub memory_bytes: [u64; 2],
}

impl Siege {
    /// How many times longer the slowest hundredth waits than on an idle node.
    #[must_use]
    pub fn times_slower(&self) -> f64 {
        self.siege_ms[1] / self.idle_ms[1]
    }

    pub(crate) fn print(&self, out: &mut impl io::Write) -> io::Result<()> {
        let Self { connections, waiting, sent, lost, refused, answered, errors, broken, .. } = self;
        let ([idle, idle_99], [siege, siege_99]) = (self.idle_ms, self.siege_ms);
        let [first, most] = self.memory_bytes.map(|bytes| bytes as f64 / MIB);
        writeln!(
            out,
            "siege: {connections} connections ({broken} broke), {waiting} transactions waiting all the time"
        )?;
        writeln!(
            out,
            "  {sent} transactions sent, {refused} refused, {lost} lost; {answered} answers, {errors} errors"
        )?;
        writeln!(
            out,
            "  eth_chainId: idle {idle:.3} ms, p99 {idle_99:.3} ms; besieged {siege:.3} ms, p99 {siege_99:.3} ms \
             (× {:.1})",
            self.times_slower()
        )?;
        writeln!(out, "  memory: {first:.0} MiB after a quarter of the time, at most {most:.0} MiB after that")
    }
}

/// Besieges a node.
///
/// # Errors
/// [`BenchError`] when the node goes away.
pub async fn run(node: &Node, plan: Plan) -> Result<Siege, BenchError> {
    let mut siege = Siege { connections: plan.connections, ..Siege::default() };
    let mut own = Connection::open(Transport::Http, node.address()).await?;
    siege.idle_ms = quantiles(probe(node, plan.idle).await?);
    for batch in plan.waiting.iter().flatten() {
        siege.waiting += batch.transactions;
        siege.refused += count(own.ask(&batch.send).await?, br#""error":"#);
    }
    let mut besiegers = open(node, &plan).await?;
    let probing = probe(node, plan.time);
    let (probed, memory) = tokio::join!(probing, watch_memory(node, plan.time));
    siege.siege_ms = quantiles(probed?);
    siege.memory_bytes = memory?;
    while let Some(done) = besiegers.join_next().await {
        match done.expect("a besieger does not panic") {
            Ok(met) => {
                siege.answered += met.answered;
                siege.errors += met.errors;
                siege.refused += met.refused;
            }
            Err(_) => siege.broken += 1,
        }
    }
    // A connection that was silent for so long, a node may have closed.
    own = Connection::open(Transport::Http, node.address()).await?;
    for batch in &plan.keys {
        siege.refused += count(own.ask(&batch.send).await?, br#""error":"#);
    }
    let batches = || plan.waiting.iter().flatten().chain(&plan.keys).chain(&plan.flow);
    siege.sent = batches().map(|batch| batch.transactions).sum();
    let until = Instant::now() + DRAIN_MAX;
    let mut there = 0;
    while there + siege.refused < siege.sent && Instant::now() < until {
        sleep(CALL_EVERY).await;
        there = 0;
        for batch in batches() {
            there += mined(&mut own, &batch.hashes).await?;
        }
    }
    siege.lost = siege.sent.saturating_sub(there + siege.refused);
    Ok(siege)
}

struct Met {
    answered: u64,
    errors: u64,
    refused: usize,
}

/// Opens all connections and sets them to work.
async fn open(node: &Node, plan: &Plan) -> Result<JoinSet<Result<Met, BenchError>>, BenchError> {
    let requests: Vec<Bytes> = plan.questions.iter().map(Question::request).collect();
    let mut connections = Vec::new();
    for index in 0..plan.connections {
        connections.push(Connection::open(Transport::ALL[index % 2], node.address()).await?);
        if index % OPEN_AT_ONCE == 0 {
            sleep(PROBE_EVERY).await;
        }
    }
    let mut flow: Vec<Vec<Bytes>> = vec![Vec::new(); plan.connections];
    for (index, batch) in plan.flow.iter().enumerate() {
        flow[index % plan.connections].push(batch.send.clone());
    }
    let until = Instant::now() + plan.time;
    let mut besiegers = JoinSet::new();
    for (index, (connection, batches)) in connections.into_iter().zip(flow).enumerate() {
        let begin = CALL_EVERY * u32::try_from(index).unwrap_or(0) / u32::try_from(plan.connections).unwrap_or(1);
        let requests: Vec<_> =
            requests.iter().cycle().skip(index % requests.len()).take(requests.len()).cloned().collect();
        besiegers.spawn(besiege(connection, begin, until, requests, batches));
    }
    Ok(besiegers)
}

/// Asks one question after the other, and sends a batch of transactions spread over the time.
async fn besiege(
    mut connection: Connection,
    begin: Duration,
    until: Instant,
    requests: Vec<Bytes>,
    batches: Vec<Bytes>,
) -> Result<Met, BenchError> {
    sleep(begin).await;
    let mut met = Met { answered: 0, errors: 0, refused: 0 };
    let mut ticks = interval(CALL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut batches = batches.into_iter();
    for request in requests.iter().cycle() {
        ticks.tick().await;
        if Instant::now() >= until {
            break;
        }
        met.errors += count(connection.ask(request).await?, br#""error":"#) as u64;
        met.answered += 1;
        if let Some(batch) = batches.next() {
            met.refused += count(connection.ask(&batch).await?, br#""error":"#);
        }
    }
    for batch in batches {
        met.refused += count(connection.ask(&batch).await?, br#""error":"#);
    }
    Ok(met)
}

/// Times until the chain's id is there, in milliseconds.
async fn probe(node: &Node, time: Duration) -> Result<Vec<f64>, BenchError> {
    let request = Question { method: "eth_chainId", parameters: "[]".to_owned() }.request();
    let mut connection = Connection::open(Transport::Http, node.address()).await?;
    let mut times = Vec::new();
    let start = Instant::now();
    while start.elapsed() < time {
        let asked = Instant::now();
        connection.ask(&request).await?;
        times.push(asked.elapsed().as_secs_f64() * 1e3);
        sleep(PROBE_EVERY).await;
    }
    Ok(times)
}

/// Memory after a quarter of the time, and most of it after that.
async fn watch_memory(node: &Node, time: Duration) -> Result<[u64; 2], BenchError> {
    let start = Instant::now();
    sleep(time / 4).await;
    let first = node.memory_bytes()?;
    let mut most = first;
    while start.elapsed() < time {
        sleep(CALL_EVERY).await;
        most = most.max(node.memory_bytes()?);
    }
    Ok([first, most])
}

/// Median and 99th percentile.
fn quantiles(mut values: Vec<f64>) -> [f64; 2] {
    values.sort_by(f64::total_cmp);
    [0.5, 0.99].map(|part| {
        let index = (values.len() as f64 * part) as usize;
        values.get(index.min(values.len().saturating_sub(1))).copied().unwrap_or_default()
    })
}
