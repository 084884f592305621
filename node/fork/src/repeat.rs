//! A transaction of another chain after which a forked chain goes on: its block, up to it.
//!
//! Invariant: what is to be executed again is what the block's own header commits to, in the block's order, and the block
//! follows the one that is forked.

use alloy_consensus::{
    Header, Sealed, TxEnvelope, proofs::calculate_transaction_root, transaction::SignerRecoverable as _,
};
use alloy_eips::eip2718::{Decodable2718 as _, Encodable2718 as _};
use alloy_primitives::{B256, U64};
use parapet_types::{Transaction, is_unsigned};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    ForkError, answer,
    client::{Call, Client},
    fork::read,
};

/// By what a block is asked for.
const METHOD: &str = "eth_getBlockByNumber";

/// The beginning of a block of another chain, to be executed again on the block before it.
#[derive(Clone, Debug)]
pub struct Repeat {
    /// The block's header, with all that it fixed before its transactions ran.
    pub header: Sealed<Header>,
    /// Its transactions up to the one that was named, which is the last.
    pub transactions: Vec<Transaction>,
    /// Gas that they used there, all together. It is told by the endpoint, and not checked.
    pub gas_used: u64,
}

/// Where a transaction lies; without a number it waits.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    block_number: Option<U64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    cumulative_gas_used: U64,
}

#[derive(Deserialize)]
struct Body {
    transactions: Vec<alloy_rpc_types_eth::Transaction>,
}

/// Asks for a transaction's block, up to it.
pub(crate) fn find(client: &Client, hash: B256) -> Result<Repeat, ForkError> {
    let none = |reason| ForkError::NoTransaction { endpoint: client.name().to_owned(), hash, reason };
    let place: Option<Place> = asked(client, "eth_getTransactionByHash", hash)?;
    let place = place.ok_or_else(|| none("it knows none of this hash"))?;
    let number: u64 = place.block_number.ok_or_else(|| none("it is in no block yet"))?.to();
    let receipt: Option<Receipt> = asked(client, "eth_getTransactionReceipt", hash)?;
    let gas_used = receipt.ok_or_else(|| none("it has no receipt"))?.cumulative_gas_used.to();

    let nonsense =
        |reason: String| ForkError::Nonsense { endpoint: client.name().to_owned(), method: METHOD.to_owned(), reason };
    // A block with its transactions may take more than an answer about state.
    let params = to_raw_value(&(format!("{number:#x}"), true)).expect("plain data");
    let raw: Box<RawValue> = client.pass_on(METHOD, &params)?;
    let block = answer::block(&raw).map_err(nonsense)?;
    let block = block.ok_or_else(|| none("its block is not there"))?;
    let body: Body = answer::parse(&raw).map_err(nonsense)?;
    let mut transactions = recovered(body).map_err(nonsense)?;
    let envelopes: Vec<_> = transactions.iter().map(|transaction| transaction.inner()).collect();
    if calculate_transaction_root(&envelopes) != block.header.transactions_root {
        return Err(nonsense(format!("the transactions of block {number} are not those that its header commits to")));
    }
    let index = transactions.iter().position(|transaction| *transaction.tx_hash() == hash);
    transactions.truncate(index.ok_or_else(|| none("it is not in the block that it is said to be in"))? + 1);
    Ok(Repeat { header: block.header, transactions, gas_used })
}

fn asked<T: serde::de::DeserializeOwned>(client: &Client, method: &'static str, hash: B256) -> Result<T, ForkError> {
    let call = Call { method, params: serde_json::json!([hash]) };
    let answer = client.call(method, call.params.clone());
    read(client, &mut [(answer, &call)].into_iter(), answer::parse)
}

/// Transactions with the senders that their signatures, or the marks in place of these, name.
fn recovered(body: Body) -> Result<Vec<Transaction>, String> {
    let recover = |said: alloy_rpc_types_eth::Transaction| {
        let (said, from) = said.inner.into_parts();
        // Out of its encoding comes the hash that it has, not the one that was told.
        let envelope = TxEnvelope::decode_2718_exact(&said.encoded_2718()).map_err(|error| error.to_string())?;
        let signer = envelope.recover_signer();
        let transaction = Transaction::new_unchecked(envelope, signer.as_ref().map_or(from, |signer| *signer));
        match signer {
            Err(error) if !is_unsigned(&transaction) => {
                Err(format!("nobody signed transaction {}: {error}", transaction.tx_hash()))
            }
            Ok(_) | Err(_) => Ok(transaction),
        }
    };
    body.transactions.into_iter().map(recover).collect()
}
