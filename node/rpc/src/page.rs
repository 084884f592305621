//! The pages beside JSON-RPC: `GET /metrics`, as Prometheus reads it; `GET /health`, which says that the node serves; and
//! `GET /ready`, which says whether it is of use, check by check.

use std::{collections::BTreeMap, fmt, sync::Arc};

use hyper::StatusCode;
use jsonrpsee::server::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::front::answer;

/// Where the pages lie.
const METRICS_PATH: &str = "/metrics";
const HEALTH_PATH: &str = "/health";
const READY_PATH: &str = "/ready";
/// Prometheus' text exposition.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
const JSON_TYPE: &str = "application/json; charset=utf-8";

/// Writes the metrics as they are now.
#[derive(Clone)]
pub struct MetricsPage(Arc<dyn Fn() -> String + Send + Sync>);

impl MetricsPage {
    /// A page of what the function gives, in Prometheus' text format.
    pub fn new(render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(render))
    }
}

impl fmt::Debug for MetricsPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MetricsPage").finish_non_exhaustive()
    }
}

/// Whether the node is of use: each thing that it needs, and what is wrong with it, if something is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness(BTreeMap<&'static str, Result<(), String>>);

#[derive(Serialize)]
struct ReadyJson<'a> {
    ready: bool,
    checks: BTreeMap<&'static str, &'a str>,
}

impl Readiness {
    /// Adds what was found of one thing.
    #[must_use]
    pub fn with(mut self, name: &'static str, found: Result<(), String>) -> Self {
        self.0.insert(name, found);
        self
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.values().all(Result::is_ok)
    }

    fn json(&self) -> String {
        let found = |found: &'_ Result<(), String>| found.as_ref().err().map_or("ok", String::as_str).to_owned();
        let texts: BTreeMap<_, _> = self.0.iter().map(|(name, result)| (*name, found(result))).collect();
        let checks = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
        serde_json::to_string(&ReadyJson { ready: self.is_ready(), checks }).expect("plain data")
    }
}

/// Looks whether the node is of use now.
#[derive(Clone)]
pub struct ReadyPage(Arc<dyn Fn() -> Readiness + Send + Sync>);

impl ReadyPage {
    /// A page of what the function finds. It must not wait for anything.
    pub fn new(look: impl Fn() -> Readiness + Send + Sync + 'static) -> Self {
        Self(Arc::new(look))
    }
}

impl fmt::Debug for ReadyPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadyPage").finish_non_exhaustive()
    }
}

/// The pages there are. `/health` is always there.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    /// What `GET /metrics` answers; without it there is no such page.
    pub metrics: Option<MetricsPage>,
    /// What `GET /ready` answers; without it there is no such page.
    pub ready: Option<ReadyPage>,
}

impl Pages {
    /// The page that is asked for, if there is such a page.
    pub(crate) fn answer<B>(&self, request: &HttpRequest<B>) -> Option<HttpResponse> {
        if request.method().as_str() != "GET" {
            return None;
        }
        match (request.uri().path(), &self.metrics, &self.ready) {
            (METRICS_PATH, Some(MetricsPage(render)), _) => Some(answer(StatusCode::OK, METRICS_TYPE, render())),
            (HEALTH_PATH, _, _) => Some(answer(StatusCode::OK, JSON_TYPE, r#"{"status":"ok"}"#.to_owned())),
            (READY_PATH, _, Some(ReadyPage(look))) => {
                let found = look();
                Some(answer(
                    if found.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE },
                    JSON_TYPE,
                    found.json(),
                ))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_that_is_wrong_makes_the_node_of_no_use_and_is_named() {
        let well = Readiness::default().with("store", Ok(()));
        assert!(well.is_ready());
        assert_eq!(well.json(), r#"{"ready":true,"checks":{"store":"ok"}}"#);
        let ill = well.with("head", Err("the head is 90 s old".into()));
        assert!(!ill.is_ready());
        assert_eq!(ill.json(), r#"{"ready":false,"checks":{"head":"the head is 90 s old","store":"ok"}}"#);
    }
}
