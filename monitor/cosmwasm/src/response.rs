//! What a contract answers: a veto, or events that become alerts.

use alloy_primitives::Bytes;
use cosmwasm_std::Binary;
use parapet_abi::import::{ALERTS_MAX, DETAIL_BYTES_MAX, ENGINE_CODE_MIN};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::{End, Limit, limits::RESPONSE_BYTES_MAX};

/// Type that CosmWasm gives the event of a response's own attributes.
const OWN_EVENT: &str = "wasm";
/// Attribute that gives an alert its code.
const CODE: &str = "code";

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer<T> {
    Ok(T),
    Error(String),
}

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    messages: Vec<IgnoredAny>,
    #[serde(default)]
    attributes: Vec<Attribute>,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    ty: String,
    #[serde(default)]
    attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    key: String,
    value: String,
}

/// An event as an alert.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) code: u16,
    pub(crate) detail: Bytes,
}

/// Reads the answer of a query: the bytes that the contract's author chose, or its error.
pub(crate) fn queried(bytes: &[u8]) -> Result<Bytes, End> {
    match within::<Binary>(bytes)? {
        Err(_) => Err(trapped("what it answered is no answer of a contract to a query")),
        Ok(Answer::Error(text)) => Err(vetoed(&text)),
        Ok(Answer::Ok(answer)) => Ok(Vec::from(answer).into()),
    }
}

/// Reads a response. Alerts stand also where the contract then objects to nothing else.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Said>, End> {
    match within::<Response>(bytes)? {
        Err(_) => Err(trapped("what it answered is no response of a contract")),
        Ok(Answer::Error(text)) => Err(vetoed(&text)),
        Ok(Answer::Ok(response)) if !response.messages.is_empty() => {
            Err(trapped("its response carries messages, and a guard has nobody to send them to"))
        }
        Ok(Answer::Ok(response)) => events(response).map_err(End::LimitExceeded),
    }
}

/// Parses what is not too long.
fn within<T: DeserializeOwned>(bytes: &[u8]) -> Result<serde_json::Result<Answer<T>>, End> {
    if bytes.len() > RESPONSE_BYTES_MAX {
        return Err(End::LimitExceeded(Limit::Response(bytes.len())));
    }
    Ok(serde_json::from_slice(bytes))
}

fn trapped(reason: &str) -> End {
    End::Trapped { reason: reason.to_owned() }
}

fn vetoed(text: &str) -> End {
    let (code, detail) = coded(text);
    End::Vetoed { code, detail: clipped(detail) }
}

fn events(response: Response) -> Result<Vec<Said>, Limit> {
    let Response { attributes, events, .. } = response;
    let own = (!attributes.is_empty()).then(|| Event { ty: OWN_EVENT.to_owned(), attributes });
    let mut said = Vec::new();
    for event in own.into_iter().chain(events) {
        if said.len() >= ALERTS_MAX as usize {
            return Err(Limit::Alerts);
        }
        said.push(alert(&event)?);
    }
    Ok(said)
}

fn alert(event: &Event) -> Result<Said, Limit> {
    let mut detail = event.ty.clone();
    for Attribute { key, value } in &event.attributes {
        detail.push_str(&format!(" {key}={value}"));
        if detail.len() > DETAIL_BYTES_MAX as usize {
            return Err(Limit::Detail(detail.len()));
        }
    }
    if detail.len() > DETAIL_BYTES_MAX as usize {
        return Err(Limit::Detail(detail.len()));
    }
    let code = event.attributes.iter().find(|attribute| attribute.key == CODE);
    let code = code.and_then(|attribute| own_code(&attribute.value)).unwrap_or(0);
    Ok(Said { code, detail: detail.into_bytes().into() })
}

/// The code at the beginning of an error's text, `[7] `, and the rest.
fn coded(text: &str) -> (u16, &str) {
    let parts = text.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    parts.and_then(|(code, rest)| Some((own_code(code)?, rest))).unwrap_or((0, text))
}

/// A code that guards may give.
fn own_code(text: &str) -> Option<u16> {
    text.parse().ok().filter(|code| *code < ENGINE_CODE_MIN)
}

