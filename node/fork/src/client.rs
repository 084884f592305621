//! JSON-RPC to the endpoints of a chain, by HTTP. Invariant: every call ends, within the time and the bytes that are set.
//!
//! What is passed on for clients has lanes of its own, and its failures do not count against the endpoint: a heavy query that
//! takes too long says nothing about whether a balance can be read.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde_json::value::RawValue;
use ureq::{
    Agent,
    config::Config,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

use crate::{
    ForkError, ForkSettings,
    endpoint::Endpoint,
    pace::{Health, Lane, Lanes, Permit, wait},
    reply::{Answer, Failed, Request, answers, replies, retry_after},
};

/// Most requests for state at a time.
const STATE_LANES: usize = 16;
/// Most requests at a time that are passed on for clients.
const PASSED_LANES: usize = 8;
/// Most bytes of one answer about state: a hundred accounts with their proofs and codes are far below.
const STATE_BYTES_MAX: u64 = 16 * 1_024 * 1_024;
/// Most bytes of one answer that is passed on.
const PASSED_BYTES_MAX: u64 = 64 * 1_024 * 1_024;
/// Most time for an endpoint that failed before.
const PROBE_TIME_MAX: Duration = Duration::from_secs(5);
/// A call to be made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) params: serde_json::Value,
}

/// On whose behalf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Errand {
    State,
    Passed,
}

/// Asks endpoints of one chain.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    endpoints: Vec<Endpoint>,
    /// Which of them is asked first.
    first: AtomicUsize,
    headers: HeaderMap,
    timeout: Duration,
    retries: u32,
    backoff: Duration,
    units_per_second: Option<u64>,
    state: Lanes,
    passed: Lanes,
    health: Health,
    /// Unset once an endpoint answered a batch with nonsense.
    batches: AtomicBool,
}

