//! Blocks that were told of, so that a chain that is taken back is noticed, and what comes in its place is told, too.

use std::collections::VecDeque;

use alloy_primitives::{B256, U64};
use serde::Deserialize;

use crate::{CliError, node::Node};

/// Blocks that are remembered. A chain that is taken back further is told from the oldest of them on.
const SEEN_MAX: usize = 256;

/// What is read of a block's header.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Header {
    pub(crate) number: U64,
    pub(crate) hash: B256,
}

/// The last blocks that were told of, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Seen(VecDeque<(u64, B256)>);

impl Seen {
    pub(crate) fn note(&mut self, number: u64, hash: B256) {
        self.0.push_back((number, hash));
        if self.0.len() > SEEN_MAX {
            self.0.pop_front();
        }
    }

    /// Forgets blocks that are no more on the chain. `Some`: the first that has to be told anew.
    pub(crate) async fn taken_back(&mut self, node: &Node) -> Result<Option<u64>, CliError> {
        let mut anew = None;
        while let Some((number, hash)) = self.0.back().copied() {
            if header(node, U64::from(number)).await?.is_some_and(|header| header.hash == hash) {
                break;
            }
            anew = Some(number);
            self.0.pop_back();
        }
        Ok(anew)
    }
}

/// A block's header; `None` where there is no such block.
pub(crate) async fn header(
    node: &Node,
    id: impl serde::Serialize + Clone + std::fmt::Debug + Send + Sync + Unpin + 'static,
) -> Result<Option<Header>, CliError> {
    node.ask_all("asking for a block", "eth_getBlockByNumber", (id, false)).await
}
