//! Asks without changing anything, over several connections at once.

use std::time::Duration;

use hyper::body::Bytes;
use serde::Serialize;
use tokio::{task::JoinSet, time::Instant};

use crate::{
    bare,
    client::{Connection, Transport},
    error::BenchError,
    node::{self, Node},
    questions::Question,
    throughput::count,
    wire::excerpt,
    work::{BATCH, BatchOf},
};

/// Requests that one connection has under way where it does not wait for each answer.
const AHEAD: usize = 16;

/// How questions are put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// One in a request, the next when it is answered.
    Single,
    /// One in a request, `AHEAD` requests at a time.
    Ahead,
    /// [`BATCH`] in a request.
    Batch,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Single, Self::Ahead, Self::Batch];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Ahead => "ahead",
            Self::Batch => "batch",
        }
    }

    /// The request, and how often it is sent at a time.
    fn request(self, question: &Question) -> (Bytes, usize) {
        match self {
            Self::Single => (question.request(), 1),
            Self::Ahead => (question.request(), AHEAD),
            Self::Batch => (question.batch(), 1),
        }
    }

    /// Questions in a request.
    const fn questions(self) -> u64 {
        match self {
            Self::Single | Self::Ahead => 1,
            Self::Batch => BATCH as u64,
        }
    }
}

/// How questions travel.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Over what.
    pub transport: Transport,
    /// How many at a time.
    pub form: Form,
    /// Connections over which they are sent at once.
    pub connections: usize,
    /// For how long.
    pub time: Duration,
}

/// How a node answered.
#[derive(Clone, Debug, Serialize)]
pub struct Reads {
    /// The node.
    pub node: &'static str,
    /// The method.
    pub method: &'static str,
    /// How the questions were sent.
    pub transport: Transport,
    /// How many at a time.
    pub form: Form,
    /// Questions that were answered.
    pub answered: u64,
    /// In so many seconds.
    pub seconds: f64,
    /// CPU time of the node's process, in seconds.
    pub cpu_seconds: f64,
    /// CPU time of this process, in seconds: what it took to ask.
    pub asking_cpu_seconds: f64,
}

impl Reads {
    /// Answers per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.answered as f64 / self.seconds
    }

    /// CPU time of the node for each, in microseconds.
    #[must_use]
    pub fn cpu_us(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.answered as f64
    }

    /// CPU time of asking, for each, in microseconds.
    #[must_use]
    pub fn asking_cpu_us(&self) -> f64 {
        self.asking_cpu_seconds * 1e6 / self.answered as f64
    }
}

/// Has a node that does not mine by itself mine a block with a batch of transactions.
///
/// # Errors
/// [`BenchError`] when it does not.
pub async fn mine(node: &Node, batch: &BatchOf) -> Result<(), BenchError> {
    let mut connection = Connection::open(Transport::Http, node.address()).await?;
    let mine = Question { method: "evm_mine", parameters: "[]".to_owned() }.request();
    for request in [&batch.send, &mine] {
        let answer = connection.ask(request).await?;
        if count(answer, br#""error":"#) > 0 {
            return Err(BenchError::Answer(excerpt(answer)));
        }
    }
    let answer = connection.ask(&batch.receipts).await?;
    if count(answer, br#""status":"0x1""#) == batch.transactions {
        Ok(())
    } else {
        Err(BenchError::Answer(excerpt(answer)))
    }
}

/// Asks over several connections for some time.
///
/// # Errors
/// [`BenchError`] when a connection breaks, or an answer is an error.
pub async fn run(node: &Node, question: &Question, way: Way) -> Result<Reads, BenchError> {
    let Way { transport, form, connections, time } = way;
    let (request, times) = form.request(question);
    let written = Bytes::from(transport.written(&request, times));
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(transport, node.address()).await?);
    }
    let (start, cpu_before, own_before) = (Instant::now(), node.cpu_seconds()?, node::own_cpu_seconds()?);
    let mut askers = JoinSet::new();
    for mut connection in open {
        let written = written.clone();
        askers.spawn(async move {
            let mut answered = 0_u64;
            while start.elapsed() < time {
                connection.send(&written).await?;
                for _ in 0..times {
                    let answer = connection.answer().await?;
                    if count(answer, br#""error":"#) > 0 {
                        return Err(BenchError::Answer(excerpt(answer)));
                    }
                    answered += form.questions();
                }
            }
            Ok(answered)
        });
    }
    let mut answered = 0;
    while let Some(asker) = askers.join_next().await {
        answered += asker.expect("an asker does not panic")?;
    }
    Ok(Reads {
        node: node.name(),
        method: question.method,
        transport,
        form,
        answered,
        seconds: start.elapsed().as_secs_f64(),
        cpu_seconds: node.cpu_seconds()? - cpu_before,
        asking_cpu_seconds: node::own_cpu_seconds()? - own_before,
    })
}

/// Asks a server that answers with the same bytes and does nothing for them.
///
/// # Errors
/// As [`run`], or when it does not start.
pub async fn run_bare(node: &Node, question: &Question, way: Way) -> Result<Reads, BenchError> {
    let server = Node::start_bare().await?;
    let (request, _) = way.form.request(question);
    let mut telling = bare::ANSWER.to_vec();
    telling.extend_from_slice(Connection::open(Transport::Http, node.address()).await?.ask(&request).await?);
    Connection::open(Transport::Http, server.address()).await?.ask(&telling).await?;
    run(&server, question, way).await
}
