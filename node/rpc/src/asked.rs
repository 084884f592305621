//! Calls as they stand in a request: nothing of them is copied.

use std::{borrow::Cow, fmt};

use jsonrpsee::types::{Id, InvalidRequest, Params, Request, TwoPointZero};
use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};
use serde_json::value::RawValue;

/// A call.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Asked<'a> {
    #[serde(rename = "jsonrpc")]
    _version: TwoPointZero,
    #[serde(borrow, deserialize_with = "id")]
    pub(crate) id: Id<'a>,
    #[serde(borrow)]
    pub(crate) method: Cow<'a, str>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

/// An id as [`Id`] takes it, read in one go: it would try each of its forms, the rarest first, and an error costs more than a
/// call's whole text.
fn id<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Id<'a>, D::Error> {
    struct Form;
    impl<'de> Visitor<'de> for Form {
        type Value = Id<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("null, a number or a string")
        }

        fn visit_unit<E: de::Error>(self) -> Result<Id<'de>, E> {
            Ok(Id::Null)
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<Id<'de>, E> {
            Ok(Id::Number(number))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Id<'de>, E> {
            Ok(Id::Str(Cow::Owned(text.to_owned())))
        }

        fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Id<'de>, E> {
            Ok(Id::Str(Cow::Borrowed(text)))
        }
    }
    deserializer.deserialize_any(Form)
}

/// A call that is not to be answered, and not carried out either.
#[derive(Deserialize)]
struct Notification<'a> {
    #[serde(rename = "jsonrpc")]
    _version: TwoPointZero,
    #[serde(rename = "method", borrow)]
    _method: Cow<'a, str>,
}

/// One entry of a request.
#[derive(Clone, Debug)]
pub(crate) enum Entry<'a> {
    Call(Asked<'a>),
    Notification,
    /// JSON, and neither of them.
    Invalid(Id<'a>),
}

/// What a request holds.
#[derive(Debug)]
pub(crate) enum Form<'a> {
    One(Entry<'a>),
    Batch(Vec<Entry<'a>>),
    /// A batch of more entries than are read.
    TooMany,
    /// It is not JSON.
    Broken,
}

impl<'a> Asked<'a> {
    /// The parameters as they were written.
    pub(crate) fn params_text(&self) -> Option<&'a str> {
        self.params.map(RawValue::get)
    }

    pub(crate) fn params(&self) -> Params<'a> {
        Params::new(self.params_text())
    }

    pub(crate) fn request(&self) -> Request<'_> {
        Request::borrowed(&self.method, self.params, self.id.clone())
    }
}

impl<'a> From<&'a Request<'_>> for Asked<'a> {
    fn from(request: &'a Request<'_>) -> Self {
        Self {
            _version: TwoPointZero,
            id: request.id.clone(),
            method: Cow::Borrowed(&request.method),
            params: request.params.as_deref(),
        }
    }
}

impl<'a> Form<'a> {
    /// Reads a request, or a batch of so many at most.
    pub(crate) fn read(body: &'a [u8], entries_max: usize) -> Self {
        match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'[') => Self::read_batch(body, entries_max),
            _ => match serde_json::from_slice(body) {
                Ok(asked) => Self::One(Entry::Call(asked)),
                Err(_) => serde_json::from_slice(body).map_or(Self::Broken, |text| Self::One(Entry::read(text))),
            },
        }
    }

    fn read_batch(body: &'a [u8], entries_max: usize) -> Self {
        // Nearly always all of them are calls, and reading each by itself takes twice as long.
        if let Ok(calls) = serde_json::from_slice::<Vec<Asked<'a>>>(body) {
            return match calls.len() {
                many if many > entries_max => Self::TooMany,
                _ => Self::Batch(calls.into_iter().map(Entry::Call).collect()),
            };
        }
        match serde_json::from_slice::<Vec<&RawValue>>(body) {
            // Not read one by one: of what is short there may be millions.
            Ok(each) if each.len() > entries_max => Self::TooMany,
            Ok(each) => Self::Batch(each.into_iter().map(Entry::read).collect()),
            Err(_) => Self::Broken,
        }
    }
}

