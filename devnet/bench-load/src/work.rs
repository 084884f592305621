//! What is sent: signed, encoded and written before anything is measured.

use std::{collections::BTreeMap, fs, path::Path};

use alloy_eips::eip2718::Encodable2718 as _;
use alloy_primitives::{Address, B256, U64, U256, hex};
use hyper::body::Bytes;
use parapet_types::{StateChanges, Transaction};
use parapet_workloads::{CHAIN_ID, Load};
use serde_json::{Value, json};

use crate::error::BenchError;

/// Transactions in a request.
pub const BATCH: usize = 100;
/// Gas limit of blocks, of both nodes: never what holds transactions up.
pub const BLOCK_GAS_LIMIT: u64 = 1_000_000_000;
/// Base fee of the first block, in wei per gas.
const BASE_FEE: u64 = 1_000_000_000;
/// Time of the first block, in seconds since 1970.
const TIMESTAMP: u64 = 1_770_000_000;

/// One batch: transactions on their way in, and the question for their receipts.
#[derive(Clone, Debug)]
pub struct BatchOf {
    /// How many.
    pub transactions: usize,
    /// The request that sends them.
    pub send: Bytes,
    /// The request for their receipts.
    pub receipts: Bytes,
    /// Requests for those that were not mined yet are written anew, so hashes are kept.
    pub hashes: Vec<B256>,
}

/// What one connection sends, in order.
pub type Share = Vec<BatchOf>;

/// Splits transactions among connections, each sender's to one of them, in order.
#[must_use]
pub fn shares(transactions: &[Transaction], connections: usize) -> Vec<Share> {
    let mut owner = BTreeMap::<Address, usize>::new();
    let mut parts = vec![Vec::new(); connections];
    for transaction in transactions {
        let next = owner.len() % connections;
        let part = *owner.entry(transaction.signer()).or_insert(next);
        parts[part].push(transaction);
    }
    parts.into_iter().map(|part| part.chunks(BATCH).map(batch).collect()).collect()
}

fn batch(transactions: &[&Transaction]) -> BatchOf {
    let raw = transactions.iter().map(|transaction| hex::encode_prefixed(transaction.inner().encoded_2718()));
    let hashes: Vec<B256> = transactions.iter().map(|transaction| *transaction.tx_hash()).collect();
    BatchOf {
        transactions: transactions.len(),
        send: calls("eth_sendRawTransaction", raw),
        receipts: receipts(&hashes),
        hashes,
    }
}

/// A request for receipts.
#[must_use]
pub fn receipts(hashes: &[B256]) -> Bytes {
    calls("eth_getTransactionReceipt", hashes.iter().map(ToString::to_string))
}

fn calls(method: &str, parameters: impl Iterator<Item = String>) -> Bytes {
    let call = |(id, parameter): (usize, String)| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":["{parameter}"]}}"#)
    };
    format!("[{}]", parameters.enumerate().map(call).collect::<Vec<_>>().join(",")).into()
}

/// Writes a genesis, in geth's form, on which both nodes begin.
///
/// # Errors
/// [`BenchError::File`].
pub fn write_genesis(load: &Load, path: &Path) -> Result<(), BenchError> {
    let json = serde_json::to_vec(&genesis(&load.state))?;
    fs::write(path, json).map_err(|source| BenchError::File { path: path.to_owned(), source })
}

fn genesis(state: &StateChanges) -> Value {
    let account = |(address, change): (&Address, &parapet_types::AccountChange)| {
        let info = change.info.unwrap_or_default();
        let storage: BTreeMap<B256, B256> =
            change.storage.iter().map(|(slot, value)| (B256::from(*slot), B256::from(*value))).collect();
        let mut account = json!({ "balance": info.balance, "nonce": U64::from(info.nonce), "storage": storage });
        if let Some(code) = state.code.get(&info.code_hash) {
            account["code"] = json!(code);
        }
        (address.to_string(), account)
    };
    let blocks = [
        "homestead",
        "eip150",
        "eip155",
        "eip158",
        "byzantium",
        "constantinople",
        "petersburg",
        "istanbul",
        "berlin",
        "london",
    ];
    let times = ["shanghai", "cancun", "prague", "osaka"];
    let blocks = blocks.into_iter().map(|name| (format!("{name}Block"), json!(0)));
    let times = times.into_iter().map(|name| (format!("{name}Time"), json!(0)));
    let mut config: serde_json::Map<String, Value> = blocks.chain(times).collect();
    config.insert("chainId".to_owned(), json!(CHAIN_ID));
    config.insert("terminalTotalDifficulty".to_owned(), json!(0));
    config.insert("terminalTotalDifficultyPassed".to_owned(), json!(true));
    json!({
        "config": config,
        "nonce": "0x0",
        "timestamp": U64::from(TIMESTAMP),
        "extraData": "0x",
        "gasLimit": U64::from(BLOCK_GAS_LIMIT),
        "difficulty": "0x0",
        "mixHash": B256::ZERO,
        "coinbase": Address::ZERO,
        "baseFeePerGas": U256::from(BASE_FEE),
        "alloc": state.accounts.iter().map(account).collect::<serde_json::Map<_, _>>(),
    })
}
