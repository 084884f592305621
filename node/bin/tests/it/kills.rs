//! A node that is killed at any moment, under load, loses nothing that it has announced.
//!
//! A chain lives through a number of kills, and is then read as a whole; the next one begins as a copy of one template,
//! under other settings. So a thousand kills do not come to a chain whose length decides what they take.

use std::{
    fs,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use alloy_network::{EthereumWallet, TransactionBuilder as _};
use alloy_primitives::{Address, B256, U256, utils::parse_ether};
use alloy_provider::{DynProvider, Provider as _, ProviderBuilder};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer_local::PrivateKeySigner;
use serde_json::{Value, json};

use crate::{
    guards::{OWNER, guard_ok, pay},
    process::{Node, parapet},
};

/// Sets how often the node is killed. A thousand kills are a matter of patience.
pub(crate) const KILLS_VARIABLE: &str = "PARAPET_TEST_KILLS";
/// Kills where nobody says how many.
const KILLS: u64 = 24;
/// Kills that one chain lives through.
const KILLS_PER_CHAIN: u64 = 12;
/// How the chains are kept, in turn.
pub(crate) const SETTINGS: [&[&str]; 4] =
    [&[], &["--sync", "system"], &["--prune", "8"], &["--cache", "16", "--threads", "2"]];
/// A node is killed within so many milliseconds of being ready.
const KILL_DELAY_MS: u64 = 400;
/// One in so many is killed before, within so many milliseconds of its start: while it looks at what the last kill left.
const EARLY_EVERY: u64 = 3;
const EARLY_DELAY_MS: u64 = 250;
/// After one kill in so many, the folder is read as a whole before a node starts on it.
const VERIFIED_EVERY: u64 = 6;
/// Accounts that send at once, the guarded one among them.
const SENDERS: usize = 5;
const RECEIVER: Address = Address::repeat_byte(0x42);
/// What tells one drawn number of a kill from another.
const STREAMS: u64 = 2;

/// What a client was told of one of its transactions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) transaction: B256,
    pub(crate) block: B256,
    pub(crate) number: u64,
}

/// SplitMix64: a seed gives the same moments in every run, as far as a machine can.
pub(crate) fn draw(seed: u64, bound: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (z ^ (z >> 31)) % bound
}

pub(crate) fn client(node: &Node, account: usize) -> DynProvider {
    let key = node.ready["accounts"][account]["privateKey"].as_str().unwrap();
    let wallet = EthereumWallet::from(key.parse::<PrivateKeySigner>().unwrap());
    ProviderBuilder::new().wallet(wallet).connect_http(node.ready["http"].as_str().unwrap().parse().unwrap()).erased()
}

/// Sends until nobody answers any more; gives what was answered.
async fn send_while_it_answers(client: DynProvider) -> Vec<Told> {
    let mut told = Vec::new();
    loop {
        let request = TransactionRequest::default().with_to(RECEIVER).with_value(U256::ONE).with_gas_limit(500_000);
        let Ok(sent) = client.send_transaction(request).await else { return told };
        let transaction = *sent.tx_hash();
        let Ok(Some(receipt)) = client.get_transaction_receipt(transaction).await else { return told };
        told.push(Told { transaction, block: receipt.block_hash.unwrap(), number: receipt.block_number.unwrap() });
    }
}

/// A chain that was begun, with a guard that has judged.
pub(crate) struct Template {
    folder: tempfile::TempDir,
    attachment: Value,
    /// The owner's transactions of which the guard was not asked, since it was not there yet.
    unjudged: u64,
}

