//! A report, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Looked;
use super::detect::Writing;
use super::finding::{Finding, Place};
use crate::output::without_controls;

/// Digits of a commit id in reports for people.
const SHORT: usize = 12;
/// How many files that could not be read are named for people.
const SHOWN: usize = 20;

/// For people: a line for each secret, one below it for each further place, and on a terminal how much was scanned.
pub(super) fn text(findings: &[Finding], looked: &Looked, is_terminal: bool) -> String {
    let mut out = String::new();
    for finding in findings {
        let live = match finding.live {
            Some(true) => "  LIVE",
            Some(false) => "  not live",
            None => "",
        };
        let revoked = if finding.revoked { "  revoked" } else { "" };
        let mut places = finding.places.iter();
        let first = places.next().map(place).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{}  {}  {first}{live}{revoked}", finding.hint, finding.fingerprint);
        for other in places {
            let _ = writeln!(out, "    {}", place(other));
        }
    }
    if is_terminal {
        let found = match findings.len() {
            0 => "no tokens found".to_owned(),
            1 => "1 token found".to_owned(),
            n => format!("{n} tokens found"),
        };
        let files = if looked.items == 1 { "file" } else { "files" };
        let _ = write!(out, "{found} in {} {files}, {}", looked.items, size(looked.bytes));
        if looked.skipped > 0 {
            let _ = write!(out, "; {} large binaries or unreadable files skipped", looked.skipped);
        }
        out.push('\n');
    }
    out
}

/// A number of bytes, in the largest unit that fits.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}

fn place(place: &Place) -> String {
    let mut text = format!("{}:{}:{}", place.file, place.line, place.column);
    if place.writing != Writing::Plain {
        let _ = write!(text, " ({})", place.writing.as_str());
    }
    if let Some(commit) = &place.commit {
        let _ = write!(text, "  {} {} {}", commit.id.get(..SHORT).unwrap_or(&commit.id), commit.date, commit.author);
    }
    harmless(&text)
}

/// A text of somebody else, such as a file's name, as it may be shown: without tokens and control characters.
pub(super) fn harmless(text: &str) -> String {
    without_controls(&token_format::redact(text).to_string())
}

/// What could not be read, for people.
pub(super) fn unread(looked: &Looked) -> Option<String> {
    let more = looked.unread.len().saturating_sub(SHOWN);
    let mut lines: Vec<_> =
        looked.unread.iter().take(SHOWN).map(|unread| format!("not scanned: {}", unread.why)).collect();
    if more > 0 {
        lines.push(format!("not scanned: {more} more"));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// For programs, and as a baseline for later scans.
pub(super) fn json(findings: &[Finding], looked: &Looked) -> Value {
    let findings: Vec<_> = findings.iter().map(one).collect();
    let unread: Vec<_> = looked.unread.iter().map(|unread| &unread.why).collect();
    json!({
        "findings": findings,
        "scanned": { "items": looked.items, "bytes": looked.bytes, "skipped": looked.skipped, "unread": unread },
    })
}

fn one(finding: &Finding) -> Value {
    let places = finding.places.iter().map(|place| {
        let mut value = json!({
            "file": &*place.file,
            "line": place.line,
            "column": place.column,
            "encoding": place.writing.as_str(),
        });
        if let Some(commit) = &place.commit {
            value["commit"] = json!(commit.id);
            value["author"] = json!(commit.author);
            value["date"] = json!(commit.date);
        }
        value
    });
    let mut value = json!({
        "hint": finding.hint,
        "fingerprint": finding.fingerprint,
        "places": places.collect::<Vec<_>>(),
    });
    if let Some(live) = finding.live {
        value["live"] = json!(live);
    }
    if finding.revoked {
        value["revoked"] = json!(true);
    }
    value
}
