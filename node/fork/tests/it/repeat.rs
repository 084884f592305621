//! Chains that go on after a transaction: what its endpoint says of the block has to be what the block's header commits to.

use std::sync::Arc;

use alloy_consensus::{Header, TxLegacy, proofs::calculate_transaction_root};
use alloy_primitives::{Address, B256};
use alloy_rpc_types_eth::TransactionInfo;
use parapet_fork::{Fork, ForkBlock, ForkError, ForkSettings, Verify};
use parapet_types::{Transaction, unsigned_transaction};
use serde_json::{Value, json};

use crate::{
    chain::{Chain, HEAD, Skill, settings},
    server::{Act, Server},
};

/// Gas that the transaction and those before it used.
const GAS_USED: u64 = 63_000;

/// A block of three transactions on the newest of a chain, as its endpoint tells of it.
struct Next {
    transactions: Vec<Transaction>,
    header: Header,
}

impl Next {
    fn of(chain: &Chain) -> Self {
        let sent = |nonce| {
            let transaction = TxLegacy { chain_id: Some(9), nonce, ..TxLegacy::default() };
            unsigned_transaction(transaction.into(), Address::repeat_byte(7))
        };
        let transactions: Vec<_> = (0..3).map(sent).collect();
        let envelopes: Vec<_> = transactions.iter().map(|transaction| transaction.inner()).collect();
        let header = Header {
            number: HEAD + 1,
            parent_hash: chain.headers.last().unwrap().hash_slow(),
            transactions_root: calculate_transaction_root(&envelopes),
            base_fee_per_gas: Some(7),
            withdrawals_root: Some(B256::ZERO),
            ..Header::default()
        };
        Self { transactions, header }
    }

    fn hash(&self, index: usize) -> B256 {
        *self.transactions[index].tx_hash()
    }

    fn block(&self) -> Value {
        let mut block = serde_json::to_value(&self.header).unwrap();
        block["hash"] = json!(self.header.hash_slow());
        let told = |transaction: &Transaction| {
            alloy_rpc_types_eth::Transaction::from_transaction(transaction.clone(), TransactionInfo::default())
        };
        block["transactions"] = json!(self.transactions.iter().map(told).collect::<Vec<_>>());
        block
    }

    fn answer(&self, method: &str, params: &Value) -> Option<Value> {
        let known = || self.transactions.iter().any(|transaction| json!(transaction.tx_hash()) == params[0]);
        match method {
            "eth_getTransactionByHash" if known() => Some(json!({ "blockNumber": format!("{:#x}", HEAD + 1) })),
            "eth_getTransactionByHash" => Some(Value::Null),
            "eth_getTransactionReceipt" => Some(json!({ "cumulativeGasUsed": format!("{GAS_USED:#x}") })),
            "eth_getBlockByNumber" if params[0] == json!(format!("{:#x}", HEAD + 1)) => Some(self.block()),
            _ => None,
        }
    }
}

/// Forks after a transaction of the next block, by an endpoint that changes its answers to a method.
fn fork_after(hash: impl Fn(&Next) -> B256, lie: (&'static str, fn(&mut Value))) -> Result<Fork, ForkError> {
    let chain = Chain::new(Skill::Proofs);
    let next = Arc::new(Next::of(&chain));
    let hash = hash(&next);
    let server = Server::start(move |_, body| {
        let request: Value = serde_json::from_slice(body).unwrap();
        let method = request["method"].as_str().unwrap_or_default();
        let Some(mut result) = next.answer(method, &request["params"]) else { return Act::Answer(chain.answer(body)) };
        if method == lie.0 {
            lie.1(&mut result);
        }
        Act::Answer(serde_json::to_vec(&json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })).unwrap())
    });
    Fork::begin(ForkSettings { block: ForkBlock::Transaction(hash), ..settings(&server.url, Verify::Always) })
}

const HONEST: (&str, fn(&mut Value)) = ("", |_| {});

#[test]
fn what_comes_before_the_transaction_and_it_are_to_be_executed_again_on_the_block_before() {
    for index in 0..3 {
        let fork = fork_after(|next| next.hash(index), HONEST).unwrap();
        let repeat = fork.repeat().unwrap();
        assert_eq!((fork.header().number, repeat.header.number), (HEAD, HEAD + 1));
        assert_eq!((repeat.transactions.len(), repeat.gas_used), (index + 1, GAS_USED));
        assert!(repeat.transactions.iter().all(|transaction| transaction.signer() == Address::repeat_byte(7)));
    }
}

#[test]
fn a_transaction_that_is_in_no_block_is_refused() {
    assert!(matches!(fork_after(|_| B256::ZERO, HONEST), Err(ForkError::NoTransaction { .. })));
    let waits = ("eth_getTransactionByHash", (|said| said["blockNumber"] = Value::Null) as fn(&mut Value));
    assert!(matches!(fork_after(|next| next.hash(1), waits), Err(ForkError::NoTransaction { .. })));
}

#[test]
fn no_lie_about_its_block_is_believed() {
    let lies: [fn(&mut Value); 8] = [
        |said| said["transactions"] = json!([]),
        |said| said["transactions"].as_array_mut().unwrap().swap(0, 1),
        |said| said["transactions"].as_array_mut().unwrap().truncate(2),
        |said| said["transactions"][0]["value"] = json!("0x1"),
        |said| said["transactions"][0]["from"] = json!(Address::ZERO),
        |said| said["transactions"][0] = json!({ "type": "0x7e" }),
        |said| said["parentHash"] = json!(B256::ZERO),
        |said| said["timestamp"] = json!("0x1"),
    ];
    for (index, lie) in lies.into_iter().enumerate() {
        let refused = fork_after(|next| next.hash(1), ("eth_getBlockByNumber", lie));
        let known = matches!(refused, Err(ForkError::Nonsense { .. } | ForkError::OtherBlock { .. }));
        assert!(known, "lie {index}: {refused:?}");
    }
}
