//! Blocks that are being built for a consensus client. A build begins when the client asks for it, looks again at what has come
//! into the pool since, and ends when the block is fetched, its time is up, or newer builds take its place.
//!
//! Invariant: a block that is fetched is the one that pays most of those that were built; whoever asks again gets it again.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use alloy_primitives::{B256, keccak256};
use alloy_rpc_types_engine::{PayloadAttributes, PayloadId};
use parapet_builder::{Payload, PayloadRequest};
use parking_lot::Mutex;
use tokio::{
    sync::{broadcast::error::RecvError, watch},
    task::AbortHandle,
    time::{Instant, sleep, sleep_until},
};

use crate::{RpcError, node::Node};

/// Most builds that are remembered; the oldest makes room.
const BUILDS_MAX: usize = 8;
/// Longest time for which a build looks at what comes in: a slot of the beacon chain.
const BUILD_TIME_MAX: Duration = Duration::from_secs(12);
/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The builds there are, oldest first.
#[derive(Default)]
pub(super) struct Builds(Mutex<VecDeque<Build>>);

struct Build {
    id: PayloadId,
    task: AbortHandle,
    best: watch::Receiver<Option<Arc<Payload>>>,
}

impl Build {
    fn has_failed(&self) -> bool {
        self.task.is_finished() && self.best.borrow().is_none()
    }
}

/// What a build is named by: whoever wants the same block gets the same build.
fn id_of(parent: B256, attributes: &PayloadAttributes) -> PayloadId {
    let mut seed = parent.to_vec();
    serde_json::to_writer(&mut seed, attributes).expect("plain data");
    let mut id = [0; 8];
    id.copy_from_slice(&keccak256(seed)[..8]);
    PayloadId::new(id)
}

impl Builds {
    /// Begins a build on the head, unless it is under way.
    pub(super) fn begin(&self, node: &Arc<Node>, parent: B256, attributes: PayloadAttributes) -> PayloadId {
        let id = id_of(parent, &attributes);
        let mut builds = self.0.lock();
        builds.retain(|build| !build.has_failed());
        if builds.iter().any(|build| build.id == id) {
            return id;
        }
        while builds.len() >= BUILDS_MAX {
            if let Some(oldest) = builds.pop_front() {
                oldest.task.abort();
            }
        }
        let request = requested(parent, attributes);
        let (sender, best) = watch::channel(None);
        let task = tokio::spawn(build(Arc::clone(node), request, sender)).abort_handle();
        builds.push_back(Build { id, task, best });
        id
    }

    /// The best block of a build, once there is one. The build ends.
    pub(super) async fn fetch(&self, id: PayloadId) -> Result<Payload, RpcError> {
        let found = self.0.lock().iter().find(|build| build.id == id).map(|build| build.best.clone());
        let mut best = found.ok_or(RpcError::UnknownPayload(id))?;
        // Why a build failed stands in the log; there is nothing to fetch.
        let payload = best.wait_for(Option::is_some).await.map_err(|_| RpcError::UnknownPayload(id))?.clone();
        if let Some(build) = self.0.lock().iter().find(|build| build.id == id) {
            build.task.abort();
        }
        payload.map(|payload| Payload::clone(&payload)).ok_or(RpcError::UnknownPayload(id))
    }
}

/// Builds a block, and again whenever something has come in.
async fn build(node: Arc<Node>, request: PayloadRequest, best: watch::Sender<Option<Arc<Payload>>>) {
    let mut admitted = node.chain.pending();
    let end = Instant::now() + BUILD_TIME_MAX;
    loop {
        let wanted = request.clone();
        match node.write(move |node| Ok(node.chain.build_apart(wanted)?)).await {
            Ok(payload) => {
                best.send_if_modified(|best| {
                    let is_better = best.as_ref().is_none_or(|best| payload.tips > best.tips);
                    if is_better {
                        *best = Some(Arc::new(payload));
                    }
                    is_better
                });
            }
            Err(error) => {
                tracing::warn!("a block that a consensus client asked for is no longer built: {error}");
                return;
            }
        }
        sleep(LOOK_EVERY).await;
        tokio::select! {
            () = sleep_until(end) => return,
            came = admitted.recv() => if matches!(came, Err(RecvError::Closed)) { return },
        }
        // One look is for all that has come meanwhile.
        admitted = admitted.resubscribe();
    }
}

/// The block that attributes ask for on a parent, of what waits in the pool.
pub(crate) fn requested(parent: B256, attributes: PayloadAttributes) -> PayloadRequest {
    PayloadRequest {
        parent,
        timestamp: attributes.timestamp,
        prev_randao: attributes.prev_randao,
        beneficiary: attributes.suggested_fee_recipient,
        withdrawals: attributes.withdrawals.unwrap_or_default(),
        parent_beacon_block_root: attributes.parent_beacon_block_root,
        transactions: None,
        extra_data: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_of_the_same_block_have_the_same_name_and_no_others() {
        let attributes = PayloadAttributes { timestamp: 7, ..PayloadAttributes::default() };
        let later = PayloadAttributes { timestamp: 8, ..attributes.clone() };
        let id = id_of(B256::ZERO, &attributes);
        assert_eq!(id, id_of(B256::ZERO, &attributes));
        assert_ne!(id, id_of(B256::ZERO, &later));
        assert_ne!(id, id_of(B256::repeat_byte(1), &attributes));
    }
}
