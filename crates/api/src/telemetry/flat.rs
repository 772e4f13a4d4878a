//! The JSON format of a line: one flat object with the fields of the event and of the spans around it.
//!
//! The library's own format nests a span's fields. Here `request_id` is in the same place of every line, whether it is
//! a field of a span or of the event.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope};

/// The format. Of fields with the same name, the innermost wins: the event's before its span's, a span's before its
/// parents'.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flat;

/// The fields of a line, in a readable order.
#[derive(Serialize)]
struct Line {
    timestamp: String,
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Value>,
    #[serde(flatten)]
    fields: Map<String, Value>,
    target: &'static str,
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> FormatEvent<S, JsonFields> for Flat {
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Map::new();
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            if let Some(said) = span.extensions().get::<FormattedFields<JsonFields>>() {
                fields.extend(object(said)?);
            }
        }
        event.record(&mut Said(&mut fields));
        // An event's fields cannot replace these: a JSON object has each key once.
        for taken in ["timestamp", "level", "target"] {
            fields.remove(taken);
        }
        let metadata = event.metadata();
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let (level, target) = (metadata.level().as_str(), metadata.target());
        let line = Line { timestamp, level, message: fields.remove("message"), fields, target };
        writeln!(writer, "{}", serde_json::to_string(&line).map_err(|_| fmt::Error)?)
    }
}

/// Visits the fields of an event with their types. The library would write them as a text to be parsed again, which
/// costs more than the rest of the line.
struct Said<'line>(&'line mut Map<String, Value>);

impl Said<'_> {
    fn take(&mut self, field: &Field, value: impl Into<Value>) {
        // `r#type` is the name `type`.
        let name = field.name();
        self.0.insert(name.strip_prefix("r#").unwrap_or(name).to_owned(), value.into());
    }
}

impl Visit for Said<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.take(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.take(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, format!("{value:?}"));
    }
}

/// Parses a span's fields, which the library keeps as a text.
fn object(fields: &str) -> Result<Map<String, Value>, fmt::Error> {
    if fields.is_empty() { Ok(Map::new()) } else { serde_json::from_str(fields).map_err(|_| fmt::Error) }
}