impl Client {
    pub(crate) fn new(settings: &ForkSettings) -> Result<Self, ForkError> {
        let endpoints = settings.urls.iter().map(|url| Endpoint::parse(url)).collect::<Result<Vec<_>, _>>()?;
        if endpoints.is_empty() {
            return Err(ForkError::Url { endpoint: "nothing".to_owned(), reason: "no endpoint is given" });
        }
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        for (name, value) in &settings.headers {
            let bad = || ForkError::Header(name.clone());
            let name = HeaderName::try_from(name.as_str()).map_err(|_| bad())?;
            let mut value = HeaderValue::try_from(value.as_str()).map_err(|_| bad())?;
            // It may be a key: no log shows it.
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let mut tls = TlsConfig::builder();
        if let Some(file) = &settings.ca {
            tls = tls.root_certs(RootCerts::new_with_certs(&authorities(file)?));
        }
        let config = Config::builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(STATE_LANES)
            .max_idle_connections_per_host(STATE_LANES)
            .build();
        Ok(Self {
            agent: Agent::new_with_config(config),
            endpoints,
            first: AtomicUsize::new(0),
            headers,
            timeout: settings.timeout,
            retries: settings.retries,
            backoff: settings.backoff,
            units_per_second: settings.compute_units_per_second,
            state: Lanes::new(STATE_LANES),
            passed: Lanes::new(PASSED_LANES),
            health: Health::default(),
            batches: AtomicBool::new(true),
        })
    }

    /// Whom it asks first, as that may be shown.
    pub(crate) fn name(&self) -> &str {
        &self.endpoint(0).name
    }

    fn endpoint(&self, turn: u32) -> &Endpoint {
        let index = self.first.load(Ordering::Relaxed).wrapping_add(turn as usize);
        &self.endpoints[index % self.endpoints.len()]
    }

    /// One call about state.
    pub(crate) fn call(&self, method: &'static str, params: serde_json::Value) -> Answer {
        let mut answers = self.batch(&[Call { method, params }])?;
        answers.pop().expect("an answer for each call")
    }

    /// Calls about state, in one request where the endpoint takes several; an answer for each, in their order.
    pub(crate) fn batch(&self, calls: &[Call]) -> Result<Vec<Answer>, ForkError> {
        if calls.len() > 1 && !self.batches.load(Ordering::Relaxed) {
            return calls.iter().map(|call| Ok(self.call(call.method, call.params.clone()))).collect();
        }
        let Some(first) = calls.first() else { return Ok(Vec::new()) };
        let requests: Vec<_> = calls
            .iter()
            .enumerate()
            .map(|(id, Call { method, params })| Request { jsonrpc: "2.0", id, method, params })
            .collect();
        let body = match &requests[..] {
            [request] => serde_json::to_vec(request),
            requests => serde_json::to_vec(requests),
        };
        let body = body.expect("calls are plain data");
        let methods: Vec<_> = calls.iter().map(|call| call.method).collect();
        match self.made(Errand::State, &methods, &body) {
            // Whoever takes no batches says so in as many ways as there are.
            Err(ForkError::Nonsense { endpoint, reason, .. }) if calls.len() > 1 => {
                tracing::debug!(
                    "{endpoint} does not answer several calls at once ({reason}); they are made one by one"
                );
                self.batches.store(false, Ordering::Relaxed);
                self.batch(calls)
            }
            Err(ForkError::Nonsense { endpoint, reason, .. }) => {
                Err(ForkError::Nonsense { endpoint, method: first.method.to_owned(), reason })
            }
            made => made,
        }
    }

    /// A call that a client made, as it made it.
    pub(crate) fn pass_on(&self, method: &str, params: &RawValue) -> Answer {
        let body = serde_json::to_vec(&Request { jsonrpc: "2.0", id: 0, method, params: &params });
        let mut answers = self.made(Errand::Passed, &[method], &body.expect("it is JSON already"))?;
        answers.pop().expect("an answer for each call")
    }

    /// Makes calls, again and again as far as the settings allow.
    fn made(&self, errand: Errand, methods: &[&str], body: &[u8]) -> Result<Vec<Answer>, ForkError> {
        let (retries, timeout) = match self.health.permit() {
            Permit::Usual => (self.retries, self.timeout),
            Permit::Probe => (0, self.timeout.min(PROBE_TIME_MAX)),
            Permit::No(reason) => return Err(ForkError::Resting { endpoint: self.name().to_owned(), reason }),
        };
        let lanes = match errand {
            Errand::State => &self.state,
            Errand::Passed => &self.passed,
        };
        let late = || self.late(self.endpoint(0), methods, timeout);
        let lane = lanes.enter(Instant::now() + timeout).ok_or_else(late)?;
        let made = self.attempts((lane, lanes), methods, (retries, timeout), |endpoint| {
            self.attempt(endpoint, errand, methods, body, timeout)
        });
        match (&made, errand) {
            (Ok(_), _) => self.health.answered(),
            (Err(error), Errand::State) if is_about_the_endpoint(error) => self.health.failed(error.to_string()),
            (Err(_), _) => {}
        }
        made
    }

    fn attempts(
        &self,
        (lane, lanes): (Lane<'_>, &Lanes),
        methods: &[&str],
        (retries, timeout): (u32, Duration),
        attempt: impl Fn(&Endpoint) -> Result<Vec<Answer>, Failed>,
    ) -> Result<Vec<Answer>, ForkError> {
        // Held while it waits, too: an endpoint that grants too little is not helped by more requests.
        let (_lane, began) = (lane, Instant::now());
        for turn in 0.. {
            let endpoint = self.endpoint(turn);
            let (asked_for, error) = match attempt(endpoint) {
                Ok(answers) => {
                    self.first.fetch_add(turn as usize, Ordering::Relaxed);
                    return Ok(answers);
                }
                Err(Failed::Final(error)) => return Err(error),
                Err(Failed::Broken(error)) => (None, error),
                Err(Failed::Limited(asked_for)) => {
                    let (endpoint, method) = (endpoint.name.clone(), methods.join(", "));
                    (asked_for, ForkError::Limited { endpoint, method, attempts: turn + 1, asked_for })
                }
            };
            if turn >= retries || began.elapsed() >= timeout {
                return Err(error);
            }
            tracing::warn!("{error}; asking again ({} of {retries})", turn + 1);
            lanes.sit_out(|others| wait(self.backoff, turn, asked_for, self.units_per_second, others));
        }
        unreachable!("there is always another turn")
    }

    fn late(&self, endpoint: &Endpoint, methods: &[&str], waited: Duration) -> ForkError {
        ForkError::Timeout { endpoint: endpoint.name.clone(), method: methods.join(", "), waited }
    }

    fn attempt(
        &self,
        endpoint: &Endpoint,
        errand: Errand,
        methods: &[&str],
        body: &[u8],
        timeout: Duration,
    ) -> Result<Vec<Answer>, Failed> {
        let bytes_max = match errand {
            Errand::State => STATE_BYTES_MAX,
            Errand::Passed => PASSED_BYTES_MAX,
        };
        let broken = |error: ureq::Error| match error {
            ureq::Error::Timeout(_) => Failed::Final(self.late(endpoint, methods, timeout)),
            ureq::Error::BodyExceedsLimit(_) => Failed::Final(too_large(endpoint, methods, bytes_max)),
            error => {
                let reason = unreachable(endpoint, &error);
                Failed::Broken(ForkError::Unreachable { endpoint: endpoint.name.clone(), reason })
            }
        };
        let mut request = self.agent.post(&endpoint.url).config().timeout_global(Some(timeout)).build();
        if let Some(headers) = request.headers_mut() {
            headers.extend(self.headers.clone());
        }
        let mut response = request.send(body).map_err(broken)?;
        let status = response.status();
        let asked_for = retry_after(response.headers());
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Failed::Limited(asked_for));
        }
        if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
            let (endpoint, method) = (endpoint.name.clone(), methods.join(", "));
            return Err(Failed::Final(ForkError::Denied { endpoint, method, status: status.as_u16() }));
        }
        if response.body().content_length().is_some_and(|length| length > bytes_max) {
            return Err(Failed::Final(too_large(endpoint, methods, bytes_max)));
        }
        let bytes = response.body_mut().with_config().limit(bytes_max).read_to_vec().map_err(broken)?;
        if status.is_server_error() {
            let reason = format!("it answers with status {status}");
            return Err(Failed::Broken(ForkError::Unreachable { endpoint: endpoint.name.clone(), reason }));
        }
        match replies(&bytes, methods.len()) {
            Ok(replies) => answers(endpoint, methods, replies, asked_for),
            Err(reason) => {
                let method = methods.join(", ");
                let reason =
                    if status.is_success() { reason } else { format!("status {status}{}", about_path(status)) };
                Err(Failed::Final(ForkError::Nonsense { endpoint: endpoint.name.clone(), method, reason }))
            }
        }
    }
}

