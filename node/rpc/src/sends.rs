//! Transactions that come in one batch: their senders are found out by all cores, and they are submitted together.
//!
//! Invariant: each call gets the answer it would get alone, and they count as one after the other.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use jsonrpsee::{
    MethodResponse, ResponsePayload,
    types::{ErrorObjectOwned, Id},
};
use parapet_types::Transaction;
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};

use crate::{RpcError, api::signed_transaction, asked::Asked, node::Node};

/// The method.
const METHOD: &str = "eth_sendRawTransaction";
/// Fewest transactions for which a core is woken.
const PER_THREAD_MIN: usize = 16;

/// Answers transactions that are sent together.
pub(crate) struct Sends(pub(crate) Arc<Node>);

impl Sends {
    /// Whether a call sends a signed transaction.
    pub(crate) fn is_one(asked: &Asked<'_>) -> bool {
        asked.method == METHOD
    }

    /// An answer for each call, in their order; `None` for one whose parameters are not those of the method.
    pub(crate) async fn answer(&self, together: &[Asked<'_>]) -> Vec<Option<MethodResponse>> {
        let raw: Vec<_> =
            together.iter().map(|asked| asked.params().parse::<[Bytes; 1]>().ok().map(|[raw]| raw)).collect();
        let ids: Vec<Option<Id<'_>>> =
            together.iter().zip(&raw).map(|(asked, raw)| raw.as_ref().map(|_| asked.id.clone())).collect();
        let mut results = self.submit(raw.into_iter().flatten().collect()).await.into_iter();
        let response_bytes_max = self.0.limits.response_bytes_max as usize;
        let mut answer = |id: Id<'_>| {
            let missing = || Err(RpcError::Internal("a transaction was not answered".to_owned()));
            match results.next().unwrap_or_else(missing) {
                Ok(hash) => MethodResponse::response(id, ResponsePayload::success(hash), response_bytes_max),
                Err(error) => MethodResponse::error(id, ErrorObjectOwned::from(error)),
            }
        };
        ids.into_iter().map(|id| id.map(&mut answer)).collect()
    }

    async fn submit(&self, raw: Vec<Bytes>) -> Vec<Result<B256, RpcError>> {
        let Ok(transactions) = tokio::task::spawn_blocking(move || recover(raw)).await else { return Vec::new() };
        let mut good = Vec::with_capacity(transactions.len());
        let places: Vec<Result<(), RpcError>> =
            transactions.into_iter().map(|transaction| transaction.map(|transaction| good.push(transaction))).collect();
        let mut answers = self.0.submit(good).await.into_iter();
        let missing = || Err(RpcError::Internal("the chain's writer did not answer".to_owned()));
        places.into_iter().map(|place| place.and_then(|()| answers.next().unwrap_or_else(missing))).collect()
    }
}

/// Decodes transactions and finds their senders out.
fn recover(raw: Vec<Bytes>) -> Vec<Result<Transaction, RpcError>> {
    raw.into_par_iter().with_min_len(PER_THREAD_MIN).map(|raw| signed_transaction(&raw)).collect()
}
