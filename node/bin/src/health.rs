//! Whether the node is of use, and the metrics that are looked up rather than counted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use metrics::{Unit, describe_gauge, gauge};
use parapet_builder::Chain;
use parapet_rpc::Readiness;

use crate::version;

const HEAD_NUMBER: &str = "parapet_chain_head_number";
const HEAD_TIMESTAMP: &str = "parapet_chain_head_timestamp_seconds";
const POOL_PENDING: &str = "parapet_pool_pending_transactions";
const POOL_QUEUED: &str = "parapet_pool_queued_transactions";
const READY: &str = "parapet_node_ready";
const BUILD: &str = "parapet_build_info";

/// Looks after a node that runs.
pub(crate) struct Watch {
    chain: Chain,
    /// Age beyond which the head is too old, if it can be.
    head_age_max: Option<Duration>,
    storage_failed: AtomicBool,
    builder_ended: AtomicBool,
    stopping: AtomicBool,
}

impl Watch {
    pub(crate) fn new(chain: Chain, head_age_max: Option<Duration>) -> Arc<Self> {
        describe_gauge!(HEAD_NUMBER, Unit::Count, "Number of the newest block");
        describe_gauge!(HEAD_TIMESTAMP, Unit::Seconds, "Timestamp of the newest block, in seconds since 1970");
        describe_gauge!(POOL_PENDING, Unit::Count, "Transactions in the pool that a block could hold");
        describe_gauge!(
            POOL_QUEUED,
            Unit::Count,
            "Transactions in the pool that wait for an earlier one of their sender"
        );
        describe_gauge!(READY, Unit::Count, "1 where GET /ready says that the node is of use, else 0");
        describe_gauge!(BUILD, Unit::Count, "1, with the program's version and commit as labels");
        gauge!(BUILD, "version" => version::VERSION, "commit" => version::COMMIT).set(1.0);
        let off = AtomicBool::default;
        Arc::new(Self { chain, head_age_max, storage_failed: off(), builder_ended: off(), stopping: off() })
    }

    /// Nothing can be stored any more.
    pub(crate) fn storage_failed(&self) {
        self.storage_failed.store(true, Ordering::Relaxed);
    }

    /// Nobody builds blocks any more.
    pub(crate) fn builder_ended(&self) {
        self.builder_ended.store(true, Ordering::Relaxed);
    }

    /// The node was told to stop.
    pub(crate) fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// What is wrong, if something is.
    pub(crate) fn readiness(&self) -> Readiness {
        let unless = |flag: &AtomicBool, wrong: &str| {
            if flag.load(Ordering::Relaxed) { Err(wrong.to_owned()) } else { Ok(()) }
        };
        Readiness::default()
            .with("store", unless(&self.storage_failed, "nothing can be stored; see the log"))
            .with("builder", unless(&self.builder_ended, "nobody builds blocks; see the log"))
            .with("serving", unless(&self.stopping, "the node is stopping"))
            .with("head", self.head())
    }

    fn head(&self) -> Result<(), String> {
        let Some(age_max) = self.head_age_max else { return Ok(()) };
        let age = self.chain.wall_clock().saturating_sub(self.chain.head().block.header.timestamp);
        if age > age_max.as_secs() {
            return Err(format!("the newest block is {age} s old, {} s are allowed", age_max.as_secs()));
        }
        Ok(())
    }

    /// Puts what is looked up into the metrics.
    pub(crate) fn note(&self) {
        let head = self.chain.head();
        let (pending, queued) = self.chain.pool_counts();
        gauge!(HEAD_NUMBER).set(head.block.number() as f64);
        gauge!(HEAD_TIMESTAMP).set(head.block.header.timestamp as f64);
        gauge!(POOL_PENDING).set(pending as f64);
        gauge!(POOL_QUEUED).set(queued as f64);
        gauge!(READY).set(if self.readiness().is_ready() { 1.0 } else { 0.0 });
    }
}