impl Template {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::start(&["--datadir", folder.path().to_str().unwrap()]);
        guard_ok(&node, &["deploy", "outflow_cap"]);
        let caps = ["--param", "tx_max=5 ether", "--param", "window_max=8 ether", "--param", "window_seconds=10000000"];
        let attach = [&["attach", "outflow_cap", "--account", OWNER, "--mode", "enforce"][..], &caps].concat();
        let attachment = guard_ok(&node, &attach)["attachment"].clone();
        let provider = node.provider();
        let unjudged = provider.get_transaction_count(OWNER.parse().unwrap()).await.unwrap();
        assert!(pay(&provider, "4").await.status());
        node.stop("-KILL");
        Self { folder, attachment, unjudged }
    }

    pub(crate) fn copied(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_all(self.folder.path(), copy.path());
        copy
    }

    /// All that was told is there, and the guard judges as before.
    pub(crate) async fn check(&self, node: &Node, told: &[Told]) {
        let client = client(node, 0);
        let head = client.get_block_number().await.unwrap();
        for told in told {
            assert!(told.number <= head, "{told:?} is lost; the head is block {head}");
            let receipt = client.get_transaction_receipt(told.transaction).await.unwrap();
            let receipt = receipt.unwrap_or_else(|| panic!("the receipt of {told:?} is lost"));
            assert_eq!(receipt.block_hash, Some(told.block), "{told:?}");
        }
        // What the guard counts is under the state root, and so is what it was asked of.
        let counts: Value = client.raw_request("guard_getCounts".into(), json!([self.attachment])).await.unwrap();
        let sent = client.get_transaction_count(OWNER.parse().unwrap()).await.unwrap();
        assert_eq!(counts["judged"], sent - self.unjudged, "block {head}: {counts}");
        // More than one transaction may move, and more than is left of the window.
        for (ether, code) in [("6", "code 1"), ("5", "code 2")] {
            let request = TransactionRequest::default()
                .with_from(OWNER.parse().unwrap())
                .with_to(RECEIVER)
                .with_value(parse_ether(ether).unwrap());
            let error = client.estimate_gas(request).await.unwrap_err();
            let message = error.as_error_resp().unwrap().message.to_string();
            assert!(message.contains("vetoed by guard outflow_cap") && message.contains(code), "{message}");
        }
    }
}

pub(crate) fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_all(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every block follows the one before it and holds what it commits to; the states at both ends have their roots.
pub(crate) fn verify(folder: &Path) -> Value {
    let output = parapet(&["db", "verify", folder.to_str().unwrap(), "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Kills a node that has just been started, most often before it is ready.
fn kill_early(args: &[&str], delay: Duration) {
    let mut command = parapet(&["dev", "--port", "0", "--silent"]);
    let mut node = command.args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(delay);
    node.kill().unwrap();
    node.wait().unwrap();
}

/// What is drawn for a kill.
fn drawn(kill: u64, stream: u64, bound: u64) -> u64 {
    draw(kill * STREAMS + stream, bound)
}

/// One chain, killed so many times; gives the transactions in it.
async fn live(template: &Template, settings: &[&str], kills: std::ops::Range<u64>) -> u64 {
    let dir = template.copied();
    let args = [&["--datadir", dir.path().to_str().unwrap()], settings].concat();
    let mut told: Vec<Told> = Vec::new();
    for kill in kills {
        if kill % EARLY_EVERY == 0 {
            kill_early(&args, Duration::from_millis(drawn(kill, 0, EARLY_DELAY_MS)));
        }
        if kill % VERIFIED_EVERY == 1 {
            verify(dir.path());
        }
        let node = Node::start(&args);
        template.check(&node, &told).await;
        // Older ones were checked after each kill since, and are counted below.
        told.clear();
        let senders: Vec<_> =
            (0..SENDERS).map(|account| tokio::spawn(send_while_it_answers(client(&node, account)))).collect();
        tokio::time::sleep(Duration::from_millis(drawn(kill, 1, KILL_DELAY_MS))).await;
        node.stop("-KILL");
        for sender in senders {
            told.extend(sender.await.unwrap());
        }
    }
    let node = Node::start(&args);
    template.check(&node, &told).await;
    node.stop("-KILL");
    verify(dir.path())["transactions"].as_u64().unwrap()
}

#[tokio::test]
async fn nothing_that_was_announced_is_lost_when_the_node_is_killed_under_load() {
    let kills = std::env::var(KILLS_VARIABLE).map_or(KILLS, |kills| kills.parse().unwrap());
    let (template, began) = (Template::new().await, Instant::now());
    let (mut killed, mut transactions) = (0, 0);
    for settings in SETTINGS.iter().cycle() {
        if killed == kills {
            break;
        }
        let until = kills.min(killed + KILLS_PER_CHAIN);
        transactions += live(&template, settings, killed..until).await;
        killed = until;
        println!("{killed} kills, {transactions} transactions, {} s", began.elapsed().as_secs());
    }
    assert!(transactions > kills, "{transactions} transactions in {kills} kills are no load");
}
