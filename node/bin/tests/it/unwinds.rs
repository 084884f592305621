//! A node that is killed while it goes back, or goes back and on again, comes up with a chain that was or that it was to have;
//! and so does a folder whose old states are being forgotten.

use std::{future::Future, path::Path, process::Stdio, time::Duration};

use alloy_network::TransactionBuilder as _;
use alloy_primitives::{Address, B256, U256};
use alloy_provider::{DynProvider, Provider as _};
use alloy_rpc_types_eth::{BlockNumberOrTag, TransactionRequest};
use serde_json::{Value, json};

use crate::{
    kills::{KILLS_VARIABLE, SETTINGS, Template, Told, client, draw, verify},
    process::{Node, parapet},
};

/// Kills of each kind where nobody says how many.
const KILLS: u64 = 6;
/// A node is killed within so many milliseconds of being asked to go back.
const UNWIND_DELAY_MS: u64 = 40;
/// A program that forgets states is killed within so many milliseconds of its start.
const PRUNE_DELAY_MS: u64 = 160;
/// Blocks that come before each kill, and that are dropped at most: fewer than are kept of states.
const BLOCKS: u64 = 5;
const DEPTH_MAX: u64 = 6;
/// Blocks of a folder whose states are forgotten.
const LONG: u64 = 60;
const RECEIVER: Address = Address::repeat_byte(0x42);

fn kills() -> u64 {
    std::env::var(KILLS_VARIABLE).map_or(KILLS, |kills| kills.parse().unwrap())
}

async fn pay_one(client: &DynProvider) -> Told {
    let request = TransactionRequest::default().with_to(RECEIVER).with_value(U256::ONE).with_gas_limit(500_000);
    let transaction = *client.send_transaction(request).await.unwrap().tx_hash();
    let receipt = client.get_transaction_receipt(transaction).await.unwrap().unwrap();
    Told { transaction, block: receipt.block_hash.unwrap(), number: receipt.block_number.unwrap() }
}

async fn hash_of(client: &DynProvider, number: u64) -> Option<B256> {
    let block = client.get_block_by_number(BlockNumberOrTag::Number(number)).await.unwrap();
    block.map(|block| block.header.hash)
}

async fn hashes(client: &DynProvider) -> Vec<B256> {
    let mut all = Vec::new();
    while let Some(hash) = hash_of(client, all.len() as u64).await {
        all.push(hash);
    }
    all
}

/// Asks the node to go back, and kills it meanwhile.
async fn killed_while(node: Node, delay: Duration, asked: impl Future<Output = ()> + Send + 'static) {
    let asked = tokio::spawn(asked);
    tokio::time::sleep(delay).await;
    node.stop("-KILL");
    asked.await.unwrap();
}

/// Up to where two chains are one.
fn common(left: &[B256], right: &[B256]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}

#[tokio::test]
async fn a_node_that_is_killed_while_it_goes_back_has_the_chain_up_to_where_it_went() {
    let template = Template::new().await;
    let dir = template.copied();
    let folder = dir.path().to_str().unwrap();
    let mut told: Vec<Told> = Vec::new();
    for kill in 0..kills() {
        let args = [&["--datadir", folder][..], SETTINGS[kill as usize % SETTINGS.len()]].concat();
        let node = Node::start(&args);
        // The guarded account is among those that send.
        for account in 0..BLOCKS {
            told.push(pay_one(&client(&node, account as usize)).await);
        }
        let asking = client(&node, 0);
        let was = hashes(&asking).await;
        let depth = 1 + draw(kill, DEPTH_MAX.min(BLOCKS));
        let kept = was.len() - depth as usize;
        let goes_on = kill % 2 == 1;
        let asked = async move {
            let (method, parameters) =
                if goes_on { ("anvil_reorg", json!([depth, []])) } else { ("anvil_rollback", json!([depth])) };
            // It is not answered where the node is gone.
            let _: Result<Value, _> = asking.raw_request(method.into(), parameters).await;
        };
        killed_while(node, Duration::from_millis(draw(kill + 1_000, UNWIND_DELAY_MS)), asked).await;
        verify(dir.path());

        let node = Node::start(&args);
        let is = hashes(&client(&node, 0)).await;
        let common = common(&was, &is);
        assert!(common >= kept, "kill {kill}: of {} blocks, {kept} were to be left, and {common} are", was.len());
        told.retain(|told| told.number < common as u64);
        template.check(&node, &told).await;
        node.stop("-KILL");
    }
    let checked = verify(dir.path());
    assert!(checked["transactions"].as_u64().unwrap() >= told.len() as u64, "{checked}");
}

/// Forgets all states but the newest, and is killed meanwhile; gives whether it came to its end.
fn killed_while_pruning(dir: &Path, delay: Duration) -> bool {
    let mut prune = parapet(&["db", "prune", dir.to_str().unwrap(), "--keep", "1"]);
    let mut prune = prune.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(delay);
    let has_ended = prune.try_wait().unwrap().is_some_and(|status| status.success());
    prune.kill().unwrap();
    prune.wait().unwrap();
    has_ended
}

fn oldest(dir: &Path) -> (u64, u64) {
    let output = parapet(&["db", "stats", dir.to_str().unwrap(), "--json"]).output().unwrap();
    let stats: Value = serde_json::from_slice(&output.stdout).unwrap();
    (stats["oldestState"].as_u64().unwrap(), stats["head"].as_u64().unwrap())
}

#[tokio::test]
async fn states_that_are_forgotten_halfway_when_the_program_is_killed_are_forgotten_on() {
    let template = Template::new().await;
    let long = template.copied();
    let mut told = Vec::new();
    let node = Node::start(&["--datadir", long.path().to_str().unwrap()]);
    for block in 0..LONG {
        told.push(pay_one(&client(&node, block as usize % 5)).await);
    }
    node.stop("-KILL");
    let mut left = kills();
    while left > 0 {
        let dir = tempfile::tempdir().unwrap();
        crate::kills::copy_all(long.path(), dir.path());
        let mut before = 0;
        while left > 0 && !killed_while_pruning(dir.path(), Duration::from_millis(draw(left, PRUNE_DELAY_MS))) {
            verify(dir.path());
            let (oldest, head) = oldest(dir.path());
            assert!((before..=head).contains(&oldest), "{left} kills before the end: {before}, then {oldest}");
            (before, left) = (oldest, left - 1);
        }
        let node = Node::start(&["--datadir", dir.path().to_str().unwrap(), "--prune", "1"]);
        template.check(&node, &told).await;
        pay_one(&client(&node, 1)).await;
        node.stop("-KILL");
        verify(dir.path());
    }
}
