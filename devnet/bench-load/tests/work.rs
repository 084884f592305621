//! What is sent is what was meant, before anything is measured with it.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::collections::BTreeMap;

use alloy_consensus::{Transaction as _, transaction::SignerRecoverable as _};
use alloy_eips::eip2718::Decodable2718 as _;
use alloy_primitives::{Address, Bytes};
use parapet_bench_load::{
    questions::Question,
    throughput::count,
    work::{BATCH, shares, write_genesis},
};
use parapet_workloads::{Traffic, load};
use serde_json::Value;

const TRANSACTIONS: usize = 250;
const SENDERS: usize = 7;
const CONNECTIONS: usize = 3;

#[test]
fn each_senders_transactions_travel_over_one_connection_in_the_order_of_their_nonces() {
    for traffic in Traffic::ALL {
        let load = load(traffic, TRANSACTIONS, SENDERS);
        let mut owners = BTreeMap::<Address, usize>::new();
        let mut nonces = BTreeMap::<Address, u64>::new();
        let mut sent = 0;
        for (connection, share) in shares(&load.transactions, CONNECTIONS).iter().enumerate() {
            for batch in share {
                assert!(batch.transactions <= BATCH && batch.hashes.len() == batch.transactions);
                let calls: Vec<Value> = serde_json::from_slice(&batch.send).unwrap();
                assert_eq!(calls.len(), batch.transactions);
                for (call, hash) in calls.iter().zip(&batch.hashes) {
                    let raw: Bytes = serde_json::from_value(call["params"][0].clone()).unwrap();
                    let envelope = alloy_consensus::TxEnvelope::decode_2718_exact(&raw).unwrap();
                    let sender = envelope.recover_signer().unwrap();
                    assert_eq!(envelope.tx_hash(), hash);
                    assert_eq!(*owners.entry(sender).or_insert(connection), connection);
                    let nonce = nonces.entry(sender).or_default();
                    assert_eq!(envelope.nonce(), *nonce);
                    *nonce += 1;
                    sent += 1;
                }
            }
        }
        assert_eq!((sent, owners.len()), (TRANSACTIONS, SENDERS), "{}", traffic.name());
    }
}

#[test]
fn the_genesis_is_one_that_the_node_reads_and_every_sender_can_pay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("genesis.json");
    for traffic in Traffic::ALL {
        let load = load(traffic, TRANSACTIONS, SENDERS);
        write_genesis(&load, &path).unwrap();
        let genesis = parapet_genesis::genesis_of_file(&std::fs::read(&path).unwrap()).unwrap();
        for transaction in &load.transactions {
            let account = genesis.world.account(&transaction.signer()).unwrap().unwrap();
            assert!(account.balance > transaction.value() && account.nonce == 0);
        }
    }
}

#[test]
fn a_question_is_asked_once_or_as_often_as_a_batch_is_long() {
    let question = Question { method: "eth_chainId", parameters: "[]".to_owned() };
    let single: Value = serde_json::from_slice(&question.request()).unwrap();
    assert_eq!(single["method"], "eth_chainId");
    let batch: Vec<Value> = serde_json::from_slice(&question.batch()).unwrap();
    assert_eq!(batch.len(), BATCH);
    assert_eq!(count(&question.batch(), b"eth_chainId"), BATCH);
}
