//! Asks without changing anything, over several connections at once.

use std::time::Duration;

use hyper::body::Bytes;
use serde::Serialize;
use tokio::{task::JoinSet, time::Instant};

use crate::{
    client::{Connection, Transport},
    error::BenchError,
    node::Node,
    throughput::count,
    work::BATCH,
};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The method.
    pub method: &'static str,
    /// Its parameters, as JSON.
    pub parameters: String,
}

/// How many questions a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// One.
    Single,
    /// [`BATCH`].
    Batch,
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
    /// How many a request carried.
    pub form: Form,
    /// Questions that were answered.
    pub answered: u64,
    /// In so many seconds.
    pub seconds: f64,
    /// CPU time of the node's process, in seconds.
    pub cpu_seconds: f64,
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
}

impl Question {
    /// The request that asks it, once or many times over.
    #[must_use]
    pub fn request(&self, form: Form) -> Bytes {
        let Self { method, parameters } = self;
        let call = |id: usize| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{parameters}}}"#);
        match form {
            Form::Single => call(1).into(),
            Form::Batch => format!("[{}]", (0..BATCH).map(call).collect::<Vec<_>>().join(",")).into(),
        }
    }
}

/// Asks over so many connections for so long, the next question as soon as the last one is answered.
///
/// # Errors
/// [`BenchError`] when a connection breaks, or an answer is an error.
pub async fn run(
    node: &Node,
    name: &'static str,
    question: &Question,
    transport: Transport,
    form: Form,
    connections: usize,
    time: Duration,
) -> Result<Reads, BenchError> {
    let request = question.request(form);
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(transport, node.address()).await?);
    }
    let (start, cpu_before) = (Instant::now(), node.cpu_seconds()?);
    let mut askers = JoinSet::new();
    for mut connection in open {
        let request = request.clone();
        askers.spawn(async move {
            let mut answered = 0_u64;
            while start.elapsed() < time {
                let answer = connection.ask(&request).await?;
                let errors = count(&answer, br#""error":"#);
                if errors > 0 {
                    return Err(BenchError::Answer(String::from_utf8_lossy(&answer).into_owned()));
                }
                answered += match form {
                    Form::Single => 1,
                    Form::Batch => BATCH as u64,
                };
            }
            Ok(answered)
        });
    }
    let mut answered = 0;
    while let Some(asker) = askers.join_next().await {
        answered += asker.expect("an asker does not panic")?;
    }
    Ok(Reads {
        node: name,
        method: question.method,
        transport,
        form,
        answered,
        seconds: start.elapsed().as_secs_f64(),
        cpu_seconds: node.cpu_seconds()? - cpu_before,
    })
}
