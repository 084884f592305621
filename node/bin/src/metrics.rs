//! Collects the node's metrics, for the page that the server shows.

use std::{sync::Arc, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use parapet_builder::{GAS_BUCKETS, SECONDS_BUCKETS, TRANSACTIONS_BUCKETS, describe_metrics};
use parapet_rpc::MetricsPage;

use crate::{failure::Failure, health::Watch};

/// How often what was measured is put into its buckets, when nobody asks for the page: until then it lies in memory.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Metrics that are collected.
pub(crate) struct Collected(PrometheusHandle);

/// Collects metrics from now on, for the life of the process. Called within a runtime.
pub(crate) fn collect() -> Result<Collected, Failure> {
    let buckets: [(&str, &[f64]); 5] = [
        ("_seconds", &SECONDS_BUCKETS),
        ("_gas", &GAS_BUCKETS),
        ("_transactions", &TRANSACTIONS_BUCKETS),
        ("_accounts", &TRANSACTIONS_BUCKETS),
        ("_slots", &TRANSACTIONS_BUCKETS),
    ];
    let mut builder = PrometheusBuilder::new();
    for (ending, bounds) in buckets {
        builder = builder.set_buckets_for_metric(Matcher::Suffix(ending.to_owned()), bounds)?;
    }
    let handle = builder.install_recorder()?;
    describe_metrics();
    parapet_rpc::describe_metrics();
    let kept = handle.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP_EVERY);
        loop {
            ticks.tick().await;
            kept.run_upkeep();
        }
    });
    Ok(Collected(handle))
}

impl Collected {
    /// The page of what is counted, and of what is looked up when it is asked for.
    pub(crate) fn page(self, watch: &Arc<Watch>) -> MetricsPage {
        let watch = Arc::clone(watch);
        MetricsPage::new(move || {
            watch.note();
            self.0.render()
        })
    }
}