/// Words no longer than a native guard's may be. An error is an objection however much it says.
fn clipped(text: &str) -> Bytes {
    let end = text.floor_char_boundary(DETAIL_BYTES_MAX as usize);
    Bytes::copy_from_slice(&text.as_bytes()[..end])
}

#[cfg(test)]
mod tests {
    use super::{End, Limit, RESPONSE_BYTES_MAX, read};

    fn vetoed(text: &str) -> (u16, String) {
        let answer = serde_json::json!({ "error": text }).to_string();
        let Err(End::Vetoed { code, detail }) = read(answer.as_bytes()) else { panic!("{answer} is no veto") };
        (code, String::from_utf8(detail.to_vec()).expect("it can be read"))
    }

    #[test]
    fn an_error_vetoes_with_its_code_and_words() {
        assert_eq!(vetoed("[7] too much"), (7, "too much".into()));
        assert_eq!(vetoed("too much"), (0, "too much".into()));
        assert_eq!(vetoed("[65279] last"), (0xfeff, "last".into()));
        assert_eq!(vetoed("[65280] the engine's"), (0, "[65280] the engine's".into()));
        assert_eq!(vetoed("[x] y"), (0, "[x] y".into()));
        assert_eq!(vetoed(""), (0, String::new()));
    }

    #[test]
    fn a_long_error_is_cut_and_still_vetoes() {
        let (_, detail) = vetoed(&"ä".repeat(1_000));
        assert_eq!(detail.len(), 1_024);
    }

    #[test]
    fn events_and_attributes_become_alerts() {
        let answer = r#"{"ok":{"messages":[],"attributes":[{"key":"seen","value":"1"}],"data":null,
            "events":[{"type":"large","attributes":[{"key":"code","value":"12"},{"key":"wei","value":"5"}]}]}}"#;
        let said = read(answer.as_bytes()).expect("it can be read");
        let said: Vec<_> =
            said.iter().map(|said| (said.code, std::str::from_utf8(&said.detail).expect("it can be read"))).collect();
        assert_eq!(said, [(0, "wasm seen=1"), (12, "large code=12 wei=5")]);
    }

    #[test]
    fn too_many_and_too_long_events_exceed_a_limit() {
        let event = |value: &str| serde_json::json!({ "type": "e", "attributes": [{ "key": "k", "value": value }] });
        let answer = |events: Vec<serde_json::Value>| serde_json::json!({ "ok": { "events": events } }).to_string();
        let limit = |answer: String| match read(answer.as_bytes()) {
            Err(End::LimitExceeded(limit)) => limit,
            other => panic!("{other:?}"),
        };
        assert_eq!(read(answer(vec![event(""); 32]).as_bytes()).expect("it can be read").len(), 32);
        assert_eq!(limit(answer(vec![event(""); 33])), Limit::Alerts);
        assert_eq!(limit(answer(vec![event(&"x".repeat(1_024))])), Limit::Detail(1_028));
        assert!(matches!(limit(answer(vec![event(&"x".repeat(70_000))])), Limit::Response(_)));
    }

    #[test]
    fn json_as_deep_as_fits_neither_overflows_the_stack_nor_passes_for_a_response() {
        let deep = |before: &str, after: &str| {
            let depth = (RESPONSE_BYTES_MAX - before.len() - after.len()) / 2;
            [before, &"[".repeat(depth), &"]".repeat(depth), after].concat()
        };
        let trapped = [("", ""), (r#"{"ok":"#, "}"), (r#"{"ok":{"messages":"#, "}}"), (r#"{"ok":{"events":"#, "}}")];
        for (before, after) in trapped {
            assert!(matches!(read(deep(before, after).as_bytes()), Err(End::Trapped { .. })), "{before}");
        }
        // What is not looked at may be anything.
        assert_eq!(read(deep(r#"{"ok":{"data":"#, "}}").as_bytes()), Ok(vec![]));
    }

    #[test]
    fn a_response_with_messages_and_one_that_is_none_trap() {
        for answer in [r#"{"ok":{"messages":[{}]}}"#, "{}", "", r#"{"ok":3}"#, r#"{"ok":{},"error":""}"#] {
            assert!(matches!(read(answer.as_bytes()), Err(End::Trapped { .. })), "{answer}");
        }
    }
}
