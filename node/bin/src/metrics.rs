//! Collects the node's metrics, for the page that the server shows.

use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use parapet_builder::{GAS_BUCKETS, SECONDS_BUCKETS, TRANSACTIONS_BUCKETS, describe_metrics};
use parapet_rpc::MetricsPage;

use crate::failure::Failure;

/// How often what was measured is put into its buckets, when nobody asks for the page: until then it lies in memory.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Collects metrics from now on, for the life of the process. Called within a runtime.
pub(crate) fn collect() -> Result<MetricsPage, Failure> {
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
    let kept = handle.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP_EVERY);
        loop {
            ticks.tick().await;
            kept.run_upkeep();
        }
    });
    Ok(MetricsPage::new(move || handle.render()))
}
