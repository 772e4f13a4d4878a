//! Patterns of paths and hosts: matching, overlap and containment.
//!
//! `*` matches any text within a segment (between slashes of a path, between dots of a host), at most once per segment;
//! `/**` at the end of a path matches any rest, also an empty one. With so simple a syntax, overlap and containment of
//! two patterns can be decided segment by segment.
//!
//! **Invariant:** a path that two programs could interpret differently (dot segments, empty segments, encoded
//! separators, parameters behind `;`) matches no pattern, because the gateway and the application behind it may be
//! those two.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A list of segments, with or without `/**` at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    segments: Vec<Segment>,
    is_open: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Glob { prefix: String, suffix: String },
}

impl Pattern {
    /// Reads the pattern of a path, such as `/api/v1/scans/*`.
    pub(super) fn path(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix('/').ok_or("must begin with /")?;
        let (rest, is_open) = match rest.strip_suffix("**") {
            Some("") => ("", true),
            Some(rest) => (rest.strip_suffix('/').ok_or("may have ** only as its last segment")?, true),
            None => (rest, false),
        };
        if rest.is_empty() {
            return Ok(Self { segments: Vec::new(), is_open });
        }
        let segments = rest.split('/').map(|part| match part {
            "" => Err("must not have empty segments or end with /"),
            "." | ".." => Err("must not have the segments . and .."),
            part if part.bytes().all(is_plain) => Segment::parse(part),
            _ => Err("must not contain %, ?, #, ;, \\ or white space"),
        });
        Ok(Self { segments: segments.collect::<Result<_, _>>()?, is_open })
    }

    /// Reads the pattern of a host, such as `api.example.com` or `*.example.com`.
    pub(super) fn host(text: &str) -> Result<Self, &'static str> {
        let is_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'*');
        let labels = text.split('.').map(|label| {
            if label.is_empty() || !label.bytes().all(is_label) {
                return Err("must be a host name in lower case, without a port");
            }
            Segment::parse(label)
        });
        Ok(Self { segments: labels.collect::<Result<_, _>>()?, is_open: false })
    }

    /// Whether it matches these segments.
    pub(super) fn matches(&self, segments: &[Cow<'_, str>]) -> bool {
        let fits =
            if self.is_open { segments.len() >= self.segments.len() } else { segments.len() == self.segments.len() };
        fits && self.segments.iter().zip(segments).all(|(pattern, text)| pattern.matches(text))
    }

    /// Whether some text matches both patterns.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let fits = match (self.is_open, other.is_open) {
            (false, false) => self.segments.len() == other.segments.len(),
            (true, false) => self.segments.len() <= other.segments.len(),
            (false, true) => other.segments.len() <= self.segments.len(),
            (true, true) => true,
        };
        fits && self.segments.iter().zip(&other.segments).all(|(one, other)| one.overlaps(other))
    }

    /// Whether every text that matches the other pattern matches this one.
    pub(super) fn contains(&self, other: &Self) -> bool {
        let fits = if self.is_open {
            self.segments.len() <= other.segments.len()
        } else {
            !other.is_open && self.segments.len() == other.segments.len()
        };
        fits && self.segments.iter().zip(&other.segments).all(|(one, other)| one.contains(other))
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, &'static str> {
        match text.split_once('*') {
            None => Ok(Self::Literal(text.to_owned())),
            Some((_, suffix)) if suffix.contains('*') => {
                Err("may have * once in a segment, and ** only as the last segment")
            }
            Some((prefix, suffix)) => Ok(Self::Glob { prefix: prefix.to_owned(), suffix: suffix.to_owned() }),
        }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == text,
            Self::Glob { prefix, suffix } => {
                text.len() >= prefix.len() + suffix.len() && text.starts_with(prefix) && text.ends_with(suffix)
            }
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(text), pattern) | (pattern, Self::Literal(text)) => pattern.matches(text),
            (Self::Glob { prefix, suffix }, Self::Glob { prefix: other_prefix, suffix: other_suffix }) => {
                (prefix.starts_with(other_prefix) || other_prefix.starts_with(prefix))
                    && (suffix.ends_with(other_suffix) || other_suffix.ends_with(suffix))
            }
        }
    }

    fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (pattern, Self::Literal(text)) => pattern.matches(text),
            (Self::Literal(_), Self::Glob { .. }) => false,
            (Self::Glob { prefix, suffix }, Self::Glob { prefix: other_prefix, suffix: other_suffix }) => {
                other_prefix.starts_with(prefix) && other_suffix.ends_with(suffix)
            }
        }
    }
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'%' | b'?' | b'#' | b';' | b'\\')
}

/// The decoded segments of a client's path; `None` if programs could interpret the path differently.
pub(super) fn segments(path: &str) -> Option<Vec<Cow<'_, str>>> {
    match path.strip_prefix('/')? {
        "" => Some(Vec::new()),
        rest => rest.split('/').map(segment).collect(),
    }
}

