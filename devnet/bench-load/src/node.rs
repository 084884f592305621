//! The nodes that are measured, as processes.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::{
    client::{Connection, Transport},
    error::BenchError,
    work::BLOCK_GAS_LIMIT,
};

/// How long a node may take to answer for the first time.
const START_MAX: Duration = Duration::from_secs(60);
/// How often it is asked until then.
const START_STEP: Duration = Duration::from_millis(50);
/// Clock ticks in a second, in which Linux tells CPU time to programs (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;
/// Bytes in a page, as `statm` counts them on the machines this runs on.
const PAGE_BYTES: u64 = 4_096;

/// Which node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// `parapet dev`.
    Parapet(PathBuf),
    /// Foundry's.
    Anvil(PathBuf),
}

impl Program {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Parapet(_) => "parapet",
            Self::Anvil(_) => "anvil",
        }
    }
}

/// When it mines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Blocks {
    /// As transactions come.
    Instant,
    /// Once a second.
    Second,
    /// Not at all.
    Never,
}

impl Blocks {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instant => "instant",
            Self::Second => "1 s",
            Self::Never => "none",
        }
    }
}

/// A node that runs; it is killed when this is dropped.
#[derive(Debug)]
pub struct Node {
    child: Child,
    name: &'static str,
    address: SocketAddr,
}

impl Node {
    /// Starts a node on a genesis and waits until it answers.
    ///
    /// # Errors
    /// [`BenchError`] when it does not start, or never answers.
    pub async fn start(program: &Program, genesis: &Path, blocks: Blocks) -> Result<Self, BenchError> {
        let address = free_address()?;
        let port = address.port().to_string();
        let (path, advice, mut command) = match program {
            Program::Parapet(path) => {
                let mut command = Command::new(path);
                command.args(["dev", "--port", &port, "--log", "error", "--genesis"]).arg(genesis);
                (path, "build it with `cargo build --release --bin parapet`", command)
            }
            Program::Anvil(path) => {
                let mut command = Command::new(path);
                let gas_limit = BLOCK_GAS_LIMIT.to_string();
                command.args(["--quiet", "--port", &port, "--gas-limit", &gas_limit, "--init"]).arg(genesis);
                (path, "install it with `npm ci` in sdk/solidity, or name another with --anvil", command)
            }
        };
        match (blocks, program) {
            (Blocks::Instant, _) => {}
            (Blocks::Second, _) => _ = command.args(["--block-time", "1"]),
            (Blocks::Never, _) => _ = command.arg("--no-mining"),
        }
        let (name, path) = (program.name(), path.clone());
        Self::spawn(command, name, address, |source| BenchError::Start { program: path, source, advice }).await
    }

    /// Starts a [bare](crate::bare) server: this program, once more.
    ///
    /// # Errors
    /// [`BenchError`] when it does not start, or never answers.
    pub async fn start_bare() -> Result<Self, BenchError> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--bare", &address.port().to_string()]);
        Self::spawn(command, "bare", address, BenchError::Connection).await
    }

    async fn spawn(
        mut command: Command,
        name: &'static str,
        address: SocketAddr,
        failed: impl FnOnce(io::Error) -> BenchError,
    ) -> Result<Self, BenchError> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn();
        let node = Self { child: child.map_err(failed)?, name, address };
        node.wait_until_it_answers().await?;
        Ok(node)
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// CPU time it took so far, of all its threads, in seconds.
    ///
    /// # Errors
    /// [`BenchError::Process`] where the system does not tell.
    pub fn cpu_seconds(&self) -> Result<f64, BenchError> {
        cpu_seconds(&self.child.id().to_string())
    }

    /// Memory it has now, in bytes.
    ///
    /// # Errors
    /// [`BenchError::Process`] where the system does not tell.
    pub fn memory_bytes(&self) -> Result<u64, BenchError> {
        let statm = proc_file(&self.child.id().to_string(), "statm")?;
        let resident = statm.split_whitespace().nth(1).and_then(|field| field.parse::<u64>().ok());
        Ok(resident.unwrap_or_default() * PAGE_BYTES)
    }

    async fn wait_until_it_answers(&self) -> Result<(), BenchError> {
        let request = br#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#;
        let until = Instant::now() + START_MAX;
        while Instant::now() < until {
            if let Ok(mut connection) = Connection::open(Transport::Http, self.address).await
                && connection.ask(request).await.is_ok()
            {
                return Ok(());
            }
            sleep(START_STEP).await;
        }
        Err(BenchError::Silent { name: self.name, seconds: START_MAX.as_secs() })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already.
        let _: Result<(), _> = self.child.kill();
        let _: Result<_, _> = self.child.wait();
    }
}

/// CPU time that this process took so far, in seconds.
///
/// # Errors
/// [`BenchError::Process`] where the system does not tell.
pub fn own_cpu_seconds() -> Result<f64, BenchError> {
    cpu_seconds("self")
}

fn cpu_seconds(process: &str) -> Result<f64, BenchError> {
    let stat = proc_file(process, "stat")?;
    // The second field is the program's name in parentheses, which may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    // utime and stime are fields 14 and 15 of proc(5); the first one after the name is field 3.
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(ticks / TICKS_PER_SECOND)
}

fn proc_file(process: &str, file: &str) -> Result<String, BenchError> {
    let path = format!("/proc/{process}/{file}");
    fs::read_to_string(&path).map_err(|source| BenchError::Process { path, source })
}

/// An address on which nobody listens.
fn free_address() -> Result<SocketAddr, BenchError> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
