//! Logging: JSON lines on standard error, or text for people. Tokens are removed from the finished lines.
//!
//! The JSON writer escapes line breaks and control characters, so one event is one line and no text from outside can forge
//! another. Standard output is left to what programs read: the address, printed documents.

mod flat;
mod queue;
pub(crate) mod redact;

use std::io;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{FmtSpan, JsonFields};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::sections::{Log, LogFormat};
pub use queue::{Dropped, Queue};
pub use redact::{Redacting, redact};

/// Starts logging for the whole process, panics included. Fails if logging was started before, or if the thread cannot
/// be started. The caller must [finish](Queue::finish) the queue at the end.
pub(crate) fn start(log: &Log) -> Result<Queue, Box<dyn std::error::Error>> {
    let queue = Queue::before(io::stderr())?;
    subscriber(log, queue.clone()).try_init()?;
    // The default hook would write to standard error without redaction, and a panic's message may contain a secret.
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("not a text");
        tracing::error!(at, panic = message, "panicked");
    }));
    Ok(queue)
}

/// The subscriber that [`start`] installs, writing elsewhere: for tests that read the lines.
pub(crate) fn subscriber<W>(log: &Log, writer: W) -> impl tracing::Subscriber + Send + Sync + use<W>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    // Loading the configuration has validated the filter; should it fail here nevertheless, log more rather than less.
    let filter: Targets = log.filter.parse().unwrap_or_else(|_| Targets::new().with_default(tracing::Level::INFO));
    let lines = tracing_subscriber::fmt::layer().with_writer(Redacting::new(writer)).with_span_events(FmtSpan::NONE);
    let lines = match log.format {
        LogFormat::Json => lines.fmt_fields(JsonFields::new()).event_format(flat::Flat).boxed(),
        LogFormat::Pretty => lines.compact().with_ansi(false).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, work: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = Log { filter: "info".into(), format, access: true };
        tracing::subscriber::with_default(subscriber(&log, move || writer.clone()), work);
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_json_event_is_one_flat_line_with_its_span_and_no_control_characters() {
        let text = logged(LogFormat::Json, || {
            let span = tracing::info_span!("request", request_id = "r-1");
            let _entered = span.enter();
            tracing::info!(name = "a\r\nb\u{1b}[31mc", "line one\nline two");
            tracing::debug!("too quiet");
        });
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1, "{text}");
        assert!(!text.contains('\r') && !text.contains('\u{1b}'));
        let event: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
        assert_eq!(event["message"], "line one\nline two");
        assert_eq!(event["name"], "a\r\nb\u{1b}[31mc");
        assert_eq!(event["request_id"], "r-1");
    }

    #[test]
    fn a_json_line_says_each_thing_once_and_the_innermost_wins() {
        let text = logged(LogFormat::Json, || {
            let outer = tracing::info_span!("outer", request_id = "r-1", depth = 1);
            let inner = tracing::info_span!(parent: &outer, "inner", depth = 2, late = tracing::field::Empty);
            inner.record("late", true);
            inner.in_scope(|| tracing::warn!(target: "audit", request_id = "r-2", level = "mine", count = 3, "said"));
            tracing::info!("outside");
        });
        let mut lines = text.lines();
        let first = lines.next().unwrap();
        let event: serde_json::Value = serde_json::from_str(first).unwrap();
        let expected = serde_json::json!({
            "timestamp": event["timestamp"], "level": "WARN", "message": "said", "request_id": "r-2", "depth": 2,
            "late": true, "count": 3, "target": "audit",
        });
        assert_eq!(event, expected);
        for name in ["timestamp", "level", "message", "request_id", "depth", "target"] {
            assert_eq!(first.matches(&format!("\"{name}\":")).count(), 1, "{name} in {first}");
        }
        assert!(event["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{first}");
        let outside: serde_json::Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        assert!(outside.get("request_id").is_none() && outside["message"] == "outside", "{text}");
    }

    #[test]
    fn a_field_keeps_its_type() {
        let text = logged(LogFormat::Json, || {
            let error: &(dyn std::error::Error + 'static) = &io::Error::other("gone\n");
            tracing::info!(yes = true, less = -1, more = u64::MAX, half = 0.5, none = f64::NAN, text = "a\"b", "said");
            tracing::info!(shown = %"a b", debugged = ?Some("c"), error, r#type = "t", absent = None::<u8>);
        });
        let mut lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        for expected in [
            serde_json::json!({ "yes": true, "less": -1, "more": u64::MAX, "half": 0.5, "none": null, "text": "a\"b",
                "message": "said" }),
            serde_json::json!({ "shown": "a b", "debugged": "Some(\"c\")", "error": "gone\n", "type": "t" }),
        ] {
            let mut line = lines.next().unwrap();
            for always in ["timestamp", "level", "target"] {
                assert!(line.as_object_mut().unwrap().remove(always).is_some(), "{always}");
            }
            assert_eq!(line, expected);
        }
    }

    #[test]
    fn no_format_lets_a_token_through() {
        let token = format!("nlp_{}", "3f7a".repeat(10));
        let session = format!("nls_{}", "c0de".repeat(16));
        for format in [LogFormat::Json, LogFormat::Pretty] {
            let text = logged(format, || {
                let span = tracing::info_span!("request", token = %token);
                let _entered = span.enter();
                tracing::warn!(field = %session, debug = ?token, "in the message {token}{session}");
            });
            assert!(!text.contains(&token[..12]) && !text.contains(&session[..12]), "{text}");
            assert!(text.contains("nlp_3f7a…") && text.contains("nls_c0de…"), "{text}");
        }
    }
}