impl<'a> Entry<'a> {
    fn read(text: &'a RawValue) -> Self {
        if let Ok(asked) = serde_json::from_str(text.get()) {
            Self::Call(asked)
        } else if serde_json::from_str::<Notification<'a>>(text.get()).is_ok() {
            Self::Notification
        } else {
            Self::Invalid(serde_json::from_str::<InvalidRequest<'a>>(text.get()).map_or(Id::Null, |invalid| invalid.id))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request in short: `name` of a call, `-` for a notification, `!` for what is neither.
    fn short(body: &str) -> String {
        let entry = |entry: &Entry<'_>| match entry {
            Entry::Call(asked) => format!("{}{}", asked.method, asked.params_text().unwrap_or_default()),
            Entry::Notification => "-".to_owned(),
            Entry::Invalid(_) => "!".to_owned(),
        };
        match Form::read(body.as_bytes(), 4) {
            Form::One(one) => entry(&one),
            Form::Batch(each) => format!("[{}]", each.iter().map(entry).collect::<Vec<_>>().join(" ")),
            Form::TooMany => "too many".to_owned(),
            Form::Broken => "broken".to_owned(),
        }
    }

    #[test]
    fn what_a_request_holds_is_told_apart() {
        let call = r#"{"jsonrpc":"2.0","id":"x","method":"a","params":[1]}"#;
        let notification = r#"{"jsonrpc":"2.0","method":"a"}"#;
        for (body, expected) in [
            (call.to_owned(), "a[1]"),
            (format!(" \n{call} "), "a[1]"),
            (r#"{"method":"\u0061","id":null,"jsonrpc":"2.0"}"#.to_owned(), "a"),
            (notification.to_owned(), "-"),
            (r#"{"jsonrpc":"1.0","id":1,"method":"a"}"#.to_owned(), "!"),
            (r#"{"id":1}"#.to_owned(), "!"),
            ("7".to_owned(), "!"),
            ("[]".to_owned(), "[]"),
            (format!("[{call},{call}]"), "[a[1] a[1]]"),
            (format!("\t[{call},7,{notification},[{call}]]"), "[a[1] ! - !]"),
            ("[1,1,1,1]".to_owned(), "[! ! ! !]"),
            ("[1,1,1,1,1]".to_owned(), "too many"),
            (format!("[{}]", [call; 5].join(",")), "too many"),
            (String::new(), "broken"),
            ("{".to_owned(), "broken"),
            (format!("{call}{call}"), "broken"),
            (format!("[{call}"), "broken"),
            (format!("[{call}]x"), "broken"),
        ] {
            assert_eq!(short(&body), expected, "{body}");
        }
    }

    #[test]
    fn ids_are_read_as_the_library_reads_them() {
        for json in [
            "null",
            "0",
            "18446744073709551615",
            "\"\"",
            "\"a\"",
            "\"\\u0061\\\"\"",
            "-1",
            "1.5",
            "1e3",
            "true",
            "[]",
            "{}",
        ] {
            let call = format!(r#"{{"jsonrpc":"2.0","id":{json},"method":"a"}}"#);
            let read = serde_json::from_str::<Asked<'_>>(&call).ok().map(|asked| asked.id);
            assert_eq!(read, serde_json::from_str::<Id<'_>>(json).ok(), "{json}");
        }
    }

    #[test]
    fn what_is_neither_call_nor_notification_is_answered_by_its_id_if_it_has_one() {
        let Form::One(Entry::Invalid(id)) = Form::read(br#"{"jsonrpc":"2.0","id":5}"#, 1) else {
            panic!("it is neither")
        };
        assert_eq!(id, Id::Number(5));
    }
}
