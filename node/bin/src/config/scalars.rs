//! Times that may be missing, as text.

pub(crate) mod duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer};

    #[derive(Deserialize)]
    struct Text(#[serde(with = "humantime_serde")] Duration);

    /// A time such as `30s`; where it is not given, there is none.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        Ok(Some(Text::deserialize(from)?.0))
    }
}
