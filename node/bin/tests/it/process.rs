//! The node as a process: it starts, serves, stops, and comes back.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
};

use alloy_network::{EthereumWallet, TransactionBuilder as _};
use alloy_primitives::{Address, U256};
use alloy_provider::{DynProvider, Provider as _, ProviderBuilder};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer_local::PrivateKeySigner;
use serde_json::Value;

/// Account 0 of every development chain.
pub(crate) const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const RECEIVER: Address = Address::repeat_byte(0x42);

/// A node that is killed when a test fails.
pub(crate) struct Node {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// What it says it is.
    pub(crate) ready: Value,
}

impl Node {
    /// Starts on a free port.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_at("0", args)
    }

    /// Starts on a port.
    pub(crate) fn start_at(port: &str, args: &[&str]) -> Self {
        let mut command = parapet(&["dev", "--port", port, "--json"]);
        command.args(args);
        Self::spawn(command)
    }

    /// Starts `parapet node` on a free port.
    pub(crate) fn start_node(args: &[&str]) -> Self {
        let mut command = parapet(&["node", "--port", "0", "--json"]);
        command.args(args);
        Self::spawn(command)
    }

    /// Starts a command whose log goes where it was told to.
    pub(crate) fn spawn_with_log(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        Self { child, stdout, ready: serde_json::from_str(&line).unwrap() }
    }

    /// Starts a command that runs the node, and waits until it is ready.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut error = String::new();
            child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
            panic!("the node did not start: {error}");
        }
        // Nobody else reads it, and a full pipe would stop the node.
        let mut stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Self { child, stdout, ready: serde_json::from_str(&line).unwrap() }
    }

    /// A client that signs for account 0.
    pub(crate) fn provider(&self) -> DynProvider {
        let wallet = EthereumWallet::from(KEY.parse::<PrivateKeySigner>().unwrap());
        ProviderBuilder::new()
            .wallet(wallet)
            .connect_http(self.ready["http"].as_str().unwrap().parse().unwrap())
            .erased()
    }

    /// Waits for the end, which comes by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn stop(mut self, signal: &str) -> (ExitStatus, String) {
        self.signal(signal);
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (status, rest)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already.
        let _: Result<(), _> = self.child.kill();
        let _: Result<ExitStatus, _> = self.child.wait();
    }
}

/// The program with some arguments, and nothing of this process's own settings.
pub(crate) fn parapet(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parapet"));
    command.args(args).env_remove("RUST_LOG");
    command
}

async fn send(provider: &DynProvider, wei: u64) {
    let request = TransactionRequest::default().with_to(RECEIVER).with_value(U256::from(wei));
    let receipt = provider.send_transaction(request).await.unwrap().get_receipt().await.unwrap();
    assert!(receipt.status());
}

#[tokio::test]
async fn starts_serves_and_stops_on_ctrl_c() {
    let node = Node::start(&["--accounts", "3", "--balance", "7", "--chain-id", "99", "--hardfork", "prague"]);
    assert_eq!(node.ready["accounts"].as_array().unwrap().len(), 3);
    assert_eq!((&node.ready["chainId"], &node.ready["hardfork"]), (&99.into(), &"prague".into()));
    assert_eq!(node.ready["registry"], "0x5061726170657400000000000000000000000001");
    let provider = node.provider();
    assert_eq!(provider.get_chain_id().await.unwrap(), 99);
    let first: Address = node.ready["accounts"][0]["address"].as_str().unwrap().parse().unwrap();
    assert_eq!(provider.get_balance(first).await.unwrap(), U256::from(7) * U256::from(10).pow(U256::from(18)));
    assert!(
        !provider.get_code_at("0x5061726170657400000000000000000000000001".parse().unwrap()).await.unwrap().is_empty()
    );
    send(&provider, 1).await;
    let (status, rest) = node.stop("-INT");
    assert_eq!(status.code(), Some(0));
    assert_eq!(rest, "");
}

