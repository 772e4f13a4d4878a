//! A report as SARIF 2.1.0, which code hosts show beside the code.

use serde_json::{Value, json};

use super::Looked;
use super::finding::{Finding, Place};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// The one rule there is.
const RULE: &str = "nolapse-token";

/// The whole document.
pub(super) fn document(findings: &[Finding], looked: &Looked) -> Value {
    let unread: Vec<_> = looked
        .unread
        .iter()
        .map(|unread| json!({ "level": "warning", "message": { "text": format!("not scanned: {}", unread.why) } }))
        .collect();
    let results: Vec<_> =
        findings.iter().flat_map(|finding| finding.places.iter().map(|at| result(finding, at))).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "nlp",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": [{
                    "id": RULE,
                    "name": "LeakedToken",
                    "shortDescription": { "text": "A nolapse API token" },
                    "fullDescription": {
                        "text": "A nolapse API token with a valid checksum. Revoke it first, then remove it: assume that \
                                 a token that was public has been read."
                    },
                    "defaultConfiguration": { "level": "error" },
                    "properties": { "tags": ["security", "secret"] },
                }],
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{ "executionSuccessful": true, "toolExecutionNotifications": unread }],
            "results": results,
        }],
    })
}

fn result(finding: &Finding, place: &Place) -> Value {
    let live = match finding.live {
        Some(true) => ", and it is valid",
        Some(false) => ", and it is no longer valid",
        None => "",
    };
    let mut result = json!({
        "ruleId": RULE,
        "ruleIndex": 0,
        "level": if finding.live == Some(false) { "warning" } else { "error" },
        "message": { "text": format!("The API token {} was found here{live}.", finding.hint) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&place.file) },
            "region": { "startLine": place.line, "startColumn": place.column },
        } }],
        "partialFingerprints": { "secret/v1": finding.fingerprint },
    });
    if let Some(commit) = &place.commit {
        result["properties"] = json!({ "commit": commit.id, "author": commit.author, "date": commit.date });
    }
    result
}

/// A path as a relative reference (RFC 3986).
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => {
                use std::fmt::Write as _;
                // Writing to a string cannot fail.
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_references() {
        assert_eq!(uri("src/a b/ü#.rs"), "src/a%20b/%C3%BC%23.rs");
    }
}
