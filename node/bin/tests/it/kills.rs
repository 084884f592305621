//! A node that is killed at any moment, under load, loses nothing that it has announced.

use std::{path::Path, time::Duration};

use alloy_network::{EthereumWallet, TransactionBuilder as _};
use alloy_primitives::{Address, B256, U256, utils::parse_ether};
use alloy_provider::{DynProvider, Provider as _, ProviderBuilder};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer_local::PrivateKeySigner;
use serde_json::Value;

use crate::{
    guards::{OWNER, guard_ok},
    process::{Node, parapet},
};

/// Sets how often the node is killed. A thousand kills are a matter of patience.
const KILLS_VARIABLE: &str = "PARAPET_TEST_KILLS";
/// Kills where nobody says how many.
const KILLS: u64 = 4;
/// A node is killed within so many milliseconds of being ready.
const KILL_DELAY_MS: u64 = 400;
/// Accounts that send at once; account 0 is left to the guard.
const SENDERS: usize = 4;
const RECEIVER: Address = Address::repeat_byte(0x42);

/// What a client was told of one of its transactions.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    transaction: B256,
    block: B256,
    number: u64,
}

/// SplitMix64: a seed gives the same moments in every run, as far as a machine can.
fn draw(seed: u64, bound: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (z ^ (z >> 31)) % bound
}

fn client(node: &Node, account: usize) -> DynProvider {
    let key = node.ready["accounts"][account]["privateKey"].as_str().unwrap();
    let wallet = EthereumWallet::from(key.parse::<PrivateKeySigner>().unwrap());
    ProviderBuilder::new().wallet(wallet).connect_http(node.ready["http"].as_str().unwrap().parse().unwrap()).erased()
}

/// Sends until nobody answers any more; gives what was answered.
async fn send_while_it_answers(client: DynProvider) -> Vec<Told> {
    let mut told = Vec::new();
    loop {
        let request = TransactionRequest::default().with_to(RECEIVER).with_value(U256::ONE).with_gas_limit(100_000);
        let Ok(sent) = client.send_transaction(request).await else { return told };
        let transaction = *sent.tx_hash();
        let Ok(Some(receipt)) = client.get_transaction_receipt(transaction).await else { return told };
        told.push(Told { transaction, block: receipt.block_hash.unwrap(), number: receipt.block_number.unwrap() });
    }
}

/// All that was told is there, and the guard judges as before.
async fn check(node: &Node, told: &[Told]) {
    let client = client(node, 0);
    let head = client.get_block_number().await.unwrap();
    for told in told {
        assert!(told.number <= head, "{told:?} is lost; the head is block {head}");
        let receipt = client.get_transaction_receipt(told.transaction).await.unwrap();
        let receipt = receipt.unwrap_or_else(|| panic!("the receipt of {told:?} is lost"));
        assert_eq!(receipt.block_hash, Some(told.block), "{told:?}");
    }
    let request = TransactionRequest::default()
        .with_from(OWNER.parse().unwrap())
        .with_to(RECEIVER)
        .with_value(parse_ether("6").unwrap());
    let error = client.estimate_gas(request).await.unwrap_err();
    let message = error.as_error_resp().unwrap().message.to_string();
    assert!(message.contains("vetoed by guard outflow_cap"), "{message}");
}

fn verify(folder: &Path) -> Value {
    let output = parapet(&["db", "verify", folder.to_str().unwrap(), "--every", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn nothing_that_was_announced_is_lost_when_the_node_is_killed_under_load() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["--datadir", dir.path().to_str().unwrap()];
    let node = Node::start(&args);
    guard_ok(&node, &["deploy", "outflow_cap"]);
    guard_ok(&node, &["attach", "outflow_cap", "--account", OWNER, "--mode", "enforce", "--param", "tx_max=5 ether"]);
    node.stop("-KILL");

    let kills = std::env::var(KILLS_VARIABLE).map_or(KILLS, |kills| kills.parse().unwrap());
    let mut told: Vec<Told> = Vec::new();
    for kill in 0..kills {
        let node = Node::start(&args);
        check(&node, &told).await;
        // Older ones were checked after each kill since.
        told.clear();
        let senders: Vec<_> =
            (1..=SENDERS).map(|account| tokio::spawn(send_while_it_answers(client(&node, account)))).collect();
        tokio::time::sleep(Duration::from_millis(draw(kill, KILL_DELAY_MS))).await;
        node.stop("-KILL");
        for sender in senders {
            told.extend(sender.await.unwrap());
        }
    }
    let node = Node::start(&args);
    check(&node, &told).await;
    node.stop("-KILL");
    let checked = verify(dir.path());
    assert!(checked["transactions"].as_u64().unwrap() > 2, "{checked}");
}