#[tokio::test]
async fn stops_on_sigterm_while_a_socket_is_open() {
    let node = Node::start(&["--block-time", "1"]);
    let address = node.ready["http"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    let socket = std::net::TcpStream::connect(address).unwrap();
    let (status, _) = node.stop("-TERM");
    assert_eq!(status.code(), Some(0));
    drop(socket);
}

#[tokio::test]
async fn a_chain_in_a_folder_survives_kill_and_stop() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let node = Node::start(&["--datadir", path]);
    let provider = node.provider();
    send(&provider, 5).await;
    provider
        .raw_request::<_, ()>("anvil_setBalance".into(), (Address::repeat_byte(0x43), U256::from(9)))
        .await
        .unwrap();
    let head = provider.get_block_by_number(1.into()).await.unwrap().unwrap().header.hash;
    node.stop("-KILL");

    let node = Node::start(&["--datadir", path]);
    let provider = node.provider();
    assert_eq!(provider.get_block_by_number(1.into()).await.unwrap().unwrap().header.hash, head);
    assert_eq!(provider.get_balance(RECEIVER).await.unwrap(), U256::from(5));
    assert_eq!(provider.get_balance(Address::repeat_byte(0x43)).await.unwrap(), U256::from(9));
    send(&provider, 6).await;
    assert_eq!(node.stop("-INT").0.code(), Some(0));

    let node = Node::start(&["--datadir", path]);
    assert_eq!(node.provider().get_balance(RECEIVER).await.unwrap(), U256::from(11));
    assert_eq!(node.provider().get_block_number().await.unwrap(), 2);
}

#[test]
fn a_second_process_on_the_folder_is_refused_and_the_first_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let first = Node::start(&["--datadir", path]);
    let second = parapet(&["dev", "--port", "0", "--datadir", path]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let error = String::from_utf8(second.stderr).unwrap();
    assert!(error.contains("in use by another process"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert_eq!(first.stop("-INT").0.code(), Some(0));
}

#[test]
fn another_chain_in_the_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    Node::start(&["--datadir", path]).stop("-INT");
    let other = parapet(&["dev", "--port", "0", "--datadir", path, "--chain-id", "5"]).output().unwrap();
    assert_eq!(other.status.code(), Some(1));
    let error = String::from_utf8(other.stderr).unwrap();
    assert!(error.contains("chain id 31337"), "{error}");
}

#[test]
fn a_port_in_use_is_told_in_one_line() {
    let node = Node::start(&[]);
    let port = node.ready["http"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let second = parapet(&["dev", "--port", &port]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let error = String::from_utf8(second.stderr).unwrap();
    assert!(error.contains("choose another port with --port"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert_eq!(String::from_utf8(second.stdout).unwrap(), "");
}

/// As somebody who may do everything, nothing can be read-only; then the node is run as somebody who may not.
fn unprivileged(args: &[&str]) -> Option<Command> {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout != b"0\n" {
        return Some(parapet(args));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", env!("CARGO_BIN_EXE_parapet")]);
    command.args(args).env_remove("RUST_LOG");
    let works = Command::new("setpriv").args(["--reuid", "65534", "--clear-groups", "true"]).status();
    works.is_ok_and(|status| status.success()).then_some(command)
}

#[test]
fn a_folder_that_may_not_be_written_is_refused_and_left_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    Node::start(&["--datadir", path]).stop("-INT");
    for (folder, mode) in [(dir.path().join("chain"), 0o555), (dir.path().to_owned(), 0o555)] {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let Some(mut command) = unprivileged(&["dev", "--port", "0", "--datadir", path]) else {
        println!("skipped: nobody here may not do everything");
        return;
    };
    let refused = command.output().unwrap();
    let error = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{error}");
    assert!(error.contains(path) && error.contains("Permission denied"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    for (folder, mode) in [(dir.path().to_owned(), 0o755), (dir.path().join("chain"), 0o755)] {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    Node::start(&["--datadir", path]).stop("-INT");
}
