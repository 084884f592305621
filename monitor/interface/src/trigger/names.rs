//! Words out of a fixed list, as bits.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::BindError;

/// Names in a field of a trigger: one, or a list. Which ones there are is for the field to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(Vec<String>);

impl Names {
    /// Whether the field was left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a name is among them.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|known| known == name)
    }

    /// One bit for each name, at its place in `known`; `None` if the field was left out.
    pub(super) fn bits(&self, field: &'static str, known: &'static [&'static str]) -> Result<Option<u8>, BindError> {
        let mut bits = 0;
        for name in &self.0 {
            let place = known.iter().position(|known| known == name);
            let place = place.ok_or_else(|| BindError::Name { field, name: name.clone(), known: known.join(", ") })?;
            bits |= 1 << place;
        }
        Ok((!self.is_empty()).then_some(bits))
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        strings(deserializer).map(Self)
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// A string, a whole number, or a list of those. An empty list would look like a field left out, and is refused.
pub(super) fn strings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    use serde::de::Error as _;
    let one = |value: Value| match value {
        Value::String(text) => Ok(text),
        Value::Number(number) if number.is_u64() => Ok(number.to_string()),
        other => Err(D::Error::custom(format!("expected a string or a whole number, not {other}"))),
    };
    match Value::deserialize(deserializer)? {
        Value::Array(values) if values.is_empty() => Err(D::Error::custom("an empty list; leave the field out")),
        Value::Array(values) => values.into_iter().map(one).collect(),
        value => one(value).map(|value| vec![value]),
    }
}