/// Certificates of a file in PEM.
fn authorities(file: &Path) -> Result<Vec<Certificate<'static>>, ForkError> {
    let refused = |reason: String| ForkError::Authorities { path: file.to_owned(), reason };
    let pem = std::fs::read(file).map_err(|error| refused(error.to_string()))?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| refused(error.to_string()))? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(refused("it holds no certificate".to_owned())) } else { Ok(found) }
}

/// Whether another request would fail for the same reason.
fn is_about_the_endpoint(error: &ForkError) -> bool {
    matches!(error, ForkError::Unreachable { .. } | ForkError::Timeout { .. } | ForkError::Limited { .. })
}

fn too_large(endpoint: &Endpoint, methods: &[&str], bytes_max: u64) -> ForkError {
    ForkError::TooLarge { endpoint: endpoint.name.clone(), method: methods.join(", "), bytes_max }
}

/// What to do where an endpoint answers, but not as a node of a chain does.
fn about_path(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => "; its JSON-RPC may have another path",
        status if status.is_redirection() => "; give the URL to which it redirects",
        _ => "",
    }
}

/// Why an endpoint cannot be reached, with what to do where that is known.
fn unreachable(endpoint: &Endpoint, error: &ureq::Error) -> String {
    let reason = error.to_string();
    let is_tls = endpoint.url.starts_with("https:");
    let says = |words: &[&str]| words.iter().any(|words| reason.contains(words));
    let hint = if is_tls && says(&["corrupt message", "InvalidContentType", "unexpected end of file"]) {
        "; if it does not speak TLS, try http://"
    } else if is_tls && says(&["certificate", "UnknownIssuer"]) {
        "; whom else to trust is told by --fork-ca"
    } else if !is_tls && says(&["http parse", "protocol: ", "HTTP version"]) {
        "; if it speaks TLS, try https://"
    } else {
        ""
    };
    format!("{reason}{hint}")
}
