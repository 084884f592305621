//! JSON-RPC as it is sent and as it comes back. Invariant: an answer belongs to its call, whatever order replies come in.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use ureq::http::HeaderMap;

use crate::{ForkError, endpoint::Endpoint};

/// Characters of an answer that are shown where it is no answer.
const SHOWN_CHARACTERS: usize = 120;

/// What an endpoint gave as result.
pub(crate) type Answer = Result<Box<RawValue>, ForkError>;

/// How an attempt failed.
pub(crate) enum Failed {
    /// It was refused for its rate; the endpoint may have said for how long.
    Limited(Option<Duration>),
    /// The connection broke, or the endpoint is overloaded.
    Broken(ForkError),
    /// No other attempt would end otherwise, or it took all the time there is.
    Final(ForkError),
}

/// A call as it is sent.
#[derive(Serialize)]
pub(crate) struct Request<'a, P> {
    pub(crate) jsonrpc: &'static str,
    pub(crate) id: usize,
    pub(crate) method: &'a str,
    pub(crate) params: &'a P,
}

/// What comes back.
#[derive(Deserialize)]
pub(crate) struct Reply {
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

/// Seconds, as they are usually given; a date is not waited for.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The replies to so many calls, in the calls' order.
pub(crate) fn replies(bytes: &[u8], calls: usize) -> Result<Vec<Reply>, String> {
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

/// Results and refusals, in the calls' order; one that is about rate is about all of them.
pub(crate) fn answers(
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
