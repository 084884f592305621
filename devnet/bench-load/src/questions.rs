//! What is asked about a chain of token transfers, the first of whose blocks holds one batch of them.

use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256};
use hyper::body::Bytes;
use parapet_workloads::Load;

use crate::work::BATCH;

/// A question.
#[derive(Clone, Debug)]
pub struct Question {
    /// The method.
    pub method: &'static str,
    /// Its parameters, as JSON.
    pub parameters: String,
}

impl Question {
    /// The request that asks it.
    #[must_use]
    pub fn request(&self) -> Bytes {
        self.call(1).into()
    }

    /// The request that asks it [`BATCH`] times over.
    #[must_use]
    pub fn batch(&self) -> Bytes {
        format!("[{}]", (0..BATCH).map(|id| self.call(id)).collect::<Vec<_>>().join(",")).into()
    }

    fn call(&self, id: usize) -> String {
        let Self { method, parameters } = self;
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{parameters}}}"#)
    }
}

/// About the state, whatever blocks there are: of a holder of a token, and of the token.
#[must_use]
pub fn about_state(load: &Load) -> Vec<Question> {
    let (holder, token) = (load.transactions[0].signer(), token(load));
    let word = format!("{:0>64}", holder.to_string().trim_start_matches("0x").to_lowercase());
    let slot = load.state.accounts[&token].storage.first_key_value().map(|(slot, _)| B256::from(*slot));
    let balance_of = format!(r#"{{"to":"{token}","data":"0x70a08231{word}"}}"#);
    let approve = format!(r#"{{"from":"{holder}","to":"{token}","data":"0x095ea7b3{word}{word}"}}"#);
    let question = |method, parameters| Question { method, parameters };
    vec![
        question("eth_chainId", "[]".to_owned()),
        question("eth_blockNumber", "[]".to_owned()),
        question("eth_getBalance", format!(r#"["{holder}","latest"]"#)),
        question("eth_getStorageAt", format!(r#"["{token}","{}","latest"]"#, slot.unwrap_or_default())),
        question("eth_call", format!(r#"[{balance_of},"latest"]"#)),
        question("eth_estimateGas", format!("[{approve}]")),
    ]
}

/// About the block that holds the first batch.
#[must_use]
pub fn about_block(load: &Load) -> Vec<Question> {
    let hash = load.transactions[0].tx_hash();
    let logs = format!(r#"[{{"fromBlock":"0x1","toBlock":"0x1","address":"{}"}}]"#, token(load));
    vec![
        Question { method: "eth_getTransactionReceipt", parameters: format!(r#"["{hash}"]"#) },
        Question { method: "eth_getBlockByNumber", parameters: r#"["0x1",true]"#.to_owned() },
        Question { method: "eth_getLogs", parameters: logs },
    ]
}

fn token(load: &Load) -> Address {
    load.transactions[0].to().expect("a token is called")
}
