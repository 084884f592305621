//! Sends transactions, and counts them by their receipts.

use std::time::Duration;

use memchr::memmem;
use serde::Serialize;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    client::{Connection, Transport},
    error::BenchError,
    node::{Blocks, Node},
    wire::excerpt,
    work::{Share, receipts},
};

/// How often receipts are asked for that are not there yet.
const ASK_AGAIN: Duration = Duration::from_millis(25);
/// After this long without a new receipt, what is missing is given up: the node has stalled.
const STALLED_AFTER: Duration = Duration::from_secs(8);
/// How often memory is looked at.
const LOOK_AT_MEMORY: Duration = Duration::from_millis(100);

/// How a node bore one load.
#[derive(Clone, Debug, Serialize)]
pub struct Throughput {
    /// The node.
    pub node: &'static str,
    /// Kind of transactions.
    pub traffic: &'static str,
    /// How they were sent.
    pub transport: Transport,
    /// When it mined.
    pub blocks: Blocks,
    /// Transactions that were sent.
    pub transactions: usize,
    /// From the first byte sent to the last receipt, in seconds.
    pub seconds: f64,
    /// Of them, until everything was sent and its hashes were there.
    pub sending_seconds: f64,
    /// CPU time of the node's process, in seconds.
    pub cpu_seconds: f64,
    /// Most memory it had, in bytes.
    pub memory_bytes: u64,
    /// Transactions that it did not take.
    pub refused: usize,
    /// Transactions whose receipts never came though they were taken: it stalled.
    pub missing: usize,
    /// Transactions that are in blocks and failed.
    pub failed: usize,
    /// Number of its newest block in the end.
    pub height: u64,
}

impl Throughput {
    /// Transactions with receipts.
    #[must_use]
    pub const fn mined(&self) -> usize {
        self.transactions - self.refused - self.missing
    }

    /// Transactions per second, from the first byte to the last receipt.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.mined() as f64 / self.seconds
    }

    /// CPU time of the node for each transaction, in milliseconds.
    #[must_use]
    pub fn cpu_ms(&self) -> f64 {
        self.cpu_seconds * 1e3 / self.mined() as f64
    }
}

/// What one connection met.
#[derive(Default)]
struct Met {
    sent_after: Duration,
    done_after: Duration,
    refused: usize,
    missing: usize,
    failed: usize,
}

/// Sends every share over a connection of its own, and asks until all receipts are there.
///
/// # Errors
/// [`BenchError`] when a connection breaks or the node's process cannot be looked at.
pub async fn run(
    node: &Node,
    name: &'static str,
    traffic: &'static str,
    transport: Transport,
    blocks: Blocks,
    shares: &[Share],
) -> Result<Throughput, BenchError> {
    let mut connections = Vec::new();
    for share in shares {
        connections.push((Connection::open(transport, node.address()).await?, share.clone()));
    }
    let cpu_before = node.cpu_seconds()?;
    let start = Instant::now();
    let mut senders = JoinSet::new();
    for (connection, share) in connections {
        senders.spawn(send(connection, share, start));
    }
    let mut met = Met::default();
    let mut memory_bytes = node.memory_bytes()?;
    while !senders.is_empty() {
        tokio::select! {
            Some(done) = senders.join_next() => met.add(&done.expect("a sender does not panic")?),
            () = sleep(LOOK_AT_MEMORY) => memory_bytes = memory_bytes.max(node.memory_bytes()?),
        }
    }
    Ok(Throughput {
        node: name,
        traffic,
        transport,
        blocks,
        transactions: shares.iter().flatten().map(|batch| batch.transactions).sum(),
        seconds: met.done_after.as_secs_f64(),
        sending_seconds: met.sent_after.as_secs_f64(),
        cpu_seconds: node.cpu_seconds()? - cpu_before,
        memory_bytes,
        refused: met.refused,
        missing: met.missing,
        failed: met.failed,
        height: height(node).await?,
    })
}

impl Met {
    fn add(&mut self, other: &Self) {
        self.sent_after = self.sent_after.max(other.sent_after);
        self.done_after = self.done_after.max(other.done_after);
        self.refused += other.refused;
        self.missing += other.missing;
        self.failed += other.failed;
    }
}

async fn send(mut connection: Connection, share: Share, start: Instant) -> Result<Met, BenchError> {
    let mut met = Met::default();
    for batch in &share {
        let answer = connection.ask(&batch.send).await?;
        let refused = count(answer, br#""error":"#);
        if count(answer, br#""result":"#) + refused != batch.transactions {
            return Err(BenchError::Answer(excerpt(answer)));
        }
        met.refused += refused;
    }
    met.sent_after = start.elapsed();
    met.done_after = met.sent_after;
    for batch in &share {
        let mut last_progress = Instant::now();
        let mut there = 0;
        loop {
            let answer = connection.ask(&batch.receipts).await?;
            let now_there = count(answer, br#""transactionIndex":"#).min(batch.transactions);
            let missing = count(answer, br#""result":null"#);
            if missing == 0 {
                met.failed += count(answer, br#""status":"0x0""#);
                met.done_after = start.elapsed();
                break;
            }
            if now_there > there {
                (there, last_progress) = (now_there, Instant::now());
            }
            if last_progress.elapsed() > STALLED_AFTER {
                met.missing += missing;
                break;
            }
            sleep(ASK_AGAIN).await;
        }
    }
    // Those that were refused have no receipts either.
    met.missing = met.missing.saturating_sub(met.refused);
    Ok(met)
}

/// Number of the newest block.
///
/// # Errors
/// [`BenchError`] when the node does not tell.
pub async fn height(node: &Node) -> Result<u64, BenchError> {
    let request = br#"{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}"#;
    let mut connection = Connection::open(Transport::Http, node.address()).await?;
    let answer = connection.ask(request).await?;
    let wrong = || BenchError::Answer(excerpt(answer));
    let json: serde_json::Value = serde_json::from_slice(answer).map_err(|_| wrong())?;
    let number = json["result"].as_str().and_then(|text| text.strip_prefix("0x")).ok_or_else(wrong)?;
    u64::from_str_radix(number, 16).map_err(|_| wrong())
}

/// How many of some transactions have a receipt.
///
/// # Errors
/// [`BenchError`] when the connection breaks.
pub async fn mined(connection: &mut Connection, hashes: &[alloy_primitives::B256]) -> Result<usize, BenchError> {
    Ok(hashes.len() - count(connection.ask(&receipts(hashes)).await?, br#""result":null"#))
}

/// How often a piece of JSON stands in an answer: much cheaper than reading it, and both nodes write it alike.
#[must_use]
pub fn count(answer: &[u8], piece: &[u8]) -> usize {
    memmem::find_iter(answer, piece).count()
}
