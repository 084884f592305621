//! JSON-RPC to the endpoints of a chain, by HTTP. Invariant: every call ends, within the time and the bytes that are set.
//!
//! What is passed on for clients has lanes of its own, and its failures do not count against the endpoint: a heavy query that
//! takes too long says nothing about whether a balance can be read.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use ureq::{
    Agent,
    config::Config,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
};

use crate::{
    ForkError, ForkSettings,
    endpoint::Endpoint,
    pace::{Health, Lane, Lanes, Permit, wait},
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
/// Characters of an answer that are shown where it is no answer.
const SHOWN_CHARACTERS: usize = 120;

/// A call to be made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) params: serde_json::Value,
}

/// What an endpoint gave as result.
pub(crate) type Answer = Result<Box<RawValue>, ForkError>;

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

/// How an attempt failed.
enum Failed {
    /// It was refused for its rate; the endpoint may have said for how long.
    Limited(Option<Duration>),
    /// The connection broke, or the endpoint is overloaded.
    Broken(ForkError),
    /// No other attempt would end otherwise, or it took all the time there is.
    Final(ForkError),
}

#[derive(Serialize)]
struct Request<'a, P> {
    jsonrpc: &'static str,
    id: usize,
    method: &'a str,
    params: &'a P,
}

#[derive(Deserialize)]
struct Reply {
    id: Option<serde_json::Value>,
    result: Option<Box<RawValue>>,
    error: Option<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    code: i64,
    #[serde(default)]
    message: String,
    data: Option<Box<RawValue>>,
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
        let config = Config::builder()
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
                    (asked_for, ForkError::Limited { endpoint, method, attempts: turn + 1 })
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
                let reason = error.to_string();
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
                let reason = if status.is_success() { reason } else { format!("status {status}") };
                Err(Failed::Final(ForkError::Nonsense { endpoint: endpoint.name.clone(), method, reason }))
            }
        }
    }
}

/// Whether another request would fail for the same reason.
fn is_about_the_endpoint(error: &ForkError) -> bool {
    matches!(error, ForkError::Unreachable { .. } | ForkError::Timeout { .. } | ForkError::Limited { .. })
}

fn too_large(endpoint: &Endpoint, methods: &[&str], bytes_max: u64) -> ForkError {
    ForkError::TooLarge { endpoint: endpoint.name.clone(), method: methods.join(", "), bytes_max }
}

/// Seconds, as they are usually given; a date is not waited for.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The replies to so many calls, in the calls' order.
fn replies(bytes: &[u8], calls: usize) -> Result<Vec<Reply>, String> {
    let nonsense = |error: &dyn std::fmt::Display| {
        let start: String = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * SHOWN_CHARACTERS)])
            .chars()
            .take(SHOWN_CHARACTERS)
            .filter(|character| !character.is_control())
            .collect();
        format!("{error}; it begins {start:?}")
    };
    if calls == 1 {
        let reply: Reply = serde_json::from_slice(bytes).map_err(|error| nonsense(&error))?;
        return Ok(vec![reply]);
    }
    let found: Vec<Reply> = serde_json::from_slice(bytes).map_err(|error| nonsense(&error))?;
    let mut in_order: Vec<Option<Reply>> = (0..calls).map(|_| None).collect();
    for reply in found {
        let id = reply.id.as_ref().and_then(serde_json::Value::as_u64).and_then(|id| usize::try_from(id).ok());
        let place = id.and_then(|id| in_order.get_mut(id)).ok_or("a reply to no call")?;
        if place.replace(reply).is_some() {
            return Err("two replies to one call".to_owned());
        }
    }
    in_order.into_iter().collect::<Option<_>>().ok_or_else(|| "a call without a reply".to_owned())
}

fn answers(
    endpoint: &Endpoint,
    methods: &[&str],
    replies: Vec<Reply>,
    asked_for: Option<Duration>,
) -> Result<Vec<Answer>, Failed> {
    let mut answers = Vec::with_capacity(replies.len());
    for (reply, method) in replies.into_iter().zip(methods) {
        answers.push(match (reply.error, reply.result) {
            (Some(fault), _) if fault.is_about_rate() => return Err(Failed::Limited(asked_for)),
            (Some(Fault { code, message, data }), _) => Err(ForkError::Refused {
                endpoint: endpoint.name.clone(),
                method: (*method).to_owned(),
                code: i32::try_from(code).unwrap_or(i32::MIN),
                message,
                data,
            }),
            (None, Some(result)) => Ok(result),
            (None, None) => Ok(RawValue::NULL.to_owned()),
        });
    }
    Ok(answers)
}

impl Fault {
    /// Whether the same call may succeed a little later. The code for that stands for too many results as well.
    fn is_about_rate(&self) -> bool {
        const LIMIT_EXCEEDED: i64 = -32_005;
        const TOO_MANY_REQUESTS: i64 = 429;
        let message = self.message.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
        let about_rate = says(&["rate limit", "too many requests", "request limit", "compute units", "per second"]);
        match self.code {
            TOO_MANY_REQUESTS => true,
            LIMIT_EXCEEDED => about_rate || !says(&["result", "range", "log", "block", "response size"]),
            _ => about_rate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(code: i64, message: &str) -> bool {
        Fault { code, message: message.to_owned(), data: None }.is_about_rate()
    }

    #[test]
    fn limits_on_rate_are_told_from_limits_on_results() {
        assert!(fault(429, ""));
        assert!(fault(-32_005, "limit exceeded"));
        assert!(fault(-32_005, "daily request count exceeded, request rate limited"));
        assert!(fault(-32_000, "Your app has exceeded its compute units per second capacity"));
        assert!(!fault(-32_005, "query returned more than 10000 results"));
        assert!(!fault(-32_000, "header not found"));
        assert!(!fault(3, "execution reverted"));
    }

    #[test]
    fn replies_are_sorted_by_their_calls_and_must_be_complete() {
        let order = |json: &str| replies(json.as_bytes(), 2).map(|replies| replies.len());
        assert_eq!(order(r#"[{"id":1,"result":"b"},{"id":0,"result":"a"}]"#), Ok(2));
        let sorted = replies(br#"[{"id":1,"result":"b"},{"id":0,"result":"a"}]"#, 2).expect("complete");
        let results: Vec<_> = sorted.iter().map(|reply| reply.result.as_ref().expect("there").get()).collect();
        assert_eq!(results, ["\"a\"", "\"b\""]);
        for incomplete in [
            r#"[{"id":0,"result":"a"}]"#,
            r#"[{"id":0,"result":"a"},{"id":0,"result":"a"}]"#,
            r#"[{"id":0,"result":"a"},{"id":7,"result":"a"}]"#,
            r#"[{"id":0,"result":"a"},{"id":null,"result":"a"}]"#,
            r#"{"id":null,"error":{"code":-32600,"message":"no batches"}}"#,
            "[]",
            "<html>",
        ] {
            assert!(order(incomplete).is_err(), "{incomplete}");
        }
    }
}
