//! A log line as one JSON object: `timestamp`, `level`, `target`, `message` and the event's other fields beside them.

use std::{fmt, time::SystemTime};

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

/// Writes events as JSON.
pub(super) struct Json;

/// The fields of an event.
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        // Those of the line itself are not taken away by fields of the same name.
        self.0.entry(field.name()).or_insert_with(|| value.into());
    }
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields(Map::new());
        let now = humantime::format_rfc3339_micros(SystemTime::now());
        for (name, value) in [
            ("timestamp", now.to_string()),
            ("level", event.metadata().level().to_string()),
            ("target", event.metadata().target().to_owned()),
        ] {
            fields.0.insert(name.to_owned(), value.into());
        }
        event.record(&mut fields);
        writeln!(line, "{}", Value::Object(fields.0))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use std::{
        io::{self, Write},
        sync::Arc,
    };

    use parking_lot::Mutex;

    use super::*;

    /// What was written.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_with_its_fields_beside_those_of_the_line() {
        let lines = Lines::default();
        let written = lines.clone();
        let log = tracing_subscriber::fmt().event_format(Json).with_writer(move || written.clone()).finish();
        tracing::subscriber::with_default(log, || {
            tracing::warn!(block = 7_u64, level = "mine", path = ?"a\nb", "first\nsecond");
        });
        let text = String::from_utf8(lines.0.lock().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["level"], &line["block"]), (&"WARN".into(), &7.into()));
        assert_eq!((&line["message"], &line["path"]), (&"first\nsecond".into(), &"\"a\\nb\"".into()));
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z') && line["target"].is_string(), "{line}");
    }
}
