//! The JSON form of a line: one flat object of what the event says and what the spans around it say.
//!
//! The library's own form nests a span's fields; a line of a request is found by its `request_id`, and that should be the
//! same place in every line, whether a span or the event itself said it.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope};

/// The format. Of a field said twice, the innermost counts: the event before its span, a span before those around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flat;

/// A line in the order a person reads it.
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
        // Ours, whatever an event calls its fields: an object says a thing once.
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

/// Takes the fields of an event as they are: written as text and read back, as the library would hand them over, they
/// cost more than the rest of the line.
struct Said<'line>(&'line mut Map<String, Value>);

impl Said<'_> {
    fn take(&mut self, field: &Field, value: impl Into<Value>) {
        // A raw identifier is the same name.
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

/// Reads fields back; the library keeps those of a span as text.
fn object(fields: &str) -> Result<Map<String, Value>, fmt::Error> {
    if fields.is_empty() { Ok(Map::new()) } else { serde_json::from_str(fields).map_err(|_| fmt::Error) }
}
