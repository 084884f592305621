//! A `parapet dev` of the demo's own, on a free port of this machine.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::error::DemoError;

/// The node has this long to print that it listens.
const START_MAX: Duration = Duration::from_secs(30);
/// The node has this long to stop when asked.
const STOP_MAX: Duration = Duration::from_secs(10);

/// What the node prints about itself with `--json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Banner {
    /// Where it listens.
    pub(crate) http: String,
    /// Where the registry lies.
    pub(crate) registry: String,
    /// Accounts with their keys.
    pub(crate) accounts: Vec<BannerAccount>,
}

/// One of the funded accounts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BannerAccount {
    /// Its private key, in hex.
    pub(crate) private_key: String,
}

/// A running node; it ends with this value.
pub(crate) struct Node {
    child: Child,
    program: PathBuf,
    /// What it said of itself.
    pub(crate) banner: Banner,
}

impl Node {
    /// Starts a node and waits until it listens.
    pub(crate) async fn start(program: &Path) -> Result<Self, DemoError> {
        let failed = |reason: String| DemoError::Node(reason);
        let mut child = Command::new(program)
            .args(["dev", "--port", "0", "--json", "--log", "error"])
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let stdout = child.stdout.take().ok_or_else(|| failed("no output".into()))?;
        let mut lines = BufReader::new(stdout).lines();
        let first = tokio::time::timeout(START_MAX, lines.next_line())
            .await
            .map_err(|_| failed(format!("silent for {} s", START_MAX.as_secs())))?
            .map_err(|error| failed(error.to_string()))?
            .ok_or_else(|| failed("it ended at once; its own message is above".into()))?;
        let banner = serde_json::from_str(&first).map_err(|error| failed(format!("{error} in its banner {first}")))?;
        Ok(Self { child, program: program.to_owned(), banner })
    }

    /// Runs `parapet guard …` as a person would and gives what it printed as JSON.
    pub(crate) async fn guard(&self, arguments: &[&str], key: &str) -> Result<serde_json::Value, DemoError> {
        let failed = |reason: String| DemoError::Command { command: arguments.join(" "), reason };
        let mut command = Command::new(&self.program);
        command.arg("guard").args(arguments).args(["--rpc-url", &self.banner.http, "--json"]);
        command.args(["--private-key", key]);
        let output = command.output().await.map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            let words = [&output.stdout[..], &output.stderr[..]].concat();
            return Err(failed(String::from_utf8_lossy(&words).trim().to_owned()));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
    }

    /// Asks the node to stop, as Ctrl-C does, and waits.
    pub(crate) async fn stop(mut self) -> Result<(), DemoError> {
        if let Some(id) = self.child.id() {
            let _ = Command::new("kill").args(["-INT", &id.to_string()]).status().await;
        }
        match tokio::time::timeout(STOP_MAX, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(DemoError::Node(format!("it stopped with {status}"))),
            Ok(Err(error)) => Err(DemoError::Node(error.to_string())),
            Err(_) => Err(DemoError::Node("it did not stop when asked".into())),
        }
    }
}
