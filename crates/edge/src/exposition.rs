//! The formats of `/metrics`: `OpenMetrics` for clients that ask for it, else the classic text format (version 0.0.4).
//!
//! The metrics library writes `OpenMetrics` only. The classic format is converted from that text, line by line:
//! counters are named with their `_total`, units and the end mark are left out. Prometheus accepts both; other scrapers
//! and `promtool check metrics` know only the classic one.

use actix_web::http::header::HeaderMap;
use actix_web::http::header::{self, HeaderValue};

/// A text format for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Version 0.0.4.
    Classic,
    /// Version 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The format that a request asks for: `OpenMetrics` if `Accept` names it and does not rank it behind plain text.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let (mut open, mut plain) = (0.0_f32, 0.0_f32);
        for value in headers.get_all(header::ACCEPT).filter_map(|value| value.to_str().ok()) {
            for range in value.split(',') {
                let mut parts = range.split(';').map(str::trim);
                let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
                let weight = parts.find_map(|part| part.strip_prefix("q=")).and_then(|q| q.parse().ok()).unwrap_or(1.0);
                match kind.as_str() {
                    "application/openmetrics-text" => open = open.max(weight),
                    "text/plain" | "text/*" => plain = plain.max(weight),
                    _ => {}
                }
            }
        }
        if open > 0.0 && open >= plain { Self::OpenMetrics } else { Self::Classic }
    }

    /// The `Content-Type` of this format.
    pub(super) const fn content_type(self) -> HeaderValue {
        match self {
            Self::Classic => HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
            Self::OpenMetrics => HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8"),
        }
    }

    /// Converts a text from `OpenMetrics` to this format.
    pub(super) fn write(self, open: String) -> String {
        match self {
            Self::Classic => classic(&open),
            Self::OpenMetrics => open,
        }
    }
}

fn classic(open: &str) -> String {
    let mut text = String::with_capacity(open.len());
    // `HELP` precedes `TYPE`, and only the type tells the metric's name in this format.
    let mut help = None;
    for line in open.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                other => ("", other),
            };
            if let Some((_, help)) = help.take().filter(|(helped, _)| *helped == name) {
                text.extend(["# HELP ", name, suffix, " ", &help.replace("\\\"", "\""), "\n"]);
            }
            text.extend(["# TYPE ", name, suffix, " ", kind, "\n"]);
        } else if !line.starts_with('#') {
            text.extend([line, "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_format_is_the_one_asked_for() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        for (accept, expected) in [
            ("", Format::Classic),
            ("*/*", Format::Classic),
            ("text/plain", Format::Classic),
            ("text/plain; version=0.0.4", Format::Classic),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("Application/OpenMetrics-Text; version=1.0.0", Format::OpenMetrics),
            ("application/openmetrics-text;q=0", Format::Classic),
            ("application/openmetrics-text;q=0.1, text/plain;q=0.5", Format::Classic),
            (prometheus, Format::OpenMetrics),
        ] {
            let request = TestRequest::default().insert_header(("accept", accept)).to_http_request();
            assert_eq!(Format::of(request.headers()), expected, "{accept}");
        }
    }

    #[test]
    fn the_classic_format_names_counters_as_their_samples() {
        let open = "# HELP a_requests Requests \\\"seen\\\".\n# TYPE a_requests counter\na_requests_total{route=\"/\"} 3\n\
                    # HELP a_time Time.\n# TYPE a_time histogram\n# UNIT a_time seconds\na_time_sum 0.5\na_time_count 1\na_time_bucket{le=\"+Inf\"} 1\n\
                    # HELP a_build Build.\n# TYPE a_build info\na_build_info{version=\"1\"} 1\n\
                    # TYPE a_x unknown\na_x 1\n# EOF\n";
        let expected = "# HELP a_requests_total Requests \"seen\".\n# TYPE a_requests_total counter\na_requests_total{route=\"/\"} 3\n\
                        # HELP a_time Time.\n# TYPE a_time histogram\na_time_sum 0.5\na_time_count 1\na_time_bucket{le=\"+Inf\"} 1\n\
                        # HELP a_build_info Build.\n# TYPE a_build_info gauge\na_build_info{version=\"1\"} 1\n\
                        # TYPE a_x untyped\na_x 1\n";
        assert_eq!(classic(open), expected);
        assert_eq!(Format::OpenMetrics.write(open.to_owned()), open);
    }
}