fn segment(raw: &str) -> Option<Cow<'_, str>> {
    let decoded = percent_decode_str(raw).decode_utf8().ok()?;
    let is_ambiguous = |letter: char| letter.is_control() || matches!(letter, '/' | '\\' | ';' | '%' | '#' | '?');
    let is_plain = !matches!(&*decoded, "" | "." | "..") && !decoded.contains(is_ambiguous);
    is_plain.then_some(decoded)
}

/// The labels of a client's host, in lower case, without the port and the trailing dot.
pub(super) fn labels(host: &str) -> Vec<Cow<'static, str>> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name.split('.').map(|label| Cow::Owned(label.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Pattern {
        Pattern::path(text).unwrap_or_else(|wrong| panic!("{text} {wrong}"))
    }

    #[test]
    fn a_pattern_matches_whole_paths_segment_by_segment() {
        let rows = [
            ("/", vec!["/"], vec!["/a", "", "//"]),
            ("/**", vec!["/", "/a", "/a/b"], vec!["", "a", "/a/", "//a"]),
            (
                "/api/v1/scans",
                vec!["/api/v1/scans", "/api/v1/%73cans"],
                vec!["/api/v1/scans/", "/api/v1/Scans", "/api/v1"],
            ),
            (
                "/api/v1/scans/*",
                vec!["/api/v1/scans/7", "/api/v1/scans/a%20b"],
                vec!["/api/v1/scans", "/api/v1/scans/7/stop"],
            ),
            ("/api/*/stop", vec!["/api/7/stop"], vec!["/api/7/8/stop", "/api//stop", "/api/%2F/stop"]),
            ("/files/*.zip", vec!["/files/a.zip", "/files/.zip"], vec!["/files/a.tar", "/files/zip"]),
            (
                "/api/v2/projects/**",
                vec!["/api/v2/projects", "/api/v2/projects/1/2/3"],
                vec!["/api/v2/projectsx", "/api/v2"],
            ),
        ];
        for (pattern, matching, others) in rows {
            let read = path(pattern);
            for text in matching {
                assert!(segments(text).is_some_and(|segments| read.matches(&segments)), "{pattern} matches {text}");
            }
            for text in others {
                assert!(
                    !segments(text).is_some_and(|segments| read.matches(&segments)),
                    "{pattern} does not match {text}"
                );
            }
        }
    }

    #[test]
    fn a_path_that_can_be_read_in_two_ways_matches_nothing() {
        for text in [
            "/a/../b",
            "/a/./b",
            "/a/%2e%2e/b",
            "/a/.%2E/b",
            "/a//b",
            "/a/",
            "/a%2Fb",
            "/a%2fb",
            "/a\\b",
            "/a%5Cb",
            "/a;v=1",
            "/a%3Bv",
            "/a%00",
            "/a%0a",
            "/a%252Fb",
            "/a%",
            "/a%zz",
            "/a%ff",
            "/a#b",
            "*",
            "a",
            "",
            "http://host/a",
            "/a%3Fb",
        ] {
            assert_eq!(segments(text), None, "{text}");
        }
    }

    #[test]
    fn patterns_that_say_nothing_clear_are_refused() {
        for text in [
            "", "api", "/a/", "//", "/a//b", "/a/**/b", "/**/a", "/a**", "/a*b*", "/a/../b", "/a%20b", "/a?b", "/a;b",
            "/a b",
        ] {
            assert!(Pattern::path(text).is_err(), "{text}");
        }
        for text in ["", "Api.example.com", "api.example.com:443", "api..example.com", ".com", "a_b.example.com"] {
            assert!(Pattern::host(text).is_err(), "{text}");
        }
    }

    #[test]
    fn two_patterns_relate_as_what_they_match_does() {
        // Whether they overlap; whether the first contains the second; whether the second contains the first.
        let rows = [
            ("/a", "/a", true, true, true),
            ("/a", "/b", false, false, false),
            ("/a/*", "/a/b", true, true, false),
            ("/a/*", "/a", false, false, false),
            ("/a/*", "/*/b", true, false, false),
            ("/a/**", "/a", true, true, false),
            ("/a/**", "/a/*/c", true, true, false),
            ("/a/**", "/**", true, false, true),
            ("/a/**", "/b/**", false, false, false),
            ("/*/b/**", "/a/**", true, false, false),
            ("/x*", "/*y", true, false, false),
            ("/x*", "/xy*", true, true, false),
            ("/x*", "/y*", false, false, false),
            ("/a/b/**", "/a", false, false, false),
        ];
        for (one, other, overlap, first, second) in rows {
            let (a, b) = (path(one), path(other));
            let found = (a.overlaps(&b), b.overlaps(&a), a.contains(&b), b.contains(&a));
            assert_eq!(found, (overlap, overlap, first, second), "{one} {other}");
        }
    }

    #[test]
    fn hosts_are_matched_by_label_without_case_and_port() {
        let rows = [
            ("api.example.com", "API.example.com:8443", true),
            ("api.example.com", "api.example.com.", true),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.example.com", false),
            ("*.example.com", "example.com", false),
        ];
        for (pattern, host, expected) in rows {
            let read = Pattern::host(pattern).unwrap_or_else(|wrong| panic!("{pattern} {wrong}"));
            assert_eq!(read.matches(&labels(host)), expected, "{pattern} {host}");
        }
    }
}
